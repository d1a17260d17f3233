"""Read a file of figures: find its delimiter and its header, then read every row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import PurePath

from bot.imports import files
from bot.imports.figures import FigureCollector
from bot.imports.headers import Columns, Role, recognise_header
from bot.imports.rows import RowReader, find_conventions
from bot.imports.values import UNNAMED, DateOrder, FileContents, ImportRefused, RowFault

_FIRST_ROWS = 10  # the header is one of these: some exports put a title above it
_ACCEPTED = (
    "The first row must name the columns: date,page,followers or date,page,country,count (or share), "
    "or a date and a column for each country"
)
_GUESSED = "The file does not say how its letters are encoded; it was read as {}. Check the names."


def read_import(
    data: bytes, *, name: str, now: datetime, page: str | None = None, dates: DateOrder | None = None
) -> FileContents:
    """Return the contents of a CSV file of counts, of figures by country, or of both. The same bytes give equal values.

    - ``name``: the name of the file, which is the source of figures whose row names none.
    - ``now``: an instant in UTC. A later date is a fault.
    - ``page``: the page of rows that name none.
    - ``dates``: the order in dates like 02/03/2016, if the file does not show it.

    ``received_at`` of a figure is its own date, unless the file gives another: a replay must know nothing too early.

    Raises:
        ImportRefused: the file as a whole cannot be read. A problem of one row is in ``faults`` instead.

    """
    name = PurePath(name).name
    file = files.open_file(data, name)
    delimiter, header_line, columns = _header(file)
    if not columns.has(Role.PAGE) and not page:
        raise ImportRefused(f"{name} does not say which page its figures are of: add a column page, or use --page.")
    conventions = find_conventions(_rows(file, delimiter, header_line), columns, dates)
    source = f"{UNNAMED}{name}"
    reader = RowReader(columns, conventions, page=page, source=source, now=now)
    figures = FigureCollector(unnamed=source)
    pages: set[str] = set()
    rows = 0
    for line, row in _rows(file, delimiter, header_line):
        rows += 1
        for found in reader.read(line, row):
            if isinstance(found, RowFault):
                figures.faults.append(found)
            else:
                pages.add(found.origin.page)
                figures.add(found)
    if not rows:
        raise ImportRefused(f"{name} has a header but no rows below it.")
    readings, audiences = figures.finish()
    return FileContents(
        name=name,
        layout=columns.layout,
        encoding=file.encoding,
        delimiter=delimiter,
        rows=rows,
        readings=readings,
        audiences=audiences,
        faults=tuple(sorted(figures.faults, key=lambda fault: fault.line)),
        pages=tuple(sorted(pages)),
        notes=columns.notes + ((_GUESSED.format(file.encoding),) if file.guessed else ()),
    )


def _header(file: files.TextFile) -> tuple[str, int, Columns]:
    """Return the header's delimiter, line and columns. The delimiter that gives the most columns is the right one."""
    best: tuple[str, int, Columns] | None = None
    for delimiter in (file.declared,) if file.declared else files.DELIMITERS:
        for line, row in _first_rows(file, delimiter):
            columns = recognise_header(row)
            if columns and (best is None or len(columns.headers) > len(best[2].headers)):
                best = (delimiter, line, columns)
                break
    if best is None:
        raise _unrecognised(file)
    return best


def _first_rows(file: files.TextFile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from islice(file.rows(delimiter), _FIRST_ROWS)
    except ImportRefused:
        return  # with another delimiter its quotation marks may well be in pairs


def _rows(file: files.TextFile, delimiter: str, after: int) -> Iterator[tuple[int, list[str]]]:
    return ((line, row) for line, row in file.rows(delimiter) if line > after)


def _unrecognised(file: files.TextFile) -> ImportRefused:
    title = ""
    for _, row in _first_rows(file, file.declared or ","):
        if [cell.strip().casefold() for cell in row if cell.strip()] == ["date", "primary"]:
            return ImportRefused(
                f"{file.name} is an export of Meta Business Suite{title}: it holds the new follows of each day, not "
                "how many followers there were. Totals cannot be made from it, so nothing of it is imported."
            )
        title = f' ("{row[0].strip()}")'
    return ImportRefused(f"{file.name} has no header that is understood. {_ACCEPTED}.")
