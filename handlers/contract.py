"""What a comparison is: one file, ending in ``COMPARISON = Comparison(…)``, and this is all of its surface."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar

from handlers.model import Alert, AudienceReading, Page, PageStatus, SeriesState
from handlers.signals.history import HistorySummary
from handlers.values import lean_value

M = TypeVar("M")
V = TypeVar("V")


class Scope(StrEnum):
    """What one comparison looks at: one page at a time, or all pages of a group, or of a platform, together."""

    PAGE = "page"
    GROUP = "group"
    PLATFORM = "platform"


class Trigger(StrEnum):
    """What must arrive for a comparison to be asked."""

    COUNTS = "counts"
    AUDIENCE = "audience"
    PAGE_STATUS = "page_status"


@lean_value
class Window:
    """What a comparison sees: what was before, what came, and now.

    ``scope`` is the slug of the page or group, or the name of the platform, looked at. ``series_states`` and ``histories`` hold
    the series of its pages (and perhaps of others) *after* what came; ``came`` the slugs whose accepted series moved on
    (for audiences and page_statuses, the page itself). ``audience`` is the page's audience readings of the past 150 days or
    so and at least the 12 newest of each measure, oldest first; ``new_audience`` those of them that just came, and
    ``page_statuses`` what polls found out about the page, in order.
    """

    scope: str
    now: datetime
    pages: Mapping[str, Page]
    series_states: Mapping[str, SeriesState]
    histories: Mapping[str, HistorySummary]
    came: tuple[str, ...]
    audience: tuple[AudienceReading, ...] = ()
    new_audience: tuple[AudienceReading, ...] = ()
    page_statuses: tuple[PageStatus, ...] = ()
    made: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, what: Hashable, make: Callable[[], V]) -> V:
        """What one comparison makes of this window and others want too: made by the first that asks for it."""
        made: V
        if what in self.made:
            made = self.made[what]
        else:
            made = self.made[what] = make()
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How slugs and country codes are called. What these return is quoted, not claimed, and not guarded."""

    page: Callable[[str], str]
    country: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How one kind of alert is said: what happened in one sentence, and what must go with it. Plain text."""

    headline: Callable[[Alert, Names], str]
    lines: Callable[[Alert, Names], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Generic[M]):
    """A comparison's answer: what to tell, and what it must remember (the very object it was given if unchanged)."""

    alerts: tuple[Alert, ...]
    state: M


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Generic[M]):
    """What a channel may set of a rule, in the rule's own unit: ``foreign>10`` (points), ``surge>5x`` (times).

    ``scale`` turns what people write into ``compare``'s last argument: 0.01 for points and per cent. What they write
    must lie between ``least`` and ``most``; ``default`` is what holds where nobody set it. ``mark`` is written after
    it, ``unit`` said.
    """

    unit: str
    mark: str
    default: float
    least: float
    most: float
    scale: float
    compare: Callable[[Window, M, float], Verdict[M] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Generic[M]):
    """One rule. Each file in ``handlers/comparisons`` ends in ``COMPARISON = Comparison(…)`` and is found by that name.

    ``compare(window, state)`` is pure; None says that there is nothing to tell and nothing new to remember.
    ``state`` is what it said to remember last time for this scope, or ``blank()`` the first time; ``dump`` and
    ``load`` turn it into text for the store and back, without loss. ``feature`` is the word people subscribe to,
    ``summary`` one line about it for them, and ``opt_in`` says that nobody gets it without naming it. ``wording`` has the
    words for each kind it raises. ``only`` are the scopes to look at, all where it is None.
    """

    name: str
    feature: str
    wording: Mapping[str, Wording]
    summary: str
    scope: Scope
    trigger: Trigger
    blank: Callable[[], M]
    load: Callable[[str], M]
    dump: Callable[[M], str]
    compare: Callable[[Window, M], Verdict[M] | None]
    threshold: Threshold[M] | None = None
    opt_in: bool = False
    only: frozenset[str] | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of alert it raises."""
        return tuple(self.wording)

    def tuned(self, limit: float, only: frozenset[str] | None = None) -> Comparison[M]:
        """The same rule with another threshold, written as people write it; it remembers, and tells, for itself.

        Raises:
            ValueError: the rule has no threshold.

        """
        if self.threshold is None:
            raise ValueError(f"{self.name} has no threshold")
        name = f"{self.name}>{limit:g}"
        compare = partial(_told_as, name, limit, self.threshold)
        return replace(self, name=name, compare=compare, only=only)


def _told_as(name: str, limit: float, threshold: Threshold[M], window: Window, state: M) -> Verdict[M] | None:
    verdict = threshold.compare(window, state, limit * threshold.scale)
    if verdict is None or not verdict.alerts:
        return verdict
    alerts = tuple(
        replace(alert, key=f"{name}:{alert.key}", story=f"{name}:{alert.story}", threshold=limit, tuned=True)
        for alert in verdict.alerts
    )
    return replace(verdict, alerts=alerts)
