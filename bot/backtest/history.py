"""A history on disk: a folder with pages.csv, totals.csv and perhaps countries.csv.

The columns are those of ``_PAGES``, ``_TOTALS`` and ``_COUNTRIES``, in any order. Other columns are ignored. ``ts`` is
the instant of a figure; ``received_at`` is the instant at which the figure was received. Rows are sorted by
``received_at``, and the rules run while the files are read: a history is never in memory as a whole.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from bot.backtest.csv_table import BadRow, Instants, Table, parse_count
from bot.text.countries import country_code
from handlers.decide import Arrivals
from handlers.model import AudienceReading, Figure, Measure, Metric, Page, Reading

FAULTS_SHOWN = 20

_PAGES = ("page", "home", "group", "platform", "precision")
FILES = ("pages.csv", "totals.csv", "countries.csv")
_TOTALS = ("ts", "page", "likes", "received_at")
_COUNTRIES = ("ts", "page", "country", "likes", "received_at")
_ROUNDED_FROM, _DIGITS = 1000, 3


class RowProblems:
    """Rows that cannot be used: how many, and a sentence for each of the first 20, with its file and line."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.number = 0

    def add(self, table: Table, problem: str) -> None:
        """Add the row that ``table`` is at."""
        self.number += 1
        if len(self.first) < FAULTS_SHOWN:
            self.first.append(f"{table.name}, line {table.line}: {problem}")


class _CountryRow(NamedTuple):
    received_at: datetime
    as_of: datetime
    page: str
    country: str
    likes: int


