"""Who truly leads whom: overtakes, and the passings that a forecast may announce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from tests.labs.quality.events import Duty, Event
from tests.labs.quality.values import DAY, HOUR, HOURS_A_DAY, START, World

HELD_HOURS = 72
TELLABLE_HOURS = 24
_EARLY = timedelta(hours=6)
_LATE = timedelta(hours=6)
_NEWS_FOR = 30 * DAY
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """From which hour to which a page leads its rival, flaps of the rival apart.

    ``held`` is the first stretch without a flap of 72 hours or more; the longest where there is none.
    """

    first_leads: bool
    first: int
    last: int
    held: Run


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


def leads(lead: Sequence[float]) -> list[Lead]:
    """The leads, one after the other: what is held less than 24 hours is a flap, and neither begins nor ends one.

    What the end of the history cuts short may be one.
    """
    found: list[Lead] = []
    for run in runs(lead):
        if found and run.first_leads is found[-1].first_leads:
            last = found[-1]
            held = last.held if last.held.hours >= HELD_HOURS or run.hours <= last.held.hours else run
            found[-1] = Lead(first_leads=last.first_leads, first=last.first, last=run.last, held=held)
        elif run.hours >= TELLABLE_HOURS or not found or run.last == len(lead) - 1:
            found.append(Lead(first_leads=run.first_leads, first=run.first, last=run.last, held=run))
    return found


def overtakes(pair: Pair, *, early: timedelta = _EARLY) -> Iterator[Event]:
    """Changes of the leader.

    A lead held 72 hours or more at a stretch is required, one of 24 to 72 hours may be told, and so may the old
    leader's return from it. The first 72 hours of a pair, and leads that the end of the history cuts short, may be
    told. A lead is one thing, however often it flaps, and is told once: from 6 hours before its first 24 hours at a
    stretch (the flaps of a near tie) until 6 hours after it ends, at most 30 days after it is held 72 hours: a lead
    that is over when it is told is not true, and one told a month late is not news.
    """
    for lead, duty in _changes(pair):
        yield _overtake(lead, pair, duty, early)


def _changes(pair: Pair) -> Iterator[tuple[Lead, Duty]]:
    found = leads(pair.lead)
    settled = found[0].first_leads if found else True
    for lead in found[1:]:
        duty = _duty(lead, pair, returns=lead.first_leads is settled)
        if lead.held.hours >= HELD_HOURS:
            settled = lead.first_leads
        yield lead, duty


def _duty(lead: Lead, pair: Pair, *, returns: bool) -> Duty:
    if returns or lead.held.hours < HELD_HOURS or lead.first < HELD_HOURS:
        return Duty.EITHER
    in_time = pair.end - (pair.start + lead.held.first * HOUR) >= _TIME_TO_TELL
    return Duty.REQUIRED if in_time else Duty.WELCOME


def _overtake(lead: Lead, pair: Pair, duty: Duty, early: timedelta) -> Event:
    page, rival = (pair.first, pair.second) if lead.first_leads else (pair.second, pair.first)
    begins, held = (pair.start + first * HOUR for first in (lead.first, lead.held.first))
    return Event(
        kind="overtake",
        duty=duty,
        page=page,
        rival=rival,
        opens=begins - early,
        seen=begins,
        met=begins,
        closes=min(pair.start + (lead.last + 1) * HOUR + _LATE, held + _NEWS_FOR),
        value=max(abs(by) for by in pair.lead[lead.first : lead.last + 1]),
        note=f"led for {lead.last + 1 - lead.first} h",
    )


def passings(pair: Pair) -> Iterator[Event]:
    """What a forecast could announce: the page will pass its rival within 30 days, said a day before or earlier.

    The window: from 30 days to 1 day before a lead begins that holds 72 hours. It is required where it could be seen
    coming: the page had been behind for 28 days, and from the 10th to the 3rd day before, the straight line through the
    28 days until then always led to a passing within 30 days. A forecast is neither right nor wrong if only a lead of
    24 to 72 hours follows, if it is told within a day of the passing, or if the history ends before its 30 days do.
    """
    for lead, owed in _changes(pair):
        event = _overtake(lead, pair, owed, _EARLY)
        true = event.duty is not Duty.EITHER
        foreseen = true and _was_foreseeable(pair, event)
        duty = Duty.REQUIRED if foreseen else Duty.WELCOME if true else Duty.EITHER
        yield _passing(event, duty, event.seen - _HORIZON, event.seen - _TOO_LATE)
        yield _passing(event, Duty.EITHER, event.seen - _TOO_LATE, event.seen + _TOO_LATE)
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
        met=event.seen,
        closes=closes,
        note=f"passed {event.seen:%Y-%m-%d %H:%M}, {event.note}",
    )


def _was_foreseeable(pair: Pair, event: Event) -> bool:
    side = 1 if event.page == pair.first else -1
    passed = int((event.seen - pair.start) / HOUR)
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
