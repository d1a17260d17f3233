"""What is remembered of each page's past, so that no comparison has to read its readings again.

A mark more is a row in ``marks``, where thousands are written side by side. Everything else that can become of a past
(a midnight passes, a series begins anew) rewrites the page's row in ``histories``, in which its marks are then too.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping

from handlers.signals.history import HistorySummary, history_of, with_points
from storage.schema.database import Database
from storage.schema.ids import Ids

_COLUMNS = "page_id, times, counts, first, midnights"

# No OR REPLACE: as it may delete rows, SQLite would open and close a savepoint for each page, at five times the cost.
_PUT = f"""
  INSERT INTO history_summaries ({_COLUMNS}, newest) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (page_id) DO UPDATE SET
    times = excluded.times, counts = excluded.counts, first = excluded.first, midnights = excluded.midnights,
    newest = excluded.newest"""


class HistorySummaries:
    """Page -> past."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._stored: dict[str, HistorySummary] = {}
        database.after_rollback(self._forget)

    def get(self, slugs: Iterable[str]) -> dict[str, HistorySummary]:
        """The pasts of these pages; a page of which nothing is remembered is absent."""
        with self._database.read() as conn:
            by_id = self._ids.by_id(conn, slugs)
            asked = json.dumps(list(by_id))
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM json_each(?) AS asked JOIN history_summaries ON page_id = asked.value",
                (asked,),
            ).fetchall()
            marks = conn.execute(
                "SELECT page_id, at, count FROM history_points WHERE page_id IN (SELECT value FROM json_each(?)) ORDER BY rowid",
                (asked,),
            ).fetchall()
        later: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        for page_id, at, count in marks:
            later[page_id].append((at, count))
        found = {
            by_id[page_id]: with_points(
                history_of(_doubles(times), _doubles(counts), first, _doubles(midnights)), later[page_id]
            )
            for page_id, times, counts, first, midnights in rows
        }
        self._stored.update(found)
        return found

    def put(self, histories: Mapping[str, HistorySummary]) -> None:
        """Remember these, in place of what was remembered of the same pages."""
        stored = self._stored
        marks: list[tuple[int, float, float]] = []
        whole: list[tuple[object, ...]] = []
        with self._database.write() as db:
            ids = self._ids.pages(db.conn, list(histories))
            for slug, past in histories.items():
                page_id, known = ids[slug], stored.get(slug)
                if known is not None and _is_one_longer(known, past):
                    marks.append((page_id, past.times[-1], past.counts[-1]))
                else:
                    whole.append(_row_of(page_id, past))
            db.conn.executemany("INSERT INTO history_points (page_id, at, count) VALUES (?, ?, ?)", marks)
            db.conn.executemany(_PUT, whole)
            stored.update(histories)

    def merge_points(self) -> None:
        """Remove the marks that are in their page's row."""
        with self._database.write() as db:
            db.conn.execute(
                "DELETE FROM history_points AS point WHERE at <= "
                "(SELECT newest FROM history_summaries WHERE page_id = point.page_id)"
            )

    def _forget(self) -> None:
        self._stored = {}


def _is_one_longer(known: HistorySummary, past: HistorySummary) -> bool:
    """Whether a mark was added to a past of which nothing else has changed."""
    times = past.times
    return past.midnights is known.midnights and len(times) > 1 and times[-2] == known.times[-1]


def _row_of(page_id: int, past: HistorySummary) -> tuple[object, ...]:
    return (
        page_id,
        _packed(past.times),
        _packed(past.counts),
        past.first,
        _packed(past.midnights),
        past.times[-1],
    )


def _packed(numbers: array[float]) -> bytes:
    return numbers.tobytes() if sys.byteorder == "little" else _in_file_order(numbers[:]).tobytes()


def _doubles(packed: bytes) -> array[float]:
    numbers = array("d")
    numbers.frombytes(packed)
    return _in_file_order(numbers)


def _in_file_order(numbers: array[float]) -> array[float]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
