"""Who is in a world, who runs against whom, and what happens to them: everything drawn from one seeded chance."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from tests.labs.quality.growth import Chase, grow
from tests.labs.quality.values import (
    ABROAD,
    HOMES,
    HOURS_A_DAY,
    Burst,
    Campaign,
    Fate,
    Latent,
    Outage,
    Removal,
    SimulatedPage,
    World,
)

PAGES, DAYS = 24, 540
PAGES_A_GROUP = 4
FACEBOOK, YOUTUBE = "facebook", "youtube"
_YEAR = 365.0
_HAS_RIVAL = {1: 0.4, 3: 0.1}
"""How often a group's second and fourth page runs close to the one before it."""

_QUIET_DAYS = 35
"""Nothing is planted before a page has a past."""


def make_world(seed: int, *, pages: int = PAGES, days: int = DAYS) -> World:
    """The world of this seed; the same arguments always give the same world."""
    chance = random.Random(f"likewatch world {seed}")
    outages = _outages(chance, days)
    removals = {platform: _platform_removals(chance, platform, days) for platform in (FACEBOOK, YOUTUBE)}
    latents: list[Latent] = []
    for group in range(pages // PAGES_A_GROUP):
        second = group >= 2 * (pages // PAGES_A_GROUP) // 3
        for page in _group(chance, group, YOUTUBE if second else FACEBOOK):
            number = len(latents) % PAGES_A_GROUP
            fate = _fate(chance, page, outages, removals[page.platform], days)
            if number % 2 and chance.random() < _HAS_RIVAL[number]:
                latents.append(_rival(chance, page, fate, latents[-1], days))
            else:
                latents.append(grow(page, fate, days, chance))
    alone = [_outage(chance, days, page=latent.page.slug) for latent in latents for _ in range(some(chance, 2, days))]
    return World(seed=seed, days=days, latents=latents, outages=(*outages, *alone))


def some(chance: random.Random, a_year: float, days: int) -> int:
    """How often something happens that happens so many times a year (Poisson)."""
    product, number, limit = chance.random(), 0, math.exp(-a_year * days / _YEAR)
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def _group(chance: random.Random, group: int, platform: str) -> list[SimulatedPage]:
    home = HOMES[group % len(HOMES)]
    scale = math.exp(chance.uniform(math.log(60_000), math.log(4_000_000)))
    pages = []
    for number in range(PAGES_A_GROUP):
        rounded = platform == YOUTUBE and number in (2, 3) and group % 2 == 0
        likes = scale * (math.exp(chance.uniform(math.log(0.1), math.log(4))) if number else 1)
        pace = math.exp(chance.gauss(math.log(0.0009), 0.5))
        if rounded:
            likes, pace = chance.uniform(150_000, 900_000), chance.uniform(0.0015, 0.003)
        abroad = chance.uniform(0.05, 0.4)
        flow = min(max(abroad + chance.uniform(-0.05, 0.08), 0.03), 0.95)
        if number == 3 and group % 2 == 0:  # on its way to a foreign majority
            abroad, flow, pace = chance.uniform(0.44, 0.468), chance.uniform(0.62, 0.8), chance.uniform(0.0012, 0.0025)
        page = SimulatedPage(
            slug=f"g{group + 1}p{number + 1}",
            home=home,
            group=f"group{group + 1}",
            platform=platform,
            precision="sig3" if rounded else "exact",
            likes=int(likes),
            usual=likes * pace,
            abroad=abroad,
            flow=flow,
            drift=chance.choice((0.0, 0.0, chance.uniform(0.05, 0.15))),
            poll_hours=chance.choice((3, 4, 6)) if chance.random() < 0.2 else 1,
            coverage=chance.uniform(0.9, 0.985) if platform == FACEBOOK else 0.0,
        )
        pages.append(page)
    return pages


def _rival(chance: random.Random, page: SimulatedPage, fate: Fate, ahead: Latent, days: int) -> Latent:
    """A page that runs close to another: its lead swings slowly, ties for a while, or comes close and turns away."""
    path, stiffness = _path(chance, days)
    likes = int(ahead.likes[0] + path[0] * ahead.usual[0])
    close = replace(page, likes=likes, usual=ahead.page.usual, precision=ahead.page.precision)
    return grow(close, fate, days, chance, Chase(ahead, path, stiffness))


def _path(chance: random.Random, days: int) -> tuple[list[float], list[float]]:
    slow = chance.random() < 0.6
    side = chance.choice((-1, 1))
    path = [side * chance.uniform(4, 16)]
    stiffness: list[float] = []
    while len(path) <= days + 1:
        length = chance.randrange(110, 240) if slow else chance.randrange(60, 120)
        way = chance.random()
        if way < 0.06:  # a long tie
            side, goal, length, stiff = chance.choice((-1, 1)), 0.0, chance.randrange(10, 30), 0.8
            path += [goal] * length
            stiffness += [stiff] * length
            continue
        if way < 0.65:
            side = -side
            goal = side * chance.uniform(0.05, 0.16) * length
        else:  # comes close, or moves away
            goal = side * chance.choice((chance.uniform(2, 4), chance.uniform(8, 25)))
        start = path[-1]
        path += [start + (goal - start) * (step + 1) / length for step in range(length)]
        stiffness += [1 / 12] * length
    return path, stiffness


def _fate(
    chance: random.Random,
    page: SimulatedPage,
    outages: Sequence[Outage],
    removals: Sequence[tuple[int, float]],
    days: int,
) -> Fate:
    after = [each for each in outages if each.platform == page.platform and chance.random() < 0.06]
    sizes = [
        *(min(chance.lognormvariate(math.log(11), 0.5), 40) for _ in range(some(chance, 0.9, days))),
        *(chance.uniform(2.2, 5) for _ in range(some(chance, 0.5, days))),
        *(chance.uniform(0.5, 1.5) for _ in range(some(chance, 1.5, days))),
    ]
    bursts = [_burst(chance, _hour(chance, days), size) for size in sizes]
    bursts += [
        _burst(chance, each.hour + each.hours + chance.randrange(-12, 12), chance.uniform(6, 20)) for each in after
    ]
    own = [
        *(chance.uniform(0.008, 0.05) for _ in range(some(chance, 0.15, days))),
        *(chance.uniform(0.0022, 0.007) for _ in range(some(chance, 0.2, days))),
        *(chance.uniform(0.0005, 0.0018) for _ in range(some(chance, 0.3, days))),
    ]
    taken = [Removal(hour=_hour(chance, days), hours=chance.randrange(2, 30), share=share) for share in own]
    for hour, size in removals:
        if chance.random() < 0.6:
            share = min(size * chance.lognormvariate(0, 0.6), 0.08)
            start = hour + chance.randrange(24)
            taken.append(Removal(hour=start, hours=chance.randrange(2, 20), share=share))
    return Fate(bursts=tuple(bursts), removals=tuple(taken), campaigns=tuple(_campaigns(chance, days)))


def _burst(chance: random.Random, hour: int, size: float) -> Burst:
    abroad = 0.85 if chance.random() < 0.08 else None
    return Burst(hour=hour, size=size, rise=chance.randrange(1, 8), fade=chance.uniform(5, 24), abroad=abroad)


def _campaigns(chance: random.Random, days: int) -> list[Campaign]:
    strengths = [
        *(math.exp(chance.uniform(math.log(0.7), math.log(6))) for _ in range(some(chance, 0.7, days))),
        *(chance.uniform(0.04, 0.18) for _ in range(some(chance, 0.3, days))),
    ]
    return [
        Campaign(
            day=_hour(chance, days) // HOURS_A_DAY,
            days=chance.randrange(7, 61),
            strength=strength,
            countries=tuple(chance.sample(range(min(20, len(ABROAD))), chance.randrange(2, 5))),
        )
        for strength in strengths
    ]


def _hour(chance: random.Random, days: int) -> int:
    return chance.randrange(min(_QUIET_DAYS, days // 2) * HOURS_A_DAY, (days - 2) * HOURS_A_DAY)


def _platform_removals(chance: random.Random, platform: str, days: int) -> list[tuple[int, float]]:
    number = some(chance, 0.9 if platform == FACEBOOK else 0.4, days)
    return [(_hour(chance, days), chance.uniform(0.005, 0.025)) for _ in range(number)]


def _outages(chance: random.Random, days: int) -> list[Outage]:
    return [
        _outage(chance, days, platform=platform)
        for platform in (FACEBOOK, YOUTUBE)
        for _ in range(some(chance, 5, days))
    ]


def _outage(chance: random.Random, days: int, *, platform: str = "", page: str = "") -> Outage:
    length = int(math.exp(chance.uniform(math.log(4), math.log(96))))
    return Outage(hour=_hour(chance, days), hours=length, platform=platform, page=page)
