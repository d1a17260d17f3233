"""Small facts about the installation, such as a platform's rate limit."""

from __future__ import annotations

from storage.schema.database import Database


class Notes:
    """Key -> text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """Return the text of this key, or None if there is none."""
        text: str | None = self._database.value("SELECT value FROM notes WHERE key = ?", (key,))
        return text

    def put(self, key: str, value: str) -> None:
        """Store a text in place of the key's former one."""
        self._database.change("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, value))

    def number(self, key: str) -> int:
        """Return the number under this key; 0 if there is none."""
        return int(self.get(key) or 0)

    def count_up(self, key: str) -> None:
        """Add 1 to the number under this key."""
        self._database.change(
            "INSERT INTO notes VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = value + 1", (key,)
        )
