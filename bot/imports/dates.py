"""Read a date cell: an instant in UTC, and how precise the date is. A time without an offset is UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta, timezone
from functools import lru_cache

from bot.imports.cells import BadCell, plain, refuse_formula
from bot.imports.values import DateOrder
from handlers.model import Dated

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST = 60  # characters
_CENTURY = 2000
_MONTHS = 12
_HALF_DAY = 12  # hours
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})([/.-]?)(\d{1,2})\2(\d{1,2})")
_YEAR_MONTH = re.compile(r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})|(?P<month2>\d{1,2})[/.-](?P<year2>\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_CLOCK = re.compile(
    r"[T,]? ?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r" ?(?P<half>[ap]\.?m\.?)? ?(?P<zone>z|[a-z]{3,4}|(?:utc|gmt)?[+-]\d\d:?\d\d)?$",
    re.IGNORECASE,
)
# Only abbreviations with one meaning; CST or IST have several.
_ZONES: Mapping[str, float] = {
    "Z": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "ICT": 7, "WIB": 7, "JST": 9, "KST": 9,
}  # fmt: skip
_MONTH_LANGUAGES = ("en", "fr", "de", "es", "pt", "id", "km", "th", "hi", "ar")


def instant(text: str, order: DateOrder | None, clock: str = "") -> tuple[datetime, Dated]:
    """Return the instant of a date cell and its precision. A day is its 00:00 UTC, a month its first day.

    ``clock`` is the time of day, if it has a cell of its own. ``order`` is the order in dates like 02/03/2016. If it is
    None, such a cell is a ``BadCell``, unless both orders mean the same day.
    """
    text = f"{text} {clock}" if clock else text
    if text[4:5] == "-" == text[7:8]:  # the usual case, and fifty times as fast
        with suppress(ValueError):
            at = datetime.fromisoformat(text)
            dated = Dated.INSTANT if len(text) > len("2016-02-02") else Dated.DAY
            return _checked(at.replace(tzinfo=UTC) if at.tzinfo is None else at), dated
    return _spelled(text, order)


@lru_cache(maxsize=4096)
def slash_order(text: str) -> DateOrder | None:
    """Return the order that a date like 13/03/2016 shows. Return None if both orders are possible, or none."""
    found = _SLASHED.match(plain(text)) if len(text) <= _LONGEST else None
    if found is None:
        return None
    first, second = int(found[1]), int(found[3])
    if max(first, second) <= _MONTHS or min(first, second) > _MONTHS:
        return None
    return DateOrder.DMY if first > second else DateOrder.MDY


def _checked(at: datetime) -> datetime:
    try:
        at = at if at.tzinfo is UTC else at.astimezone(UTC)
    except OverflowError as error:
        raise BadCell("not a date that any count can have") from error
    if at < _EARLIEST:
        raise BadCell("before the year 2000: no such count was there to read")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)  # the store has milliseconds


@lru_cache(maxsize=4096)
def _spelled(text: str, order: DateOrder | None) -> tuple[datetime, Dated]:
    cell = plain(text)
    refuse_formula(cell)
    if not cell:
        raise BadCell("empty")
    if len(cell) > _LONGEST:
        raise BadCell("too long for a date")
    if _SERIAL.fullmatch(cell):
        raise BadCell("a spreadsheet's serial number: format the column as a date and save again")
    clock = _CLOCK.search(cell)
    try:
        day, dated = _day(cell[: clock.start()].strip(" ,") if clock else cell, order)
        if clock is None:
            return _checked(day), dated
        if dated is Dated.MONTH:
            raise BadCell("a time of day, but no day")
        return _checked(datetime.combine(day, _time(clock), tzinfo=_zone(clock["zone"]))), Dated.INSTANT
    except (ValueError, OverflowError) as error:  # a year of a dozen digits overflows
        raise BadCell("no such day or time") from error


def _day(text: str, order: DateOrder | None) -> tuple[datetime, Dated]:
    """Return the day, or the first of the month. Raise ``ValueError`` if the calendar has no such day."""
    if found := _YEAR_FIRST.fullmatch(text):
        if not found[2] and len(text) != len("20160202"):
            raise BadCell("not a date")
        return _date(int(found[1]), int(found[3]), int(found[4])), Dated.DAY
    if found := _YEAR_MONTH.fullmatch(text):
        return _date(int(found["year"] or found["year2"]), int(found["month"] or found["month2"]), 1), Dated.MONTH
    if found := _SLASHED.fullmatch(text):
        order = DateOrder.DMY if found[2] == "." else order  # with dots the day always comes first
        return _slashed(int(found[1]), int(found[3]), int(found[4]), order), Dated.DAY
    if _SHORT_YEAR.fullmatch(text):
        raise BadCell("write the year with four digits")
    return _with_name(text)


def _slashed(first: int, second: int, year: int, order: DateOrder | None) -> datetime:
    if order is None and first != second and max(first, second) <= _MONTHS:
        raise BadCell("day or month first? Say which with --dates dmy or --dates mdy, or write 2016-03-02")
    month_first = order is DateOrder.MDY or (order is None and second > _MONTHS)
    return _date(year, first, second) if month_first else _date(year, second, first)


def _with_name(text: str) -> tuple[datetime, Dated]:
    """Read "2-Feb-2016", "2 February 2016", "Feb 2nd, 2016", "2-Feb-16", "March 2016"."""
    words = [word for word in re.split(r"[\s,./-]+", text.casefold()) if word and word != "de"]
    numbers = [int(word) for word in (re.sub(r"(?<=\d)(st|nd|rd|th)$", "", word) for word in words) if word.isdigit()]
    names = [word for word in words if not word[0].isdigit()]
    month = _months().get(names[0]) if len(names) == 1 else None
    if month is None or len(numbers) + 1 != len(words):
        raise BadCell("not a date; write it like 2016-02-02")
    match numbers:
        case [year] if year > _CENTURY:
            return _date(year, month, 1), Dated.MONTH
        case [_]:
            raise BadCell("write the year with four digits, or the day too")
        case [year, day] if year > _CENTURY:
            return _date(year, month, day), Dated.DAY
        case [day, year]:
            if words[1] == names[0] and re.fullmatch(r"\d\d", words[2]):  # 2-Feb-16, as spreadsheets write it
                year += _CENTURY
            return _date(year, month, day), Dated.DAY
    raise BadCell("not a date; write it like 2016-02-02")


def _date(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def _time(clock: re.Match[str]) -> time:
    hour = int(clock["hour"])
    if clock["half"]:
        if not 1 <= hour <= _HALF_DAY:
            raise BadCell("no such time of day")
        hour = hour % _HALF_DAY + (_HALF_DAY if clock["half"].casefold().startswith("p") else 0)
    return time(hour, int(clock["minute"]), int(clock["second"] or 0))


def _zone(text: str | None) -> timezone:
    if not text:
        return UTC
    offset = re.fullmatch(r"(?:utc|gmt)?([+-])(\d\d):?(\d\d)", text, re.IGNORECASE)
    if offset:
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(east if offset[1] == "+" else -east)
    if text.upper() not in _ZONES:
        raise BadCell(f"the time zone {text!r} is not certain; write its offset, like +07:00")
    return timezone(timedelta(hours=_ZONES[text.upper()]))


@lru_cache(maxsize=1)
def _months() -> Mapping[str, int]:
    from babel import Locale  # noqa: PLC0415  megabytes that ISO dates never need

    found: dict[str, set[int]] = {}
    for language in _MONTH_LANGUAGES:
        months = Locale(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for month, name in months[context][width].items():
                    found.setdefault(name.casefold().strip("."), set()).add(month)
    found["sept"] = {9}
    return {name: month for name, months in found.items() if len(months) == 1 for month in months}
