"""The newsroom's nouns, as frozen values.

| value | form |
|---|---|
| instant | aware UTC datetime |
| count | whole likes or followers |
| share | from 0 to 1 |
| country | ISO 3166-1 alpha-2 code in capitals |
| page | its slug |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Metric(StrEnum):
    """What a count counts. Likewatch never joins or compares series of different metrics.

    Facebook's ``fan_count`` became a follower count when a page moved to the New Page Experience
    (https://developers.facebook.com/docs/graph-api/reference/page).
    """

    LIKES = "likes"
    FOLLOWERS = "followers"


class Dated(StrEnum):
    """The precision of a figure's instant: newspapers print a day, or only a month."""

    INSTANT = "instant"
    DAY = "day"
    MONTH = "month"


_PRECISIONS = tuple(Dated)


def least_precise(*dates: Dated) -> Dated:
    """Return the least precise of several dates: a month before a day before an instant."""
    return max(dates, key=_PRECISIONS.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One public account on one platform, under a short slug, with a home country.

    Attributes:
        home: The home country, None if it is not known; then no alert about foreign likes is raised.
        groups: The slugs of the groups that the page belongs to, in the order in which it joined them.

    """

    slug: str
    name: str
    platform: str
    url: str = ""
    home: str | None = None
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The polled side of a page: the platform's own stable id, the current handle, and the time between polls."""

    page: str
    platform: str
    native_id: str
    handle: str
    url: str
    poll_every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One count at one instant.

    Attributes:
        observed_at: The instant that the figure is for.
        received_at: The instant from which the figure was available.
        count: The count as published.
        low: The lower bound that rounding leaves; equal to ``count`` if the platform is exact.
        high: The upper bound.

    """

    page: str
    observed_at: datetime
    received_at: datetime
    count: int
    low: int
    high: int
    metric: Metric
    source: str
    url: str = ""
    dated: Dated = Dated.INSTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number as published (likes, or a share from 0 to 1), with the interval that its rounding leaves."""

    value: float
    low: float
    high: float


class Measure(StrEnum):
    """The likes that an audience reading splits by country: all likes of the page, or the new likes of a period."""

    ALL = "all"
    NEW = "new"


def _nothing() -> Mapping[str, Figure]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class AudienceReading:
    """Likes by country: all at one instant (``ALL``), or those gained over the ``days`` before it (``NEW``).

    Attributes:
        metric: The metric of all figures; for followers, ``likes`` are followers.
        likes: The count of each country, if counts were published.
        shares: Each country's share of the denominator, if shares were published. A country may be in both.
        total: The denominator, if it came with the figures.

    An absent country is unknown, not zero: Facebook cuts its list at 45
    (https://github.com/facebookarchive/php-graph-sdk/issues/688).

    """

    page: str
    as_of: datetime
    received_at: datetime
    measure: Measure
    metric: Metric = Metric.LIKES
    days: int | None = None
    likes: Mapping[str, Figure] = field(default_factory=_nothing)
    shares: Mapping[str, Figure] = field(default_factory=_nothing)
    total: Figure | None = None
    source: str
    method: str
    url: str = ""
    dated: Dated = Dated.INSTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An accepted or held count of a page's series."""

    at: datetime
    count: int
    low: int
    high: int
    source: str
    url: str = ""
    dated: Dated = Dated.INSTANT


class Restart(IntEnum):
    """Why a series began at another level of the same metric."""

    AFTER_SILENCE = 1
    FIRST_REFUTED = 2
    """The readings that followed contradicted the first reading, which therefore counts as wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """The state of one page's series, from which validation goes on.

    Attributes:
        since: The oldest instant of this series. A change of metric or a long silence starts a new series.
        last: The newest accepted point.
        previous: The accepted point before; while a count repeats itself, the first point of that run.
        day: The accepted point from which the running day's gain is counted.
        gains: Up to 14 daily gains (likes a day), newest last.
        gap: The usual time between readings, in seconds.
        held: Readings outside the gate that agree with each other and wait to be confirmed. The first and the
            two newest are enough.
        held_metric: The metric of ``held``, if not ``metric``.
        restarted: Why the series began at another level of the same metric. Then nothing older is part of it.

    """

    page: str
    metric: Metric
    since: datetime
    last: Point
    previous: Point | None = None
    day: Point | None = None
    gains: tuple[float, ...] = ()
    gap: float | None = None
    held: tuple[Point, ...] = ()
    held_metric: Metric | None = None
    restarted: Restart | None = None


class Standing(StrEnum):
    """The outcome of a reading's validation."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"  # accepted, same count as before: the poll is recorded, not the reading
    HELD = "held"  # outside the gate: shown as unconfirmed, no rule uses it
    LATE = "late"  # older than the newest accepted one: completes the history, triggers nothing
    DOUBTED = "doubted"  # late, and far from the accepted readings around it
    REPEATED = "repeated"  # the same reading again: not stored


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedReading:
    """A reading and the outcome of its validation."""

    reading: Reading
    standing: Standing


class PageTrouble(StrEnum):
    """Why a page could not be read, if the reason is the page and not the platform or Likewatch."""

    UNAVAILABLE = "unavailable"  # deleted, unpublished or restricted; the platform does not show which
    HIDDEN = "hidden"  # the page exists and shows no count
    RENAMED = "renamed"  # the same page under another name
    MERGED = "merged"  # the platform made the page a part of another one
    UNREAD = "unread"  # no answer, for any reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStatus:
    """A poll's result about a page beside its count.

    Attributes:
        trouble: The reason that the page could not be read, if it could not.
        detail: The new name of a renamed page, or the page that a merged one became a part of.

    """

    page: str
    at: datetime
    trouble: PageTrouble | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One figure behind an alert, with its source.

    Attributes:
        name: The name by which wording and evidence find the fact.
        unit: For example "likes", "followers", "share", "days", "readings".
        low: The lower bound of a value that is not exact.
        high: The upper bound of a value that is not exact.
        about: The page's slug or the country that the figure describes.

    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    about: str = ""
    at: datetime | None = None
    dated: Dated = Dated.INSTANT
    source: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of the rule that raised an alert, as it was then."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that happened, with everything needed to report, draw and prove it.

    Attributes:
        key: Made from what happened (kind, page, rival, direction, the reading that confirmed it). The wall clock is
            no part of it: a replay of the same readings gives the same keys.
        story: Alerts of one story share a card. The first alert is posted, later ones edit the card and go to its
            thread.
        page: The page's slug; for an event of a whole platform, the platform's name.
        others: The pages that an event of a platform concerns.
        at: ``received_at`` of the reading that triggered the alert.
        facts: The figures. The first one is the main figure.
        rule: The rule in one or two sentences.
        threshold: The threshold in force, as people write it, if channels can set one.
        tuned: True if a channel set the threshold; then the alert is for such channels only.

    """

    key: str
    story: str
    kind: str
    feature: str
    page: str
    rival: str | None = None
    others: tuple[str, ...] = ()
    at: datetime
    dated: Dated = Dated.INSTANT
    facts: tuple[Fact, ...]
    rule: str
    parameters: tuple[Parameter, ...] = ()
    threshold: float | None = None
    tuned: bool = False

    def fact(self, name: str) -> Fact:
        """Return the first fact of this name.

        Raises:
            KeyError: The alert carries no such fact.

        """
        for fact in self.facts:
            if fact.name == name:
                return fact
        raise KeyError(f"alert {self.key} carries no fact {name!r}")

    def facts_named(self, name: str) -> tuple[Fact, ...]:
        """Return all facts of this name in order, for example of the top countries."""
        return tuple(fact for fact in self.facts if fact.name == name)
