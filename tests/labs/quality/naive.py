"""What one would write in an afternoon, on the same rows: the rules that ours must beat.

There are two of them. The first compares the last two values and tells whenever a condition becomes true. The second
wants it true for 24 hours (24 readings an hour apart), and tells once until it has been false as long. Both ignore
zeros and rows older than the newest; otherwise neither doubts a reading.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from math import inf
from statistics import median

from tests.labs.quality.naive_shares import NaiveShares
from tests.labs.quality.rows import Listed, Row, Told
from tests.labs.quality.true_counts import last_milestone
from tests.labs.quality.values import START

AT_ONCE, HELD = 0, 23 * 3600
_DAY = 86_400
_SURGE, _SURGE_LEAST = 3.0, 500
_PURGE, _PURGE_LEAST = 0.005, 500
_BASELINE_DAYS = 28
_TREND_DAYS, _HORIZON_DAYS = 7, 30.0
_SOONER, _LATER = 0.8, 1.25


class Bell:
    """Rings when a condition becomes true, or has been true for so many seconds."""

    def __init__(self, hold: int) -> None:
        self._hold = hold
        self._since: dict[Hashable, int] = {}
        self._false_since: dict[Hashable, int] = {}
        self._rung: set[Hashable] = set()

    def silence(self, key: Hashable) -> None:
        """What is true at first sight is no news."""
        self._rung.add(key)

    def rings(self, key: Hashable, at: int, *, holds: bool) -> bool:
        if not holds:
            self._since.pop(key, None)
            if at - self._false_since.setdefault(key, at) >= self._hold:
                self._rung.discard(key)
            return False
        self._false_since.pop(key, None)
        if key in self._rung or at - self._since.setdefault(key, at) < self._hold:
            return False
        self._rung.add(key)
        return True


class _Page:
    """What is remembered of a page: every value, and the first of each day."""

    def __init__(self) -> None:
        self.instants: list[int] = []
        self.values: list[int] = []
        self.marks: list[int] = []
        self._day = -inf
        self.pending: dict[int, int] = {}
        self.passed: set[int] = set()

    def take(self, row: Row) -> bool:
        """Whether a new day begins."""
        self.instants.append(row.ts)
        self.values.append(row.likes)
        if row.ts // _DAY <= self._day:
            return False
        self._day = row.ts // _DAY
        self.marks.append(row.likes)
        return True

    def day_before(self, ts: int) -> int | None:
        index = bisect_right(self.instants, ts - _DAY) - 1
        return self.values[index] if index >= 0 else None

    def usual(self) -> float | None:
        newest = self.marks[-_BASELINE_DAYS - 1 :]
        return median(after - before for before, after in pairwise(newest)) if len(newest) > _BASELINE_DAYS else None


def naive_alerts(pages: Sequence[Listed], rows: Iterable[Row], *, hold: int) -> Iterator[Told]:
    """Every alert of the naive rules; ``hold`` is ``AT_ONCE`` for the first and ``HELD`` for the second."""
    bell = Bell(hold)
    counts, shares = _NaiveCounts(pages, bell, hold), NaiveShares(pages)
    for row in rows:
        if not row.is_country:
            yield from counts.take(row)
            continue
        for told, holds in shares.take(row):
            if bell.rings((told.kind, told.page), row.received, holds=holds):
                yield told


class _NaiveCounts:
    """The rules on totals."""

    def __init__(self, pages: Sequence[Listed], bell: Bell, hold: int) -> None:
        self._bell, self._hold = bell, hold
        self._known = {one.page: _Page() for one in pages}
        self._rivals = defaultdict[str, list[str]](list)
        for one in pages:
            self._rivals[one.page] = [other.page for other in pages if other.group == one.group and other is not one]

    def take(self, row: Row) -> Iterator[Told]:
        page = self._known[row.page]
        if row.likes <= 0 or (page.instants and row.ts <= page.instants[-1]):
            return
        begins_day = page.take(row)
        for rival in self._rivals[row.page]:
            if self._known[rival].values:
                yield from self._leads(row, rival)
                if begins_day:
                    yield from self._closing_in(row, rival)
        yield from self._bursts(row, page)
        yield from self._milestones(row, page)

    def _ring(self, told: Told, at: int, *, holds: bool) -> Iterator[Told]:
        if self._bell.rings((told.kind, told.page, told.rival), at, holds=holds):
            yield told

    def _leads(self, row: Row, rival: str) -> Iterator[Told]:
        by = row.likes - self._known[rival].values[-1]
        if len(self._known[row.page].values) == 1:
            self._bell.silence(("overtake", *((row.page, rival) if by > 0 else (rival, row.page))))
        yield from self._ring(_told(row, "overtake", by, rival), row.received, holds=by > 0)
        behind = row._replace(page=rival)
        yield from self._ring(_told(behind, "overtake", -by, row.page), row.received, holds=by < 0)

    def _closing_in(self, row: Row, rival: str) -> Iterator[Told]:
        """The last week's change of the gap, carried on."""
        mine, theirs = self._known[row.page].marks, self._known[rival].marks
        if min(len(mine), len(theirs)) <= _TREND_DAYS:
            return
        gap, before = theirs[-1] - mine[-1], theirs[-1 - _TREND_DAYS] - mine[-1 - _TREND_DAYS]
        days = _TREND_DAYS * gap / (before - gap) if 0 < gap < before else 0.0
        told = _told(row, "closing_in", gap, rival)
        soon = 0 < days <= _HORIZON_DAYS
        if self._bell.rings(("closing_in", row.page, rival), row.received, holds=soon):
            sooner, later = timedelta(days=_SOONER * days), timedelta(days=_LATER * days)
            yield Told(
                at=told.at,
                kind=told.kind,
                page=told.page,
                rival=rival,
                value=gap,
                eta_lo=told.at + sooner,
                eta_hi=told.at + later,
            )

    def _bursts(self, row: Row, page: _Page) -> Iterator[Told]:
        before, usual = page.day_before(row.ts), page.usual()
        if before is None:
            return
        gain = row.likes - before
        lost = -gain >= max(_PURGE_LEAST, _PURGE * before)
        yield from self._ring(_told(row, "purge", -gain), row.received, holds=lost)
        if usual is not None:
            surged = gain >= max(_SURGE_LEAST, _SURGE * usual)
            yield from self._ring(_told(row, "surge", gain / max(usual, 1.0)), row.received, holds=surged)

    def _milestones(self, row: Row, page: _Page) -> Iterator[Told]:
        """The first rule tells each passing; the second only what has not been told."""
        milestone = last_milestone(row.likes)
        if len(page.values) == 1:
            page.passed.add(milestone)
        if len(page.values) == 1 or (self._hold and milestone in page.passed):
            return
        page.pending = {value: since for value, since in page.pending.items() if row.likes >= value}
        if page.values[-2] < milestone:
            page.pending[milestone] = row.received
        for value, since in [*page.pending.items()]:
            if row.received - since >= self._hold:
                del page.pending[value]
                page.passed.add(value)
                yield _told(row, "milestone", value)


def _told(row: Row, kind: str, value: float, rival: str = "") -> Told:
    at = START + timedelta(seconds=row.received)
    return Told(at=at, kind=kind, page=row.page, rival=rival, value=value)
