"""Who changed what, from a channel: written in the same transaction as the change."""

from __future__ import annotations

from datetime import datetime

from bot.slack.contract import Call
from storage.store import Store
from storage.values import AuditEntry


def audit(store: Store, call: Call, now: datetime, action: str, subject: str, *, detail: str = "") -> None:
    """Note that the caller did ``action`` (a verb) to ``subject`` (a slug).

    ``AlreadyDone`` where the same request was carried out before: the transaction is then undone.
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
            request=call.request,
        )
    )
