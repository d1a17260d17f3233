"""Who changed what."""

from __future__ import annotations

from storage.errors import AlreadyDone
from storage.schema.database import Database
from storage.schema.rows import to_instant, to_ms
from storage.values import AuditEntry


class Audit:
    """Only ever added to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> None:
        """Write down who changed what, in the transaction of the change.

        Raises ``AlreadyDone`` where its request has an entry: the transaction is then undone, so that a request that
        comes a second time, be it after a crash, has one effect.
        """
        with self._database.write() as db:
            if entry.request and self._done(entry.team_id, entry.request):
                raise AlreadyDone("Slack sent this request twice. The first was answered; nothing was done now.")
            db.table("audit").insert(
                {
                    "at": to_ms(entry.at),
                    "team_id": entry.team_id,
                    "channel_id": entry.channel_id,
                    "user_id": entry.user_id,
                    "action": entry.action,
                    "subject": entry.subject,
                    "detail": entry.detail,
                    "request": entry.request or None,
                }
            )

    def _done(self, team_id: str, request: str) -> bool:
        with self._database.read() as conn:
            found = conn.execute("SELECT 1 FROM audit WHERE team_id = ? AND request = ?", (team_id, request)).fetchone()
        return found is not None

    def recent(self, *, team_id: str | None = None, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The newest entries, newest first; of one team if named."""
        with self._database.read() as conn:
            rows = conn.execute(
                "SELECT at, team_id, channel_id, user_id, action, subject, detail, coalesce(request, '') FROM audit "
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
                request=request,
            )
            for at, team, channel_id, user_id, action, subject, detail, request in rows
        )
