"""What is found out about a part's new likes, and whether it is news: the test, its numbers and the episodes.

Shared by the comparisons of new likes from abroad and from one country, and by both forms in which such likes are
known: lists by country (``handlers.signals.new_likes``, which has the whole rule) and figures as published.

A part is a country's code, or ``ABROAD``: every country but the page's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

from handlers.model import AudienceReading, Fact, Figure, Metric, Parameter
from handlers.rule_state import from_rows, instant, rows
from handlers.signals.shares import Totals, exactly, fact

ABROAD = "abroad"

EXCESS = 0.15
EXCESS_OF_LOWER_BOUND = 0.02
EXCESS_AT_ONCE, EXCESS_OF_LOWER_BOUND_AT_ONCE = 0.20, 0.10
OVERDISPERSION = 15
Z_AT_LEAST = 3
LIKES_AT_LEAST = 600
LIKES_OF_TOTAL_AT_LEAST = 0.0006
CALM_BELOW = 0.08
CALM_DAYS = 30

_DAY = timedelta(days=1)
_SNAPSHOTS_TO_TELL = 2


def in_points(limit: float) -> float:
    """A share as people write it: 0.15 -> 15.0."""
    return round(limit * 100, 6)


def calm_below(limit: float) -> float:
    """The excess below which an episode may end: 0.08, and less where the limit itself is lower than usual."""
    return min(CALM_BELOW, limit * CALM_BELOW / EXCESS)


def at_once_from(limit: float) -> tuple[float, float]:
    """The excess, and that of the lower bound, for which one list is enough.

    0.20 (which is certainly news) and 0.10, in proportion to the limit, 1 at most; to 0.1 points.
    """
    at_once = (EXCESS_AT_ONCE, EXCESS_OF_LOWER_BOUND_AT_ONCE)
    excess, of_lower_bound = (min(round(limit * one / EXCESS, 3), 1.0) for one in at_once)
    return excess, of_lower_bound


def parameters(limit: float, metric: Metric, whence: str) -> tuple[Parameter, ...]:
    """The rule's numbers, with the limit in force; ``whence`` ends "new likes from", or followers."""
    at_once, lower_bound_at_once = at_once_from(limit)
    return (
        Parameter(name="rise on the baseline", value=limit, unit="share"),
        Parameter(name="rise of the lower bound", value=EXCESS_OF_LOWER_BOUND, unit="share"),
        Parameter(name="overdispersion", value=OVERDISPERSION, unit="ratio"),
        Parameter(name="z", value=Z_AT_LEAST, unit="standard errors"),
        Parameter(name="rise that one list suffices for", value=at_once, unit="share"),
        Parameter(name="rise of its lower bound that one list suffices for", value=lower_bound_at_once, unit="share"),
        Parameter(name=f"new {metric} from {whence}", value=LIKES_AT_LEAST, unit=metric.value),
        Parameter(name=f"new {metric} from {whence}, of the total", value=LIKES_OF_TOTAL_AT_LEAST, unit="share"),
        Parameter(name="episode over below", value=calm_below(limit), unit="share"),
        Parameter(name="episode over after", value=CALM_DAYS, unit="days"),
    )


class PublishedFigure(NamedTuple):
    """What tells a published figure from others, of which several may be for the same instant (7 and 28 days to it)."""

    as_of: datetime
    received_at: datetime
    days: int | None
    metric: Metric
    source: str


