"""Read the text of one cell: a count, a share, a page. Raise ``BadCell`` for a text with two readings or with none."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import NamedTuple

LARGEST_COUNT = 2**63 - 1
_LONGEST_NUMBER = 40  # characters
_LONGEST_NAME = 200

_UNITS = {
    **dict.fromkeys(("k", "thousand", "tsd"), 1_000),
    **dict.fromkeys(("万", "萬", "만"), 10_000),
    **dict.fromkeys(("lakh", "lakhs"), 100_000),
    **dict.fromkeys(("m", "mn", "mio", "mln", "million", "millions", "millionen", "millones", "milhões"), 1_000_000),
    **dict.fromkeys(("crore", "crores"), 10_000_000),
}
_PERCENT = re.compile(r"\s*(%|per ?cent|pct)\.?$", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>\d[\d.,' ]*?)(?:[eE](?P<power>[+-]?\d{1,9}))?\s*(?P<unit>[^\W\d_]+)?\.?"
)
_GROUPED = re.compile(
    r"(?P<whole>\d{1,3}(?P<mark>[ .,'])\d{3}(?:(?P=mark)\d{3})*|\d{1,2}(?:,\d\d)+,\d{3})"
    r"(?:(?!(?P=mark))[.,](?P<part>\d+))?"
)
_COMMAS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_PLAIN = re.compile(r"(?P<whole>\d+)(?:[.,](?P<part>\d*))?")
# Minus, en dash, curly quote, and the Arabic decimal, thousands and percent marks.
_FOREIGN_MARKS = str.maketrans("\u2212\u2013\u2019\u066b\u066c\u066a", "--'.,%")
_NOTHING = frozenset({"", "-", "nan", "na", "n/a", "null", "none", "inf", "-inf", "infinity", "?"})
_AMBIGUOUS_PART = 3  # digits: 1.234M is 1,234,000 or 1,234 million


class BadCell(Exception):
    """``str(error)`` says what is wrong with the cell, as the end of a sentence that names the cell."""


class RoundedNumber(NamedTuple):
    """The exact number in a cell, and the step that the number was rounded to (0: not rounded)."""

    value: Decimal
    step: Decimal


def plain(text: str) -> str:
    """Return the text with ASCII digits, marks and spaces instead of, say, Khmer digits and narrow spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_FOREIGN_MARKS)
        text = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
    return " ".join(text.replace("`", "'").split())


def refuse_formula(text: str) -> None:
    """Raise ``BadCell`` for a spreadsheet's formula or error."""
    if text.startswith("#"):
        raise BadCell("a spreadsheet's error, not a value")
    if text.startswith(("=", "@SUM")):
        raise BadCell("a formula, not its value: save the values")


@lru_cache(maxsize=4096)
def page_name(text: str, otherwise: str = "") -> str:
    """Return a page's name in small letters, without a leading @; ``otherwise`` stands for an empty cell."""
    name = " ".join((text or otherwise).split()).removeprefix("@").casefold()
    if not name:
        raise BadCell("which page?")
    refuse_formula(name)
    if len(name) > _LONGEST_NAME:
        raise BadCell("too long for the name of a page")
    return name


def count(text: str, precision: str = "") -> tuple[int, int, int]:
    """Return a count of likes and the bounds that its rounding leaves: (value, low, high).

    - "3,200,000", "3 200 000", "3.200.000" and "3'200'000" are exact.
    - "3.2M", "3,2 Mio", "67k" and "3.2E+06" are rounded to their last digit: 3.2M is exact to within 50,000.
    - ``precision``, if given, is the step that the count was rounded to.
    """
    digits = text.replace(",", "") if _COMMAS.fullmatch(text) else text
    if not precision and digits.isascii() and digits.isdigit() and len(digits) <= len(str(LARGEST_COUNT)):
        value = low = high = int(digits)  # nearly every cell, and five times as fast
    else:
        number = _count(text)
        value = int(number.value)
        low, high = _bounds(number, precision)
    if value > LARGEST_COUNT:
        raise BadCell("larger than any count can be")
    if value == 0:
        raise BadCell("0 is no count: leave out what is not known")
    return value, low, high


def bare_share(text: str) -> float | None:
    """Return the number of a share without a percent sign. Return None for any other cell."""
    if not text:
        return None
    try:
        return float(_decimal(plain(text)).value)
    except BadCell:
        return None


