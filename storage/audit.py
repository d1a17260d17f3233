"""Who changed what."""

from __future__ import annotations

from storage.database import Database
from storage.rows import to_instant, to_ms
from storage.values import AuditEntry


class Audit:
    """Only ever added to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> None:
        """Write down who changed what."""
        with self._database.write() as db:
            db.table("audit").insert(
                {
                    "at": to_ms(entry.at),
                    "team_id": entry.team_id,
                    "channel_id": entry.channel_id,
                    "user_id": entry.user_id,
                    "action": entry.action,
                    "subject": entry.subject,
                    "detail": entry.detail,
                }
            )

    def recent(self, *, team_id: str | None = None, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The newest entries, newest first; of one team if named."""
        with self._database.read() as conn:
            rows = conn.execute(
                "SELECT at, team_id, channel_id, user_id, action, subject, detail FROM audit "
                f"{'' if team_id is None else 'WHERE team_id = :team_id'} ORDER BY id DESC LIMIT :limit",
                {"team_id": team_id, "limit": limit},
            ).fetchall()
        return tuple(
            AuditEntry(
                at=to_instant(at),
                team_id=team,
                channel_id=channel_id,
                user_id=user_id,
                action=action,
                subject=subject,
                detail=detail,
            )
            for at, team, channel_id, user_id, action, subject, detail in rows
        )