def _published_figure(kept: Sequence[Any]) -> PublishedFigure:
    as_of, received_at, days, metric, source = kept
    return PublishedFigure(
        datetime.fromisoformat(as_of), datetime.fromisoformat(received_at), days, Metric(metric), source
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a page's lists and published figures were judged.

    ``waiting`` are the published figures, none for a later instant than ``figures_until``, that cannot be judged before
    a share of all is known to compare them with.
    """

    lists_until: datetime | None = None
    figures_until: datetime | None = None
    waiting: tuple[PublishedFigure, ...] = ()
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))

    def kept(self) -> dict[str, Any]:
        """Its fields, for ``rule_states.to_text``."""
        return {
            "lists_until": self.lists_until,
            "figures_until": self.figures_until,
            "waiting": self.waiting,
            "totals": rows(self.totals),
        }


def progress_of(kept: Mapping[str, Any]) -> Progress:
    """What ``Progress.kept`` gave, after ``rule_states.from_text``."""
    return Progress(
        lists_until=instant(kept["lists_until"]),
        figures_until=instant(kept["figures_until"]),
        waiting=tuple(map(_published_figure, kept["waiting"])),
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
        """Its fields, for ``rule_states.to_text``."""
        return {"hits": self.hits, "told": self.told, "calm_since": self.calm_since}


def watch_of(kept: Mapping[str, Any]) -> Watch:
    """What ``Watch.kept`` gave, after ``rule_states.from_text``."""
    return Watch(hits=kept["hits"], told=kept["told"], calm_since=instant(kept["calm_since"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A part's new likes of one period: ``share`` with its bounds, ``came`` of ``gained``, against ``baseline``.

    ``of_all`` is the part's share of all likes at the end of the period (None for a published figure: there it is the
    baseline); ``relisted`` are likes that the lists gained and the total did not, which are in none of the figures;
    ``counted_days`` are the days of the period whose lists can be compared, to which ``share``, ``came`` and
    ``gained`` belong (None where these are all of it); ``countries`` are the new likes of every country abroad, the
    most first (at least so many each, where some were ``relisted``).
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
    relisted: float = 0.0
    counted_days: float | None = None
    countries: tuple[tuple[str, float], ...] = ()

    @property
    def excess(self) -> float:
        return self.share.value - self.baseline.value

    @property
    def z(self) -> float:
        """By how many standard errors the share is above the baseline."""
        usual = min(max(self.baseline.value, 0.01), 0.99)
        return self.excess / sqrt(usual * (1 - usual) * OVERDISPERSION / self.tested)

    def is_certain(self, limit: float) -> bool:
        """Whether it is far above the baseline, and far enough if everybody without a country is elsewhere."""
        at_once, lower_bound_at_once = at_once_from(limit)
        return self.excess >= at_once and self.share.low - self.baseline.value >= lower_bound_at_once

    def is_hit(self, limit: float) -> bool:
        """Whether the share is this much above the baseline, beyond its bounds, and not because the likes are few."""
        return (
            self.excess >= limit
            and self.share.low - self.baseline.value >= EXCESS_OF_LOWER_BOUND
            and self.z >= Z_AT_LEAST
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


def judged(watch: Watch, finding: Finding | None, occasion: Occasion, limit: float) -> tuple[Watch, bool]:
    """The watch after a finding, and whether it is to be told.

    Where there is none (nothing new came, or nothing that can be read as new) an episode calms down, and else nothing
    changes.
    """
    if watch.told:
        if finding is not None and finding.excess >= calm_below(limit):
            return replace(watch, calm_since=None), False
        calm_since = watch.calm_since or occasion.at
        over = occasion.at - calm_since >= CALM_DAYS * _DAY
        return replace(watch, calm_since=None if over else calm_since, told=not over, hits=0), False
    if finding is None:
        return watch, False
    hits = watch.hits + 1 if finding.is_hit(limit) else 0
    once_is_enough = occasion.sparse or finding.is_certain(limit)
    if hits < (1 if once_is_enough else _SNAPSHOTS_TO_TELL):
        return replace(watch, hits=hits), False
    return Watch(told=True), True


def share_facts(finding: Finding, about: str) -> Iterator[Fact]:
    """The figures that both comparisons tell: the share, what it is of, the period, and what is usual."""
    reading = finding.reading
    yield fact("share", finding.share, "share", reading, about=about)
    yield fact("numerator", finding.came, reading.metric, reading, about=about)
    yield fact("denominator", finding.gained, reading.metric, reading)
    yield fact("period", exactly(finding.days), "days", reading)
    if finding.counted_days is not None:
        yield fact("counted_days", exactly(finding.counted_days), "days", reading)
    yield fact("baseline", finding.baseline, "share", reading, about=about)
    if finding.unlisted is not None:
        yield fact("unlisted", exactly(finding.unlisted), reading.metric, reading)
    if round(finding.relisted):
        yield fact("relisted", exactly(finding.relisted), reading.metric, reading)
