"""Foreign share of all likes: the audience itself shifts abroad.

- The share is that of the likes with a known country. A list that covers more or fewer likes of every country alike
  does not move it. A list that covers more likes of one country does; so inflow counts only as far as the page's total
  gained it.
- An alert needs 2 lists in a row on which the share (the median of the last 3 lists) is 2.5 points or more above its
  lowest of 30 days. Clean new likes from abroad must explain 60% of that rise.
- An episode ends after 21 days in which they explain less than 1 point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, Figure
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm, told_is_raised
from handlers.signals.facts import exactly, fact
from handlers.signals.shares import ListStep, Snapshot, Totals, flow, later, list_facts, snapshots, steps, with_totals
from handlers.wording.shares import TOTAL_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class AllShareParameters(Parameters):
    """The numbers of this rule."""

    rise: float = parameter(0.025, "share", "rise")
    within_days: int = parameter(30, "days", "within")
    explained: float = parameter(0.6, "share", "explained by new likes")
    calm_below: float = parameter(0.01, "share", "episode over below")
    calm_days: int = parameter(21, "days", "episode over after")
    lists_in_a_row: int = parameter(2, "lists")
    smoothed_days: int = parameter(4, "days")


_RULE = (
    "On {lists_in_a_row} lists in a row, the share abroad of located {metric} was at least {points:g} points above its "
    "lowest of {within_days} days. New {metric} from abroad explain at least {explained:.0%} of the rise."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllShareState:
    """The state of a page: ``hits`` counts the lists in a row that meet the rule, ``until`` is the newest judged list.

    ``raised`` is True during an episode; ``calm_since`` is None while the share is high.
    """

    until: datetime | None = None
    hits: int = 0
    raised: bool = False
    calm_since: datetime | None = None
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rise:
    """The rise of the share by ``size`` from the lowest list to the newest, and how much new likes explain of it."""

    lowest: Snapshot
    newest: Snapshot
    size: float
    explained: float


def compare(window: Window, state: AllShareState, parameters: AllShareParameters) -> Verdict[AllShareState]:
    """Judge every list by country that was not judged yet, oldest first."""
    home = window.pages[window.scope].home
    if home is None:
        return Verdict(alerts=(), state=state)
    before, alerts = state, list[Alert]()
    totals = with_totals(state.totals, window)
    if totals is not state.totals:
        state = replace(state, totals=totals)
    series = snapshots(window, home, state.totals)
    path = steps(window, home, state.totals)
    for count, newest in later(series, state.until):
        rise = _rise(series[:count], path[: count - 1], home, parameters)
        state, is_news = _judged(replace(state, until=newest.at), rise, parameters)
        if is_news:
            alerts.append(_alert(rise, home, window, parameters))
    return Verdict(alerts=tuple(alerts), state=before if state == before else state)


def _judged(state: AllShareState, rise: _Rise, parameters: AllShareParameters) -> tuple[AllShareState, bool]:
    """Return the state after a list, and whether the rise is news."""
    if state.raised:
        if min(rise.size, rise.explained) >= parameters.calm_below:
            return replace(state, calm_since=None), False
        calm_since = state.calm_since or rise.newest.at
        is_over = rise.newest.at - calm_since >= timedelta(days=parameters.calm_days)
        return replace(state, calm_since=None if is_over else calm_since, raised=not is_over, hits=0), False
    is_hit = rise.size >= parameters.rise and rise.explained >= parameters.explained * rise.size
    hits = state.hits + 1 if is_hit else 0
    if hits < parameters.lists_in_a_row:
        return replace(state, hits=hits), False
    return replace(state, hits=0, raised=True, calm_since=None), True


def _rise(series: Sequence[Snapshot], path: Sequence[ListStep], home: str, parameters: AllShareParameters) -> _Rise:
    newest = series[-1]
    smoothed: list[tuple[float, int]] = []
    for index in range(len(series) - 1, -1, -1):
        if newest.at - series[index].at > timedelta(days=parameters.within_days):
            break
        smoothed.append((_smoothed(series, index, timedelta(days=parameters.smoothed_days)), index))
    before, index = min(smoothed)
    size, lowest = smoothed[0][0] - before, series[index]
    explained = _explained(path, home, lowest, newest) if size >= parameters.calm_below else 0.0
    return _Rise(lowest=lowest, newest=newest, size=size, explained=explained)


def _smoothed(series: Sequence[Snapshot], index: int, within: timedelta) -> float:
    near = [other for other in series[max(index - 2, 0) : index + 1] if series[index].at - other.at <= within]
    return median([other.abroad_of_listed for other in near])


def _explained(path: Sequence[ListStep], home: str, lowest: Snapshot, newest: Snapshot) -> float:
    """Return how far the clean inflow alone would have raised the share, as far as the total gained as much."""
    came = flow(path, home, lowest.at, newest.at)
    if came is None:
        return 0.0
    listed, new = lowest.home + lowest.foreign, came.new_of(came.foreign)
    return (lowest.foreign + new) / (listed + new + came.home) - lowest.foreign / listed


def _alert(rise: _Rise, home: str, window: Window, parameters: AllShareParameters) -> Alert:
    reading, bounds, abroad = rise.newest.reading, rise.newest.bounds, rise.newest.abroad_of_listed
    key = f"total_foreign_share:{reading.page}:up:{reading.as_of.isoformat()}"
    share = Figure(value=abroad, low=min(abroad, bounds.low), high=max(abroad, bounds.high))
    return Alert(
        key=key,
        story=key,
        kind="total_foreign_share",
        feature="foreign",
        page=reading.page,
        at=window.now,
        dated=reading.dated,
        facts=(
            fact("share", share, "share", reading),
            fact("baseline", exactly(rise.lowest.abroad_of_listed), "share", rise.lowest.reading),
            *list_facts(rise.newest, home),
        ),
        rule=parameters.fill(_RULE, metric=reading.metric, points=round(parameters.rise * 100, 6)),
        parameters=parameters.listed(),
    )


COMPARISON = Comparison(
    name="foreign_share_of_all",
    feature="foreign",
    wording={"total_foreign_share": TOTAL_SHARE},
    summary="the share of all of a page's likes that is listed abroad rises",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    parameters=AllShareParameters(),
    state=StateForm(cls=AllShareState, version=3, upgrade=told_is_raised),
    compare=compare,
)
