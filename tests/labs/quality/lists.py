"""What a newsroom gets to see of where likes are from: a list a day, cut at 45 countries, days late, at times wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.labs.quality.fates import some
from tests.labs.quality.rows import Row
from tests.labs.quality.values import ABROAD, HOURS_A_DAY, Latent, World

CUT = 45
_HOUR = 3600
_FEWEST_SHOWN = 10
_SHORTER_CUT = 30


class Flaw(StrEnum):
    """What may be wrong with a day's list; nothing in the file says so."""

    STALE = "stale"  # an earlier day's list once more
    HOMELESS = "homeless"  # the home country is missing
    MISSING = "missing"  # no list at all
    SPLIT = "split"  # some countries arrive later than the rest


_A_YEAR = {
    Flaw.STALE: (4, 1, 5),
    Flaw.HOMELESS: (3, 1, 2),
    Flaw.MISSING: (4, 1, 4),
    Flaw.SPLIT: (3, 1, 2),
}
"""How often a year, and for how many days (at least, less than)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coverage:
    """How much of a page's likes its lists account for from a day on, and how many countries they name."""

    day: int
    share: float
    cut: int


def country_rows(world: World) -> Iterator[Row]:
    """Every page's country lists, page by page."""
    for number, latent in enumerate(world.latents):
        if latent.page.coverage:
            chance = random.Random(f"likewatch countries {world.seed} {number}")
            yield from _lists(latent, flaws(world, number), world.days, chance)


def _lists(latent: Latent, wrong: Mapping[int, Flaw], days: int, chance: random.Random) -> Iterator[Row]:
    coverages = _coverages(latent, days, chance)
    slow = chance.uniform(14, 50)
    fresh: dict[str, int] = {}
    for day in range(1, days):
        coverage = next(each for each in reversed(coverages) if each.day <= day)
        flaw = wrong.get(day)
        if flaw is not Flaw.STALE or not fresh:
            fresh = _listed(latent, day, coverage, chance)
        hours = min(max(chance.gauss(slow, 8), 12), 72)
        received = day * HOURS_A_DAY * _HOUR + int(hours * _HOUR)
        if flaw is Flaw.MISSING:
            continue
        late = set(chance.sample([*fresh][1:], min(5, len(fresh) - 1))) if flaw is Flaw.SPLIT else set()
        for country, likes in fresh.items():
            if flaw is Flaw.HOMELESS and country == latent.page.home:
                continue
            delay = 20 * _HOUR if country in late and country != latent.page.home else 0
            yield Row(received + delay, True, day * HOURS_A_DAY * _HOUR, latent.page.slug, country, likes)


def _listed(latent: Latent, day: int, coverage: _Coverage, chance: random.Random) -> dict[str, int]:
    stocks = zip(ABROAD, latent.by_country[day], strict=True)
    located = [(latent.page.home, latent.at_home[day]), *stocks]
    shown = [(country, int(stock * coverage.share * chance.gauss(1, 1e-4))) for country, stock in located]
    shown.sort(key=lambda pair: -pair[1])
    return {country: likes for country, likes in shown[: coverage.cut] if likes >= _FEWEST_SHOWN}


def flaws(world: World, number: int) -> dict[int, Flaw]:
    """What was wrong with the lists of the world's page of this number, day by day."""
    chance, days = random.Random(f"likewatch flaws {world.seed} {number}"), world.days
    found: dict[int, Flaw] = {}
    for flaw, (a_year, least, less_than) in _A_YEAR.items():
        for _ in range(some(chance, a_year, days)):
            first = chance.randrange(2, days)
            found |= dict.fromkeys(range(first, first + chance.randrange(least, less_than)), flaw)
    return found


def _coverages(latent: Latent, days: int, chance: random.Random) -> list[_Coverage]:
    coverages = [_Coverage(day=0, share=latent.page.coverage, cut=CUT)]
    for day in sorted(chance.randrange(20, days) for _ in range(some(chance, 0.8, days))):
        share = min(coverages[-1].share * chance.uniform(0.88, 1.12), 0.99)
        cut = chance.choice((CUT, CUT, _SHORTER_CUT))
        coverages.append(_Coverage(day=day, share=share, cut=cut))
    return coverages
