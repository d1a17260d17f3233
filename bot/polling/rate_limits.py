"""The rate limits that platforms asked for, kept in the store's notes: they hold after a restart too."""

from __future__ import annotations

from datetime import datetime

from bot.platforms.contract import RateLimit, RateLimitAction
from storage.store import Store

_NOTE = "brake:{}"
"""The key of a platform's note. Version 0.1 wrote it so, and its limits still hold after an upgrade."""


def rate_limit_of(store: Store, platform: str, now: datetime) -> RateLimit | None:
    """Return the rate limit that a platform asked for. Return None if there is none, or if it is over."""
    text = store.notes.get(_NOTE.format(platform))
    if not text:
        return None
    action, until, message = text.split(" ", 2)
    rate_limit = RateLimit(action=RateLimitAction(action), until=datetime.fromisoformat(until), message=message)
    return rate_limit if rate_limit.until > now else None


def put_rate_limit(store: Store, platform: str, rate_limit: RateLimit) -> None:
    """Store a platform's rate limit."""
    text = f"{rate_limit.action.value} {rate_limit.until.isoformat()} {rate_limit.message}"
    store.notes.put(_NOTE.format(platform), text)