@lru_cache(maxsize=4096)
def share(text: str, precision: str = "", of: int | None = None) -> tuple[float, float, float]:
    """Return a share and the bounds that its rounding leaves: (value, low, high), each from 0 to 1.

    ``of`` is the whole of a number without a percent sign: 1 or 100. It is None if the numbers of the file disagree.
    """
    cell = plain(text)
    bare = _PERCENT.sub("", cell)
    whole = 100 if bare != cell else of
    number = _decimal(bare)
    if whole is None:
        if number.value <= 1:
            raise BadCell("1 or less among shares up to 100: write the shares with a percent sign")
        whole = 100
    if number.value > whole:
        raise BadCell("more than all: a share is at most 100% (or 1)")
    step = min(number.step, Decimal(whole) / 100 if whole == 1 else number.step)
    if precision:
        given = plain(precision)
        step = _step(_PERCENT.sub("", given))
        if _PERCENT.search(given) and whole == 1:
            step /= 100
    value, half = number.value / whole, step / whole / 2
    return float(value), float(max(Decimal(0), value - half)), float(min(Decimal(1), value + half))


def _bounds(number: RoundedNumber, precision: str) -> tuple[int, int]:
    """Return the lowest and the highest whole number that may have been rounded to this number."""
    half = (_step(precision) if precision else number.step) / 2
    if not half:
        return int(number.value), int(number.value)
    low = (number.value - half).to_integral_value(ROUND_CEILING)
    high = (number.value + half).to_integral_value(ROUND_FLOOR)
    return max(0, int(low)), min(LARGEST_COUNT, int(high))


def _step(text: str) -> Decimal:
    try:
        step = _decimal(plain(text)).value
    except BadCell as error:
        raise BadCell(f"the precision {text!r} is {error}") from error
    if not step:
        raise BadCell("the precision is 0: 1 means exact")
    return step


def _count(text: str) -> RoundedNumber:
    found = _match(plain(text))
    if found["unit"]:
        return _with_unit(found["digits"], found["unit"].casefold())
    if found["power"]:
        return _scientific(found["digits"], int(found["power"]))
    grouped = _GROUPED.fullmatch(found["digits"]) or _PLAIN.fullmatch(found["digits"])
    if grouped is None:
        raise BadCell("not a number")
    if (grouped["part"] or "").strip("0"):
        raise BadCell("not a whole number")
    return RoundedNumber(Decimal(re.sub(r"\D", "", grouped["whole"])), Decimal(0))


def _with_unit(digits: str, unit: str) -> RoundedNumber:
    if unit not in _UNITS:
        raise BadCell(f"{unit!r} is no unit that is understood; write the number out")
    number = _PLAIN.fullmatch(digits)
    if number is None or len(number["part"] or "") == _AMBIGUOUS_PART:
        raise BadCell("not certain which mark is the decimal one; write the number out")
    value, step = _scaled(number, 0)
    return RoundedNumber(value * _UNITS[unit], step * _UNITS[unit])


def _scientific(digits: str, power: int) -> RoundedNumber:
    number = _PLAIN.fullmatch(digits)
    if number is None:
        raise BadCell("not a number")
    if abs(power) > _LONGEST_NUMBER:
        raise BadCell("larger than any count can be" if power > 0 else "not a whole number")
    value, step = _scaled(number, power)
    if value != value.to_integral_value():
        raise BadCell("not a whole number")
    return RoundedNumber(value, step if step > 1 else Decimal(0))


def _decimal(cell: str) -> RoundedNumber:
    """Read the number of a share: its one mark is a decimal mark, and its last digit says how it was rounded."""
    found = _match(cell)
    number = _PLAIN.fullmatch(found["digits"])
    if number is None or found["unit"]:
        raise BadCell("not a number")
    power = int(found["power"] or 0)
    if abs(power) > _LONGEST_NUMBER:
        raise BadCell("too large or too small for a share")
    return _scaled(number, power)


def _scaled(number: re.Match[str], power: int) -> RoundedNumber:
    """Return the number times 10 to the power, and the step of its last digit."""
    part = number["part"] or ""
    return RoundedNumber(Decimal(f"{number['whole']}.{part or 0}").scaleb(power), Decimal(1).scaleb(power - len(part)))


def _match(cell: str) -> re.Match[str]:
    refuse_formula(cell)
    if not cell:
        raise BadCell("empty")
    if cell.casefold() in _NOTHING:
        raise BadCell("no number")
    if len(cell) > _LONGEST_NUMBER:
        raise BadCell("too long for a number")
    found = _NUMBER.fullmatch(cell)
    if found is None:
        raise BadCell("not a number")
    if found["sign"] == "-":
        raise BadCell("negative")
    return found
