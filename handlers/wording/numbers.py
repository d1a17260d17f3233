"""Numbers, shares and dates as journalists print them: plain English, and a real minus sign."""

from __future__ import annotations

from datetime import datetime

from handlers.model import Dated

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def count(number: float) -> str:
    """Write a count: ``2108800`` -> ``"2,108,800"``."""
    return f"{number:,.0f}".replace("-", "\N{MINUS SIGN}")


def percent(share: float, *, digits: int = 1) -> str:
    """Write a share: ``0.576`` -> ``"57.6%"``. Shares below 0.1% get two digits."""
    if 0 < abs(share) < 0.001:  # noqa: PLR2004 (a tenth of a percent)
        digits = 2
    text = f"{share * 100:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def day(at: datetime) -> str:
    """Write a day: ``"5 August 2020"``."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def instant(at: datetime) -> str:
    """Write an instant: ``"2 February 2016, 11:50 UTC"``."""
    return f"{day(at)}, {at:%H:%M} UTC"


def dated(at: datetime, precision: Dated) -> str:
    """Write an instant as precisely as it is dated: ``"2 February 2016"`` for a day, ``"June 2013"`` for a month."""
    if precision is Dated.MONTH:
        return f"{MONTHS[at.month - 1]} {at.year}"
    return day(at) if precision is Dated.DAY else instant(at)


def when(at: datetime, precision: Dated) -> str:
    """Write ``dated`` as part of a sentence: ``"on 2 February 2016"``, ``"in June 2013"``."""
    return f"{'in' if precision is Dated.MONTH else 'on'} {dated(at, precision)}"
