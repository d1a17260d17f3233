"""When a page passes its rival, as far as the last four weeks tell: an approach, and the chance that it arrives.

The gap shrinks by a pace, the mean of what it was over 7, 14 and 28 days, and by chance from day to day. For a pace v
and daily noise s the time of passing has the inverse Gaussian distribution, in closed form:
P(T <= h) = N((v h - gap) / (s sqrt(h))) + exp(2 v gap / s^2) N(-(v h + gap) / (s sqrt(h))),
https://en.wikipedia.org/wiki/Inverse_Gaussian_distribution. The pace does not stay what it is, which matters more than
the noise: of any pace 0.7 is kept at the median, times a lognormal factor whose logarithm has a standard deviation of
0.7; and 6 approaches in 100 turn away for good. These three and the part of the daily noise that lasts were fitted to
10,000 pair-days of simulated worlds and held on others (docs/alert-quality.md); paths drawn at random from the gap's
past and a normal change of pace were tried too, told more that was wrong and were slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, exp, pi, sqrt
from statistics import NormalDist, fmean, median

from handlers.signals.spread import deviation

DAYS = 28
KEPT = 0.7
SPREAD = 0.7
NOISE = 0.6
TURNS_AWAY = 0.06
OUT_OF_LINE = 5.0
LATELY_DAYS = 5

_FORTNIGHT, _WEEK = 14, 7
_FUTURES = tuple(KEPT * exp(SPREAD * NormalDist().inv_cdf((rank + 0.5) / 15)) for rank in range(15))
_FAR = -10.0
_HALVINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """A gap of so many likes that shrinks by ``pace`` likes a day, with ``noise`` likes of standard deviation a day.

    ``four_weeks`` is the plain pace of the past 28 days.
    """

    gap: float
    pace: float
    noise: float
    four_weeks: float

    def chance(self, days: float) -> float:
        """The probability that the page has passed its rival after so many days."""
        passed = fmean(_passed(self.pace * kept, self.gap, self.noise, days) for kept in _FUTURES)
        return (1 - TURNS_AWAY) * passed

    def days_until(self, chance: float, *, within: float) -> float | None:
        """After how many days the passing has come with this probability; None where that takes longer."""
        early, late = 0.0, within
        if self.chance(late) < chance:
            return None
        for _ in range(_HALVINGS):
            middle = (early + late) / 2
            early, late = (middle, late) if self.chance(middle) < chance else (early, middle)
        return late


def approach(gaps: Sequence[float], *, step: float) -> Approach | None:
    """What 29 gaps at midnight, oldest first, say; None where the page is not on its way at a steady pace.

    It is not while one of the past five days is far out of line with the others (a surge or a purge of either page),
    nor where the gap has not shrunk over each of 7, 14 and 28 days. Older days out of line count as usual ones.
    ``step`` is that of the rounding, in likes.
    """
    closed = [before - after for before, after in pairwise(gaps)]
    usual = median(closed)
    reach = OUT_OF_LINE * max(deviation(closed), 0.3 * step, 1.0)
    if any(abs(day - usual) > reach for day in closed[-LATELY_DAYS:]):
        return None
    steady = [day if abs(day - usual) <= reach else usual for day in closed]
    month, fortnight, week = fmean(steady), fmean(steady[-_FORTNIGHT:]), fmean(steady[-_WEEK:])
    if min(month, fortnight, week) <= 0:
        return None
    noise = max(sqrt(NOISE * fmean((day - month) ** 2 for day in steady)), 1.0)
    four_weeks = (gaps[0] - gaps[-1]) / DAYS
    return Approach(gap=gaps[-1], pace=fmean((month, fortnight, week)), noise=noise, four_weeks=four_weeks)


def _passed(pace: float, gap: float, noise: float, days: float) -> float:
    if days <= 0:
        return 0.0
    spread = noise * sqrt(days)
    ahead, back = (pace * days - gap) / spread, -(pace * days + gap) / spread
    if back > _FAR:
        returned = exp(2 * pace * gap / noise**2) * _normal(back)
    else:  # the same, where its factors are beyond floating point
        returned = exp(-ahead * ahead / 2) / (-back * sqrt(2 * pi))
    return min(_normal(ahead) + returned, 1.0)


def _normal(score: float) -> float:
    return 0.5 * erfc(-score / sqrt(2))
