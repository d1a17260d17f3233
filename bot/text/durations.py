"""Write and read lengths of time: durations, ages, periods such as ``90d``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.text.phrases import several
from handlers.model import Dated

_PERIOD = re.compile(r"([1-9]\d{0,3})([hdw])")
_MEANT_AS_PERIOD = re.compile(r"(\d+)(s|m|min|h|d|w|mo|y)")
_HOURS = {"h": 1, "d": 24, "w": 168}
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_MONTH, _MONTHS_OF_YEAR = 30.44, 12  # days; months
_YESTERDAY = timedelta(days=1)


def duration(length: timedelta) -> str:
    """Return a length of time in its best unit: ``"4 minutes"``, ``"26 hours"``, ``"7 days"``, ``"14 months"``."""
    seconds = max(0.0, length.total_seconds())
    for unit, size, below in (("second", 1, 90), ("minute", _MINUTE, 90 * _MINUTE), ("hour", _HOUR, 48 * _HOUR)):
        if seconds < below:
            return several(round(seconds / size), unit)
    return _days(seconds / _DAY)


def _days(days: float) -> str:
    if days < 100:  # noqa: PLR2004 (in months from here on)
        return several(round(days), "day")
    if days < 1096:  # noqa: PLR2004 (three years)
        return several(round(days / _MONTH), "month")
    return several(int(days / 365.25), "year")  # whole years, as people count them


def between(length: timedelta, precision: Dated) -> str:
    """Return the time between two figures, no more exact than ``precision``: ``"1 day"``, not ``"24 hours"``."""
    days = length / timedelta(days=1)
    if precision is Dated.MONTH:
        return f"about {several(max(round(days / _MONTH), 1), 'month')}"
    return duration(length) if precision is Dated.INSTANT else _days(round(days))


def length(whole: timedelta) -> str:
    """Return whole hours in their largest unit: ``"1 week"``, ``"1 day"``, ``"36 hours"``."""
    hours = round(whole / timedelta(hours=1))
    unit, size = next((unit, size) for unit, size in (("week", 168), ("day", 24), ("hour", 1)) if hours % size == 0)
    return several(hours // size, unit)


def ago(then: datetime, now: datetime) -> str:
    """Return an age: ``"4 minutes ago"``, ``"just now"`` within ten seconds, calendar days from two days on."""
    elapsed = now - then
    if elapsed < timedelta(seconds=10):
        return "just now"
    return f"{duration(elapsed) if elapsed < 2 * _YESTERDAY else _days((now.date() - then.date()).days)} ago"


def ago_as_dated(then: datetime, precision: Dated, now: datetime) -> str:
    """Return an age, no more exact than ``precision``: ``"today"``, ``"yesterday"``, ``"last month"``."""
    if precision is Dated.INSTANT:
        return ago(then, now)
    if precision is Dated.DAY:
        days = (now.date() - then.date()).days
        return ("today", "yesterday")[max(days, 0)] if days <= 1 else f"{_days(days)} ago"
    months = (now.year - then.year) * _MONTHS_OF_YEAR + now.month - then.month
    if months <= 1:
        return ("this month", "last month")[max(months, 0)]
    long = months >= 3 * _MONTHS_OF_YEAR
    return f"{several(months // _MONTHS_OF_YEAR, 'year') if long else several(months, 'month')} ago"


def refused_period(text: str) -> str | None:
    """Return why ``period`` refuses a text that looks like a length of time. Return None for any other text."""
    if period(text) or not (meant := _MEANT_AS_PERIOD.fullmatch(text.casefold())):
        return None
    if not meant[1].strip("0"):
        return f"“{text}” is no time at all. Give at least 1h."
    if meant[2] not in _HOURS:
        return f"“{text}” is no length of time that I know: write hours, days or weeks, like 1h, 90d or 2w."
    return f"“{text}” is too long: at most 9999{meant[2]}."


def period(text: str) -> timedelta | None:
    """Return the length of time that ``"90d"``, ``"1h"`` or ``"2w"`` names. Return None for any other text."""
    match = _PERIOD.fullmatch(text.casefold())
    return timedelta(hours=int(match[1]) * _HOURS[match[2]]) if match else None
