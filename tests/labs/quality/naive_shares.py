"""The naive rules on country lists: the newest list against an older one, as they are."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.labs.quality.rows import Listed, Row, Told
from tests.labs.quality.values import START

_DAY = 86_400
_NEW, _NEW_DAYS, _NEW_LEAST = 0.15, 7, 1_000
_ALL, _ALL_DAYS = 0.025, 30
_HALF = 0.5


@dataclass(slots=True)
class _Lists:
    """A page's lists: their instants, what they account for at home and abroad."""

    instants: list[int] = field(default_factory=list)
    at_home: list[int] = field(default_factory=list)
    abroad: list[int] = field(default_factory=list)

    def before(self, ts: int, days: int) -> int | None:
        """The newest list that is so many days older."""
        index = bisect_right(self.instants, ts - days * _DAY) - 1
        return index if index >= 0 else None


class NaiveShares:
    """Collects each list as its rows come, and judges it when the next thing comes."""

    def __init__(self, pages: Sequence[Listed]) -> None:
        self._homes = {page.page: page.home for page in pages}
        self._lists = defaultdict[str, _Lists](_Lists)
        self._running: list[Row] = []

    def take(self, row: Row) -> Iterator[tuple[Told, bool]]:
        """Conditions on the list before, where ``row`` begins another."""
        done = self._running
        if done and (done[0].page, done[0].ts, done[0].received) == (row.page, row.ts, row.received):
            done.append(row)
            return
        self._running = [row]
        if done:
            yield from self._judge(done)

    def _judge(self, rows: Sequence[Row]) -> Iterator[tuple[Told, bool]]:
        page, ts = rows[0].page, rows[0].ts
        lists = self._lists[page]
        lists.instants.append(ts)
        lists.at_home.append(sum(row.likes for row in rows if row.country == self._homes[page]))
        lists.abroad.append(sum(row.likes for row in rows if row.country != self._homes[page]))

        def told(kind: str, value: float) -> Told:
            return Told(at=START + timedelta(seconds=rows[0].received), kind=kind, page=page, value=value)

        share = lists.abroad[-1] / (lists.abroad[-1] + lists.at_home[-1])
        if len(lists.instants) > 1:
            yield told("foreign_majority", share), share > _HALF
        week, month = lists.before(ts, _NEW_DAYS), lists.before(ts, _ALL_DAYS)
        if week is not None:
            abroad = lists.abroad[-1] - lists.abroad[week]
            new = abroad + lists.at_home[-1] - lists.at_home[week]
            of_new = abroad / new if new > 0 else 0.0
            rose = abroad >= _NEW_LEAST and of_new >= share + _NEW
            yield told("new_foreign_share", of_new), rose
        if month is not None:
            earlier = lists.abroad[month] / (lists.abroad[month] + lists.at_home[month])
            yield told("total_foreign_share", share), share - earlier >= _ALL
