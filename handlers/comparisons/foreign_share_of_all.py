"""Foreign share of all likes: the audience itself shifts abroad.

The share is that of the likes with a known country, which does not move when a list accounts for more or fewer of
them alike. If more of one country's are located, it does; so inflow counts as far as the page's total gained it. Told
if the median of its last 3 daily values is 2.5 points or more above the minimum of 30 days and clean foreign inflow
explains 60% of the rise, on 2 snapshots. Armed again after 21 days in which it explains less than 1 point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, Figure, Parameter
from handlers.rule_state import from_rows, from_text, instant, rows, to_text
from handlers.signals.shares import (
    ListStep,
    Snapshot,
    Totals,
    exactly,
    fact,
    flow,
    later,
    snapshots,
    steps,
    with_totals,
)
from handlers.wording.shares import TOTAL_SHARE

RISE = 0.025
WITHIN_DAYS = 30
EXPLAINED_AT_LEAST = 0.6
CALM_BELOW = 0.01
CALM_DAYS = 21

_DAY = timedelta(days=1)
_SNAPSHOTS_TO_TELL = 2
_SMOOTHED_OVER = 4 * _DAY
_RULE = (
    "On two lists by country in a row, the share abroad of the {metric} with a country (the middle one of the last "
    "three lists) was 2.5 points or more above its lowest of the past 30 days. New {metric} from abroad explain at "
    "least 60% of that."
)
_PARAMETERS = (
    Parameter(name="rise", value=RISE, unit="share"),
    Parameter(name="within", value=WITHIN_DAYS, unit="days"),
    Parameter(name="explained by new likes", value=EXPLAINED_AT_LEAST, unit="share"),
    Parameter(name="episode over below", value=CALM_BELOW, unit="share"),
    Parameter(name="episode over after", value=CALM_DAYS, unit="days"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllShareState:
    """What is remembered of a page; ``hits`` counts the snapshots in a row that meet the rule."""

    until: datetime | None = None
    hits: int = 0
    told: bool = False
    calm_since: datetime | None = None
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rise:
    lowest: Snapshot
    newest: Snapshot
    before: float
    after: float
    explained: float

    @property
    def is_hit(self) -> bool:
        rise = self.after - self.before
        return rise >= RISE and self.explained >= EXPLAINED_AT_LEAST * rise

    @property
    def is_calm(self) -> bool:
        """Whether hardly anybody came: a list of more countries is no rise."""
        return min(self.after - self.before, self.explained) < CALM_BELOW


def compare(window: Window, shift: AllShareState) -> Verdict[AllShareState]:
    """Judge every list by country not judged yet, oldest first."""
    home = window.pages[window.scope].home
    if home is None:
        return Verdict(alerts=(), state=shift)
    before, alerts = shift, list[Alert]()
    totals = with_totals(shift.totals, window)
    if totals is not shift.totals:
        shift = replace(shift, totals=totals)
    series = snapshots(window, home, shift.totals)
    path = steps(window, home, shift.totals)
    for count, newest in later(series, shift.until):
        rise = _rise(series[:count], path[: count - 1], home)
        shift, alert = _judged(replace(shift, until=newest.at), rise, window)
        alerts += alert
    return Verdict(alerts=tuple(alerts), state=before if shift == before else shift)


def _judged(shift: AllShareState, rise: _Rise, window: Window) -> tuple[AllShareState, tuple[Alert, ...]]:
    at = rise.newest.at
    if shift.told:
        if not rise.is_calm:
            return replace(shift, calm_since=None), ()
        calm_since = shift.calm_since or at
        over = at - calm_since >= CALM_DAYS * _DAY
        return replace(shift, calm_since=None if over else calm_since, told=not over, hits=0), ()
    hits = shift.hits + 1 if rise.is_hit else 0
    if hits < _SNAPSHOTS_TO_TELL:
        return replace(shift, hits=hits), ()
    return replace(shift, hits=0, told=True, calm_since=None), (_alert(rise, window),)


def _rise(series: Sequence[Snapshot], path: Sequence[ListStep], home: str) -> _Rise:
    newest = series[-1]
    recent = range(len(series) - 1, -1, -1)
    smoothed: list[tuple[float, int]] = []
    for index in recent:
        if newest.at - series[index].at > WITHIN_DAYS * _DAY:
            break
        smoothed.append((_smoothed(series, index), index))
    after = smoothed[0][0]
    before, index = min(smoothed)
    lowest = series[index]
    explained = _explained(path, home, lowest, newest) if after - before >= CALM_BELOW else 0.0
    return _Rise(lowest=lowest, newest=newest, before=before, after=after, explained=explained)


def _smoothed(series: Sequence[Snapshot], index: int) -> float:
    near = [other for other in series[max(index - 2, 0) : index + 1] if series[index].at - other.at <= _SMOOTHED_OVER]
    return median([other.abroad_of_listed for other in near])


def _explained(path: Sequence[ListStep], home: str, lowest: Snapshot, newest: Snapshot) -> float:
    """How far the clean inflow alone would have raised the share, as far as the total gained as much."""
    came = flow(path, home, lowest.at, newest.at)
    if came is None:
        return 0.0
    listed, new = lowest.home + lowest.foreign, came.new_of(came.foreign)
    return (lowest.foreign + new) / (listed + new + came.home) - lowest.foreign / listed


def _alert(rise: _Rise, window: Window) -> Alert:
    reading = rise.newest.reading
    key = f"total_foreign_share:{reading.page}:up:{reading.as_of.isoformat()}"
    bounds = rise.newest.bounds
    abroad = rise.newest.abroad_of_listed
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
            fact("numerator", exactly(rise.newest.foreign), reading.metric, reading),
            fact("denominator", exactly(rise.newest.home + rise.newest.foreign), reading.metric, reading),
            fact("total", exactly(rise.newest.total), reading.metric, reading),
            fact(
                "home", exactly(rise.newest.home), reading.metric, reading, about=window.pages[reading.page].home or ""
            ),
            fact("unlisted", exactly(_unlisted(rise.newest)), reading.metric, reading),
        ),
        rule=_RULE.format(metric=reading.metric),
        parameters=_PARAMETERS,
    )


def _unlisted(snapshot: Snapshot) -> float:
    return max(snapshot.total - snapshot.foreign - snapshot.home, 0.0)


def _dump(shift: AllShareState) -> str:
    kept = {
        "until": shift.until,
        "hits": shift.hits,
        "told": shift.told,
        "calm_since": shift.calm_since,
        "totals": rows(shift.totals),
    }
    return to_text(kept)


def _load(text: str) -> AllShareState:
    kept = from_text(text)
    return AllShareState(
        until=instant(kept["until"]),
        hits=kept["hits"],
        told=kept["told"],
        calm_since=instant(kept["calm_since"]),
        totals=from_rows(kept["totals"]),
    )


COMPARISON = Comparison(
    name="foreign_share_of_all",
    feature="foreign",
    wording={"total_foreign_share": TOTAL_SHARE},
    summary="the share of all of a page's likes that is listed abroad rises",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    blank=AllShareState,
    load=_load,
    dump=_dump,
    compare=compare,
)
