"""A circuit breaker: after several calls without an answer, no call goes to the platform for a while.

Without the breaker, each batch for a platform that hangs would wait until its deadline, at every poll. Each
``bot.http.client.Http`` has one breaker.
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

FAILURES_IN_A_ROW = 5
"""Calls that fail one after another before the breaker opens."""

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
"""Each trial call that fails doubles the wait, from ``FIRST_WAIT`` to ``LONGEST_WAIT``."""


class _BreakerCall:
    """A call under way. Its caller may mark it as failed although an answer came."""

    def __init__(self) -> None:
        self.failed = False


class CircuitBreaker:
    """Count the calls that got no answer, and refuse calls while the platform is silent. Threads may share a breaker.

    The log gets one line when the breaker opens, and one when the platform answers again.
    """

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._since = clock.now()
        self._wait = FIRST_WAIT
        self._next_trial: tuple[float, datetime] | None = None  # by the monotonic clock, and for the message

    @contextmanager
    def call(self) -> Iterator[_BreakerCall]:
        """Make one call. The call failed if it raises ``Unreachable`` or if its ``failed`` is set.

        Raise ``Unreachable`` without a call while the breaker is open.
        """
        self._admit()
        call = _BreakerCall()
        try:
            yield call
        except Unreachable:
            call.failed = True
            raise
        finally:
            if call.failed:
                self._count_failure()
            else:
                self._close()

    def _admit(self) -> None:
        with self._lock:
            if self._next_trial is None:
                return
            seconds, at = self._next_trial
            if self._clock.monotonic() < seconds:
                raise Unreachable(
                    f"{self._host} has not answered since {self._since:%d %B, %H:%M} UTC; it is asked again at "
                    f"{at:%H:%M} UTC."
                )
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._open()  # other threads wait for the outcome of this trial call

    def _count_failure(self) -> None:
        with self._lock:
            if self._failures == 0:
                self._since = self._clock.now()
            self._failures += 1
            if self._failures < FAILURES_IN_A_ROW or self._next_trial:
                return
            self._wait = FIRST_WAIT
            self._open()
        log.warning(
            "%s did not answer %d calls in a row; it is asked again in %.0f seconds",
            self._host,
            FAILURES_IN_A_ROW,
            FIRST_WAIT.total_seconds(),
        )

    def _close(self) -> None:
        with self._lock:
            self._failures, was_open, self._next_trial = 0, self._next_trial is not None, None
            since = self._since
        if was_open:
            minutes = (self._clock.now() - since).total_seconds() / 60
            log.info("%s answers again, after %.0f minutes", self._host, minutes)

    def _open(self) -> None:
        self._next_trial = (self._clock.monotonic() + self._wait.total_seconds(), self._clock.now() + self._wait)
