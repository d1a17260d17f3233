"""The audit log: who changed what."""

from __future__ import annotations

from dataclasses import asdict

from storage.errors import AlreadyDone
from storage.schema.database import Database
from storage.schema.rows import to_instant, to_ms
from storage.values import AuditEntry


class Audit:
    """All entries; none is ever changed or deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> None:
        """Store who changed what, in the transaction of the change.

        Raise AlreadyDone if an entry of the same request exists. The exception rolls the transaction back, so a request
        that Slack sends twice has one effect, even after a crash.
        """
        same = "SELECT 1 FROM audit WHERE team_id = ? AND request = ?"
        with self._database.write() as db:
            if entry.request and self._database.row(same, (entry.team_id, entry.request)):
                raise AlreadyDone("Slack sent this request twice. The first was answered; nothing was done now.")
            db.table("audit").insert({**asdict(entry), "at": to_ms(entry.at), "request": entry.request or None})

    def recent(self, *, team_id: str | None = None, limit: int = 50) -> tuple[AuditEntry, ...]:
        """Return the newest entries, newest first; of one team if it is named."""
        rows = self._database.rows(
            "SELECT at, team_id, channel_id, user_id, action, subject, detail, coalesce(request, '') FROM audit "
            f"{'' if team_id is None else 'WHERE team_id = :team_id'} ORDER BY id DESC LIMIT :limit",
            {"team_id": team_id, "limit": limit},
        )
        fields = ("team_id", "channel_id", "user_id", "action", "subject", "detail", "request")
        return tuple(AuditEntry(at=to_instant(at), **dict(zip(fields, row, strict=True))) for at, *row in rows)
