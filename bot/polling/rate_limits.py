"""What platforms asked of us (slow down, stop), remembered over restarts in the store's notes."""

from __future__ import annotations

from datetime import datetime

from bot.platforms.contract import Brake, Pause
from storage.store import Store


def rate_limit_of(store: Store, platform: str, now: datetime) -> Pause | None:
    """The brake a platform asked for, while it lasts."""
    text = store.notes.get(f"brake:{platform}")
    if not text:
        return None
    brake, until, message = text.split(" ", 2)
    pause = Pause(brake=Brake(brake), until=datetime.fromisoformat(until), message=message)
    return pause if pause.until > now else None


def put_rate_limit(store: Store, platform: str, pause: Pause) -> None:
    """Remember a platform's brake."""
    store.notes.put(f"brake:{platform}", f"{pause.brake.value} {pause.until.isoformat()} {pause.message}")
