"""The only module that reads the machine's clock or sleeps. All others get a ``Clock``, or the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

SLOWER = 0.9
"""The pace of our clock while it is ahead of the machine's. It loses one hour in ten, and rates are off by a tenth."""


class Clock(Protocol):
    """The time, and a way to wait."""

    def now(self) -> datetime:
        """Return the present instant, with the time zone UTC."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start. They never go back."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait at most ``seconds`` for ``event``. Return whether it is set."""


def _machine() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock, except that it never goes back.

    If the machine's clock is set back, this clock runs slower until the machine's has caught up. Otherwise new readings
    would have earlier instants than old ones, and no page would be due for as long as the step.
    Instants are whole milliseconds, because the store keeps milliseconds. ``wall`` returns the machine's time.
    """

    def __init__(self, wall: Callable[[], datetime] = _machine) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._newest = wall(), time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            newest, returned_at = self._newest
            at = time.monotonic()
            now = max(self._wall(), newest + timedelta(seconds=(at - returned_at) * SLOWER))
            self._newest = now, at
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)
