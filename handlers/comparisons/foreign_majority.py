"""Foreign majority: less than half of a page's likes are from its home country. Raised once, never again.

From lists by country:

- On 3 lists in a row (1 if lists are rare), more than 50.5% of the likes with a country are listed abroad. Before, it
  was less than 47.5%.
- A list that became longer or shorter is no news. So the share must exceed 50.5% by as much as the list's coverage has
  changed since then, unless the likes listed abroad are more than 50.5% of all likes.

From published figures: the home country's share, rounding included, falls below half after it was above half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, AudienceReading, Fact, Measure, Metric
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm, told_is_raised
from handlers.signals.facts import exactly, fact
from handlers.signals.shares import (
    Snapshot,
    Totals,
    is_list,
    is_sparse,
    later,
    list_facts,
    published_share,
    snapshots,
    with_totals,
)
from handlers.wording.shares import MAJORITY


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityParameters(Parameters):
    """The numbers of this rule."""

    majority: float = parameter(0.505, "share", "listed abroad, of those with a country")
    minority: float = parameter(0.475, "share", "listed abroad before, of those with a country")
    lists_in_a_row: int = parameter(3, "lists", "lists by country")
    half: float = parameter(0.5, "share", "published home share below")


_LISTS_RULE = (
    "On {lists_in_a_row} lists in a row (one if lists are rare), more than {majority:.1%} of {metric} with a country "
    "were abroad. Before, it was less than {minority:.1%}."
)
_FIGURES_RULE = "The published home share was above half before and is below half now, whatever the rounding."


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityState:
    """The state of a page.

    Attributes:
        metric: The metric of ``home_led``, which means nothing for another one.
        home_led: The newest home share that was no foreign majority, None before there was one. It is a share above
            half; as long as there was none, that of a list with few likes abroad.
        coverage: The part of all likes that had a country when few were listed abroad last.
        hits: The number of lists in a row that meet the rule.
        lists_until: The newest judged list.
        raised: True once the alert was raised.

    """

    metric: Metric = Metric.LIKES
    home_led: Fact | None = None
    coverage: float = 0.0
    hits: int = 0
    lists_until: datetime | None = None
    raised: bool = False
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, state: MajorityState, parameters: MajorityParameters) -> Verdict[MajorityState]:
    """Judge the published figures that arrived and every list that was not judged yet, oldest first."""
    home = window.pages[window.scope].home
    if home is None or state.raised:
        return Verdict(alerts=(), state=state)
    before = state
    totals = with_totals(state.totals, window)
    if totals is not state.totals:
        state = replace(state, totals=totals)
    unjudged = sorted(_unjudged(window, home, state), key=lambda judged: judged.reading.as_of)
    for judged in unjudged:
        if judged.reading.metric is not state.metric:
            state = replace(state, metric=judged.reading.metric, home_led=None, hits=0)
        if judged.snapshot is None:
            state, facts = _figure(state, judged.reading, home, parameters)
        else:
            state = replace(state, lists_until=judged.reading.as_of)
            state, facts = _list(state, judged.snapshot, home, parameters, sparse=judged.sparse)
        if facts:
            rule = _FIGURES_RULE if judged.snapshot is None else _LISTS_RULE
            alert = _alert(judged.reading, facts, parameters.fill(rule, metric=state.metric), window, parameters)
            return Verdict(alerts=(alert,), state=MajorityState(raised=True))
    return Verdict(alerts=(), state=before if state == before else state)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unjudged:
    """A list (then with its ``snapshot``) or a published figure to judge."""

    reading: AudienceReading
    snapshot: Snapshot | None = None
    sparse: bool = False


def _unjudged(window: Window, home: str, state: MajorityState) -> Iterator[_Unjudged]:
    for reading in window.new_audience:
        if reading.measure is Measure.ALL and not is_list(reading):
            yield _Unjudged(reading=reading)
    series = snapshots(window, home, state.totals)
    for count, snapshot in later(series, state.lists_until):
        yield _Unjudged(reading=snapshot.reading, snapshot=snapshot, sparse=is_sparse(series[:count]))


def _figure(
    state: MajorityState, reading: AudienceReading, home: str, parameters: MajorityParameters
) -> tuple[MajorityState, tuple[Fact, ...]]:
    """Return the state after a published figure, and the facts of an alert if it is news."""
    share = published_share(reading, home)
    if share is None:
        return state, ()
    known = fact("home_share", share, "share", reading, about=home)
    if share.low > parameters.half:
        return replace(state, home_led=replace(known, name="before")), ()
    if share.high < parameters.half and state.home_led is not None and state.home_led.value > parameters.half:
        return state, (known, state.home_led, fact("whole", exactly(1), reading.metric, reading))
    return state, ()


def _list(
    state: MajorityState, snapshot: Snapshot, home: str, parameters: MajorityParameters, *, sparse: bool
) -> tuple[MajorityState, tuple[Fact, ...]]:
    """Return the state after a list, and the facts of an alert if it is news."""
    reading, bounds, abroad = snapshot.reading, snapshot.bounds, snapshot.abroad_of_listed
    at_home = snapshot.home / snapshot.total
    few_abroad = abroad < parameters.minority
    if few_abroad:
        state = replace(state, coverage=snapshot.coverage)
    has_led = state.home_led is not None and state.home_led.value > parameters.half
    if at_home > parameters.half or (few_abroad and not has_led):
        led = fact("before", exactly(at_home), "share", reading, about=home)
        return replace(state, home_led=led, hits=0), ()
    is_surely_more = abroad - abs(snapshot.coverage - state.coverage) > parameters.majority
    hits = state.hits + 1 if is_surely_more or bounds.low > parameters.majority else 0
    state = replace(state, hits=hits)
    if state.home_led is None or hits < (1 if sparse else parameters.lists_in_a_row):
        return state, ()
    share = fact("share", replace(bounds, value=abroad), "share", reading)
    return state, (share, *list_facts(snapshot, home), state.home_led)


def _alert(
    reading: AudienceReading, facts: tuple[Fact, ...], rule: str, window: Window, parameters: MajorityParameters
) -> Alert:
    key = f"foreign_majority:{reading.page}:up:{reading.as_of.isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="foreign_majority",
        feature="foreign",
        page=reading.page,
        at=window.now,
        dated=reading.dated,
        facts=facts,
        rule=rule,
        parameters=parameters.listed(),
    )


COMPARISON = Comparison(
    name="foreign_majority",
    feature="foreign",
    wording={"foreign_majority": MAJORITY},
    summary="less than half of a page's likes are from its home country",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    parameters=MajorityParameters(),
    state=StateForm(cls=MajorityState, version=3, upgrade=told_is_raised),
    compare=compare,
)
