"""The contents of a file of figures: the figures that can be used, and the faults of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.errors import LikewatchError
from bot.text.phrases import several
from handlers.model import AudienceReading, Reading

UNNAMED = "import: "
"""The source of a figure is this and the file's name, if the file names no source."""

_FAULTS_SHOWN = 20
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


class ImportRefused(LikewatchError):
    """Nothing of this file can be read. The message says why and what to do."""


class DateOrder(StrEnum):
    """The order of day and month in dates like 02/03/2016."""

    DMY = "dmy"
    MDY = "mdy"


class Layout(StrEnum):
    """The kind of table that a header announces, in words for a person."""

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
class FileContents:
    """A file, read.

    - ``readings`` are in order of (received_at, observed_at, page); ``audiences`` likewise, by ``as_of``.
    - ``faults`` are in order of line. A figure with a fault is in neither of the two.
    - ``pages`` are the names of pages in the file, sorted. The store may not know a page of that name.
    - ``notes`` are sentences about columns that were left out on purpose.
    - ``rows`` counts the rows below the header that are not blank.
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

    def summary(self) -> str:
        """Return lines for the person who imports: the figures, the layout, the notes, and at most 20 faults.

        The lines do not say which figures are stored: the caller adds that.
        """
        delimiter = _DELIMITERS.get(self.delimiter, repr(self.delimiter))
        lines = [
            f"{self.name}: {self._figures()} in {several(self.rows, 'row')}.",
            f"Understood as {self.layout}, separated by {delimiter}, {self.encoding}.",
            *self.notes,
        ]
        if self.faults:
            lines.append(f"{several(len(self.faults), 'thing')} could not be used:")
            lines += [f"  {fault}" for fault in self.faults[:_FAULTS_SHOWN]]
            if len(self.faults) > _FAULTS_SHOWN:
                lines.append(f"  and {len(self.faults) - _FAULTS_SHOWN:,} more")
        return "\n".join(lines)

    def _figures(self) -> str:
        instants = [reading.observed_at for reading in self.readings] + [one.as_of for one in self.audiences]
        if not instants:
            return "nothing that can be used"
        kinds = [several(len(self.readings), "count")] if self.readings else []
        if self.audiences:
            kinds.append(several(len(self.audiences), "audience by country", "audiences by country"))
        first, last = min(instants), max(instants)
        dates = f"on {first:%Y-%m-%d}" if first.date() == last.date() else f"from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        return f"{' and '.join(kinds)} of {several(len(self.pages), 'page')}, {dates},"