class History:
    """A history with open files; a context manager. ``batches`` works once.

    - ``faults``: bad rows.
    - ``gaps``: rows without a count (empty, NaN, negative), as if the page had not been read then.
    - ``counts``, ``counts_by_country``: the number of good rows.

    Every row is checked. ``batches`` gives only the counts of the pages ``counts_of`` and the audiences of the pages
    ``lists_of``; None means all pages.

    Raises:
        HistoryRefused: the folder is not a history.

    """

    def __init__(
        self, folder: Path, *, counts_of: Collection[str] | None = None, lists_of: Collection[str] | None = None
    ) -> None:
        self.faults = RowProblems()
        self.gaps = RowProblems()
        self.counts = 0
        self.counts_by_country = 0
        self._exact: dict[str, bool] = {}
        with ExitStack() as opened:
            with Table(folder / "pages.csv", _PAGES) as table:
                self.pages = {page.slug: page for page in self._read_pages(table)}
            self._counts_of = self.pages.keys() if counts_of is None else counts_of
            self._lists_of = self.pages.keys() if lists_of is None else lists_of
            self._totals = opened.enter_context(Table(folder / "totals.csv", _TOTALS))
            self._tables = [self._totals]
            self._countries: Table | None = None
            if (folder / "countries.csv").exists():
                self._countries = opened.enter_context(Table(folder / "countries.csv", _COUNTRIES))
                self._tables.append(self._countries)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._opened.close()

    @property
    def size(self) -> int:
        """The number of bytes to read."""
        return sum(table.size for table in self._tables)

    @property
    def read(self) -> int:
        """The number of bytes read until now."""
        return sum(table.read for table in self._tables)

    def batches(self) -> Iterator[tuple[datetime, Arrivals]]:
        """Yield each instant, oldest first, with all figures that were received then."""
        received_at = attrgetter("received_at")
        figures: list[Iterator[Reading | _CountryRow]] = [self._readings(self._totals)]
        if self._countries:
            figures.append(self._rows_by_country(self._countries))
        for now, together in groupby(heapq.merge(*figures, key=received_at), key=received_at):
            readings: list[Reading] = []
            rows: list[_CountryRow] = []
            for figure in together:
                if isinstance(figure, Reading):
                    readings.append(figure)
                else:
                    rows.append(figure)
            if len(readings) > 1:
                readings.sort(key=lambda reading: (reading.observed_at, reading.page))
            audiences = tuple(self._audiences(rows)) if rows else ()
            yield now, Arrivals(readings=tuple(readings), audiences=audiences)

    def _read_pages(self, table: Table) -> Iterator[Page]:
        for row in table.rows():
            slug, home, groups, platform, precision = (cell.strip() for cell in row)
            try:
                page = _page(slug, home, groups, platform)
                is_exact = _is_exact(precision)
            except BadRow as bad:
                self.faults.add(table, str(bad))
                continue
            if slug in self._exact:
                self.faults.add(table, f"{slug} is listed a second time. Name all its groups in one row: one;two")
                continue
            self._exact[slug] = is_exact
            yield page

    def _readings(self, table: Table) -> Iterator[Reading]:
        instants = Instants()
        for ts, name, text, received in table.rows():
            try:
                observed_at = instants.of(ts, received)
                page = self.pages.get(name) or self._page(name)
                count = parse_count(text)
            except BadRow as bad:
                self.faults.add(table, str(bad))
                continue
            if count is None:
                self.gaps.add(table, _gap(text))
                continue
            self.counts += 1
            if page.slug not in self._counts_of:
                continue
            yield Reading(
                page=page.slug,
                observed_at=observed_at,
                received_at=instants.received_at,
                count=count,
                low=count,
                high=count if self._exact[page.slug] else _highest(count),
                metric=Metric.LIKES,
                source=page.platform,
            )

    def _rows_by_country(self, table: Table) -> Iterator[_CountryRow]:
        instants = Instants()
        codes: dict[str, str] = {}
        for ts, name, country, text, received in table.rows():
            try:
                as_of = instants.of(ts, received)
                page = self.pages.get(name) or self._page(name)
                code = codes.get(country) or codes.setdefault(country, _country(country))
                likes = parse_count(text)
            except BadRow as bad:
                self.faults.add(table, str(bad))
                continue
            if likes is None:
                self.gaps.add(table, _gap(text))
                continue
            self.counts_by_country += 1
            if page.slug in self._lists_of:
                yield _CountryRow(instants.received_at, as_of, page.slug, code, likes)

    def _page(self, slug: str) -> Page:
        page = self.pages.get(slug.strip())
        if page is None:
            raise BadRow(f"the page “{slug}” is not in pages.csv. Add it there, or correct its name.")
        return page

    def _audiences(self, rows: Iterable[_CountryRow]) -> Iterator[AudienceReading]:
        lists: dict[tuple[datetime, str, datetime], dict[str, Figure]] = {}
        for row in rows:
            figure = Figure(value=row.likes, low=row.likes, high=row.likes)
            lists.setdefault((row.as_of, row.page, row.received_at), {})[row.country] = figure
        for (as_of, page, received_at), likes in sorted(lists.items(), key=lambda item: item[0]):
            yield AudienceReading(
                page=page,
                as_of=as_of,
                received_at=received_at,
                measure=Measure.ALL,
                likes=MappingProxyType(likes),
                source=self.pages[page].platform,
                method="page_fans_country",
            )


def _gap(text: str) -> str:
    return f"“{text}” is no count" if text.strip() else "there is no count"


def _page(slug: str, home: str, groups: str, platform: str) -> Page:
    if not slug or not platform:
        raise BadRow(f"the {'page' if not slug else 'platform'} is not said. Fill in that cell.")
    return Page(
        slug=slug,
        name=slug,
        platform=platform,
        home=_country(home) if home else None,
        groups=tuple(dict.fromkeys(filter(None, re.split(r"[;\s]+", groups)))),
    )


def _is_exact(precision: str) -> bool:
    if precision not in {"", "exact", "sig3"}:
        raise BadRow(f"the precision “{precision}” is not known. It is exact, or sig3: three significant digits.")
    return precision != "sig3"


def _country(text: str) -> str:
    code = country_code(text)
    if code is None:
        raise BadRow(f"“{text}” is no country that I know. Give its two letters: KH")
    return code


def _highest(count: int) -> int:
    """Return the largest count that is rounded down to this count of three significant digits."""
    return count if count < _ROUNDED_FROM else count + 10 ** (len(str(count)) - _DIGITS) - 1
