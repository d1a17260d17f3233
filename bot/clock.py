"""The only reader of the clock and of sleep. Everybody else is given a ``Clock``, or the time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait at most ``seconds`` for ``event``; true if it was set."""


class SystemClock:
    """The machine's clock. Its instants are whole milliseconds, as the store keeps them: what is read back is equal."""

    def now(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)
