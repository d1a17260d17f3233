"""New likes from somewhere (from abroad, from one country) against what is usual: what both comparisons of it share.

Over 7 and 28 days, from clean steps between lists by country: F = the positive changes of the part looked at, N = those
of all countries, U+ = new likes without a country; p = F/N, lower bound p- = F/(N + U+). The baseline s_b is the same
over the 90 days before (28 days of it, 40% clean), else the part's share of all likes (where lists are rare or most of
them unclean: a page of which there are few days yet is not judged, since newcomers differ from those who came long
ago). It is a hit if p - s_b reaches
the limit, p- - s_b >= 0.02, z >= 3 with overdispersion 15, and F >= max(600, 0.06% T); told on 2 snapshots (1 where
sparser than 8 days). An episode ends after 30 days below +0.08.

A published figure ("157,331 of 779,000 new likes came from Cambodia") is the other form: p as exact as its rounding
allows, against the share of all likes at the time.

A part is a country's code, or ``ABROAD``: every country but the page's own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from math import sqrt
from types import MappingProxyType
from typing import Any

from handlers.contract import Window
from handlers.memories import from_rows, instant, rows
from handlers.model import AudienceReading, Fact, Figure, Measure, Parameter
from handlers.shares import (
    Flow,
    Snapshot,
    Step,
    Totals,
    complement,
    exactly,
    fact,
    flow,
    is_sparse,
    later,
    published_share,
    snapshots,
    steps,
    with_totals,
)

ABROAD = "abroad"

WINDOWS_DAYS = (7, 28)
BASELINE_DAYS = 90
BASELINE_DAYS_AT_LEAST = 28
CLEAN_AT_LEAST = 0.4
EXCESS = 0.15
EXCESS_OF_LOWER_BOUND = 0.02
OVERDISPERSION = 15
Z_AT_LEAST = 3
LIKES_AT_LEAST = 600
LIKES_OF_TOTAL_AT_LEAST = 0.0006
CALM_BELOW = 0.08
CALM_DAYS = 30

_DAY = timedelta(days=1)
_SNAPSHOTS_TO_TELL = 2
_BASELINE_WITHIN = timedelta(days=90)


def in_points(limit: float) -> float:
    """A share as people write it: 0.15 -> 15.0."""
    return round(limit * 100, 6)


def calm_below(limit: float) -> float:
    """The excess below which an episode may end: 0.08, and less where the limit itself is lower than usual."""
    return min(CALM_BELOW, limit * CALM_BELOW / EXCESS)


def parameters(limit: float, whence: str) -> tuple[Parameter, ...]:
    """The rule's numbers, with the limit in force; ``whence`` ends "new likes from"."""
    return (
        Parameter(name="rise on the baseline", value=limit, unit="share"),
        Parameter(name="rise of the lower bound", value=EXCESS_OF_LOWER_BOUND, unit="share"),
        Parameter(name="overdispersion", value=OVERDISPERSION, unit="ratio"),
        Parameter(name="z", value=Z_AT_LEAST, unit="standard errors"),
        Parameter(name=f"new likes from {whence}", value=LIKES_AT_LEAST, unit="likes"),
        Parameter(name=f"new likes from {whence}, of the total", value=LIKES_OF_TOTAL_AT_LEAST, unit="share"),
        Parameter(name="episode over below", value=calm_below(limit), unit="share"),
        Parameter(name="episode over after", value=CALM_DAYS, unit="days"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a page's lists and published figures were judged.

    ``waiting`` are the instants of published figures, no later than ``figures_until``, that cannot be judged before a
    share of all is known to compare them with.
    """

    lists_until: datetime | None = None
    figures_until: datetime | None = None
    waiting: tuple[datetime, ...] = ()
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))

    def kept(self) -> dict[str, Any]:
        """Its fields, for ``memories.to_text``."""
        return {
            "lists_until": self.lists_until,
            "figures_until": self.figures_until,
            "waiting": self.waiting,
            "totals": rows(self.totals),
        }


def progress_of(kept: Mapping[str, Any]) -> Progress:
    """What ``Progress.kept`` gave, after ``memories.from_text``."""
    return Progress(
        lists_until=instant(kept["lists_until"]),
        figures_until=instant(kept["figures_until"]),
        waiting=tuple(map(datetime.fromisoformat, kept["waiting"])),
        totals=from_rows(kept["totals"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Whether an episode is on: ``hits`` counts the snapshots in a row that meet the rule.

    ``calm_since`` is None while the share is high.
    """

    hits: int = 0
    told: bool = False
    calm_since: datetime | None = None

    def kept(self) -> dict[str, Any]:
        """Its fields, for ``memories.to_text``."""
        return {"hits": self.hits, "told": self.told, "calm_since": self.calm_since}


def watch_of(kept: Mapping[str, Any]) -> Watch:
    """What ``Watch.kept`` gave, after ``memories.from_text``."""
    return Watch(hits=kept["hits"], told=kept["told"], calm_since=instant(kept["calm_since"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A part's new likes of one period: ``share`` with its bounds, ``came`` of ``gained``, against ``baseline``.

    ``of_all`` is the part's share of all likes at the end of the period (None for a published figure: there it is the
    baseline); ``countries`` are the new likes of every country abroad, the most first.
    """

    reading: AudienceReading
    days: int
    share: Figure
    came: Figure
    gained: Figure
    tested: float  # the number of likes behind the share
    total: float  # of the page; 0 where unknown
    baseline: Figure
    of_all: Figure | None = None
    unlisted: float | None = None
    countries: tuple[tuple[str, float], ...] = ()

    @property
    def excess(self) -> float:
        return self.share.value - self.baseline.value

    def is_hit(self, limit: float) -> bool:
        """Whether the share is this much above the baseline, by more than chance and beyond its bounds."""
        usual = min(max(self.baseline.value, 0.01), 0.99)
        error = sqrt(usual * (1 - usual) * OVERDISPERSION / self.tested)
        return (
            self.excess >= limit
            and self.share.low - self.baseline.value >= EXCESS_OF_LOWER_BOUND
            and self.excess / error >= Z_AT_LEAST
            and self.came.value >= max(LIKES_AT_LEAST, LIKES_OF_TOTAL_AT_LEAST * self.total)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A list or a published figure to be judged, and the parts of which it tells something."""

    at: datetime
    sparse: bool
    parts: tuple[str, ...]
    findings: Callable[[str], tuple[Finding, ...]]

    def strongest(self, part: str, limit: float) -> Finding | None:
        """What speaks loudest of a part: a period that meets the rule before one that does not."""
        found = self.findings(part)
        return max(found, key=lambda finding: (finding.is_hit(limit), finding.excess), default=None)


def judged(watch: Watch, finding: Finding, occasion: Occasion, limit: float) -> tuple[Watch, bool]:
    """The watch after a finding, and whether it is to be told."""
    if watch.told:
        if finding.excess >= calm_below(limit):
            return replace(watch, calm_since=None), False
        calm_since = watch.calm_since or occasion.at
        over = occasion.at - calm_since >= CALM_DAYS * _DAY
        return replace(watch, calm_since=None if over else calm_since, told=not over, hits=0), False
    hits = watch.hits + 1 if finding.is_hit(limit) else 0
    if hits < (1 if occasion.sparse else _SNAPSHOTS_TO_TELL):
        return replace(watch, hits=hits), False
    return Watch(told=True), True


def survey(
    window: Window, progress: Progress, home: str, *, least: float | None = None
) -> tuple[Progress, tuple[Occasion, ...]]:
    """Every list and every published figure not judged yet, oldest first, and the progress once they are.

    The part looked at is ``ABROAD``; where ``least`` is given, each country that has this share of the new likes.
    """
    totals = with_totals(progress.totals, window)
    if totals is not progress.totals:
        progress = replace(progress, totals=totals)
    occasions = [*_lists(window, progress, home, least)]
    if occasions:
        progress = replace(progress, lists_until=occasions[-1].at)
    figures = [*_figures(window, progress, home, by_country=least is not None)]
    if figures:
        progress = replace(
            progress,
            figures_until=max(filter(None, (figures[-1].at, progress.figures_until))),
            waiting=tuple(figure.at for figure in figures if not all(map(figure.findings, figure.parts))),
        )
    return progress, (*occasions, *figures)


# From lists by country


def _lists(window: Window, progress: Progress, home: str, least: float | None) -> Iterator[Occasion]:
    series = snapshots(window, home, progress.totals)
    path = steps(window, home, progress.totals)
    for count, newest in later(series, progress.lists_until):
        inflows = window.once(
            (_inflows, home, id(series), count),  # the window keeps the series
            lambda: tuple(_inflows(series[:count], path[: count - 1], home)),  # noqa: B023 (called at once)
        )
        yield Occasion(
            at=newest.at,
            sparse=is_sparse(series[:count]),
            parts=(ABROAD,) if least is None else _gaining(inflows, least),
            findings=partial(_of_inflows, inflows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inflow:
    """What came in a period up to the newest list, and before it: the page's flow (if known) and its standing then."""

    newest: Snapshot
    came: Flow
    usual: Flow | None
    standing: Snapshot


def _gaining(inflows: Sequence[_Inflow], least: float) -> tuple[str, ...]:
    """The countries that have this share of the new likes of one of the periods."""
    return tuple(
        sorted(
            {
                country
                for inflow in inflows
                for country, gained in inflow.came.countries
                if gained / inflow.came.listed >= least
            }
        )
    )


def _inflows(series: tuple[Snapshot, ...], path: tuple[Step, ...], home: str) -> Iterator[_Inflow]:
    newest = series[-1]
    for days in WINDOWS_DAYS:
        start = newest.at - days * _DAY * (8 / 7)  # lists come late, and a month has 31 days
        came = flow(path, home, start, newest.at)
        if came is None or came.until != newest.at or came.days < CLEAN_AT_LEAST * days:
            continue
        before = came.since - BASELINE_DAYS * _DAY
        oldest = series[bisect_left(series, before, key=_at)]
        standing = series[bisect_right(series, came.since, key=_at) - 1]
        known = (standing.at - oldest.at) / _DAY
        past = flow(path, home, before, came.since)
        if known < BASELINE_DAYS_AT_LEAST and not is_sparse(series):
            continue
        enough = past is not None and known >= BASELINE_DAYS_AT_LEAST and past.days >= CLEAN_AT_LEAST * known
        yield _Inflow(newest=newest, came=came, usual=past if enough else None, standing=standing)


def _at(snapshot: Snapshot) -> datetime:
    return snapshot.at


def _of_inflows(inflows: tuple[_Inflow, ...], part: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            reading=inflow.newest.reading,
            days=round((inflow.came.until - inflow.came.since) / _DAY),
            share=inflow.came.share_of(_came(inflow.came, part)),
            came=exactly(_came(inflow.came, part)),
            gained=exactly(inflow.came.listed + inflow.came.unlisted),
            tested=inflow.came.listed,
            total=inflow.newest.total,
            baseline=_baseline(inflow, part),
            of_all=_standing(inflow.newest, part),
            unlisted=inflow.came.unlisted,
            countries=inflow.came.countries,
        )
        for inflow in inflows
    )


def _came(came: Flow, part: str) -> float:
    return came.foreign if part == ABROAD else dict(came.countries).get(part, 0.0)


def _baseline(inflow: _Inflow, part: str) -> Figure:
    if inflow.usual is not None:
        return inflow.usual.share_of(_came(inflow.usual, part))
    standing = inflow.standing
    of_all = _standing(standing, part)
    return replace(of_all, value=of_all.value * standing.total / (standing.foreign + standing.home))


def _standing(snapshot: Snapshot, part: str) -> Figure:
    """The part's share of all likes: what is listed, up to that and everybody without a country."""
    if part == ABROAD:
        return snapshot.bounds
    listed = snapshot.reading.likes.get(part)
    low = 0.0 if listed is None else listed.value / snapshot.total
    return Figure(value=low, low=low, high=low + max(1 - snapshot.coverage, 0.0))


# From published figures


def _figures(window: Window, progress: Progress, home: str, *, by_country: bool) -> Iterator[Occasion]:
    """The published figures that are new or still waiting, oldest first."""
    until, waiting = progress.figures_until, progress.waiting
    for reading in window.audience:
        if reading.measure is not Measure.NEW or reading.total is None or reading.total.low <= 0:
            continue
        if until is not None and reading.as_of <= until and reading.as_of not in waiting:
            continue
        parts = sorted({*reading.likes, *reading.shares} - {home}) if by_country else (ABROAD,)
        told = tuple(part for part in parts if _published(reading, home, part) is not None)
        if told:
            yield Occasion(
                at=reading.as_of,
                sparse=True,
                parts=told,
                findings=partial(_of_figure, reading, reading.total, window.audience, home),
            )


def _of_figure(
    reading: AudienceReading, total: Figure, audience: tuple[AudienceReading, ...], home: str, part: str
) -> tuple[Finding, ...]:
    """A published figure against the share of all at the time; nothing while that is not known."""
    share, baseline = _published(reading, home, part), _share_of_all(audience, reading, home, part)
    if share is None or baseline is None:
        return ()
    abroad = {country: figure.value for country, figure in reading.likes.items() if country != home}
    return (
        Finding(
            reading=reading,
            days=reading.days or 0,
            share=share,
            came=_counted(reading, total, share, home, part),
            gained=total,
            tested=total.value,
            total=0.0,
            baseline=baseline,
            countries=tuple(sorted(abroad.items(), key=lambda item: (-item[1], item[0]))),
        ),
    )


def _published(reading: AudienceReading, home: str, part: str) -> Figure | None:
    if part != ABROAD:
        return published_share(reading, part)
    at_home = published_share(reading, home)
    return None if at_home is None else complement(at_home)


def _counted(reading: AudienceReading, total: Figure, share: Figure, home: str, part: str) -> Figure:
    listed = reading.likes.get(home if part == ABROAD else part)
    if listed is None:
        return Figure(value=share.value * total.value, low=share.low * total.low, high=share.high * total.high)
    if part != ABROAD:
        return listed
    return Figure(value=total.value - listed.value, low=total.low - listed.high, high=total.high - listed.low)


def _share_of_all(audience: tuple[AudienceReading, ...], new: AudienceReading, home: str, part: str) -> Figure | None:
    for reading in reversed(audience):
        told = reading.measure is Measure.ALL and reading.metric is new.metric
        if told and new.as_of - _BASELINE_WITHIN <= reading.as_of <= new.as_of:
            share = _published(reading, home, part)
            if share is not None:
                return share
    return None


def share_facts(finding: Finding, about: str) -> Iterator[Fact]:
    """The figures that both comparisons tell: the share, what it is of, the period, and what is usual."""
    reading = finding.reading
    yield fact("share", finding.share, "share", reading, about=about)
    yield fact("numerator", finding.came, reading.metric, reading, about=about)
    yield fact("denominator", finding.gained, reading.metric, reading)
    yield fact("period", exactly(finding.days), "days", reading)
    yield fact("baseline", finding.baseline, "share", reading, about=about)
    if finding.unlisted is not None:
        yield fact("unlisted", exactly(finding.unlisted), reading.metric, reading)
