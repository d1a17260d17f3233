"""What a newsroom gets to see of a page's total: readings at jittered instants, with all that goes wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.labs.quality.fates import some
from tests.labs.quality.rows import Row
from tests.labs.quality.values import HOURS_A_DAY, Latent, World

_HOUR = 3600
_JITTER = 300
_REPEATED, _LATE = 0.005, 0.002


class Fault(StrEnum):
    """What may be wrong with a reading; nothing in the file says so."""

    ZERO = "zero"
    FROZEN = "frozen"
    TENFOLD = "tenfold"
    DIP = "dip"
    STRANGER = "stranger"  # another page's number
    RESET = "reset"  # the counter begins again near zero, for a while
    UNREAD = "unread"  # an outage: no reading at all
    HELD_BACK = "held back"  # an outage whose readings arrive afterwards, all at once
    DELAYED = "delayed"  # readings arrive hours late and out of order


_A_YEAR = {
    Fault.DELAYED: (2, 6, 30),
    Fault.FROZEN: (4, 6, 120),
    Fault.ZERO: (5, 1, 7),
    Fault.TENFOLD: (1.5, 1, 3),
    Fault.DIP: (2, 1, 9),
    Fault.STRANGER: (1, 1, 6),
    Fault.RESET: (0.5, 1, 7),
}
"""How often a year, and for how many hours (at least, less than)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A fault for some hours; ``strength`` is a dip's depth or a delay's hours, as the fault needs it."""

    fault: Fault
    hour: int
    hours: int
    strength: float
    stranger: Latent


def total_rows(world: World) -> Iterator[Row]:
    """Every page's readings, page by page."""
    for number, latent in enumerate(world.latents):
        chance = random.Random(f"likewatch readings {world.seed} {number}")
        yield from _readings(latent, spells(world, number), world.days, chance)


def spells(world: World, number: int) -> list[Spell | None]:
    """What was wrong with the world's page of this number in each hour, if anything."""
    latent, chance = world.latents[number], random.Random(f"likewatch faults {world.seed} {number}")
    by_hour: list[Spell | None] = [None] * (world.days * HOURS_A_DAY)

    def lay(fault: Fault, hour: int, hours: int, strength: float) -> None:
        spell = Spell(fault=fault, hour=hour, hours=hours, strength=strength, stranger=chance.choice(world.latents))
        by_hour[hour : hour + hours] = [spell] * len(by_hour[hour : hour + hours])

    for fault, (a_year, least, less_than) in _A_YEAR.items():
        for _ in range(some(chance, a_year, world.days)):
            hours = int(math.exp(chance.uniform(math.log(least), math.log(less_than))))
            lay(fault, chance.randrange(HOURS_A_DAY, len(by_hour)), hours, chance.uniform(0.02, 0.4))
    for outage in world.outages:
        if outage.platform == latent.page.platform or outage.page == latent.page.slug:
            kept = outage.page and chance.random() < 0.5
            fault = Fault.HELD_BACK if kept else Fault.UNREAD
            lay(fault, outage.hour, outage.hours, chance.uniform(1, 72))
    return by_hour


def _readings(latent: Latent, faults: Sequence[Spell | None], days: int, chance: random.Random) -> Iterator[Row]:
    every, phase = latent.page.poll_hours, chance.randrange(_JITTER, 2700)
    for hour in range(0, days * HOURS_A_DAY, every):
        ts = hour * _HOUR + phase + chance.randrange(-_JITTER, _JITTER)
        spell = faults[hour]
        if spell is not None and spell.fault is Fault.UNREAD:
            continue
        row = Row(
            ts + chance.randrange(1, 40) + _delay(spell, ts, chance),
            False,
            ts,
            latent.page.slug,
            "",
            rounded(_seen(latent, spell, ts), latent.page.precision),
        )
        yield row
        if chance.random() < _REPEATED:
            yield row._replace(received=row.received + chance.choice((0, 0, chance.randrange(6 * _HOUR))))


def _delay(spell: Spell | None, ts: int, chance: random.Random) -> int:
    """Seconds."""
    if spell is not None and spell.fault is Fault.HELD_BACK:
        return (spell.hour + spell.hours) * _HOUR - ts + int(spell.strength * _HOUR)
    if chance.random() < _LATE or (spell is not None and spell.fault is Fault.DELAYED):
        return chance.randrange(_HOUR, 48 * _HOUR)
    return 0


def _seen(latent: Latent, spell: Spell | None, ts: int) -> float:
    true = at(latent.likes, ts)
    match None if spell is None else spell.fault:
        case Fault.ZERO:
            return 0
        case Fault.FROZEN if spell:
            return at(latent.likes, spell.hour * _HOUR)
        case Fault.TENFOLD:
            return 10 * true
        case Fault.DIP if spell:
            return true * (1 - spell.strength)
        case Fault.STRANGER if spell:
            return at(spell.stranger.likes, ts)
        case Fault.RESET if spell:
            return (ts - spell.hour * _HOUR) / _HOUR * 3 + 1
        case _:
            return true


def at(likes: Sequence[int], ts: int) -> float:
    """The true count so many seconds after the start, between the hours as the crow flies."""
    hour, seconds = divmod(ts, _HOUR)
    return likes[hour] + (likes[hour + 1] - likes[hour]) * seconds / _HOUR


def rounded(count: float, precision: str) -> int:
    """As the platform publishes it: whole, or floored to three significant digits."""
    whole = int(count)
    if precision != "sig3" or whole < 1000:
        return whole
    unit: int = 10 ** (len(str(whole)) - 3)
    return whole // unit * unit
