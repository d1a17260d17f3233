"""Overtake: told at once, settled once.

A pair has a settled leader. When the challenger's interval lies wholly above the leader's at two evaluations, and would
without any one reading (one bad reading decides nothing), a contest opens and one card says "moved ahead, not settled
yet" (``ahead``): without the readings that first said so once both pages were read anew; until then, by the pace of the
readings before of the page that was not. Ahead at every evaluation for 24 h or more and at 3 or
more of them, between which both pages were read anew, the challenger is the settled leader (``overtake``); after the
old leader was ahead for 72 h the contest ends without a change (``held_off``). Of a page that has to be bounded
(``handlers.signals.leads``) it is enough that the other was read anew. Flips within a contest tell nothing new. First sight of
a pair sets its leader silently. Where readings of a page are 48 hours apart or more a lead is settled at once, so that
one bad reading of such a page does decide; of its rival that is read more often, none that is a jump.

Only a group's order and its open pairs are remembered: a pair that is not open is led by whichever stands higher, by
the counts as they were read. So of two pages nearer to each other than what they gain between two readings, the one
that is ahead may be told to have moved ahead: a card, settled or held off by what follows. Two pages that share several
groups are a pair in the one they have shared longest, so that each contest is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import is_
from types import MappingProxyType
from typing import Any

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, Dated, Fact, Metric, Parameter, SeriesState
from handlers.rule_state import from_text, instant, to_text
from handlers.signals.facts import count_fact
from handlers.signals.leads import (
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
from handlers.signals.order import overlapping, resort, seat
from handlers.wording.leads import AHEAD, HELD_OFF, OVERTAKE

EVALUATIONS_TO_TELL = 2
EVALUATIONS_TO_SETTLE = 3
HOURS_TO_SETTLE = 24
HOURS_TO_HOLD_OFF = 72

_PRECISIONS = tuple(Dated)
_SETTLE = timedelta(hours=HOURS_TO_SETTLE)
_HOLD_OFF = timedelta(hours=HOURS_TO_HOLD_OFF)
_AHEAD_RULE = (
    "Ahead beyond rounding, and still without the readings that first said so, once both pages (or the one that was "
    "read at all) were read anew; until then, by the pace of the readings before of the page that was not."
)
_SETTLED_RULE = (
    "Ahead at every reading that decides for 24 hours or more, and at three of them or more, between which both pages "
    "(or the one that was read at all) were read anew."
)
_MAY_BE = (
    "of all that the page which is not read, or whose counter stands still, may have come to by then: from 1% less to "
    "three times its usual gain more."
)
_AHEAD_OF_UNREAD_RULE = f"Ahead at two readings {_MAY_BE}"
_SETTLED_OF_UNREAD_RULE = f"Ahead at every reading for 24 hours or more, and at three readings or more, {_MAY_BE}"
_SPARSE_RULE = (
    "Readings of one page or of both are days apart, and the two compared follow each other, so the lead is settled at "
    "once: the two counts differ by more than their rounding."
)
_HELD_OFF_RULE = "The earlier leader was ahead again at every reading for 72 hours."
_PARAMETERS = (
    Parameter(name="ahead to tell", value=EVALUATIONS_TO_TELL, unit="evaluations"),
    Parameter(name="ahead to settle", value=HOURS_TO_SETTLE, unit="hours"),
    Parameter(name="evaluations to settle", value=EVALUATIONS_TO_SETTLE, unit="evaluations"),
    Parameter(name="ahead to hold off", value=HOURS_TO_HOLD_OFF, unit="hours"),
    Parameter(name="unread after", value=FRESH_HOURS, unit="hours"),
    Parameter(name="unread after", value=FRESH_POLLS, unit="polls"),
    Parameter(name="sparse from", value=SPARSE_HOURS, unit="hours between readings"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Who was ahead (None: equal or overlapping) at every evaluation since ``since``.

    ``evaluations`` counts those between which both pages were read anew; ``read`` are the newest instants of the two
    pages at the last one counted, ``before`` what is known of them from before the first one; ``until`` is the instant
    compared at the last evaluation.
    """

    ahead: str | None
    since: datetime
    until: datetime
    evaluations: int
    read: tuple[datetime, datetime]
    before: Mapping[str, LeadReading] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An open pair. ``leader`` is None until the two were first clearly apart.

    ``front`` was last seen ahead. ``contest`` is the instant at which the contest opened, None while there is none;
    ``flips`` counts the changes of lead within it.
    """

    leader: str | None
    streak: Streak | None = None
    front: str | None = None
    contest: datetime | None = None
    flips: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Since when a page's present series and its place in the order are known."""

    series: datetime
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertakeState:
    """What is remembered of a group: the order of its pages per metric, lowest first, their seats, the open pairs."""

    orders: Mapping[Metric, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    seats: Mapping[str, Seat] = field(default_factory=lambda: MappingProxyType({}))
    pairs: Mapping[tuple[str, str], Pair] = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, board: OvertakeState) -> Verdict[OvertakeState] | None:
    """Bring the order up to date, open the pairs that changed places, and evaluate the open pairs that were read."""
    series_states, before = window.series_states, board
    board = _without_departed(board, window)
    orders, pairs = dict(board.orders), dict(board.pairs)
    for metric, order in board.orders.items():
        orders[metric], crossings = resort(order, series_states)
        for passing, passed in crossings:
            key = pair_of(passing, passed)
            if key not in pairs and is_judged_in(window, *key):
                was_led = _both_read_again(key, board, series_states) or _was_below(
                    series_states[passing], series_states[passed]
                )
                pairs[key] = Pair(leader=passed if was_led else None)
    seats = _seat_newcomers(orders, board.seats, pairs, window)
    if (
        not pairs
        and not board.pairs
        and seats is before.seats
        and all(map(is_, orders.values(), board.orders.values()))
    ):
        return None
    alerts: list[Alert] = []
    came = frozenset(window.came)
    for key in sorted(key for key in pairs if key[0] in came or key[1] in came):
        pair, alert = _evaluate(pairs.pop(key), key, window)
        if alert is not None:
            alerts.append(alert)
        if _is_open(pair, key, series_states):
            pairs[key] = pair
    after = OvertakeState(orders=orders, seats=seats, pairs=pairs)
    return Verdict(alerts=tuple(alerts), state=board if after == board else after)


