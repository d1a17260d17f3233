"""The heartbeat: when the bot last looked for what is due, what came of it, and whether it is at it now."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.polling.cycle import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The heartbeat at one moment.

    ``looked_at`` is when the last look for due pages ended (when it was begun, at first), ``running`` the seconds that
    the present one has taken, None between two. ``polled_at``, ``seconds`` and ``pages`` are those of the last look
    that found something due. ``thread`` is the one that looks, ``failures`` counts failed reads by reason since the
    start, and ``stumbled`` names what went wrong with the last look, if anything did. ``unrecorded`` says why
    the last poll could not be recorded; empty if it was.
    """

    looked_at: datetime
    running: float | None
    thread: int | None
    polled_at: datetime | None
    seconds: float
    pages: int
    failures: Mapping[str, int]
    stumbled: str
    unrecorded: str = ""


class Heartbeat:
    """Runs the cycle, and remembers how it went. ``pulse`` may be asked by any thread."""

    def __init__(self, run_due: Callable[[], Report | None], clock: Clock) -> None:
        self._run_due = run_due
        self._clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self._failures: Counter[str] = Counter()
        self._last = Pulse(
            looked_at=clock.now(),
            running=None,
            thread=None,
            polled_at=None,
            seconds=0,
            pages=0,
            failures={},
            stumbled="",
        )

    def run_due(self) -> None:
        """Look for what is due once. Raises what the cycle raises."""
        began = self._clock.monotonic()
        with self._lock:
            self._began = began
            self._last = replace(self._last, thread=threading.get_ident())
        report, stumbled = None, ""
        try:
            report = self._run_due()
        except Exception as error:
            stumbled = type(error).__name__
            raise
        finally:
            self._ended(report, self._clock.monotonic() - began, stumbled)

    def pulse(self) -> Pulse:
        """The heartbeat now."""
        with self._lock:
            running = None if self._began is None else self._clock.monotonic() - self._began
            return replace(self._last, running=running, failures=dict(self._failures))

    def _ended(self, report: Report | None, seconds: float, stumbled: str) -> None:
        now = self._clock.now()
        with self._lock:
            self._began = None
            self._last = replace(self._last, looked_at=now, stumbled=stumbled)
            if report is not None:
                self._failures.update(failure.reason.value for failure in report.failures)
                self._last = replace(
                    self._last, polled_at=now, seconds=seconds, pages=report.asked, unrecorded=report.unrecorded
                )
