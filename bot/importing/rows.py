"""From rows to entries: one figure each, with its page, date and country, or the fault that spoils it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple

from bot.countries import country_code
from bot.importing import cells, dates
from bot.importing.cells import BadCell
from bot.importing.headers import Columns, Role
from bot.importing.values import DateOrder, Fault, Layout
from handlers.model import Dated, Metric

Row = tuple[int, Sequence[str]]

_SHOWN = 60  # characters of a faulty cell
_LONGEST_TEXT = 1000
_PERIOD = re.compile(r"(?P<number>\d{1,4}) ?(?P<unit>d|days?|w|weeks?)", re.IGNORECASE)
_WEEK = 7  # days


class What(Enum):
    """What a figure is of."""

    LIKES = auto()
    FOLLOWERS = auto()
    NEW = auto()  # likes or followers gained over a period
    SHARE = auto()
    TOTAL = auto()  # the denominator given beside a country's figure


_OF_METRIC = {Metric.LIKES: What.LIKES, Metric.FOLLOWERS: What.FOLLOWERS}
_WORDS = {
    "likes": What.LIKES,
    "followers": What.FOLLOWERS,
    "share_of_total": What.SHARE,
    "share": What.SHARE,
    "new_likes": What.NEW,
    "new_followers": What.NEW,
}


class When(NamedTuple):
    """The instant a figure is for, how precisely that is known, and for new likes the days it sums up."""

    at: datetime
    dated: Dated
    days: int | None = None


class Entry(NamedTuple):
    """One figure. ``value``, ``low`` and ``high`` are likes, or a share from 0 to 1."""

    line: int
    column: str
    page: str
    when: When
    received_at: datetime
    country: str | None
    what: What
    value: float
    low: float
    high: float
    source: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """What cannot be told from one cell: how slashed dates are meant, and what a bare share is a share of.

    ``share_of`` is 1 or 100, or None where the file's bare shares may be either.
    """

    order: DateOrder | None
    share_of: int | None


def surveyed(rows: Iterable[Row], columns: Columns, order: DateOrder | None) -> Conventions:
    """What the whole file tells about its dates and shares. ``order``, where a person gave it, stands."""
    orders: set[DateOrder] = set()
    bare: set[bool] = set()
    for _, row in rows:
        date = columns.cell(row, Role.DATE)
        if order is None and date[4:5] != "-":
            found = dates.slash_order(date)
            orders.update((found,) if found else ())
        share = cells.bare_share(_share_cell(row, columns))
        if share:
            bare.add(share > 1)
    if order is None and len(orders) == 1:
        order = orders.pop()
    share_of = 100 if columns.percent or bare == {True} else None if len(bare) > 1 else 1
    return Conventions(order=order, share_of=share_of)


def _share_cell(row: Sequence[str], columns: Columns) -> str:
    if columns.layout is not Layout.LONG:
        return columns.cell(row, Role.SHARE)
    return columns.cell(row, Role.VALUE) if _WORDS.get(_word(columns.cell(row, Role.METRIC))) is What.SHARE else ""


def _word(text: str) -> str:
    return "_".join(text.casefold().split())


class Reader:
    """Reads a file's rows. What they leave open is filled in: ``page``, ``source``; nothing may lie after ``now``."""

    def __init__(
        self, columns: Columns, conventions: Conventions, *, page: str | None, source: str, now: datetime
    ) -> None:
        self._columns = columns
        self._conventions = conventions
        self._page = page
        self._source = source
        self._now = now
        self._pages: dict[str, str] = {}

    def read(self, row: Row) -> Iterator[Entry | Fault]:
        """Every figure of a row, and a fault for every cell that spoils one."""
        line, cells_ = row
        ...
