"""What is remembered of each page's past, so that no comparison has to read its readings again."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Mapping

from handlers.past import Past
from storage.database import Database
from storage.ids import Ids

_COLUMNS = "page_id, times, counts, first, midnights"

# No OR REPLACE: as it may delete rows, SQLite would open and close a savepoint for each page, at five times the cost.
_PUT = f"""
  INSERT INTO pasts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (page_id) DO UPDATE SET
    times = excluded.times, counts = excluded.counts, first = excluded.first, midnights = excluded.midnights"""


class Pasts:
    """Page -> past."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    def get(self, slugs: Iterable[str]) -> dict[str, Past]:
        """The pasts of these pages; a page of which nothing is remembered is absent."""
        with self._database.read() as conn:
            by_id = self._ids.by_id(conn, slugs)
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM json_each(?) AS asked JOIN pasts ON page_id = asked.value",
                (json.dumps(list(by_id)),),
            ).fetchall()
        return {
            by_id[page_id]: Past(_doubles(times), _doubles(counts), first, _doubles(midnights))
            for page_id, times, counts, first, midnights in rows
        }

    def put(self, pasts: Mapping[str, Past]) -> None:
        """Remember these, in place of what was remembered of the same pages."""
        with self._database.write() as db:
            ids = self._ids.pages(db.conn, list(pasts))
            db.conn.executemany(
                _PUT,
                [
                    (ids[slug], _packed(past.times), _packed(past.counts), past.first, _packed(past.midnights))
                    for slug, past in pasts.items()
                ],
            )


def _packed(numbers: array[float]) -> bytes:
    return _in_file_order(numbers[:]).tobytes()


def _doubles(packed: bytes) -> array[float]:
    numbers = array("d")
    numbers.frombytes(packed)
    return _in_file_order(numbers)


def _in_file_order(numbers: array[float]) -> array[float]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
