"""What reading a file of figures gives: the figures, and what was wrong with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.errors import LikewatchError
from handlers.model import AudienceReading, Reading

UNNAMED = "import: "
"""What the source of a figure begins with, and the file's name follows, where the file names no source."""


class ImportRefused(LikewatchError):
    """Nothing of this file can be read. The message says why and what to do."""


class DateOrder(StrEnum):
    """How dates like 02/03/2016 are meant."""

    DMY = "dmy"
    MDY = "mdy"


class Layout(StrEnum):
    """What a file's header says it holds, in words for a person."""

    COUNTS = "counts by date and page"
    COUNTRIES = "figures by country, one row each"
    LONG = "one published figure in each row"
    WIDE = "a column for each country"
    CROWDTANGLE = "CrowdTangle's history of posts"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """One cell (or row) that could not be read. ``line`` counts from 1, as an editor shows it."""

    line: int
    column: str
    problem: str
    cell: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f'{where}, "{self.cell}": {self.problem}' if self.cell else f"{where}: {self.problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file, read.

    ``readings`` are in order of (received_at, observed_at, page), and so are ``audiences`` with their ``as_of``.
    ``faults`` are in order of line; what they name is in neither. ``pages`` are the slugs the file uses, sorted, known
    to the store or not. ``notes`` are sentences about what was left out on purpose. ``rows`` counts the rows below the
    header that hold anything.
    """

    name: str
    layout: Layout
    encoding: str
    delimiter: str
    rows: int
    readings: tuple[Reading, ...]
    audiences: tuple[AudienceReading, ...]
    faults: tuple[RowFault, ...]
    pages: tuple[str, ...]
    notes: tuple[str, ...] = ()
