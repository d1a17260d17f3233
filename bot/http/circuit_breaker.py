"""A circuit breaker: a platform that does not answer is left alone for a while, and asked by one call at a time.

Without it, ten thousand pages of a platform that hangs would be asked for again every two minutes, each batch until its
deadline. One breaker stands before one platform with one token (``bot.http.client.Http``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import Unreachable

log = logging.getLogger(__name__)

IN_A_ROW = 5
"""Calls that fail one after another before the platform is left alone."""

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
"""The wait doubles from one to the other with each call that finds the platform still silent."""


class _BreakerCall:
    """A call under way; it may get an answer and still say that the platform is in trouble."""

    def __init__(self) -> None:
        self.troubled = False

    def in_trouble(self) -> None:
        self.troubled = True


class Breaker:
    """Counts the calls that got no answer. Safe to share between threads.

    It is told once in the log that the platform is left alone, and once that it answers again; in between, what it
    raises stands in the answers about the platform's pages.
    """

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._since = clock.now()
        self._wait = FIRST_WAIT
        self._again: tuple[float, datetime] | None = None

    @contextmanager
    def call(self) -> Iterator[_BreakerCall]:
        """One call. ``Unreachable`` counts as no answer, and so does an answer that is said to be of trouble.

        Raises ``Unreachable`` without a call while the platform is left alone.
        """
        self._admit()
        call = _BreakerCall()
        try:
            yield call
        except Unreachable:
            call.in_trouble()
            raise
        finally:
            if call.troubled:
                self._silent()
            else:
                self._answered()

    def _admit(self) -> None:
        with self._lock:
            if self._again is None:
                return
            opens, at = self._again
            if self._clock.monotonic() < opens:
                raise Unreachable(
                    f"{self._host} has not answered since {self._since:%d %B, %H:%M} UTC; it is asked again at "
                    f"{at:%H:%M} UTC."
                )
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._leave_alone()  # the others wait for what comes of this call

    def _silent(self) -> None:
        with self._lock:
            if self._failed == 0:
                self._since = self._clock.now()
            self._failed += 1
            if self._failed < IN_A_ROW or self._again:
                return
            self._wait = FIRST_WAIT
            self._leave_alone()
        log.warning("%s did not answer %d calls in a row: it is left alone for a while", self._host, IN_A_ROW)

    def _answered(self) -> None:
        with self._lock:
            self._failed, was_open, self._again = 0, self._again is not None, None
            since = self._since
        if was_open:
            minutes = (self._clock.now() - since).total_seconds() / 60
            log.info("%s answers again, after %.0f minutes", self._host, minutes)

    def _leave_alone(self) -> None:
        self._again = (self._clock.monotonic() + self._wait.total_seconds(), self._clock.now() + self._wait)
