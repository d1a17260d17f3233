"""What platforms asked of us (slow down, stop), remembered over restarts in the store's notes."""

from __future__ import annotations

from datetime import datetime

from bot.platforms.contract import RateLimit, RateLimitAction
from storage.store import Store


def rate_limit_of(store: Store, platform: str, now: datetime) -> RateLimit | None:
    """Return the rate limit that a platform asked for, while it lasts."""
    text = store.notes.get(f"brake:{platform}")
    if not text:
        return None
    action, until, message = text.split(" ", 2)
    rate_limit = RateLimit(action=RateLimitAction(action), until=datetime.fromisoformat(until), message=message)
    return rate_limit if rate_limit.until > now else None


def put_rate_limit(store: Store, platform: str, rate_limit: RateLimit) -> None:
    """Store the rate limit that a platform asked for."""
    store.notes.put(
        f"brake:{platform}", f"{rate_limit.action.value} {rate_limit.until.isoformat()} {rate_limit.message}"
    )
