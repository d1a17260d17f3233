"""How far numbers usually lie from their middle."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def deviation(numbers: Sequence[float]) -> float:
    """The robust standard deviation: 1.4826 times the median absolute deviation, that of the normal distribution."""
    middle = median(numbers)
    return 1.4826 * median(abs(number - middle) for number in numbers)


def deviation_above(numbers: Sequence[float]) -> float:
    """The same of the upper half alone: how far numbers above the middle usually lie above it."""
    middle = median(numbers)
    return 1.4826 * median(number - middle for number in numbers if number >= middle)