def _without_departed(board: OvertakeState, window: Window) -> OvertakeState:
    """Forget pages that left the group and those whose series began anew: their leads are seen afresh."""
    seats, series_states = board.seats, window.series_states
    gone = {slug for slug in window.came if slug in seats and seats[slug].series < series_states[slug].since}
    if not seats.keys() <= series_states.keys():
        gone |= seats.keys() - series_states.keys()
    if not gone:
        return board
    return OvertakeState(
        orders={metric: tuple(slug for slug in order if slug not in gone) for metric, order in board.orders.items()},
        seats={slug: known for slug, known in seats.items() if slug not in gone},
        pairs={key: pair for key, pair in board.pairs.items() if gone.isdisjoint(key)},
    )


def _both_read_again(key: tuple[str, str], board: OvertakeState, series_states: Mapping[str, SeriesState]) -> bool:
    """False while a page's only readings are those of first sight: taken minutes apart, they set no leader yet."""
    seen = max(board.seats[slug].seen for slug in key)
    return all(series_states[slug].last.at > seen for slug in key)


def _was_below(passing: SeriesState, passed: SeriesState) -> bool:
    """True where the page now passing was, no earlier than a reading of the other, still below that reading."""
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
    """Give new pages their places silently; pairs that cannot be told apart yet are open, with no leader.

    A page that is not being read gets no place until it is read again.
    """
    series_states = window.series_states
    if len(series_states) == len(seats):  # nobody without a track has a seat (_without_departed)
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
        after.update((slug, Seat(series=series_states[slug].since, seen=newest)) for slug in newcomers)
    return after


def _is_open(pair: Pair, key: tuple[str, str], series_states: Mapping[str, SeriesState]) -> bool:
    if pair.leader is None or pair.contest is not None:
        return True
    other = key[1] if pair.leader == key[0] else key[0]
    if pair.streak is not None and pair.streak.ahead == other:  # though its rival is read more often, and grew since
        return True
    return series_states[pair.leader].last.count <= series_states[other].last.count


