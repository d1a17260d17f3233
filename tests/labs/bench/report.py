"""What a benchmark found: a small table and a verdict against each target, as text and in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.schema.sqlite import sqlite3

DOCUMENT = Path(__file__).parents[3] / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One measure against its target; both are ratios, or both in ``unit``. Without a target it is told for record.

    The target is the most that the value may be, or with ``at_least`` the least.
    """

    what: str
    value: float
    target: float | None = None
    unit: str = "x"
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    def __str__(self) -> str:
        told = f"{self.what}: {self.value:.2f}{self.unit}"
        if self.target is None:
            return told
        bound = "at least" if self.at_least else "at most"
        return f"{told}, target {bound} {self.target:g}{self.unit}: {'met' if self.met else 'MISSED'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A benchmark's table; the first row of ``rows`` names the columns."""

    name: str
    title: str
    rows: Sequence[Sequence[str]]
    verdicts: Sequence[Verdict]
    notes: Sequence[str] = ()

    def lines(self) -> list[str]:
        widths = [max(len(row[column]) for row in self.rows) for column in range(len(self.rows[0]))]
        cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in self.rows]
        cells.insert(1, ["-" * width for width in widths])
        return [
            f"({self.name}) {self.title}",
            "",
            *(f"| {' | '.join(row)} |" for row in cells),
            "",
            *(f"- {verdict}" for verdict in self.verdicts),
            *(f"- {note}" for note in self.notes),
        ]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.1f}"


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def surroundings() -> str:
    """When and where it was measured, and how many programs wanted the machine in that minute, ours among them."""
    return (
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"load average {os.getloadavg()[0]:.1f}"
    )


def write(result: Result, command: str, document: Path = DOCUMENT) -> None:
    """Put the result between its markers in a document, docs/benchmarks.md unless said otherwise."""
    text = document.read_text(encoding="utf-8")
    start, end = f"<!-- {result.name}: measured -->", f"<!-- {result.name}: end -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    lines = [start, *result.lines()[2:], "", f"Measured {surroundings()}, with `{command}`.", end]
    document.write_text(before + "\n".join(lines) + after, encoding="utf-8")
