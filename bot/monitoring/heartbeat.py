"""The heartbeat of the bot: when the last cycle ran, its outcome, and whether a cycle is running now."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.clock import Clock
from bot.polling.cycle import PollReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The heartbeat at one moment.

    ``checked_at``: when the last check for due pages ended, or when the bot started.
    ``running``: seconds since the present check began, or None between two checks.
    ``thread``: the thread that checks.
    ``polled_at``, ``seconds``, ``pages``: end, length and number of pages of the last cycle that read pages.
    ``failures``: failed reads by reason, since the start.
    ``error``: the name of the exception that ended the last check, or "".
    ``unrecorded``: the reason why the last cycle could not be recorded, or "".
    """

    checked_at: datetime
    running: float | None = None
    thread: int | None = None
    polled_at: datetime | None = None
    seconds: float = 0
    pages: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    unrecorded: str = ""


class Heartbeat:
    """Run the cycle, and note its outcome. Any thread may call ``pulse``."""

    def __init__(self, run_due: Callable[[], PollReport | None], clock: Clock) -> None:
        self._run_due = run_due
        self._clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self._failures: Counter[str] = Counter()
        self._last = Pulse(checked_at=clock.now())

    def run_due(self) -> None:
        """Read the pages that are due. Raise what the cycle raises."""
        began = self._clock.monotonic()
        with self._lock:
            self._began = began
            self._last = replace(self._last, thread=threading.get_ident())
        report, error_name = None, ""
        try:
            report = self._run_due()
        except Exception as error:
            error_name = type(error).__name__
            raise
        finally:
            self._ended(report, self._clock.monotonic() - began, error_name)

    def pulse(self) -> Pulse:
        """Return the heartbeat now."""
        with self._lock:
            running = None if self._began is None else self._clock.monotonic() - self._began
            return replace(self._last, running=running, failures=dict(self._failures))

    def _ended(self, report: PollReport | None, seconds: float, error_name: str) -> None:
        now = self._clock.now()
        with self._lock:
            self._began = None
            self._last = replace(self._last, checked_at=now, error=error_name)
            if report is not None:
                self._failures.update(failure.reason.value for failure in report.failures)
                self._last = replace(
                    self._last, polled_at=now, seconds=seconds, pages=report.asked, unrecorded=report.unrecorded
                )
