"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta


class HandClock:
    """Tells the time it was set to. Nobody waits by it: a wait takes its time at once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._passed = timedelta(0)

    def now(self) -> datetime:
        return self._now + self._passed

    def monotonic(self) -> float:
        return self._passed.total_seconds()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            self.move(timedelta(seconds=seconds))
        return event.is_set()

    def move(self, by: timedelta) -> None:
        self._passed += by
