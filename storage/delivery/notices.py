"""Notices: lines that a person or a channel is owed. Each is stored until it is sent, also over a restart."""

from __future__ import annotations

from datetime import datetime

from storage.schema.database import Database
from storage.schema.rows import optional_instant, to_ms
from storage.values import Notice


class Notices:
    """All notices, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, team_id: str, recipient: str, text: str, *, at: datetime) -> None:
        """Store a notice to a member (``U…``) or a channel (``C…``), due from ``at`` on."""
        self._database.change(
            "INSERT INTO notices (team_id, recipient, text, state, not_before, attempts, doubtful) "
            "VALUES (?, ?, ?, 'pending', ?, 0, 0)",
            (team_id, recipient, text, to_ms(at)),
        )

    def due(self, now: datetime) -> Notice | None:
        """Return the oldest pending notice that may be sent now."""
        row = self._database.row(
            "SELECT id, team_id, recipient, text, attempts, doubtful FROM notices "
            "WHERE state = 'pending' AND not_before <= ? ORDER BY id LIMIT 1",
            (to_ms(now),),
        )
        if row is None:
            return None
        notice_id, team_id, recipient, text, attempts, doubtful = row
        return Notice(
            id=notice_id, team_id=team_id, recipient=recipient, text=text, attempts=attempts, doubtful=bool(doubtful)
        )

    def next_at(self) -> datetime | None:
        """Return when the next notice may be sent, or None if none is pending."""
        return optional_instant(self._database.value("SELECT min(not_before) FROM notices WHERE state = 'pending'"))

    def begin_attempt(self, notice_id: int) -> None:
        """Record that an attempt begins: until its outcome is known, the notice may have been received."""
        self._database.change("UPDATE notices SET attempts = attempts + 1, doubtful = 1 WHERE id = ?", (notice_id,))

    def mark_sent(self, notice_id: int) -> None:
        """Record that Slack accepted the notice."""
        self._database.change("UPDATE notices SET state = 'sent', trouble = NULL WHERE id = ?", (notice_id,))

    def retry(self, notice_id: int, *, not_before: datetime, doubtful: bool, why: str) -> None:
        """Make the notice due again from ``not_before`` on. ``doubtful``: it may have been received."""
        self._database.change(
            "UPDATE notices SET not_before = ?, doubtful = ?, trouble = ? WHERE id = ?",
            (to_ms(not_before), doubtful, why, notice_id),
        )

    def fail(self, notice_id: int, why: str) -> None:
        """Record that the notice can never be sent."""
        self._database.change("UPDATE notices SET state = 'failed', trouble = ? WHERE id = ?", (why, notice_id))
