"""How a simulated page grows: a drifting pace, weekdays, noisy days, and whatever its fate brings."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import accumulate

from tests.labs.quality.values import ABROAD, HOURS_A_DAY, Burst, Campaign, Fate, Latent, Removal, SimulatedPage

_WANDER, _WANDER_DAYS = 0.35, 60.0
_HOURLY_DISPERSION = 3.0
_MIX_NOISE = 0.03
_SLOWEST, _FASTEST = -0.6, 0.9
"""How far a rival's day may be bent towards its path, in usual days."""


class Chase:
    """A rival that runs close: its lead over ``ahead`` follows ``path`` (in usual days' gains, one a day)."""

    def __init__(self, ahead: Latent, path: Sequence[float], stiffness: Sequence[float]) -> None:
        self._ahead = ahead
        self._path = path
        self._stiffness = stiffness

    def usual(self, day: int) -> float:
        return self._ahead.usual[day]

    def pull(self, day: int, likes: float) -> float:
        """Likes to add to an ordinary day so that the path is followed, more or less."""
        usual = self._ahead.usual[day]
        lead = likes - self._ahead.likes[day * HOURS_A_DAY]
        here, there = self._path[day], self._path[day + 1]
        wanted = there - here + (here - lead / usual) * self._stiffness[day]
        return usual * min(max(wanted, _SLOWEST), _FASTEST)


def grow(page: SimulatedPage, fate: Fate, days: int, chance: random.Random, chase: Chase | None = None) -> Latent:
    """The page's true series over so many days."""
    paces = _paces(page, days, chance) if chase is None else [chase.usual(day) for day in range(days)]
    weekdays = [math.exp(chance.gauss(0, 0.1)) for _ in range(7)]
    noise = chance.uniform(0.15, 0.26)
    rhythm = _rhythm(chance)
    extra = _Extra(page, fate, paces, days)
    split = _Split(page, fate, days, chance)
    likes, now = [page.likes], float(page.likes)
    for day in range(days):
        ordinary = paces[day] * weekdays[day % 7] * math.exp(chance.gauss(-noise * noise / 2, noise))
        if chase is not None:
            ordinary += chase.pull(day, now)
        before, removed = now, 0.0
        for hour in range(day * HOURS_A_DAY, (day + 1) * HOURS_A_DAY):
            mean = ordinary * rhythm[hour % HOURS_A_DAY]
            gain = chance.gauss(mean, math.sqrt(_HOURLY_DISPERSION * abs(mean) + 0.01)) + extra.by_hour[hour]
            loss = extra.removed[hour] * now
            removed += loss
            now += gain - loss
            likes.append(int(now))
        split.day_ends(day, now - before + removed, removed, extra)
    return Latent(
        page=page,
        likes=likes,
        usual=paces,
        at_home=split.at_home,
        abroad=[sum(stocks) for stocks in split.by_country],
        by_country=split.by_country,
        new_at_home=split.new_at_home,
        new_abroad=split.new_abroad,
    )


def _paces(page: SimulatedPage, days: int, chance: random.Random) -> list[float]:
    """A usual day's gain, day by day: a slow random walk that is drawn back."""
    kept = math.exp(-1 / _WANDER_DAYS)
    step = _WANDER * math.sqrt(1 - kept * kept)
    wander, paces = chance.gauss(0, _WANDER / 2), []
    for _ in range(days):
        wander = kept * wander + chance.gauss(0, step)
        paces.append(page.usual * math.exp(wander))
    return paces


def _rhythm(chance: random.Random) -> list[float]:
    """The share of a day's gain that each hour brings: people sleep, in this page's time zone."""
    evening = chance.uniform(10, 16)
    raw = [1 + 0.75 * math.cos((hour - evening) * math.tau / HOURS_A_DAY) for hour in range(HOURS_A_DAY)]
    return [each / sum(raw) for each in raw]


