"""A platform of which nothing can be read any more: the operators are told once, and once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from bot.clock import Clock
from bot.monitoring.health import is_dark
from bot.text import phrases
from storage.store import Store
from storage.values import SourceState

log = logging.getLogger(__name__)

_TOLD = "outage:"
"""The note of an outage that the operators were told of: when it began. It outlives a restart."""


class Outages:
    """Looks at every platform, and tells the operators what began and what is over.

    ``tell`` posts a sentence to them and says whether that worked; what did not is told at the next look. A crash just
    after a post repeats it: told twice is better than never.
    """

    def __init__(self, store: Store, clock: Clock, *, title: Callable[[str], str], tell: Callable[[str], bool]) -> None:
        self._store = store
        self._clock = clock
        self._title = title
        self._tell = tell

    def look(self) -> None:
        """Look once."""
        now = self._clock.now()
        for source in self._store.pages.sources():
            note = _TOLD + source.platform
            told = self._store.notes.get(note)
            if not told and is_dark(source, now):
                self._say(note, self._began(source), since=_began_at(source, now), began=True)
            elif told and source.newest and source.newest > datetime.fromisoformat(told):
                self._say(note, self._ended(source, datetime.fromisoformat(told)), since=None, began=False)

    def _say(self, note: str, sentence: str, *, since: datetime | None, began: bool) -> None:
        if not self._tell(sentence):
            return
        log.log(logging.WARNING if began else logging.INFO, "%s", sentence)
        self._store.notes.put(note, since.isoformat() if since else "")

    def _began(self, source: SourceState) -> str:
        pages = "its page" if source.accounts == 1 else f"any of its {source.accounts:,} pages"
        since = f" since {source.newest:%d %B, %H:%M} UTC" if source.newest else ""
        return (
            f"{self._title(source.platform)} cannot be read{since}, {pages} failing. {source.message} The last counts "
            "stand, and nothing is told of these pages until they can be read again."
        )

    def _ended(self, source: SourceState, since: datetime) -> str:
        lasted = phrases.duration((source.newest or self._clock.now()) - since)
        return f"{self._title(source.platform)} is read again. It could not be for {lasted}."


def _began_at(source: SourceState, now: datetime) -> datetime:
    return source.newest or source.since or now
