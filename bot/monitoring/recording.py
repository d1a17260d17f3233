"""What is read cannot be recorded (a full disk): the operators are told once, and once when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.clock import Clock
from bot.monitoring.heartbeat import Pulse
from bot.text import phrases


class RecordingWatch:
    """Looks at the heartbeat, and tells the operators what began and what is over.

    ``tell`` posts a sentence to them and says whether that worked; what did not is told at the next look. What was told
    is known to this process alone, since a note could not be written either: a restart meanwhile tells it again.
    """

    def __init__(self, pulse: Callable[[], Pulse], clock: Clock, *, tell: Callable[[str], bool]) -> None:
        self._pulse = pulse
        self._clock = clock
        self._tell = tell
        self._since: datetime | None = None
        self._told = False

    def look(self) -> None:
        """Look once."""
        why, now = self._pulse().unrecorded, self._clock.now()
        if why:
            self._since = self._since or now
            self._told = self._told or self._tell(
                f"What is read cannot be recorded. {why} Until then nothing is told of any page, and the platforms are "
                "asked ever more rarely."
            )
        elif self._since:
            lasted = phrases.duration(now - self._since)
            if not self._told or self._tell(f"What is read is recorded again. It could not be for {lasted}."):
                self._since, self._told = None, False
