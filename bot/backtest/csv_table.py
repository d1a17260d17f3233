"""Read a CSV file of a history row by row: find its columns by name, and name a bad row by file and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from math import nan
from operator import itemgetter
from pathlib import Path
from typing import Self

from bot.errors import LikewatchError

LARGEST_COUNT = 2**63 - 1
_LONGEST_COUNT = len(str(LARGEST_COUNT))
_EXACT_FLOAT = 2.0**53
_NO_COUNT = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-"})
_LONGEST_SHOWN = 40
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class HistoryRefused(LikewatchError):
    """A history that cannot be read. The message names the file and the line, and says what to do."""


class BadRow(Exception):
    """``str(error)`` says what is wrong with a row and what to do, as the end of a sentence that names the row."""


class Table:
    """A CSV file, open and with a good header. A context manager.

    Raises:
        HistoryRefused: the file is missing, is not text, or lacks a column.

    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self.name = path.name
        self.line = 0
        try:
            self._bytes = path.open("rb")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise HistoryRefused(
                f"{path} is missing. A history is a folder with pages.csv, totals.csv and, if there are any, "
                "countries.csv."
            ) from error
        self.size = path.stat().st_size
        self._text = io.TextIOWrapper(self._bytes, encoding="utf-8-sig", newline="")
        self._lines = self._read_lines()
        try:
            self._cells = self._columns(columns)
        except HistoryRefused:
            self._text.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._text.close()

    @property
    def read(self) -> int:
        """The number of bytes read until now."""
        return self._bytes.tell()

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the cells of each row in the order of ``columns``. ``line`` is the line of the row last yielded.

        Blank rows are left out. The missing cells of a short row are empty.

        Raises:
            HistoryRefused: the file is no CSV, or not UTF-8.

        """
        cells, width = self._cells, self._width
        for row in self._lines:
            if any(row):
                yield cells(row if len(row) >= width else [*row, *[""] * (width - len(row))])

    def _read_lines(self) -> Iterator[list[str]]:
        reader = csv.reader(self._text, strict=True)
        try:
            for row in reader:
                self.line = reader.line_num
                yield row
        except csv.Error as error:
            where = f"{self.name}, line {self.line + 1}"
            raise HistoryRefused(f"{where}: this is no CSV ({error}). Mend the row that begins there.") from error
        except UnicodeDecodeError as error:
            raise self._no_text() from error

    def _columns(self, columns: Sequence[str]) -> Callable[[Sequence[str]], tuple[str, ...]]:
        header = [name.strip().casefold() for name in next(self._lines, [])]
        if missing := [name for name in columns if name not in header]:
            raise HistoryRefused(
                f"{self.name}, line 1: the column {missing[0]} is missing. The first row must name the columns: "
                f"{','.join(columns)}"
            )
        places = [header.index(name) for name in columns]
        self._width = max(places) + 1
        cells: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*places)
        return cells

    def _no_text(self) -> HistoryRefused:
        with self._path.open("rb") as lines:
            line = next(
                number for number, line in enumerate(lines, start=1) if line.decode(errors="ignore").encode() != line
            )
        return HistoryRefused(f"{self.name}, line {line}: this is no UTF-8. Save the file as UTF-8.")


class Instants:
    """Reads the two instants of each row of a table. Rows that share an instant have it parsed once."""

    def __init__(self) -> None:
        self._known = _BEFORE_ALL
        self._text = ""
        self.received_at = _BEFORE_ALL
        self._received = ""

    def of(self, ts: str, received: str) -> datetime:
        """Return the instant of a figure, and set ``received_at``, both in UTC.

        Raises:
            BadRow: a cell is no instant, or the row was received before the row above it.

        """
        if ts != self._text:
            self._known = _instant(ts, "ts")
            self._text = ts
        if received != self._received:
            at = self._known if received == ts else _instant(received, "received_at")
            if at < self.received_at:
                raise BadRow(
                    f"received_at is earlier than that of a row above ({self._received}). Sort the file by "
                    "received_at: no figure may be used before it was received."
                )
            self.received_at = at
            self._received = received
        if self._known > self.received_at:
            raise BadRow(
                f"received_at {received} is earlier than ts {ts}: no figure is received before its own instant."
            )
        return self._known


def _instant(text: str, column: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        at = at if at.tzinfo is None or at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRow(f"{column} “{text}” is no ISO 8601 instant. Write it so: 2024-05-06T09:00:00Z") from error
    if at.tzinfo is None:
        raise BadRow(f"{column} “{text}” has no time zone. Instants are UTC: {at.isoformat()}Z")
    return at


def parse_count(text: str) -> int | None:
    """Return a count of likes. Return None for a gap: an empty cell, a negative number, NaN or n/a.

    Raises:
        BadRow: the cell is anything else.

    """
    if text.isdecimal() and len(text) <= _LONGEST_COUNT and (count := int(text)) <= LARGEST_COUNT:
        return count
    if text.strip().casefold() in _NO_COUNT:
        return None
    try:
        number = float(text)  # "1234.0": what a table with missing counts is written with
    except ValueError:
        number = nan
    if number < 0:
        return None
    if number > _EXACT_FLOAT or not number.is_integer():
        raise BadRow(
            f"“{_shown(text)}” is no number of likes. Write a whole number below 2⁶³ in digits alone, or leave the "
            "cell empty where there was none."
        )
    return int(number)


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
