"""Small integers that stand for slugs and sources in the large tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from storage.schema.database import Database
from storage.schema.sqlite import sqlite3

Source = tuple[str, str, str]
"""The origin of a count and its unit: source, url, metric."""


class Ids:
    """Ids of pages and sources, read once: an id never changes. A rolled-back transaction empties the cache.

    Benchmark (a) needs the cache: each cycle of 10,000 pages would read all ids again several times.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.after_rollback(self._forget)
        self._forget()

    def _forget(self) -> None:
        self._pages: dict[str, int] = {}
        self._source_ids: dict[Source, int] = {}
        self._sources = _Sources(self._database)

    def page(self, conn: sqlite3.Connection, slug: str) -> int | None:
        """Return the id of a page, tracked or not, or None if it was never added."""
        return self.pages(conn, (slug,)).get(slug)

    def pages(self, conn: sqlite3.Connection, slugs: Iterable[str]) -> Mapping[str, int]:
        """Return the ids of these pages, and perhaps of others; a slug that was never added is absent."""
        known = self._pages
        if missing := [slug for slug in slugs if slug not in known]:
            known.update(
                conn.execute(
                    "SELECT slug, pages.id FROM json_each(?) AS asked JOIN pages ON slug = asked.value",
                    (json.dumps(missing),),
                ).fetchall()
            )
        return known

    def by_id(self, conn: sqlite3.Connection, slugs: Iterable[str]) -> dict[int, str]:
        """Return id -> slug for these pages; a slug that was never added is absent."""
        asked = list(slugs)
        ids = self.pages(conn, asked)
        return {ids[slug]: slug for slug in asked if slug in ids}

    def source(self, conn: sqlite3.Connection, key: Source) -> int:
        """Return the id of a source, inside a write. A new source is inserted."""
        known = self._source_ids.get(key)
        if known is None:
            conn.execute("INSERT OR IGNORE INTO sources (source, url, metric) VALUES (?, ?, ?)", key)
            row = conn.execute("SELECT id FROM sources WHERE source = ? AND url = ? AND metric = ?", key).fetchone()
            known = self._source_ids[key] = row[0]
        return known

    def sources(self) -> Mapping[int, Source]:
        """Return id -> source. A source is read when its id is first asked for."""
        return self._sources


class _Sources(dict[int, Source]):
    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def __missing__(self, source_id: int) -> Source:
        # Ids are given without gaps, so all ids above the number of known ones are unknown.
        rows = self._database.rows("SELECT id, source, url, metric FROM sources WHERE id > ?", (len(self),))
        found: dict[int, Source] = {row[0]: row[1:] for row in rows}
        self.update(found)
        return self.get(source_id) or found[source_id]  # another thread may have read the same rows meanwhile
