"""Who truly leads whom: overtakes, and the passings that a forecast may announce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from tests.quality.events import Duty, Event
from tests.quality.values import DAY, HOUR, HOURS_A_DAY, START, World

HELD_HOURS = 72
TELLABLE_HOURS = 24
_EARLY = timedelta(hours=6)
_LATE = timedelta(hours=6)
_NEWS_FOR = 30 * DAY
_STANDS_FOR = 7 * DAY
_HORIZON = 30 * DAY
_TOO_LATE = DAY
_TREND_DAYS = 28
_LOOKED_AT_DAYS = range(3, 11)
_TIME_TO_TELL = 5 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pages of one group, and by how much the first leads, hour by hour from ``start``."""

    first: str
    second: str
    start: datetime
    lead: Sequence[float]

    @property
    def end(self) -> datetime:
        return self.start + (len(self.lead) - 1) * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Hours (from ``first`` to ``last``) in which one of the two leads; an equal count breaks nothing."""

    first_leads: bool
    first: int
    last: int

    @property
    def hours(self) -> int:
        return self.last - self.first + 1


def pairs(world: World) -> Iterator[Pair]:
    """Every two pages of one group."""
    for one, other in combinations(world.latents, 2):
        if one.page.group == other.page.group:
            lead = [mine - theirs for mine, theirs in zip(one.likes, other.likes, strict=True)]
            yield Pair(first=one.page.slug, second=other.page.slug, start=START, lead=lead)


def runs(lead: Sequence[float]) -> list[Run]:
    """Who led when."""
    found: list[Run] = []
    since, leads = 0, None
    for hour, by in enumerate(lead):
        if by == 0 or (by > 0) is leads:
            continue
        if leads is not None:
            found.append(Run(first_leads=leads, first=since, last=hour - 1))
            since = hour
        leads = by > 0
    if leads is not None:
        found.append(Run(first_leads=leads, first=since, last=len(lead) - 1))
    return found


def overtakes(pair: Pair, *, early: timedelta = _EARLY) -> Iterator[Event]:
    """Changes of the leader.

    A lead held 72 hours or more is required, one of 24 to 72 hours may be told, and so may the old leader's return from
    it. The first 72 hours of a pair, and leads that the end of the history cuts short, may be told. The window: from 6
    hours before the lead begins (the flaps of a near tie) until 6 hours after it ends, at most 30 days: a lead that is
    over when it is told is not true, and one told a month late is not news. A lead that was told while it was held for
    24 to 72 hours, lost for less than 72, and is then held for good, need not be told again (7 days at most).
    """
    found = runs(pair.lead)
    settled = found[0].first_leads if found else True
    lost, stood = False, None
    for run in found[1:]:
        duty = _duty(run, pair, returns=run.first_leads is settled, lost=lost)
        stands, stood = stood, None if run.hours >= HELD_HOURS else stood
        lost = run.first_leads is not settled and run.hours >= TELLABLE_HOURS
        if lost and run.hours >= HELD_HOURS:
            settled, lost = run.first_leads, False
        elif lost and stood is None:
            stood = run.first
        if duty is not None:
            yield _overtake(run, pair, duty, early, stands if duty is Duty.REQUIRED else None)


def _duty(run: Run, pair: Pair, *, returns: bool, lost: bool) -> Duty | None:
    cut_short = run.last == len(pair.lead) - 1
    if returns:
        return Duty.EITHER if lost and (cut_short or run.hours >= TELLABLE_HOURS) else None
    if run.hours >= HELD_HOURS:
        if run.first < HELD_HOURS:
            return Duty.EITHER
        in_time = pair.end - (pair.start + run.first * HOUR) >= _TIME_TO_TELL
        return Duty.REQUIRED if in_time else Duty.WELCOME
    return Duty.EITHER if cut_short or run.hours >= TELLABLE_HOURS else None


def _overtake(run: Run, pair: Pair, duty: Duty, early: timedelta, stands: int | None) -> Event:
    page, rival = (pair.first, pair.second) if run.first_leads else (pair.second, pair.first)
    begins, ends = pair.start + run.first * HOUR, pair.start + (run.last + 1) * HOUR
    return Event(
        kind="overtake",
        duty=duty,
        page=page,
        rival=rival,
        opens=begins - early,
        seen=begins,
        met=begins,
        closes=min(ends + _LATE, begins + _NEWS_FOR),
        stands_from=None if stands is None else max(pair.start + stands * HOUR, begins - _STANDS_FOR),
        value=max(abs(by) for by in pair.lead[run.first : run.last + 1]),
        note=f"led for {run.hours} h",
    )


def passings(pair: Pair) -> Iterator[Event]:
    """What a forecast could announce: the page will pass its rival within 30 days, said a day before or earlier.

    The window: from 30 days to 1 day before a lead begins that holds 72 hours. It is required where it could be seen
    coming: the page had been behind for 28 days, and from the 10th to the 3rd day before, the straight line through the
    28 days until then always led to a passing within 30 days. A forecast is neither right nor wrong if only a lead of
    24 to 72 hours follows, if it is told within a day of the passing, or if the history ends before its 30 days do.
    """
    for event in overtakes(pair):
        true = event.duty is not Duty.EITHER
        foreseen = true and _was_foreseeable(pair, event)
        duty = Duty.REQUIRED if foreseen else Duty.WELCOME if true else Duty.EITHER
        yield _passing(event, duty, event.met - _HORIZON, event.met - _TOO_LATE)
        yield _passing(event, Duty.EITHER, event.met - _TOO_LATE, event.met + _TOO_LATE)
    for page, rival in ((pair.first, pair.second), (pair.second, pair.first)):
        yield Event(
            kind="closing_in",
            duty=Duty.EITHER,
            page=page,
            rival=rival,
            opens=pair.end - _HORIZON,
            seen=pair.end,
            met=pair.end,
            closes=pair.end,
            note="the history ends within 30 days",
        )


def _passing(event: Event, duty: Duty, opens: datetime, closes: datetime) -> Event:
    return Event(
        kind="closing_in",
        duty=duty,
        page=event.page,
        rival=event.rival,
        opens=opens,
        seen=opens,
        met=event.met,
        closes=closes,
        note=f"passed {event.met:%Y-%m-%d %H:%M}, {event.note}",
    )


def _was_foreseeable(pair: Pair, event: Event) -> bool:
    side = 1 if event.page == pair.first else -1
    passed = int((event.met - pair.start) / HOUR)
    trend = _TREND_DAYS * HOURS_A_DAY
    if passed < trend + max(_LOOKED_AT_DAYS) * HOURS_A_DAY:
        return False
    if any(side * by > 0 for by in pair.lead[passed - trend : passed]):
        return False
    for days in _LOOKED_AT_DAYS:
        hour = passed - days * HOURS_A_DAY
        closed = side * (pair.lead[hour] - pair.lead[hour - trend]) / _TREND_DAYS
        if closed <= 0 or -side * pair.lead[hour] / closed > _HORIZON / DAY:
            return False
    return True
