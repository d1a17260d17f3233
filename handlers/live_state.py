"""Everything known, in memory. The live cycle, the replay and the backtest apply decisions to it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any

from handlers.decide import Decision, KnownState
from handlers.model import AudienceReading, Page, SeriesState
from handlers.signals.history import HistorySummary

HISTORY = timedelta(days=150)
"""The age of the oldest audience readings that comparisons see: 28 days, the 90 days before, and some slack."""

_AT_LEAST = 12  # readings of each measure, however old

_as_of = attrgetter("as_of")


class LiveState:
    """Everything known; ``apply`` takes in a decision, so that the next one starts from there."""

    def __init__(self, pages: Iterable[Page] = ()) -> None:
        self.set_pages(pages)
        self.series_states: dict[str, SeriesState] = {}
        self.histories: dict[str, HistorySummary] = {}
        self.audiences: dict[str, tuple[AudienceReading, ...]] = {}
        self.rule_states: dict[tuple[str, str], Any] = {}

    def set_pages(self, pages: Iterable[Page]) -> None:
        """Replace the pages, their groups and their platforms."""
        self.pages: Mapping[str, Page] = {page.slug: page for page in pages}
        self.groups: Mapping[str, tuple[str, ...]] = _members(self.pages, lambda page: page.groups)
        self.platforms: Mapping[str, tuple[str, ...]] = _members(self.pages, lambda page: (page.platform,))

    def snapshot(self) -> KnownState:
        """Return the present state; the result changes with this object."""
        return KnownState(
            pages=self.pages,
            groups=self.groups,
            platforms=self.platforms,
            series_states=self.series_states,
            histories=self.histories,
            audiences=self.audiences,
            rule_states=self.rule_states,
        )

    def apply(self, decision: Decision) -> None:
        """Take in a decision."""
        self.series_states.update(decision.series_states)
        self.histories.update(decision.histories)
        self.rule_states.update(decision.rule_states)
        for audience in decision.audiences:
            self.audiences[audience.page] = recent((*self.audiences.get(audience.page, ()), audience))


def _members(pages: Mapping[str, Page], of: Callable[[Page], Iterable[str]]) -> dict[str, tuple[str, ...]]:
    together: dict[str, list[str]] = {}
    for slug, page in pages.items():
        for name in of(page):
            together.setdefault(name, []).append(slug)
    return {name: tuple(slugs) for name, slugs in together.items()}


def recent(audience: Sequence[AudienceReading]) -> tuple[AudienceReading, ...]:
    """Return what comparisons see of a page's audience readings, oldest first.

    These are the readings of the 150 days before the newest, and at least the 12 newest of each measure.
    """
    by_age = sorted(audience, key=_as_of)
    since = bisect_left(by_age, by_age[-1].as_of - HISTORY, key=_as_of)
    if not since:
        return tuple(by_age)
    newer = Counter(reading.measure for reading in by_age[since:])
    older: list[AudienceReading] = []
    for reading in reversed(by_age[:since]):
        if newer[reading.measure] < _AT_LEAST:
            newer[reading.measure] += 1
            older.append(reading)
    return (*reversed(older), *by_age[since:])
