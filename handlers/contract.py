"""What a comparison is. Each file in ``handlers/comparisons`` ends in ``COMPARISON = Comparison(…)``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from handlers.model import Alert, AudienceReading, Page, PageStatus, SeriesState
from handlers.parameter_types import Parameters, Threshold
from handlers.rule_state import StateForm
from handlers.signals.history import HistorySummary

S = TypeVar("S")
V = TypeVar("V")


class Scope(StrEnum):
    """The pages that one comparison compares: one page with its past, or the pages of a group or of a platform."""

    PAGE = "page"
    GROUP = "group"
    PLATFORM = "platform"


class Trigger(StrEnum):
    """The arrivals for which a comparison runs."""

    COUNTS = "counts"
    AUDIENCE = "audience"
    PAGE_STATUS = "page_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The view of one scope that a comparison gets.

    Attributes:
        scope: The slug of the page or group, or the name of the platform.
        now: The newest ``received_at`` among the arrivals of this scope.
        series_states: The series of the scope's pages *after* the arrivals; the mapping may hold other pages too.
        histories: The history summaries of the same pages.
        changed: The slugs of the scope's pages that something arrived for, of the comparison's trigger.
        audience: The page's audience readings of the past 150 days, and at least the 12 newest of each measure.
            The oldest comes first.
        new_audience: The readings in ``audience`` that just arrived.
        page_statuses: The results of polls beside the count, in order.
        cache: The values that ``cached`` stores.

    """

    scope: str
    now: datetime
    pages: Mapping[str, Page]
    series_states: Mapping[str, SeriesState]
    histories: Mapping[str, HistorySummary]
    changed: tuple[str, ...]
    audience: tuple[AudienceReading, ...] = ()
    new_audience: tuple[AudienceReading, ...] = ()
    page_statuses: tuple[PageStatus, ...] = ()
    cache: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def cached(self, key: Hashable, compute: Callable[[], V]) -> V:
        """Return ``compute()``, computed once for all comparisons that see this window."""
        if key not in self.cache:
            self.cache[key] = compute()
        value: V = self.cache[key]
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How to call slugs and country codes. The wording guard does not check these names: they are quotations."""

    page: Callable[[str], str]
    country: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The sentences for one kind of alert, in plain text: what happened, and the lines that must go with it."""

    headline: Callable[[Alert, Names], str]
    lines: Callable[[Alert, Names], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Generic[S]):
    """A comparison's answer: alerts to raise, and the state to store (the very object it was given, if unchanged)."""

    alerts: tuple[Alert, ...]
    state: S


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Generic[S]):
    """One rule.

    Attributes:
        name: The name of its file.
        feature: The word that people subscribe to.
        wording: The sentences for each kind of alert that the rule raises.
        summary: One line about the rule for subscribers.
        scope: The pages that the rule compares.
        trigger: The arrivals for which the rule runs.
        parameters: The numbers of the rule.
        state: How the rule's state of one scope is stored.
        compare: The rule itself, a pure function of a window, the state of its scope, and the parameters. A result of
            None means no alert and an unchanged state.
        threshold: The parameter that a channel may set, if there is one.
        opt_in: True if only subscribers who name the feature get it.
        only: The scopes to compare, all if it is None.
        limit: The threshold that a channel has set, as people write it; None for the default.

    """

    name: str
    feature: str
    wording: Mapping[str, Wording]
    summary: str
    scope: Scope
    trigger: Trigger
    state: StateForm[S]
    compare: Callable[[Window, S, Any], Verdict[S] | None]
    parameters: Parameters = field(default_factory=Parameters)
    threshold: Threshold | None = None
    opt_in: bool = False
    only: frozenset[str] | None = None
    limit: float | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of alert that the rule raises."""
        return tuple(self.wording)

    def evaluate(self, window: Window, state: S) -> Verdict[S] | None:
        """Run the rule, and note on its alerts the threshold that they were raised by."""
        verdict = self.compare(window, state, self.parameters)
        if verdict is None or not verdict.alerts or self.threshold is None:
            return verdict
        return replace(verdict, alerts=tuple(map(self._with_threshold, verdict.alerts)))

    def _with_threshold(self, alert: Alert) -> Alert:
        if self.limit is None:
            return replace(alert, threshold=None if self.threshold is None else self.threshold.default)
        key, story = f"{self.name}:{alert.key}", f"{self.name}:{alert.story}"
        return replace(alert, key=key, story=story, threshold=self.limit, tuned=True)

    def tuned(self, limit: float, only: frozenset[str] | None = None) -> Comparison[S]:
        """Return the same rule with another threshold, and with states, keys and stories of its own.

        Args:
            limit: The threshold, as people write it.
            only: The scopes to compare, all if it is None.

        Raises:
            ValueError: The rule has no threshold.

        """
        if self.threshold is None:
            raise ValueError(f"{self.name} has no threshold")
        return replace(
            self,
            name=f"{self.name}>{limit:g}",
            parameters=self.parameters.tuned(self.threshold.parameter, limit * self.threshold.scale),
            only=only,
            limit=limit,
        )
