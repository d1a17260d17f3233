"""The only reader of the clock and of sleep. Everybody else is given a ``Clock``, or the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

SLOWER = 0.9
"""The pace of a clock that is ahead of the machine's: an hour is made good in ten, and rates are off by a tenth."""


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait at most ``seconds`` for ``event``; true if it was set."""


def _machine() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock, which never goes back: where that was set back, ours runs slower until it is caught up with.

    Else readings would bear instants before those of older ones, and nothing would be due for as long. Its instants
    are whole milliseconds, as the store keeps them: what is read back is equal. ``wall`` tells the machine's time.
    """

    def __init__(self, wall: Callable[[], datetime] = _machine) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._newest = wall(), time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            newest, told_at = self._newest
            at = time.monotonic()
            now = max(self._wall(), newest + timedelta(seconds=(at - told_at) * SLOWER))
            self._newest = now, at
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)
