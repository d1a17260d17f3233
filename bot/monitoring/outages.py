"""Messages to the operators about outages: one when an outage begins, and one when it is over.

Both classes get a function ``post``, which posts a sentence and returns whether that worked. A sentence that was not
posted is tried again at the next check.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from bot.clock import Clock
from bot.monitoring.health import is_dark
from bot.monitoring.heartbeat import Pulse
from bot.text import durations
from storage.store import Store
from storage.values import SourceState

log = logging.getLogger(__name__)

_NOTE = "outage:"
"""A note with this prefix holds when a platform's outage began. It outlives a restart."""


class PlatformOutages:
    """Report platforms of which no page can be read.

    A crash between the post and the note repeats the post. That is better than no post.
    """

    def __init__(self, store: Store, clock: Clock, *, title: Callable[[str], str], post: Callable[[str], bool]) -> None:
        self._store = store
        self._clock = clock
        self._title = title
        self._post = post

    def check(self) -> None:
        """Check every platform once."""
        now = self._clock.now()
        for source in self._store.pages.sources():
            note = _NOTE + source.platform
            began = self._store.notes.get(note)
            if not began and is_dark(source, now):
                if self._post(sentence := self._began(source)):
                    log.warning("%s", sentence)
                    self._store.notes.put(note, (source.newest or source.since or now).isoformat())
            elif began and source.newest and source.newest > datetime.fromisoformat(began):
                lasted = durations.duration(source.newest - datetime.fromisoformat(began))
                sentence = f"{self._title(source.platform)} is read again. It could not be read for {lasted}."
                if self._post(sentence):
                    log.info("%s", sentence)
                    self._store.notes.put(note, "")

    def _began(self, source: SourceState) -> str:
        pages = "its page" if source.accounts == 1 else f"any of its {source.accounts:,} pages"
        since = f" since {source.newest:%d %B, %H:%M} UTC" if source.newest else ""
        return (
            f"{self._title(source.platform)} cannot be read{since}, {pages} failing. {source.message} The last counts "
            "stand. These pages raise no alerts until they can be read again."
        )


class RecordingOutage:
    """Report that readings cannot be recorded, for example because the disk is full.

    The state is in this process alone, because a note could not be written either. A restart meanwhile posts again.
    """

    def __init__(self, pulse: Callable[[], Pulse], clock: Clock, *, post: Callable[[str], bool]) -> None:
        self._pulse = pulse
        self._clock = clock
        self._post = post
        self._since: datetime | None = None
        self._posted = False

    def check(self) -> None:
        """Check once."""
        why, now = self._pulse().unrecorded, self._clock.now()
        if why:
            self._since = self._since or now
            self._posted = self._posted or self._post(
                f"Readings cannot be recorded. {why} Until then no page raises alerts, and the platforms are read ever "
                "more rarely."
            )
        elif self._since:
            lasted = durations.duration(now - self._since)
            if not self._posted or self._post(f"Readings are recorded again. That was impossible for {lasted}."):
                self._since, self._posted = None, False
