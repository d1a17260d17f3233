"""The machine's clock, moved ahead between cycles so that pages are due again without waiting."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import SystemClock


class LaterClock(SystemClock):
    """Runs as the machine's clock does, from ``ahead`` of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead
