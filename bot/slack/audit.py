"""Record who changed what, in the same transaction as the change."""

from __future__ import annotations

from datetime import datetime

from bot.slack.contract import Call
from storage.store import Store
from storage.values import AuditEntry


def audit(store: Store, call: Call, now: datetime, action: str, subject: str, *, detail: str = "") -> None:
    """Store that the caller did ``action`` (a verb) to ``subject`` (a slug or a command).

    Raises ``AlreadyDone`` if Slack repeats a request that was carried out before. The transaction is then undone.
    """
    store.audit.add(
        AuditEntry(
            at=now,
            team_id=call.team_id,
            channel_id=call.channel_id,
            user_id=call.user_id,
            action=action,
            subject=subject,
            detail=detail,
            request=call.request_id,
        )
    )
