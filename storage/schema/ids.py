"""The small integers that stand for slugs and sources in the big tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from storage.schema.database import Database
from storage.schema.sqlite import sqlite3

Source = tuple[str, str, str]
"""Where a count comes from and what it counts: source, url, metric."""


class Ids:
    """Ids never change and are never given twice, so they are remembered; a rolled-back transaction's are forgotten."""

    def __init__(self, database: Database) -> None:
        self._pages: dict[str, int] = {}
        self._source_ids: dict[Source, int] = {}
        self._database = database
        self._sources = _Sources(database)
        database.after_rollback(self._forget)

    def page(self, conn: sqlite3.Connection, slug: str) -> int | None:
        """The id of a page, watched or not; None if it was never added."""
        return self.pages(conn, (slug,)).get(slug)

    def pages(self, conn: sqlite3.Connection, slugs: Iterable[str]) -> Mapping[str, int]:
        """The ids of these pages (and perhaps of others); a slug never added is absent."""
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
        """The slugs of these pages by their ids, to ask for and to tell apart rows; a slug never added is absent."""
        asked = list(slugs)
        ids = self.pages(conn, asked)
        return {ids[slug]: slug for slug in asked if slug in ids}

    def source(self, conn: sqlite3.Connection, key: Source) -> int:
        """The id of a source, given one if it is new (inside a write)."""
        known = self._source_ids.get(key)
        if known is None:
            conn.execute("INSERT OR IGNORE INTO sources (source, url, metric) VALUES (?, ?, ?)", key)
            row = conn.execute("SELECT id FROM sources WHERE source = ? AND url = ? AND metric = ?", key).fetchone()
            known = self._source_ids[key] = row[0]
        return known

    def sources(self) -> Mapping[int, Source]:
        """Every source by its id, read when it is first asked for."""
        return self._sources

    def _forget(self) -> None:
        self._pages = {}
        self._source_ids = {}
        self._sources = _Sources(self._database)


class _Sources(dict[int, Source]):
    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def __missing__(self, source_id: int) -> Source:
        with self._database.read() as conn:  # ids are given without gaps
            rows = conn.execute("SELECT id, source, url, metric FROM sources WHERE id > ?", (len(self),)).fetchall()
        found: dict[int, Source] = {row[0]: row[1:] for row in rows}
        self.update(found)
        return self.get(source_id) or found[source_id]  # another thread may have read it meanwhile
