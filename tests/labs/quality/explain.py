"""For whoever tunes the rules: every mistake of one kind, with what was truly so around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from tests.labs.quality.events import Event
from tests.labs.quality.intervals import held
from tests.labs.quality.judge import Verdict, judge, judge_cards
from tests.labs.quality.lists import flaws
from tests.labs.quality.polling import spells
from tests.labs.quality.rows import Told
from tests.labs.quality.true_leads import Pair
from tests.labs.quality.true_shares import share
from tests.labs.quality.values import DAY, HOUR, HOURS_A_DAY, START, World

_AROUND_HOURS = (-96, -48, -24, -12, -6, -1, 0, 1, 6, 12, 24, 48, 96)
_AROUND_DAYS = (-35, -28, -14, -7, -3, -1, 0, 1, 3, 7, 14, 30)
_BY_DAY = frozenset({"new_foreign_share", "total_foreign_share", "foreign_majority", "closing_in"})


def explanations(
    alerts: Sequence[Told], world: World, events: Sequence[Event], pairs: Sequence[Pair], kind: str
) -> list[str]:
    """Every false alert, duplicate and miss of ``kind`` in a world, each with the latent facts around it.

    Of forecasts also those whose interval did not hold; of ``ahead`` only the false cards.
    """
    head = f"world {world.seed}"
    if kind == "ahead":
        return [
            line for told in judge_cards(alerts, events, pairs).false for line in _lines(f"{head}: FALSE", told, world)
        ]
    platforms = {latent.page.slug: latent.page.platform for latent in world.latents}
    judgement = judge([told for told in alerts if told.kind.startswith((kind, "platform_event"))], events, platforms)
    lines: list[str] = []
    for one in judgement.judged:
        if one.told.kind == kind and one.verdict in {Verdict.FALSE, Verdict.DUPLICATE}:
            lines += _lines(f"{head}: {one.verdict.upper()}", one.told, world)
            lines += [f"    about {_event(one.event)}"] if one.event else []
            lines += [f"    near  {_event(event)}" for event in _near(events, one.told)]
    for event in judgement.missed:
        if event.kind == kind:
            lines += _missed(head, event, alerts, world)
    if kind == "closing_in":
        for told, inside in held(alerts, events, world.end):
            lines += [] if inside else [f"{head}: INTERVAL DID NOT HOLD {_told(told)}"]
    return lines


def _missed(head: str, event: Event, alerts: Sequence[Told], world: World) -> list[str]:
    lines = [f"{head}: MISSED {_event(event)}", *_facts(event.page, event.rival, event.met, event.kind, world)]
    for told in alerts:
        same = told.page == event.page and told.kind in {event.kind, "ahead"} and told.rival in {event.rival, ""}
        if same and event.opens - 30 * DAY <= told.at <= event.closes + 30 * DAY:
            lines.append(f"    told  {_told(told)}")
    return lines


def _lines(head: str, told: Told, world: World) -> list[str]:
    return [f"{head} {_told(told)}", *_facts(told.page, told.rival, told.at, told.kind, world)]


def _near(events: Sequence[Event], told: Told) -> Iterator[Event]:
    for event in events:
        about = event.page == told.page and (not told.rival or event.rival == told.rival)
        if about and event.kind == told.kind and abs(event.seen - told.at) <= 30 * DAY:
            yield event


def _facts(page: str, rival: str, at: datetime, kind: str, world: World) -> Iterator[str]:
    """What was truly so around an instant, and what was wrong with the readings."""
    numbers = {latent.page.slug: number for number, latent in enumerate(world.latents)}
    if page not in numbers:
        return
    latent = world.latents[numbers[page]]
    if kind in _BY_DAY and kind != "closing_in":
        today = (at - START) // DAY
        days = [day for day in _AROUND_DAYS if 0 <= today + day < len(latent.new_abroad)]
        yield "    share abroad " + ", ".join(f"{day:+}d {share(latent, today + day):.1%}" for day in days)
        yield "    new abroad/home " + ", ".join(
            f"{day:+}d {latent.new_abroad[today + day]:,.0f}/{latent.new_at_home[today + day]:,.0f}" for day in days
        )
        wrong = flaws(world, numbers[page])
        near = [f"day {day - today:+} {wrong[day]}" for day in sorted(wrong) if abs(day - today) <= 10]
        yield f"    lists: {', '.join(near) or 'sound'}"
    now = int((at - START) / HOUR)
    steps = [hours * HOURS_A_DAY for hours in _AROUND_DAYS] if kind in _BY_DAY else _AROUND_HOURS
    hours = [hour for hour in steps if 0 <= now + hour < len(latent.likes)]
    yield f"    {page} ({latent.page.precision}, every {latent.page.poll_hours} h) " + ", ".join(
        f"{hour:+}h {latent.likes[now + hour]:,}" for hour in hours
    )
    if rival in numbers:
        theirs = world.latents[numbers[rival]].likes
        yield f"    lead over {rival} " + ", ".join(
            f"{hour:+}h {latent.likes[now + hour] - theirs[now + hour]:+,}" for hour in hours
        )
    for slug in filter(numbers.__contains__, (page, rival)):
        yield f"    {slug} readings: {_faults(world, numbers[slug], now)}"


def _faults(world: World, number: int, now: int) -> str:
    by_hour = spells(world, number)
    near = {id(spell): spell for spell in by_hour[max(now - 96, 0) : now + 49] if spell is not None}
    told = [f"{spell.fault} from {spell.hour - now:+}h for {spell.hours} h" for spell in near.values()]
    return ", ".join(told) or "sound"


def _told(told: Told) -> str:
    interval = f", {told.eta_lo:%Y-%m-%d} to {told.eta_hi:%Y-%m-%d}" if told.eta_lo and told.eta_hi else ""
    rival = f" over {told.rival}" if told.rival else ""
    return (
        f"{told.kind} {told.page}{rival} at {told.at:%Y-%m-%d %H:%M}, value {told.value}{interval} {told.note}".rstrip()
    )


def _event(event: Event) -> str:
    rival = f" over {event.rival}" if event.rival else ""
    return (
        f"{event.kind} {event.page}{rival} ({event.duty}) seen {event.seen:%Y-%m-%d %H:%M}, met "
        f"{event.met:%Y-%m-%d %H:%M}, told until {event.closes:%Y-%m-%d %H:%M}, size {event.value:.4g} {event.note}"
    ).rstrip()