def _evaluate(pair: Pair, key: tuple[str, str], window: Window) -> tuple[Pair, Alert | None]:
    series_states = window.series_states
    both = (series_states[key[0]], series_states[key[1]])
    now = lead(*both)
    if now is None:
        return _undecided(pair, both), None
    if pair.streak is not None and now.at <= pair.streak.until:
        return pair, None
    if pair.leader is None:
        return (pair if now.ahead is None else Pair(leader=now.ahead)), None
    pair = replace(pair, streak=_continued(pair.streak, now, both))
    if now.ahead is None:
        return pair, None
    flipped = pair.contest is not None and pair.front != now.ahead
    pair = replace(pair, front=now.ahead, flips=pair.flips + flipped)
    if now.ahead == pair.leader:
        return _defended(pair, key, now, window)
    return _challenged(pair, now, window)


def _undecided(pair: Pair, both: tuple[SeriesState, SeriesState]) -> Pair:
    """Where a comparison decides nothing, a streak goes on only if the page is ahead by the newest counts at least."""
    streak = pair.streak
    if streak is None or streak.ahead is None:
        return pair
    ahead, behind = sorted(both, key=lambda series_state: series_state.page != streak.ahead)
    return pair if ahead.last.count > behind.last.count else replace(pair, streak=None)


def _continued(streak: Streak | None, now: Lead, both: tuple[SeriesState, SeriesState]) -> Streak:
    read = (both[0].last.at, both[1].last.at)
    if streak is None or streak.ahead != now.ahead:
        before = {
            series_state.page: LeadReading(
                series_state.previous.at, series_state.previous.low, series_state.previous.high
            )
            for series_state in both
            if series_state.previous is not None
        }
        return Streak(ahead=now.ahead, since=now.at, until=now.at, evaluations=1, read=read, before=before)
    anew = [after > before for before, after in zip(streak.read, read, strict=True)]
    if all(anew) or (now.unread is not None and any(anew)):
        return replace(streak, until=now.at, evaluations=streak.evaluations + 1, read=read)
    return replace(streak, until=now.at)


def _defended(pair: Pair, key: tuple[str, str], now: Lead, window: Window) -> tuple[Pair, Alert | None]:
    streak, leader = pair.streak, pair.leader
    if pair.contest is None or streak is None or leader is None or now.at - streak.since < _HOLD_OFF:
        return pair, None
    rival = key[1] if leader == key[0] else key[0]
    alert = _alert("held_off", (leader, rival), pair, now, window=window, rule=_HELD_OFF_RULE)
    return Pair(leader=leader), alert


def _challenged(pair: Pair, now: Lead, window: Window) -> tuple[Pair, Alert | None]:
    streak, leader, challenger = pair.streak, pair.leader, now.ahead
    if streak is None or leader is None or challenger is None:
        return pair, None
    if now.sparse:
        alert = _alert("overtake", (challenger, leader), pair, now, window=window, rule=_SPARSE_RULE)
        return Pair(leader=challenger), alert
    if pair.contest is None:
        if not _is_still_ahead(leader, streak, now, window):
            return pair, None
        pair = replace(pair, contest=now.at)
        rule = _AHEAD_RULE if now.unread is None else _AHEAD_OF_UNREAD_RULE
        return pair, _alert("ahead", (challenger, leader), pair, now, window=window, rule=rule)
    if streak.evaluations >= EVALUATIONS_TO_SETTLE and now.at - streak.since >= _SETTLE:
        rule = _SETTLED_RULE if now.unread is None else _SETTLED_OF_UNREAD_RULE
        alert = _alert("overtake", (challenger, leader), pair, now, window=window, rule=rule)
        return Pair(leader=challenger), alert
    return pair, None


def _is_still_ahead(leader: str, streak: Streak, now: Lead, window: Window) -> bool:
    """Whether the page ahead is so without any one reading.

    That is, without those that first said so where both pages were read anew since; where one was not, by the pace of
    its readings before.
    """
    if streak.ahead is None or now.at <= streak.since:
        return False
    one, other = (
        _without_newest(window.series_states[slug], read, streak, now)
        for slug, read in zip(pair_of(leader, streak.ahead), streak.read, strict=True)
    )
    found = None if one is None or other is None else lead(one, other, streak.before)
    return found is not None and found.ahead == streak.ahead


def _without_newest(series_state: SeriesState, read: datetime, streak: Streak, now: Lead) -> SeriesState | None:
    """A page that was not read anew by its pace, as long as nothing else can do; None if it has none."""
    if streak.evaluations >= EVALUATIONS_TO_TELL or series_state.last.at > read:
        return series_state
    return by_its_pace(series_state) if now.unread is None else None


