"""The newsroom's nouns, as frozen values.

Instants are aware UTC datetimes. Counts are whole likes or followers. Shares run from 0 to 1.
Countries are ISO 3166-1 alpha-2 codes in capitals. A page is named everywhere by its slug.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Metric(StrEnum):
    """What a page's count counts. Series of different metrics are never spliced nor compared.

    Facebook's ``fan_count`` became a follower count when a page moved to the New Page Experience
    (https://developers.facebook.com/docs/graph-api/reference/page).
    """

    LIKES = "likes"
    FOLLOWERS = "followers"


class Dated(StrEnum):
    """How precisely the instant of a figure is known: newspapers print days, sometimes only a month."""

    INSTANT = "instant"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One public account on one platform, under a short slug, with a home country.

    ``home`` is None where nobody said it: nothing foreign can then be told of the page.
    ``groups`` are the slugs of the groups whose leads the page takes part in, in the order in which it joined them.
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
    """The polled side of a page: the platform's own stable id, its current handle, and how often to ask."""

    page: str
    platform: str
    native_id: str
    handle: str
    url: str
    poll_every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One count at one instant.

    ``count`` stands for the whole interval [``low``, ``high``]: a point where the platform is exact, wider where
    it (or a newspaper) rounds. ``observed_at`` is the instant the figure is for, ``received_at`` the instant from
    which it could be known.
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
    """A number as published, with the interval its rounding leaves: likes, or a share from 0 to 1."""

    value: float
    low: float
    high: float


class Measure(StrEnum):
    """What an audience reading splits by country: everybody on the page, or who came during a period."""

    ALL = "all"
    NEW = "new"


def _nothing() -> Mapping[str, Figure]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class AudienceReading:
    """Likes by country at one instant (``ALL``), or of those gained over the ``days`` before it (``NEW``).

    ``likes`` and ``shares`` map a country to a count or to a share of the denominator, whichever was published;
    a country may have both. ``total`` is the denominator where it came with the figures, else None. All of them count
    what ``metric`` says: where it is followers, ``likes`` are followers.
    Countries that are absent are unknown, not zero: Facebook cuts its list at 45
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
    """An accepted (or held) count of a page's series."""

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
    """Its first reading was contradicted by those that followed, and is taken to be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What the ledger remembers of one page's series: small, explicit, stored, and enough to go on from.

    ``last`` and ``previous`` are the two newest accepted points. ``held`` are readings outside the gate that agree with
    each other and wait to be confirmed: of however many, the first and the two newest; ``held_metric`` is what they
    count where that is not ``metric``. ``gains`` are up to 14 robust daily gains (likes a day), newest last, and
    ``day`` the accepted point from which the running day's gain is counted. ``gap`` is the usual time between
    readings, in seconds. ``since`` is the oldest instant of this series: a metric change or a long silence starts a new
    one. It has ``restarted`` where it began at another level of the same metric, so that nothing older is part of it.
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
    """What the ledger made of a reading."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"  # accepted, and the same count as before: the poll is recorded, not the reading
    HELD = "held"  # outside the gate: shown as unconfirmed, used by no rule
    LATE = "late"  # older than the newest accepted: fills in history, triggers nothing
    DOUBTED = "doubted"  # late and out of line with what was accepted around it
    REPEATED = "repeated"  # the same reading again: nothing is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedReading:
    """A reading with what the ledger made of it."""

    reading: Reading
    standing: Standing


class PageTrouble(StrEnum):
    """Why a page could not be read, as far as it concerns the page and not the platform or us."""

    UNAVAILABLE = "unavailable"  # deleted, unpublished or restricted: nobody outside can tell which
    HIDDEN = "hidden"  # it is there, and shows no count
    RENAMED = "renamed"  # it is read on under another name
    MERGED = "merged"  # the platform made it a part of another page
    UNREAD = "unread"  # no answer, for whatever reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStatus:
    """What a poll found out about a page beside its count; ``detail`` is its new name, or the page it was merged into.

    ``trouble`` is None where the page was read again without any.
    """

    page: str
    at: datetime
    trouble: PageTrouble | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One figure behind an alert, with where it comes from.

    ``name`` is what wording and evidence look it up by; ``about`` the page slug or country it is of; ``unit`` one of
    "likes", "followers", "share", "days", "readings". ``low`` and ``high`` bound the value where it is not exact.
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
    """One parameter of the rule that raised an alert, as it was when it did."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that happened, with everything needed to say it, to draw it and to prove it.

    ``key`` is made from what happened (kind, page, rival, direction, the reading that confirmed it), never from the
    wall clock: replaying the same readings yields the same keys. Alerts of one ``story`` share one card: the first
    is posted, later ones edit it and go to its thread. ``at`` is ``received_at`` of the reading that triggered it.
    The first of the ``facts`` is the figure that is told. ``threshold`` is what the rule was set to, where a channel
    can set it (None elsewhere), and ``tuned`` whether a channel did: then it is for those channels alone. What happened
    to a whole platform has the platform's name as its ``page``, and the pages that it concerns as ``others``.
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
        """The fact of this name; KeyError if the alert does not carry it."""
        for fact in self.facts:
            if fact.name == name:
                return fact
        raise KeyError(f"alert {self.key} carries no fact {name!r}")

    def facts_named(self, name: str) -> tuple[Fact, ...]:
        """Every fact of this name, in order (the top countries, say)."""
        return tuple(fact for fact in self.facts if fact.name == name)
