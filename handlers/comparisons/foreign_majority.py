"""Foreign majority: told once, never again.

From lists by country: more than 50.5% of those with a country are listed abroad on 3 snapshots (1 where sparse), having
been less than 47.5%. A list that grows longer or shorter is no news: by as much as its coverage has changed since then,
the share must be higher still, unless those listed abroad are more than 50.5% of all. From published figures: the home
country's share, rounding included, falls below half, having been above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, AudienceReading, Fact, Measure, Metric, Parameter
from handlers.rule_state import a_fact, from_rows, from_text, instant, rows, to_text
from handlers.signals.shares import (
    Snapshot,
    Totals,
    exactly,
    fact,
    is_list,
    is_sparse,
    later,
    published_share,
    snapshots,
    with_totals,
)
from handlers.wording.shares import MAJORITY as SAYING

HALF = 0.5
MAJORITY = 0.505
MINORITY = 0.475
SNAPSHOTS_TO_TELL = 3

_LISTS_RULE = (
    "Three lists by country in a row (one where they are rare) had more than 50.5% of the {metric} with a country "
    "abroad, and it had been less than 47.5% before."
)
_FIGURES_RULE = "The published home share was above half before, and is below half now, whatever the rounding."
_PARAMETERS = (
    Parameter(name="listed abroad, of those with a country", value=MAJORITY, unit="share"),
    Parameter(name="listed abroad before, of those with a country", value=MINORITY, unit="share"),
    Parameter(name="lists by country", value=SNAPSHOTS_TO_TELL, unit="lists"),
    Parameter(name="published home share below", value=HALF, unit="share"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityState:
    """What is remembered of a page.

    ``home_led`` is the newest home share that was no foreign majority, None before there was one: above half, or, while
    none was, that of a list with few abroad. It is of ``metric``, and says nothing of another. ``hits`` counts the
    lists in a row that meet the rule, ``lists_until`` is the newest one judged. ``coverage`` is what part of all likes
    had a country when few were abroad last.
    """

    metric: Metric = Metric.LIKES
    home_led: Fact | None = None
    coverage: float = 0.0
    hits: int = 0
    lists_until: datetime | None = None
    told: bool = False
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, majority: MajorityState) -> Verdict[MajorityState]:
    """Judge the figures that came and every list not judged yet, oldest first."""
    home = window.pages[window.scope].home
    if home is None or majority.told:
        return Verdict(alerts=(), state=majority)
    before = majority
    totals = with_totals(majority.totals, window)
    if totals is not majority.totals:
        majority = replace(majority, totals=totals)
    for judged in sorted(_unjudged(window, home, majority), key=lambda judged: judged.reading.as_of):
        if judged.reading.metric is not majority.metric:
            majority = replace(majority, metric=judged.reading.metric, home_led=None, hits=0)
        if judged.snapshot is None:
            majority, facts = _figure(majority, judged.reading, home)
        else:
            majority = replace(majority, lists_until=judged.reading.as_of)
            majority, facts = _list(majority, judged.snapshot, home, sparse=judged.sparse)
        if facts:
            rule = _FIGURES_RULE if judged.snapshot is None else _LISTS_RULE.format(metric=majority.metric)
            return Verdict(alerts=(_alert(judged.reading, facts, rule, window),), state=MajorityState(told=True))
    return Verdict(alerts=(), state=before if majority == before else majority)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unjudged:
    reading: AudienceReading
    snapshot: Snapshot | None = None
    sparse: bool = False


def _unjudged(window: Window, home: str, majority: MajorityState) -> Iterator[_Unjudged]:
    for reading in window.new_audience:
        if reading.measure is Measure.ALL and not is_list(reading):
            yield _Unjudged(reading=reading)
    series = snapshots(window, home, majority.totals)
    for count, snapshot in later(series, majority.lists_until):
        yield _Unjudged(reading=snapshot.reading, snapshot=snapshot, sparse=is_sparse(series[:count]))


def _figure(majority: MajorityState, reading: AudienceReading, home: str) -> tuple[MajorityState, tuple[Fact, ...]]:
    share = published_share(reading, home)
    if share is None:
        return majority, ()
    known = fact("home_share", share, "share", reading, about=home)
    if share.low > HALF:
        return replace(majority, home_led=replace(known, name="before")), ()
    if share.high < HALF and majority.home_led is not None and majority.home_led.value > HALF:
        whole = fact("whole", exactly(1), reading.metric, reading)
        return majority, (known, majority.home_led, whole)
    return majority, ()


def _list(
    majority: MajorityState, snapshot: Snapshot, home: str, *, sparse: bool
) -> tuple[MajorityState, tuple[Fact, ...]]:
    reading, bounds = snapshot.reading, snapshot.bounds
    at_home = snapshot.home / snapshot.total
    abroad = snapshot.foreign / (snapshot.foreign + snapshot.home)
    few_abroad = abroad < MINORITY
    if few_abroad:
        majority = replace(majority, coverage=snapshot.coverage)
    if at_home > HALF or (few_abroad and (majority.home_led is None or majority.home_led.value <= HALF)):
        led = fact("before", exactly(at_home), "share", reading, about=home)
        return replace(majority, home_led=led, hits=0), ()
    surely = bounds.low > MAJORITY or abroad - abs(snapshot.coverage - majority.coverage) > MAJORITY
    hits = majority.hits + 1 if surely else 0
    majority = replace(majority, hits=hits)
    if majority.home_led is None or hits < (1 if sparse else SNAPSHOTS_TO_TELL):
        return majority, ()
    unlisted = max(snapshot.total - snapshot.foreign - snapshot.home, 0.0)
    return majority, (
        fact("share", replace(bounds, value=abroad), "share", reading),
        fact("numerator", exactly(snapshot.foreign), reading.metric, reading),
        fact("denominator", exactly(snapshot.home + snapshot.foreign), reading.metric, reading),
        fact("total", exactly(snapshot.total), reading.metric, reading),
        fact("home", exactly(snapshot.home), reading.metric, reading, about=home),
        fact("unlisted", exactly(unlisted), reading.metric, reading),
        majority.home_led,
    )


def _alert(reading: AudienceReading, facts: tuple[Fact, ...], rule: str, window: Window) -> Alert:
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
        parameters=_PARAMETERS,
    )


def _dump(majority: MajorityState) -> str:
    kept = {
        "metric": majority.metric,
        "home_led": None if majority.home_led is None else asdict(majority.home_led),
        "coverage": majority.coverage,
        "hits": majority.hits,
        "lists_until": majority.lists_until,
        "told": majority.told,
        "totals": rows(majority.totals),
    }
    return to_text(kept)


def _load(text: str) -> MajorityState:
    kept = from_text(text)
    return MajorityState(
        metric=Metric(kept["metric"]),
        home_led=None if kept["home_led"] is None else a_fact(kept["home_led"]),
        coverage=kept["coverage"],
        hits=kept["hits"],
        lists_until=instant(kept["lists_until"]),
        told=kept["told"],
        totals=from_rows(kept["totals"]),
    )


COMPARISON = Comparison(
    name="foreign_majority",
    feature="foreign",
    wording={"foreign_majority": SAYING},
    summary="less than half of a page's likes are from its home country",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    blank=MajorityState,
    load=_load,
    dump=_dump,
    compare=compare,
)
