"""Delivery filters: whether a channel still wants an alert that waits in the outbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from storage.store import Store
from storage.values import Delivery


class DropReason(StrEnum):
    """Why an alert that waited in the outbox is dropped."""

    UNSUBSCRIBED = "the channel is no longer subscribed to it"
    MUTED = "its page is muted in the channel"


def drop_reason(store: Store, delivery: Delivery, now: datetime) -> DropReason | None:
    """Return why the channel no longer wants the alert at ``now``, or None if it still does."""
    here, alert = (delivery.team_id, delivery.channel_id), delivery.alert

    def muted(page: str) -> bool:
        return store.subscriptions.muted(*here, page, now) is not None

    if not store.subscriptions.is_subscribed(*here, alert):
        return DropReason.UNSUBSCRIBED
    if alert.others:  # about a platform, which nobody can mute: drop it if all of the channel's pages are muted
        return DropReason.MUTED if all(map(muted, store.subscriptions.subscribed_others(*here, alert))) else None
    about = [page for page in (alert.page, alert.rival) if page is not None]
    return DropReason.MUTED if any(map(muted, about)) else None
