"""Each alert against what is true: right, wrong, the second about one event, or neither."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from tests.labs.quality.events import Duty, Event
from tests.labs.quality.rows import Told
from tests.labs.quality.true_counts import last_milestone
from tests.labs.quality.true_leads import Pair, Run, runs
from tests.labs.quality.values import HOUR

KINDS = (
    "overtake",
    "new_foreign_share",
    "total_foreign_share",
    "foreign_majority",
    "surge",
    "purge",
    "platform_event",
    "milestone",
    "closing_in",
)
"""What is judged against events. ``ahead`` is judged against the leads themselves; other kinds are not judged."""

_MORE = "platform_event_more"
_FOLDED_WITHIN = timedelta(hours=96)
_AHEAD_LATELY = timedelta(hours=12)
_NO_DUTY = {Duty.REQUIRED: 0, Duty.WELCOME: 1, Duty.EITHER: 2}


class Verdict(StrEnum):
    """What an independent judge says of an alert."""

    RIGHT = "right"
    FALSE = "false"
    DUPLICATE = "duplicate"  # about an event that was told before
    NEITHER = "neither"  # about something that may be told, or need not


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An alert, what it was, and the event it was about."""

    told: Told
    verdict: Verdict
    event: Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All alerts of a world judged, oldest first, and the required events that nobody told of.

    ``otherwise`` are required purges that a platform event's alert told of, with the instant from which that was so.
    """

    judged: Sequence[Judged]
    missed: Sequence[Event]
    otherwise: Sequence[tuple[Event, datetime]]


def judge(alerts: Iterable[Told], events: Iterable[Event], platforms: Mapping[str, str]) -> Judgement:
    """Match each alert to at most one event, oldest alert first.

    An alert is about an event of the same kind, page and rival if told in the event's window (and, for a milestone, if
    its value is that milestone or a count that has passed no other). Of several it takes one nobody has told of, a
    required one first, then the one whose window closes first. If all were told of before, it is a duplicate; if there
    is none, it is false. ``platforms`` says which platform each page is on: a platform's event may be told of the
    platform's name, of any of its pages, or of none. That a platform's notice was brought up to date (more pages fell)
    is no second notice: it is neither right nor wrong if a purge of the platform was seen in the 96 hours before.
    """
    by_kind = defaultdict[tuple[str, str, str], list[Event]](list)
    for event in events:
        by_kind[event.kind, event.page, event.rival].append(event)
    told_of: dict[int, datetime] = {}
    judged = []
    for told in sorted(alerts, key=lambda told: told.at):
        if told.kind == _MORE:
            judged.append(_brought_up_to_date(told, by_kind))
            continue
        if told.kind not in KINDS:
            continue
        judged.append(_judged(told, _candidates(told, by_kind, platforms), told_of))
    missed, otherwise = [], []
    for event in chain.from_iterable(by_kind.values()):
        if event.duty is Duty.REQUIRED and id(event) not in told_of:
            at = _told_with_platform(event, judged)
            if at is None:
                missed.append(event)
            else:
                otherwise.append((event, at))
    return Judgement(judged=judged, missed=sorted(missed, key=lambda event: event.met), otherwise=otherwise)


def _candidates(
    told: Told, by_kind: Mapping[tuple[str, str, str], list[Event]], platforms: Mapping[str, str]
) -> list[Event]:
    if told.kind != "platform_event":
        # A rival is named by the kinds that are about two pages only; elsewhere the column means nothing.
        rival = told.rival if told.kind in {"overtake", "closing_in"} else ""
        about = by_kind.get((told.kind, told.page, rival), [])
    else:
        named = platforms.get(told.page, told.page)
        about = [one for key, of in by_kind.items() if key[0] == told.kind and named in {key[1], ""} for one in of]
    return [event for event in about if event.opens <= told.at <= event.closes and _same_value(told, event)]


def _same_value(told: Told, event: Event) -> bool:
    return told.kind != "milestone" or told.value is None or last_milestone(round(told.value)) == event.value


def _judged(told: Told, candidates: Sequence[Event], told_of: dict[int, datetime]) -> Judged:
    if not candidates:
        return Judged(told=told, verdict=Verdict.FALSE)
    fresh = [event for event in candidates if id(event) not in told_of]
    event = min(fresh or candidates, key=lambda event: (_NO_DUTY[event.duty], event.closes))
    if not fresh:
        return Judged(told=told, verdict=Verdict.DUPLICATE, event=event)
    told_of[id(event)] = told.at
    verdict = Verdict.NEITHER if event.duty is Duty.EITHER else Verdict.RIGHT
    return Judged(told=told, verdict=verdict, event=event)


def _brought_up_to_date(told: Told, by_kind: Mapping[tuple[str, str, str], list[Event]]) -> Judged:
    purges = chain.from_iterable(of for key, of in by_kind.items() if key[0] == "purge")
    fell = any(
        event.platform == told.page and timedelta(0) <= told.at - event.seen <= _FOLDED_WITHIN for event in purges
    )
    return Judged(told=replace(told, kind="platform_event"), verdict=Verdict.NEITHER if fell else Verdict.FALSE)


def _told_with_platform(event: Event, judged: Sequence[Judged]) -> datetime | None:
    """When a purge nobody told of by itself was told of as part of a platform's."""
    if event.kind != "purge":
        return None
    for one in judged:
        about = one.event
        if one.told.kind == "platform_event" and about is None and one.verdict is Verdict.NEITHER:
            if one.told.page == event.platform and timedelta(0) <= one.told.at - event.seen <= _FOLDED_WITHIN:
                return one.told.at
            continue
        if about is not None and one.told.kind == "platform_event" and about.platform == event.platform:
            together = abs(about.seen - event.seen) <= _FOLDED_WITHIN and one.told.at >= event.seen
            if together and one.verdict is not Verdict.DUPLICATE:
                return one.told.at
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """The provisional ``ahead`` cards of a world.

    ``overtakes`` true ones were due, ``carded`` had a card, and ``delays`` (hours) are those of the ones that got it
    within the overtake's window.
    """

    cards: int
    false: Sequence[Told]
    overtakes: int
    carded: int
    delays: Sequence[float]