class _Extra:
    """What fate adds and takes, by hour; and by day, how much of it is from where."""

    def __init__(self, page: SimulatedPage, fate: Fate, paces: Sequence[float], days: int) -> None:
        self.by_hour = [0.0] * (days * HOURS_A_DAY)
        self.removed = [0.0] * (days * HOURS_A_DAY)
        self.burst_by_day = [0.0] * days
        self.burst_abroad = [0.0] * days
        self.campaigned = [0.0] * days
        for burst in fate.bursts:
            self._add_burst(burst, page, paces)
        for campaign in fate.campaigns:
            self._add_campaign(campaign, paces, days)
        for removal in fate.removals:
            self._add_removal(removal)

    def _add_burst(self, burst: Burst, page: SimulatedPage, paces: Sequence[float]) -> None:
        hours = range(min(burst.rise + int(6 * burst.fade), len(self.by_hour) - burst.hour))
        shape = [min((hour + 1) / burst.rise, 1) * math.exp(-max(hour - burst.rise, 0) / burst.fade) for hour in hours]
        likes = burst.size * paces[burst.hour // HOURS_A_DAY]
        scale = likes / max(sum(shape), 1.0)
        for hour, part in enumerate(shape, start=burst.hour):
            self.by_hour[hour] += part * scale
            self.burst_by_day[hour // HOURS_A_DAY] += part * scale
            abroad = page.flow if burst.abroad is None else burst.abroad
            self.burst_abroad[hour // HOURS_A_DAY] += part * scale * abroad

    def _add_campaign(self, campaign: Campaign, paces: Sequence[float], days: int) -> None:
        for day in range(campaign.day, min(campaign.day + campaign.days, days)):
            warm = 0.5 if day == campaign.day else 1.0
            likes = warm * campaign.strength * paces[campaign.day]
            self.campaigned[day] += likes
            for hour in range(day * HOURS_A_DAY, (day + 1) * HOURS_A_DAY):
                self.by_hour[hour] += likes / HOURS_A_DAY

    def _add_removal(self, removal: Removal) -> None:
        for hour in range(removal.hour, min(removal.hour + removal.hours, len(self.removed))):
            self.removed[hour] += removal.share / removal.hours


class _Split:
    """Where the likes are from, midnight by midnight."""

    def __init__(self, page: SimulatedPage, fate: Fate, days: int, chance: random.Random) -> None:
        self._page, self._fate, self._days, self._chance = page, fate, days, chance
        weights = [chance.lognormvariate(0, 0.8) / (rank + 2) ** 1.3 for rank in range(len(ABROAD))]
        self._weights = [weight / sum(weights) for weight in weights]
        self._wander = 0.0
        self.at_home = [page.likes * (1 - page.abroad)]
        self.by_country = [[page.likes * page.abroad * weight for weight in self._weights]]
        self.new_at_home: list[float] = []
        self.new_abroad: list[float] = []

    def day_ends(self, day: int, gained: float, removed: float, extra: _Extra) -> None:
        self._wander = 0.97 * self._wander + self._chance.gauss(0, 0.005)
        mix = self._page.flow + self._page.drift * day / self._days + self._wander + self._chance.gauss(0, _MIX_NOISE)
        ordinary = gained - extra.burst_by_day[day] - extra.campaigned[day]
        spread = ordinary * min(max(mix, 0.01), 0.99) + extra.burst_abroad[day]
        at_home = gained - spread - extra.campaigned[day]
        stocks = self.by_country[-1]
        before = self.at_home[-1] + sum(stocks)
        kept = 1 - removed / before
        added = [spread * weight for weight in self._weights]
        for index, likes in self._campaigned(day, extra.campaigned[day]):
            added[index] += likes
        self.at_home.append(self.at_home[-1] * kept + at_home)
        self.by_country.append([stock * kept + new for stock, new in zip(stocks, added, strict=True)])
        self.new_at_home.append(at_home)
        self.new_abroad.append(spread + extra.campaigned[day])

    def _campaigned(self, day: int, likes: float) -> list[tuple[int, float]]:
        running = [each for each in self._fate.campaigns if each.day <= day < each.day + each.days]
        strength = sum(each.strength for each in running)
        shares = []
        for each in running:
            falling = list(accumulate((0.6 for _ in each.countries[1:]), lambda a, b: a * b, initial=1.0))
            part = likes * each.strength / strength / sum(falling)
            shares += [(country, part * share) for country, share in zip(each.countries, falling, strict=True)]
        return shares
