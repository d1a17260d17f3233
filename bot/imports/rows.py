"""From rows to entries: one figure each, with its page, date and country, or the fault that makes it unusable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from operator import itemgetter
from typing import NamedTuple, TypeVar

from bot.imports import cells, dates
from bot.imports.cells import BadCell
from bot.imports.headers import Columns, Role
from bot.imports.values import DateOrder, Layout, RowFault
from bot.text.countries import country_code
from handlers.model import Dated, Metric

T = TypeVar("T")
Row = Sequence[str]

_SHOWN = 60  # characters of a faulty cell
_LONGEST_TEXT = 1000
_LONGEST_NAME = 100  # of a country
_PERIOD = re.compile(r"(?P<number>\d{1,4}) ?(?P<unit>d|days?|w|weeks?)")
_DAYS_OF_WEEK = 7


class Quantity(StrEnum):
    """The kind of a figure."""

    LIKES = auto()
    FOLLOWERS = auto()
    NEW = auto()  # likes gained over a period
    SHARE = auto()  # of all likes, in one country
    TOTAL = auto()  # all likes, given beside a country's figure


_KEY_ROLES = (Role.DATE, Role.TIME, Role.DATED, Role.RECEIVED, Role.PAGE, Role.SOURCE, Role.URL)
_COUNTED = {Metric.LIKES: Quantity.LIKES, Metric.FOLLOWERS: Quantity.FOLLOWERS}
_METRICS = {
    "likes": Quantity.LIKES,
    "followers": Quantity.FOLLOWERS,
    "share_of_total": Quantity.SHARE,
    "share": Quantity.SHARE,
    "new_likes": Quantity.NEW,
    "new_followers": Quantity.NEW,
}


class FigureDate(NamedTuple):
    """The instant of a figure, the precision of that instant, and, for new likes, the number of days they came in."""

    at: datetime
    dated: Dated
    days: int | None


class Number(NamedTuple):
    """One figure of a row. ``value`` and its bounds are likes, or a share from 0 to 1."""

    column: str
    country: str | None
    what: Quantity
    value: float
    low: float
    high: float


class SnapshotKey(NamedTuple):
    """The key of a snapshot. Figures by country with the same key belong to one audience."""

    received_at: datetime
    when: FigureDate
    page: str
    source: str


class Entry(NamedTuple):
    """One figure of the file, with its place in the file, its snapshot and its address."""

    line: int
    origin: SnapshotKey
    url: str
    number: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """Facts that only the whole file shows: the order in dates like 02/03/2016, and the whole of a bare share.

    ``share_of`` is 1 or 100; it is None if some shares of the file fit only the one and some only the other.
    """

    order: DateOrder | None
    share_of: int | None


def find_conventions(rows: Iterable[tuple[int, Row]], columns: Columns, order: DateOrder | None) -> Conventions:
    """Return the conventions that the rows follow. ``order``, if a person gave it, overrules the rows."""
    orders: set[DateOrder | None] = set()
    above_one: set[bool] = set()
    date_at, metric_at = columns.places[Role.DATE], columns.places[Role.METRIC]
    share_at = columns.places[Role.VALUE if columns.layout is Layout.LONG else Role.SHARE]
    for _, row in rows:
        if date_at < len(row) and row[date_at][4:5] != "-":
            orders.add(dates.slash_order(row[date_at].strip()))
        if share_at >= 0:
            padded = columns.padded(row)
            if metric_at < 0 or _metric(padded[metric_at]) is Quantity.SHARE:
                share = cells.bare_share(padded[share_at])
                above_one.update((share > 1,) if share else ())
    certain = orders - {None}
    return Conventions(
        order=order or (certain.pop() if len(certain) == 1 else None),
        share_of=100 if columns.percent or above_one == {True} else None if True in above_one else 1,
    )


@dataclass(eq=False)
class _UnusableCell(Exception):
    """A cell that cannot be read. Every figure that depends on the cell is unusable too."""

    column: str
    cell: str
    problem: str


class RowReader:
    """Reads the rows of a file.

    ``page`` and ``source`` stand for empty cells. A date after ``now`` is a fault.
    """

    def __init__(
        self, columns: Columns, conventions: Conventions, *, page: str | None, source: str, now: datetime
    ) -> None:
        self._columns = columns
        self._places = columns.places
        self._conventions = conventions
        self._page = page or ""
        self._source = source
        self._now = now
        by_layout = {Layout.LONG: self._long, Layout.WIDE: self._wide, Layout.COUNTRIES: self._by_country}
        self._numbers = by_layout.get(columns.layout, self._counted)
        roles = (Role.LIKES, Role.FOLLOWERS, Role.COUNT, Role.VALUE)
        self._count = next((role for role in roles if columns.has(role)), Role.COUNT)
        self._key_cells = itemgetter(*(columns.places[role] for role in _KEY_ROLES))
        self._last: tuple[object, tuple[SnapshotKey, str]] | None = None

    def read(self, line: int, cells_: Row) -> Iterator[Entry | RowFault]:
        """Yield every figure of a row, and a fault for each cell that makes one or all of them unusable."""
        row, width = self._columns.padded(cells_), len(self._columns.headers)
        if any(map(str.strip, cells_[width:])):
            problem = (
                f"more cells ({len(cells_)}) than columns ({width}): does a number need quotation marks around it?"
            )
            yield RowFault(line=line, column="", problem=problem, cell="")
            return
        try:
            origin, url = self._origin(row)
            for number in self._numbers(row):
                if isinstance(number, _UnusableCell):
                    yield _fault(line, number)
                    continue
                self._refuse_period(row, number.what, origin.when.days)
                yield Entry(line, origin, url, number)
        except _UnusableCell as bad:
            yield _fault(line, bad)

    def _origin(self, row: Row) -> tuple[SnapshotKey, str]:
        # Rows of one snapshot usually stand together, so these cells are read once for all of them.
        key_cells = self._key_cells(row)
        if self._last is None or key_cells != self._last[0]:
            self._last = None
            when = self._when(row)
            received_at = self._received_at(row, when)
            page = self._parsed(row, Role.PAGE, cells.page_name, self._page)
            source = self._parsed(row, Role.SOURCE, _text) or self._source
            url = self._parsed(row, Role.URL, _address)
            self._last = (key_cells, (SnapshotKey(received_at, when, page, source), url))
        return self._last[1]

    def _parsed(self, row: Row, role: Role, parse: Callable[..., T], *given: object) -> T:
        try:
            return parse(row[self._places[role]], *given)
        except BadCell as error:
            raise self._unusable(row, role, str(error)) from error

    def _unusable(self, row: Row, role: Role, problem: str) -> _UnusableCell:
        return _UnusableCell(self._columns.header(role), row[self._places[role]], problem)

    def _when(self, row: Row) -> FigureDate:
        at, dated = self._parsed(row, Role.DATE, dates.instant, self._conventions.order, row[self._places[Role.TIME]])
        if at > self._now:
            raise self._unusable(row, Role.DATE, "in the future")
        if not row[self._places[Role.DATED]]:
            return FigureDate(at, dated, None)
        return self._parsed(row, Role.DATED, _precisely, at, dated)

    def _refuse_period(self, row: Row, what: Quantity, days: int | None) -> None:
        if what is Quantity.NEW and days is None:
            raise self._unusable(row, Role.DATED, 'new likes need the period they came in, like "30 days"')
        if what is not Quantity.NEW and days is not None:
            raise self._unusable(row, Role.DATED, "a period belongs to new likes only")

    def _received_at(self, row: Row, when: FigureDate) -> datetime:
        """Return the instant at which the figure was received: its own date, unless the file gives another."""
        if not row[self._places[Role.RECEIVED]]:
            return when.at
        at, _ = self._parsed(row, Role.RECEIVED, dates.instant, self._conventions.order)
        if at > self._now:
            raise self._unusable(row, Role.RECEIVED, "in the future")
        if at < when.at:
            raise self._unusable(row, Role.RECEIVED, "before the date of the figure itself")
        return at

    def _number(self, row: Row, role: Role, what: Quantity, country: str | None = None) -> Number:
        precision = row[self._places[Role.PRECISION]]
        if what is Quantity.SHARE:
            bounds = self._parsed(row, role, cells.share, precision, self._conventions.share_of)
        else:
            bounds = self._parsed(row, role, cells.count, precision)
        return Number(self._columns.header(role), country, what, *bounds)

    def _counted(self, row: Row) -> Iterator[Number | _UnusableCell]:
        yield self._number(row, self._count, _COUNTED[self._columns.metric])

    def _by_country(self, row: Row) -> Iterator[Number | _UnusableCell]:
        given = [role for role in (self._count, Role.SHARE, Role.TOTAL) if row[self._places[role]]]
        country = self._parsed(row, Role.COUNTRY, _country)
        if country is None and (Role.SHARE in given or self._count not in given):
            raise self._unusable(row, Role.COUNTRY, "figures of which country?")
        if country is None or given in ([], [Role.TOTAL]):
            yield from self._counted(row)
            return
        quantities = {Role.SHARE: Quantity.SHARE, Role.TOTAL: Quantity.TOTAL}
        for role in given:
            try:
                yield self._number(row, role, quantities.get(role, _COUNTED[self._columns.metric]), country)
            except _UnusableCell as bad:
                yield bad

    def _long(self, row: Row) -> Iterator[Number | _UnusableCell]:
        what = self._parsed(row, Role.METRIC, _known_metric)
        country = self._parsed(row, Role.COUNTRY, _country)
        if what is Quantity.SHARE and country is None:
            raise self._unusable(row, Role.COUNTRY, "a share of what? Name the country")
        yield self._number(row, Role.VALUE, what, country)

    def _wide(self, row: Row) -> Iterator[Number | _UnusableCell]:
        if row[self._places[Role.TOTAL]]:
            yield self._number(row, Role.TOTAL, Quantity.TOTAL)
        for index, country in self._columns.countries:
            if not row[index]:
                continue
            try:
                yield Number(self._columns.headers[index], country, Quantity.LIKES, *cells.count(row[index]))
            except BadCell as error:
                yield _UnusableCell(self._columns.headers[index], row[index], str(error))


def _fault(line: int, bad: _UnusableCell) -> RowFault:
    cell = " ".join(bad.cell.split())
    problem = "the cell runs over several lines: is a quotation mark missing?" if "\n" in bad.cell else bad.problem
    shown = cell if len(cell) <= _SHOWN else cell[: _SHOWN - 1] + "…"
    return RowFault(line=line, column=bad.column, problem=problem, cell=shown)


def _precisely(text: str, at: datetime, dated: Dated) -> FigureDate:
    """Read the precision of a date: "day", "month", "instant" or, for new likes, a period like "30 days"."""
    word = text.casefold()
    if word in {Dated.DAY, Dated.MONTH}:
        return FigureDate(at.replace(hour=0, minute=0, second=0, microsecond=0), Dated(word), None)
    if word == Dated.INSTANT:
        return FigureDate(at, Dated.INSTANT, None)
    period = _PERIOD.fullmatch(word)
    days = int(period["number"]) * (_DAYS_OF_WEEK if period["unit"].startswith("w") else 1) if period else 0
    if not days:
        raise BadCell('not a precision; write "day", "month", "instant" or a period like "30 days"')
    return FigureDate(at, dated, days)


def _country(text: str) -> str | None:
    if not text:
        return None
    cells.refuse_formula(text)
    code = country_code(text) if len(text) <= _LONGEST_NAME else None
    if code is None:
        raise BadCell("not a country that is known, or the name of several; write its two-letter code")
    return code


def _metric(text: str) -> Quantity | None:
    return _METRICS.get("_".join(text.casefold().split()))


def _known_metric(text: str) -> Quantity:
    what = _metric(text)
    if what is None:
        raise BadCell("not a metric; write likes, followers, share_of_total or new_likes")
    return what


def _text(text: str) -> str:
    if not text:
        return ""
    if len(text) > _LONGEST_TEXT:
        raise BadCell(f"longer than {_LONGEST_TEXT} characters")
    return " ".join(text.split())


def _address(text: str) -> str:
    if not text:
        return ""
    if not re.fullmatch(r"https?://\S+", text):
        raise BadCell("not a web address; it begins with http:// or https://")
    return _text(text)
