"""What a person or a channel is to be told in a line: owed until it is told, whatever happens in between."""

from __future__ import annotations

from datetime import datetime

from storage.schema.database import Database
from storage.schema.rows import to_instant, to_ms
from storage.values import Notice

_COLUMNS = "id, team_id, recipient, text, attempts, doubtful"


class Notices:
    """Lines that are owed, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, team_id: str, recipient: str, text: str, *, at: datetime) -> None:
        """Owe a member (``U…``) or a channel (``C…``) a line, from ``at`` on."""
        with self._database.write() as db:
            db.conn.execute(
                "INSERT INTO notices (team_id, recipient, text, state, not_before, attempts, doubtful) "
                "VALUES (?, ?, ?, 'pending', ?, 0, 0)",
                (team_id, recipient, text, to_ms(at)),
            )

    def due(self, now: datetime) -> Notice | None:
        """The oldest that may be told now."""
        with self._database.read() as conn:
            row = conn.execute(
                f"SELECT {_COLUMNS} FROM notices WHERE state = 'pending' AND not_before <= ? ORDER BY id LIMIT 1",
                (to_ms(now),),
            ).fetchone()
        if row is None:
            return None
        notice_id, team_id, recipient, text, attempts, doubtful = row
        return Notice(
            id=notice_id, team_id=team_id, recipient=recipient, text=text, attempts=attempts, doubtful=bool(doubtful)
        )

    def next_at(self) -> datetime | None:
        """When the next may be told; None if nobody is owed anything."""
        with self._database.read() as conn:
            next_at = conn.execute("SELECT min(not_before) FROM notices WHERE state = 'pending'").fetchone()[0]
        return None if next_at is None else to_instant(next_at)

    def begin_attempt(self, notice_id: int) -> None:
        """An attempt begins: from now on they may have been told."""
        with self._database.write() as db:
            db.conn.execute(
                "UPDATE notices SET attempts = attempts + 1, doubtful = 1 WHERE id = ?",
                (notice_id,),
            )

    def mark_sent(self, notice_id: int) -> None:
        """They were told."""
        with self._database.write() as db:
            db.conn.execute("UPDATE notices SET state = 'sent', trouble = NULL WHERE id = ?", (notice_id,))

    def retry(self, notice_id: int, *, not_before: datetime, doubtful: bool, why: str) -> None:
        """Try once more; ``doubtful``: they may have been told."""
        with self._database.write() as db:
            db.conn.execute(
                "UPDATE notices SET not_before = ?, doubtful = ?, trouble = ? WHERE id = ?",
                (to_ms(not_before), doubtful, why, notice_id),
            )

    def fail(self, notice_id: int, why: str) -> None:
        """They cannot be told."""
        with self._database.write() as db:
            db.conn.execute("UPDATE notices SET state = 'failed', trouble = ? WHERE id = ?", (why, notice_id))
