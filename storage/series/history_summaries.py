"""History summaries: what comparisons need of each page's past, so that they need not read its readings again.

A summary that grew by one point is a row in ``history_points``, where thousands are written side by side. Every other
change (midnight, a new series) rewrites the page's row in ``history_summaries``, its points included.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from handlers.signals.history import HistorySummary, history_of, with_points
from storage.schema.database import Database
from storage.schema.ids import Ids
from storage.schema.sqlite import sqlite3

N = TypeVar("N", int, float)

_COLUMNS = "page_id, times, counts, first, midnights"

# No OR REPLACE: as it may delete rows, SQLite would open and close a savepoint for each page, at five times the cost.
_PUT = f"""
  INSERT INTO history_summaries ({_COLUMNS}, newest) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (page_id) DO UPDATE SET
    times = excluded.times, counts = excluded.counts, first = excluded.first, midnights = excluded.midnights,
    newest = excluded.newest"""


class HistorySummaries:
    """Page -> history summary.

    The class keeps what is stored, to find the summaries that grew by one point only. Benchmark (a) needs this:
    to rewrite the summaries of 10,000 pages takes about as long as a whole cycle.
    """

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        database.after_rollback(self._forget)
        self._forget()

    def _forget(self) -> None:
        self._stored: dict[str, HistorySummary] = {}

    def get(self, slugs: Iterable[str]) -> dict[str, HistorySummary]:
        """Return the history summaries of these pages; a page without one is absent."""
        with self._database.read() as conn:
            found = read_summaries(conn, self._ids.by_id(conn, slugs))
        self._stored.update(found)
        return found

    def put(self, summaries: Mapping[str, HistorySummary]) -> None:
        """Store these summaries, in place of the stored ones of the same pages."""
        stored = self._stored
        points: list[tuple[int, float, float]] = []
        whole: list[tuple[object, ...]] = []
        with self._database.write() as db:
            ids = self._ids.pages(db.conn, list(summaries))
            for slug, summary in summaries.items():
                page_id, known = ids[slug], stored.get(slug)
                if known is not None and _grew_by_one_point(known, summary):
                    points.append((page_id, summary.times[-1], summary.counts[-1]))
                else:
                    whole.append(_row_of(page_id, summary))
            db.conn.executemany("INSERT INTO history_points (page_id, at, count) VALUES (?, ?, ?)", points)
            db.conn.executemany(_PUT, whole)
            stored.update(summaries)

    def delete(self, slugs: Iterable[str]) -> None:
        """Delete the history summaries of these pages."""
        with self._database.write() as db:
            by_id = self._ids.by_id(db.conn, slugs)
            for table in ("history_summaries", "history_points"):
                db.conn.executemany(f"DELETE FROM {table} WHERE page_id = ?", [(page_id,) for page_id in by_id])
            for slug in by_id.values():
                self._stored.pop(slug, None)

    def merge_points(self) -> None:
        """Delete the points that are in their page's row too."""
        self._database.change(
            "DELETE FROM history_points AS point "
            "WHERE at <= (SELECT newest FROM history_summaries WHERE page_id = point.page_id)"
        )


def read_summaries(
    conn: sqlite3.Connection, by_id: Mapping[int, str], *, prefix: str = ""
) -> dict[str, HistorySummary]:
    """Return the history summaries of these pages, from the tables whose names begin with ``prefix``."""
    asked = json.dumps(list(by_id))
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM json_each(?) AS asked JOIN {prefix}history_summaries ON page_id = asked.value",
        (asked,),
    ).fetchall()
    points = conn.execute(
        f"SELECT page_id, at, count FROM {prefix}history_points "
        "WHERE page_id IN (SELECT value FROM json_each(?)) ORDER BY rowid",
        (asked,),
    ).fetchall()
    later: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for page_id, at, count in points:
        later[page_id].append((at, count))
    return {
        by_id[page_id]: with_points(
            history_of(_doubles(times), _doubles(counts), first, _doubles(midnights)), later[page_id]
        )
        for page_id, times, counts, first, midnights in rows
    }


def _grew_by_one_point(known: HistorySummary, summary: HistorySummary) -> bool:
    times = summary.times
    return summary.midnights is known.midnights and len(times) > 1 and times[-2] == known.times[-1]


def _row_of(page_id: int, summary: HistorySummary) -> tuple[object, ...]:
    times, counts, midnights = map(_packed, (summary.times, summary.counts, summary.midnights))
    return page_id, times, counts, summary.first, midnights, summary.times[-1]


def _packed(numbers: array[float]) -> bytes:
    return numbers.tobytes() if sys.byteorder == "little" else in_file_order(numbers[:]).tobytes()


def _doubles(packed: bytes) -> array[float]:
    numbers = array("d")
    numbers.frombytes(packed)
    return in_file_order(numbers)


def in_file_order(numbers: array[N]) -> array[N]:
    """Return numbers from this machine's order of bytes to that of files, or back. It may change its argument."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
