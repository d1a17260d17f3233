"""Spread: how far numbers usually lie from their median."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def deviation(numbers: Sequence[float]) -> float:
    """Return the robust standard deviation: 1.4826 times the median absolute deviation.

    The factor makes it equal the standard deviation of a normal distribution
    (https://en.wikipedia.org/wiki/Median_absolute_deviation).
    """
    middle = median(numbers)
    return 1.4826 * median(abs(number - middle) for number in numbers)


def deviation_above(numbers: Sequence[float]) -> float:
    """Return the same for the upper half: how far the numbers above the median usually lie above it."""
    middle = median(numbers)
    return 1.4826 * median(number - middle for number in numbers if number >= middle)
