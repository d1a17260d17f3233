"""The table: what was tried, what was lost and doubled, and whether the expected behaviour was seen."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.schema.sqlite import sqlite3
from tests.labs.faults.case import Case, Trial

DOCUMENT = Path(__file__).parents[3] / "docs" / "reliability.md"
_START, _END = "<!-- cases: measured -->", "<!-- cases: end -->"
_COLUMNS = ("case", "what goes wrong", "tried", "lost", "doubled", "expected", "seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case, and how long it took (seconds)."""

    case: Case
    trial: Trial
    seconds: float

    def progress(self) -> str:
        seen = "seen" if self.trial.seen else "NOT SEEN"
        why = "".join(f"; {fault[:300]}" for fault in self.trial.faults[:2])
        return f"{self.case.number:>5}  {seen:8}  {self.seconds:5.0f} s  {self.case.name}{why}"


def lines(results: Sequence[Result]) -> Iterator[str]:
    """The table in Markdown, the figures measured, and what was seen instead."""
    rows = [_COLUMNS, *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for number, row in enumerate(rows):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    yield ""
    for result in results:
        yield from (f"- {result.case.number}: {note}" for note in result.trial.notes)
        yield from (f"- {result.case.number}: **not as expected**: {fault}" for fault in result.trial.faults)


def surroundings() -> str:
    """When and where."""
    return (
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def write(results: Sequence[Result], where: str, document: Path = DOCUMENT) -> None:
    """Put the table between its markers in docs/reliability.md."""
    before, _, rest = document.read_text(encoding="utf-8").partition(_START)
    _, _, after = rest.partition(_END)
    seen = sum(result.trial.seen for result in results)
    form = "quick form" if any(result.trial.quick for result in results) else "all tries"
    closing = f"{seen} of {len(results)} cases seen ({form}); {where}."
    text = "\n".join([_START, *lines(results), "", closing, _END])
    document.write_text(before + text + after, encoding="utf-8")


def _row(result: Result) -> tuple[str, ...]:
    case, trial = result.case, result.trial
    seen = "yes" if trial.seen else "NO"
    return (case.number, case.name, str(trial.tried), str(trial.lost), str(trial.doubled), case.expected, seen)
