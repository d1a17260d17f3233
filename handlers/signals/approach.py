"""Approach: how fast a page closes the gap to its rival, and the chance that it passes within some days.

A gap of `gap` likes shrinks by a pace v (likes a day) and by daily noise s (likes). The time T of passing then has
the inverse Gaussian distribution (https://en.wikipedia.org/wiki/Inverse_Gaussian_distribution), with N the normal
distribution function and h in days::

    P(T <= h) = N((v h - gap) / (s sqrt(h))) + exp(2 v gap / s^2) N(-(v h + gap) / (s sqrt(h)))

The pace changes later, and that matters more than the noise. Four numbers describe the change:

=============  ================================================================================
`KEPT`         the share of the pace that lasts, at the median
`SPREAD`       the standard deviation of the logarithm of that share
`TURNS_AWAY`   the share of approaches that turn away for good
`NOISE`        the part of the daily variance that lasts
=============  ================================================================================

All four were fitted to 10,000 pair-days of simulated worlds and tested on others (docs/alert-quality.md). Random
paths drawn from the gap's history were tried too: they were slower and more often wrong.
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
    """A shrinking gap.

    ``gap`` is in likes. ``pace`` and ``noise`` (a standard deviation) are in likes a day. ``four_weeks`` is the plain
    pace of the past 28 days.
    """

    gap: float
    pace: float
    noise: float
    four_weeks: float

    def chance(self, days: float) -> float:
        """Return the probability (0 to 1) that the page passes its rival within ``days``."""
        passed = fmean(_passed(self.pace * kept, self.gap, self.noise, days) for kept in _FUTURES)
        return (1 - TURNS_AWAY) * passed

    def days_until(self, chance: float, *, within: float) -> float | None:
        """Return the days after which the page has passed with this probability, or None if they exceed ``within``."""
        early, late = 0.0, within
        if self.chance(late) < chance:
            return None
        for _ in range(_HALVINGS):
            middle = (early + late) / 2
            early, late = (middle, late) if self.chance(middle) < chance else (early, middle)
        return late


def approach(gaps: Sequence[float], *, step: float) -> Approach | None:
    """Measure an approach from 29 gaps at midnight (likes, oldest first), or None if the pace is not steady.

    The pace is not steady in two cases:

    * One of the past five days is far out of line with the others: a surge or a purge of either page.
    * The gap did not shrink over 7, over 14 or over 28 days.

    Older days that are out of line count as usual days. ``step`` is the step of rounding, in likes.
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
    else:  # the same product, where its two factors would overflow and underflow
        returned = exp(-ahead * ahead / 2) / (-back * sqrt(2 * pi))
    return min(_normal(ahead) + returned, 1.0)


def _normal(score: float) -> float:
    return 0.5 * erfc(-score / sqrt(2))
