"""Overtake: a page passes a rival of its group. One card says so at once, and is confirmed or corrected later.

| kind | raised when |
|---|---|
| ``ahead`` | the challenger is ahead at two evaluations, and would be without any one reading; a contest opens |
| ``overtake`` | the challenger was ahead at every evaluation for 24 hours and at 3 counted ones; it is the new leader |
| ``held_off`` | during a contest the old leader was ahead again at every evaluation for 72 hours |

- Ahead means that the challenger's interval lies wholly above the leader's.
- An evaluation is counted if both pages were read anew since the last counted one. If a page has to be bounded
  (``handlers.signals.count_intervals``), a new reading of its rival is enough.
- Until a page is read anew, its usual pace stands in for the one reading that first showed the lead.
- Further changes of lead within a contest raise nothing. The first comparison of a pair only sets its leader.
- If readings of a page are 48 hours apart or more, a lead is confirmed at once. One bad reading of such a page does
  decide; a jump of a rival that is read more often does not.

The state is a group's order and its open pairs. The leader of a pair that is not open is the page with the higher
count. So a contest may open between two pages that are closer than their gain between two readings. The next
readings confirm it or hold it off. A pair that shares several groups is judged in the group it has shared longest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import is_

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, Fact, Metric, SeriesState, least_precise
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm
from handlers.signals.contests import OvertakeState, Pair, Seat, Streak, upgrade
from handlers.signals.count_intervals import (
    FRESH_HOURS,
    FRESH_POLLS,
    SPARSE_HOURS,
    Lead,
    LeadReading,
    by_its_pace,
    is_judged_in,
    is_stale,
    lead,
    pair_of,
)
from handlers.signals.facts import count_fact
from handlers.signals.order import overlapping, resort, seat
from handlers.wording.leads import AHEAD, HELD_OFF, OVERTAKE


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertakeParameters(Parameters):
    """The numbers of this rule."""

    evaluations_to_open: int = parameter(2, "evaluations", "ahead to tell")
    hours_to_settle: int = parameter(24, "hours", "ahead to settle")
    evaluations_to_settle: int = parameter(3, "evaluations", "evaluations to settle")
    hours_to_hold_off: int = parameter(72, "hours", "ahead to hold off")
    unread_hours: int = parameter(FRESH_HOURS, "hours", "unread after")
    unread_polls: int = parameter(FRESH_POLLS, "polls", "unread after")
    sparse_hours: int = parameter(SPARSE_HOURS, "hours between readings", "sparse from")


_AHEAD_RULE = (
    "Counts as ahead when the lead is beyond rounding, and remains without the readings that first showed it. A page "
    "that was not read again since then is taken to grow at its usual pace."
)
_SETTLED_RULE = (
    "Counts as confirmed after {hours_to_settle} hours ahead at every reading, with at least {evaluations_to_settle} "
    "new readings of both pages."
)
_MAY_BE = (
    "One page is not read, or its counter stands still. The lead holds for any count from 1% less than its last to "
    "three times its usual gain more."
)
_AHEAD_OF_UNREAD_RULE = f"Counts as ahead at {{evaluations_to_open}} readings. {_MAY_BE}"
_SETTLED_OF_UNREAD_RULE = (
    f"Counts as confirmed after {{hours_to_settle}} hours ahead and at least {{evaluations_to_settle}} readings. "
    f"{_MAY_BE}"
)
_SPARSE_RULE = (
    "Counts as confirmed at once, since readings of a page are days apart: the two counts differ by more than rounding."
)
_HELD_OFF_RULE = "The earlier leader was ahead again at every reading for {hours_to_hold_off} hours."


def compare(window: Window, state: OvertakeState, parameters: OvertakeParameters) -> Verdict[OvertakeState] | None:
    """Update the order, open the pairs that changed places, and evaluate the open pairs that were read."""
    series_states, before = window.series_states, state
    state = _without_departed(state, window)
    orders, pairs = dict(state.orders), dict(state.pairs)
    for metric, order in state.orders.items():
        orders[metric], crossings = resort(order, series_states)
        for passing, passed in crossings:
            key = pair_of(passing, passed)
            if key not in pairs and is_judged_in(window, *key):
                was_led = _both_read_again(key, state, series_states) or _was_below(
                    series_states[passing], series_states[passed]
                )
                pairs[key] = Pair(leader=passed if was_led else None)
    seats = _seat_newcomers(orders, state.seats, pairs, window)
    is_same_order = seats is before.seats and all(map(is_, orders.values(), state.orders.values()))
    if is_same_order and not pairs and not state.pairs:
        return None
    alerts: list[Alert] = []
    changed = frozenset(window.changed)
    for key in sorted(key for key in pairs if not changed.isdisjoint(key)):
        pair, alert = _evaluate(pairs.pop(key), key, window, parameters)
        if alert is not None:
            alerts.append(alert)
        if _is_open(pair, key, series_states):
            pairs[key] = pair
    after = OvertakeState(orders=orders, seats=seats, pairs=pairs)
    return Verdict(alerts=tuple(alerts), state=state if after == state else after)


def _without_departed(state: OvertakeState, window: Window) -> OvertakeState:
    """Forget pages that left the group, and pages whose series began anew."""
    seats, series_states = state.seats, window.series_states
    gone = {slug for slug in window.changed if slug in seats and seats[slug].series < series_states[slug].since}
    if not seats.keys() <= series_states.keys():
        gone |= seats.keys() - series_states.keys()
    if not gone:
        return state
    return OvertakeState(
        orders={metric: tuple(slug for slug in order if slug not in gone) for metric, order in state.orders.items()},
        seats={slug: known for slug, known in seats.items() if slug not in gone},
        pairs={key: pair for key, pair in state.pairs.items() if gone.isdisjoint(key)},
    )


def _both_read_again(key: tuple[str, str], state: OvertakeState, series_states: Mapping[str, SeriesState]) -> bool:
    """Return False while a page has only first readings: minutes apart, these set no leader yet."""
    seen = max(state.seats[slug].seen for slug in key)
    return all(series_states[slug].last.at > seen for slug in key)


def _was_below(passing: SeriesState, passed: SeriesState) -> bool:
    """Return True if a reading of the passing page, no older than one of the other, lay below that one."""
    return any(
        low is not None and high is not None and low.at >= high.at and low.high < high.low
        for low in (passing.previous, passing.last)
        for high in (passed.previous, passed.last)
    )


def _seat_newcomers(
    orders: dict[Metric, tuple[str, ...]],
    seats: Mapping[str, Seat],
    pairs: dict[tuple[str, str], Pair],
    window: Window,
) -> Mapping[str, Seat]:
    """Give new pages their places without an alert, and open every pair that overlaps, with no leader.

    A page that is not being read gets no place until it is read again.
    """
    series_states = window.series_states
    if len(series_states) == len(seats):  # _without_departed leaves no seat without a series
        return seats
    newest = max(series_state.last.at for series_state in series_states.values())
    after = dict(seats)
    for metric in Metric:
        newcomers = [
            slug
            for slug, series_state in series_states.items()
            if slug not in seats and series_state.metric is metric and not is_stale(series_state, newest)
        ]
        if not newcomers:
            continue
        unread = [slug for slug in orders.get(metric, ()) if is_stale(series_states[slug], newest)]
        orders[metric] = seat(orders.get(metric, ()), newcomers, series_states)
        undecided = overlapping(orders[metric], newcomers, series_states)
        undecided |= {pair_of(slug, other) for slug in newcomers for other in unread}
        pairs.update((key, Pair(leader=None)) for key in undecided if is_judged_in(window, *key))
        after.update((slug, Seat(series_states[slug].since, newest)) for slug in newcomers)
    return after


def _is_open(pair: Pair, key: tuple[str, str], series_states: Mapping[str, SeriesState]) -> bool:
    if pair.leader is None or pair.contest is not None:
        return True
    other = key[1] if pair.leader == key[0] else key[0]
    if pair.streak is not None and pair.streak.ahead == other:  # the leader's newer reading may be higher again
        return True
    return series_states[pair.leader].last.count <= series_states[other].last.count


def _evaluate(
    pair: Pair, key: tuple[str, str], window: Window, parameters: OvertakeParameters
) -> tuple[Pair, Alert | None]:
    both = (window.series_states[key[0]], window.series_states[key[1]])
    now = lead(*both)
    if now is None:
        return _undecided(pair, both), None
    if pair.streak is not None and now.at <= pair.streak.until:
        return pair, None
    leader = pair.leader
    if leader is None:
        return (pair if now.ahead is None else Pair(leader=now.ahead)), None
    streak = _continued(pair.streak, now, both)
    pair = replace(pair, streak=streak)
    if now.ahead is None:
        return pair, None
    flipped = pair.contest is not None and pair.front != now.ahead
    pair = replace(pair, front=now.ahead, flips=pair.flips + flipped)
    if now.ahead == leader:
        rival = key[1] if leader == key[0] else key[0]
        if pair.contest is None or now.at - streak.since < timedelta(hours=parameters.hours_to_hold_off):
            return pair, None
        alert = _alert(
            "held_off", (leader, rival), pair, now, window=window, parameters=parameters, rule=_HELD_OFF_RULE
        )
        return Pair(leader=leader), alert
    return _challenged(pair, streak, (now.ahead, leader), now, window=window, parameters=parameters)


def _undecided(pair: Pair, both: tuple[SeriesState, SeriesState]) -> Pair:
    """End a streak that no comparison can confirm, unless its page has the higher of the newest counts."""
    streak = pair.streak
    if streak is None or streak.ahead is None:
        return pair
    ahead, behind = sorted(both, key=lambda series_state: series_state.page != streak.ahead)
    return pair if ahead.last.count > behind.last.count else replace(pair, streak=None)


def _continued(streak: Streak | None, now: Lead, both: tuple[SeriesState, SeriesState]) -> Streak:
    read = (both[0].last.at, both[1].last.at)
    if streak is None or streak.ahead != now.ahead:
        before = {
            one.page: LeadReading(one.previous.at, one.previous.low, one.previous.high)
            for one in both
            if one.previous is not None
        }
        return Streak(ahead=now.ahead, since=now.at, until=now.at, evaluations=1, read=read, before=before)
    anew = [after > before for before, after in zip(streak.read, read, strict=True)]
    if all(anew) or (now.unread is not None and any(anew)):
        return replace(streak, until=now.at, evaluations=streak.evaluations + 1, read=read)
    return replace(streak, until=now.at)


def _challenged(
    pair: Pair,
    streak: Streak,
    pages: tuple[str, str],
    now: Lead,
    *,
    window: Window,
    parameters: OvertakeParameters,
) -> tuple[Pair, Alert | None]:
    """Evaluate a pair of which the challenger is ahead; ``pages`` are the challenger and the leader."""
    challenger = pages[0]
    if now.sparse:
        return Pair(leader=challenger), _alert(
            "overtake", pages, pair, now, window=window, parameters=parameters, rule=_SPARSE_RULE
        )
    if pair.contest is None:
        if not _is_still_ahead(pages, streak, now, window, parameters):
            return pair, None
        pair = replace(pair, contest=now.at)
        rule = _AHEAD_RULE if now.unread is None else _AHEAD_OF_UNREAD_RULE
        return pair, _alert("ahead", pages, pair, now, window=window, parameters=parameters, rule=rule)
    lasted = now.at - streak.since
    if streak.evaluations < parameters.evaluations_to_settle or lasted < timedelta(hours=parameters.hours_to_settle):
        return pair, None
    rule = _SETTLED_RULE if now.unread is None else _SETTLED_OF_UNREAD_RULE
    return Pair(leader=challenger), _alert(
        "overtake", pages, pair, now, window=window, parameters=parameters, rule=rule
    )


def _is_still_ahead(
    pages: tuple[str, str], streak: Streak, now: Lead, window: Window, parameters: OvertakeParameters
) -> bool:
    """Return True if the challenger would be ahead without any one reading.

    A page that was read anew counts without the reading that first showed the lead. The usual pace of its earlier
    readings stands in for a page that was not read anew.
    """
    if now.at <= streak.since:
        return False
    series_states = []
    for slug, read in zip(pair_of(*pages), streak.read, strict=True):
        series_state: SeriesState | None = window.series_states[slug]
        if streak.evaluations < parameters.evaluations_to_open and window.series_states[slug].last.at <= read:
            series_state = by_its_pace(window.series_states[slug]) if now.unread is None else None
        if series_state is None:
            return False
        series_states.append(series_state)
    found = lead(series_states[0], series_states[1], streak.before)
    return found is not None and found.ahead == pages[0]


def _alert(
    kind: str,
    pages: tuple[str, str],
    pair: Pair,
    now: Lead,
    *,
    window: Window,
    parameters: OvertakeParameters,
    rule: str,
) -> Alert:
    ours, theirs = (window.series_states[slug] for slug in pages)
    confirmed_at = max(ours.last.at, theirs.last.at)
    challenger, leader = reversed(pages) if kind == "held_off" else pages
    return Alert(
        key=f"{kind}:{ours.page}>{theirs.page}:{confirmed_at.isoformat()}",
        story=f"lead:{challenger}>{leader}:{(pair.contest or now.at).isoformat()}",
        kind=kind,
        feature="overtake",
        page=ours.page,
        rival=theirs.page,
        at=window.now,
        dated=least_precise(ours.last.dated, theirs.last.dated),
        facts=_facts(ours, theirs, pair, now),
        rule=parameters.fill(rule),
        parameters=parameters.listed(),
    )


def _facts(ours: SeriesState, theirs: SeriesState, pair: Pair, now: Lead) -> tuple[Fact, ...]:
    gap = Fact(
        name="gap",
        value=ours.last.count - theirs.last.count,
        unit=ours.metric.value,
        low=ours.last.low - theirs.last.high,
        high=ours.last.high - theirs.last.low,
        at=now.at,
    )
    facts = [gap, count_fact("count", ours, ours.last), count_fact("rival_count", theirs, theirs.last)]
    if pair.streak is not None:
        facts.append(Fact(name="since", value=pair.streak.evaluations, unit="readings", at=pair.streak.since))
    if pair.flips:
        facts.append(Fact(name="flips", value=pair.flips, unit="readings", at=pair.contest))
    if now.unread is not None:
        unread = ours if now.unread == ours.page else theirs
        age = (now.at - unread.last.at) / timedelta(days=1)
        facts.append(Fact(name="unread", value=age, unit="days", about=unread.page, at=unread.last.at))
    facts += [count_fact("before", one, one.previous) for one in (ours, theirs) if one.previous and now.sparse]
    return tuple(facts)


COMPARISON = Comparison(
    name="overtake",
    feature="overtake",
    wording={"ahead": AHEAD, "overtake": OVERTAKE, "held_off": HELD_OFF},
    summary="a page passes a rival of its group",
    scope=Scope.GROUP,
    trigger=Trigger.COUNTS,
    parameters=OvertakeParameters(),
    state=StateForm(cls=OvertakeState, version=3, upgrade=upgrade),
    compare=compare,
)
