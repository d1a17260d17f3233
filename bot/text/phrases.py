"""Write changes, lists and dates for journalists. Numbers come from the wording of alerts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from handlers.model import Dated
from handlers.wording.numbers import MONTHS, count, dated, day, instant, percent, when

__all__ = [
    "about", "clock_time", "count", "date", "dated", "day", "first_of", "instant", "listed", "ordinal", "percent",
    "percent_change", "several", "short_day", "short_month", "when",
]  # fmt: skip


def percent_change(share: float) -> str:
    """Return a share with its sign: ``0.0067`` -> ``"+0.7%"``."""
    return ("+" if share > 0 else "") + percent(share)


def several(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``2, "alert"`` -> ``"2 alerts"``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(words: list[str] | tuple[str, ...]) -> str:
    """Return words as a list in a sentence: ``["a", "b", "c"]`` -> ``"a, b and c"``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def first_of(names: Sequence[str], most: int) -> str:
    """Return the first ``most`` names, and how many there are besides: ``"a, b and 3 more"``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {count(more)} more" if more > 0 else "")


def ordinal(number: int) -> str:
    """Return a rank: ``2`` -> ``"2nd"``."""
    teens = 10 <= number % 100 <= 20  # noqa: PLR2004
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def kind(name: str) -> str:
    """Return a kind of alert in words: ``"closing_in"`` -> ``"closing in"``."""
    return name.replace("_", " ")


def date(at: datetime, precision: Dated) -> str:
    """Return ``"5 August 2020"``, or ``"June 2013"`` if the precision is a month."""
    return dated(at, precision if precision is Dated.MONTH else Dated.DAY)


def short_day(at: datetime, *, year: bool = False) -> str:
    """Return ``"5 Aug"``, or ``"5 Aug 2020"``, for the axis of a chart."""
    return f"{at.day} {MONTHS[at.month - 1][:3]}" + (f" {at.year}" if year else "")


def short_month(at: datetime) -> str:
    """Return ``"Aug 2020"``, for the axis of a chart."""
    return f"{MONTHS[at.month - 1][:3]} {at.year}"


def clock_time(at: datetime) -> str:
    """Return a time of day: ``"11:50"``."""
    return f"{at:%H:%M}"


def about(number: float, width: float) -> str:
    """Return the number without digits that ``width``, the size of its range, makes meaningless.

    10687817 ± 50000 -> ``"10,700,000"``. The result lies inside the range: 9150000 ± 50000 -> ``"9,150,000"``.
    """
    step = 10 ** int(math.log10(width)) if width >= 1 else 1
    if 2 * abs(round(number / step) * step - number) >= width > 1:
        step = max(step // 10, 1)
    return count(round(number / step) * step)