def _alert(kind: str, who: tuple[str, str], pair: Pair, now: Lead, *, window: Window, rule: str) -> Alert:
    page, rival = who
    ours, theirs = window.series_states[page], window.series_states[rival]
    confirmed_at = max(ours.last.at, theirs.last.at)
    opened = pair.contest or now.at
    challenger = rival if kind == "held_off" else page
    return Alert(
        key=f"{kind}:{page}>{rival}:{confirmed_at.isoformat()}",
        story=f"lead:{challenger}>{rival if challenger == page else page}:{opened.isoformat()}",
        kind=kind,
        feature="overtake",
        page=page,
        rival=rival,
        at=window.now,
        dated=_coarsest(ours.last.dated, theirs.last.dated),
        facts=_facts(ours, theirs, pair, now),
        rule=rule,
        parameters=_PARAMETERS,
    )


def _facts(ours: SeriesState, theirs: SeriesState, pair: Pair, now: Lead) -> tuple[Fact, ...]:
    unit = ours.metric.value
    gap = ours.last.count - theirs.last.count
    facts = [
        Fact(
            name="gap",
            value=gap,
            unit=unit,
            low=ours.last.low - theirs.last.high,
            high=ours.last.high - theirs.last.low,
            at=now.at,
        ),
        count_fact("count", ours, ours.last),
        count_fact("rival_count", theirs, theirs.last),
    ]
    if pair.streak is not None:
        facts.append(Fact(name="since", value=pair.streak.evaluations, unit="readings", at=pair.streak.since))
    if pair.flips:
        facts.append(Fact(name="flips", value=pair.flips, unit="readings", at=pair.contest))
    if now.unread is not None:
        series_state = ours if now.unread == ours.page else theirs
        age = (now.at - series_state.last.at) / timedelta(days=1)
        facts.append(Fact(name="unread", value=age, unit="days", about=series_state.page, at=series_state.last.at))
    facts += [
        count_fact("before", series_state, series_state.previous)
        for series_state in (ours, theirs)
        if series_state.previous and now.sparse
    ]
    return tuple(facts)


def _coarsest(*precisions: Dated) -> Dated:
    return max(precisions, key=_PRECISIONS.index)


def _dump(board: OvertakeState) -> str:
    pairs = [
        [*key, pair.leader, pair.front, pair.contest, pair.flips, _streak_row(pair.streak)]
        for key, pair in board.pairs.items()
    ]
    kept = {
        "orders": dict(board.orders),
        "seats": {slug: [known.series, known.seen] for slug, known in board.seats.items()},
        "pairs": sorted(pairs, key=lambda row: row[:2]),
    }
    return to_text(kept)


def _streak_row(streak: Streak | None) -> list[Any] | None:
    if streak is None:
        return None
    before = [[page, *mark] for page, mark in sorted(streak.before.items())]
    return [streak.ahead, streak.since, streak.until, streak.evaluations, *streak.read, before]


def _load(text: str) -> OvertakeState:
    kept = from_text(text)
    return OvertakeState(
        orders={Metric(metric): tuple(order) for metric, order in kept["orders"].items()},
        seats={
            slug: Seat(series=datetime.fromisoformat(series), seen=datetime.fromisoformat(seen))
            for slug, (series, seen) in kept["seats"].items()
        },
        pairs=dict(_pairs(kept["pairs"])),
    )


def _pairs(rows: Iterable[Any]) -> Iterable[tuple[tuple[str, str], Pair]]:
    for one, other, leader, front, contest, flips, streak in rows:
        pair = Pair(leader=leader, front=front, contest=instant(contest), flips=flips, streak=_streak(streak))
        yield (one, other), pair


def _streak(row: Any) -> Streak | None:
    if row is None:
        return None
    ahead, since, until, evaluations, *read, before = row
    first, second = (datetime.fromisoformat(text) for text in read)
    return Streak(
        ahead=ahead,
        since=datetime.fromisoformat(since),
        until=datetime.fromisoformat(until),
        evaluations=evaluations,
        read=(first, second),
        before={page: LeadReading(datetime.fromisoformat(at), low, high) for page, at, low, high in before},
    )


COMPARISON = Comparison(
    name="overtake",
    feature="overtake",
    wording={"ahead": AHEAD, "overtake": OVERTAKE, "held_off": HELD_OFF},
    summary="a page passes a rival of its group",
    scope=Scope.GROUP,
    trigger=Trigger.COUNTS,
    blank=OvertakeState,
    load=_load,
    dump=_dump,
    compare=compare,
)