def judge_cards(alerts: Iterable[Told], events: Iterable[Event], pairs: Iterable[Pair]) -> Cards:
    """Judge the cards that say at once that a page moved ahead.

    A card is false if the page truly led at no hour of the 12 before it. A true overtake had its card if one of that
    page and rival was told within the overtake's window or, in a contest that is still open, in the 14 days before it
    began; the delay is that of the first card within the window. Where the card was there before, there is none.
    """
    cards = defaultdict[tuple[str, str], list[Told]](list)
    for told in alerts:
        if told.kind == "ahead":
            cards[told.page, told.rival].append(told)
    led = {(pair.first, pair.second): (pair, runs(pair.lead)) for pair in pairs}
    false = [told for of in cards.values() for told in of if not _led_lately(told, led)]
    required = [event for event in events if event.kind == "overtake" and event.duty is Duty.REQUIRED]
    delays, carded = [], 0
    for event in required:
        opens = event.opens - timedelta(days=14)
        about = [told for told in cards[event.page, event.rival] if opens <= told.at <= event.closes]
        carded += bool(about)
        in_time = [told.at for told in about if told.at >= event.opens]
        delays += [(min(in_time) - event.met) / HOUR] if in_time else []
    number = sum(map(len, cards.values()))
    return Cards(cards=number, false=false, overtakes=len(required), carded=carded, delays=delays)


def _led_lately(told: Told, led: Mapping[tuple[str, str], tuple[Pair, list[Run]]]) -> bool:
    first_leads = (told.page, told.rival) in led
    known = led.get((told.page, told.rival) if first_leads else (told.rival, told.page))
    if known is None:
        return False
    pair, of_pair = known
    return any(
        run.first_leads is first_leads
        and pair.start + run.first * HOUR <= told.at
        and told.at - _AHEAD_LATELY <= pair.start + (run.last + 1) * HOUR
        for run in of_pair
    )
