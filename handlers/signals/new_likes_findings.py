"""Findings about a part's new likes, and the test of whether a finding is news.

A part is a country's code, or ``ABROAD``: every country but the page's own. Findings come from lists by country
(``handlers.signals.new_likes``) and from published figures (``handlers.signals.published_figures``). Two comparisons
share both sources (``handlers.signals.new_likes_rule``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import sqrt
from types import MappingProxyType
from typing import NamedTuple, Self

from handlers.model import AudienceReading, Fact, Figure, Metric
from handlers.parameter_types import Parameters, parameter
from handlers.signals.facts import exactly, fact
from handlers.signals.shares import Totals

ABROAD = "abroad"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLikesParameters(Parameters):
    """The numbers of the rule of new likes, with the excess in force."""

    excess: float = parameter(0.15, "share", "rise on the baseline")
    excess_of_lower_bound: float = parameter(0.02, "share", "rise of the lower bound")
    overdispersion: int = parameter(15, "ratio", "overdispersion")
    z: int = parameter(3, "standard errors", "z")
    excess_at_once: float = parameter(0.20, "share", "rise that one list suffices for")
    lower_bound_at_once: float = parameter(0.10, "share", "rise of its lower bound that one list suffices for")
    likes: int = parameter(600, "{metric}", "new {metric} from {place}")
    likes_of_total: float = parameter(0.0006, "share", "new {metric} from {place}, of the total")
    calm_below: float = parameter(0.08, "share", "episode over below")
    calm_days: int = parameter(30, "days", "episode over after")
    lists_in_a_row: int = parameter(2, "lists")
    short_days: int = parameter(7, "days")
    long_days: int = parameter(28, "days")
    baseline_days: int = parameter(90, "days")
    baseline_days_at_least: int = parameter(28, "days")
    clean_at_least: float = parameter(0.4, "share of the days")

    @property
    def periods(self) -> tuple[float, ...]:
        """The numbers that decide which new likes are compared with which."""
        return (
            self.short_days,
            self.long_days,
            self.baseline_days,
            self.baseline_days_at_least,
            self.clean_at_least,
        )

    def tuned(self, name: str, value: float) -> Self:
        """Return the parameters with another excess, and those that follow from it in proportion to it."""
        return replace(
            Parameters.tuned(self, name, value),  # super() fails in a dataclass with slots
            excess_at_once=min(round(value * self.excess_at_once / self.excess, 3), 1.0),
            lower_bound_at_once=min(round(value * self.lower_bound_at_once / self.excess, 3), 1.0),
            calm_below=min(self.calm_below, value * self.calm_below / self.excess),
        )


class PublishedFigure(NamedTuple):
    """The identity of a published figure: several may be of the same instant, for example of 7 and of 28 days."""

    as_of: datetime
    received_at: datetime
    days: int | None
    metric: Metric
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The newest judged list and published figure of a page.

    ``waiting`` are published figures, none newer than ``figures_until``, that cannot be judged yet: there is no share
    of all likes to compare them with.
    """

    lists_until: datetime | None = None
    figures_until: datetime | None = None
    waiting: tuple[PublishedFigure, ...] = ()
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A part's new likes of one period.

    Attributes:
        share: The part's share of the new likes, with its bounds.
        came: The part's new likes.
        gained: All new likes.
        tested: The number of likes behind the share.
        total: All likes of the page; 0 if unknown.
        baseline: The usual share.
        of_all: The part's share of all likes at the end of the period. For a published figure
            this share is the baseline.
        unlisted: The new likes without a country.
        relisted: Likes that the lists gained and the total did not. They are in none of the figures.
        counted_days: The days of the period whose lists can be compared, if not all can; ``share``, ``came`` and
            ``gained`` are of these days.
        countries: The new likes of each country abroad, the most first (a lower bound if some were ``relisted``).

    """

    reading: AudienceReading
    days: int
    share: Figure
    came: Figure
    gained: Figure
    tested: float
    total: float
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
    def excess_of_lower_bound(self) -> float:
        return self.share.low - self.baseline.value

    def z(self, overdispersion: float) -> float:
        """Return by how many standard errors the share is above the baseline."""
        usual = min(max(self.baseline.value, 0.01), 0.99)
        return self.excess / sqrt(usual * (1 - usual) * overdispersion / self.tested)

    def is_certain(self, parameters: NewLikesParameters) -> bool:
        """Return True if one list is enough."""
        is_lower_bound_far = self.excess_of_lower_bound >= parameters.lower_bound_at_once
        return self.excess >= parameters.excess_at_once and is_lower_bound_far

    def is_hit(self, parameters: NewLikesParameters) -> bool:
        """Return True if the share is far above the baseline, beyond its bounds and beyond chance."""
        return (
            self.excess >= parameters.excess
            and self.excess_of_lower_bound >= parameters.excess_of_lower_bound
            and self.z(parameters.overdispersion) >= parameters.z
            and self.came.value >= max(parameters.likes, parameters.likes_of_total * self.total)
        )

    def facts(self, about: str) -> Iterator[Fact]:
        """Yield the facts for alerts of both comparisons; ``about`` is the page's slug or the country."""
        reading = self.reading
        yield fact("share", self.share, "share", reading, about=about)
        yield fact("numerator", self.came, reading.metric, reading, about=about)
        yield fact("denominator", self.gained, reading.metric, reading)
        yield fact("period", exactly(self.days), "days", reading)
        if self.counted_days is not None:
            yield fact("counted_days", exactly(self.counted_days), "days", reading)
        yield fact("baseline", self.baseline, "share", reading, about=about)
        if self.unlisted is not None:
            yield fact("unlisted", exactly(self.unlisted), reading.metric, reading)
        if round(self.relisted):
            yield fact("relisted", exactly(self.relisted), reading.metric, reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A list or a published figure to judge, and the parts that ``findings`` knows something about."""

    at: datetime
    sparse: bool
    parts: tuple[str, ...]
    findings: Callable[[str], tuple[Finding, ...]]

    def strongest(self, part: str, parameters: NewLikesParameters) -> Finding | None:
        """Return the strongest finding about a part: a hit before any other, then the greatest excess."""
        found = self.findings(part)
        return max(found, key=lambda finding: (finding.is_hit(parameters), finding.excess), default=None)
