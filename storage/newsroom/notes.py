"""Small facts about the installation."""

from __future__ import annotations

from storage.schema.database import Database


class Notes:
    """Key -> text; a platform's brake, for one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """The note of this key."""
        with self._database.read() as conn:
            row = conn.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, key: str, value: str) -> None:
        """Write a note, in place of what it said."""
        with self._database.write() as db:
            db.table("notes").upsert({"key": key, "value": value}, pk="key")
