"""What a platform sent as a count becomes a reading here, or that page's failure. Every platform passes through."""

from __future__ import annotations

from datetime import datetime

from bot.errors import PayloadChanged, Unreachable
from bot.platforms.batches import CountHidden
from handlers.model import Account, Metric, Reading

_LIMIT = 2**63  # SQLite's integers end here


def valid_count(value: object) -> int:
    """The count, if ``value`` is a whole number from 0 to 2⁶³ - 1; else ``PayloadChanged`` naming what came instead."""
    if type(value) is int and 0 <= value < _LIMIT:  # bool is an int to isinstance
        return value
    if value is None:
        raise PayloadChanged("No count came with this page's answer.")
    raise PayloadChanged(f"This is not a count: {_shown(value)}.")


def exact_reading(account: Account, value: object, *, metric: Metric, source: str, now: datetime) -> Reading:
    """A reading of exactly ``value`` at ``now``.

    Raises ``CountHidden`` where no count came with the page, ``PayloadChanged`` for what is no count, and
    ``Unreachable`` for 0, which platforms send for a page that cannot be read: a zero is never a value.
    """
    if value is None:
        raise CountHidden(f"{source} showed this page without a count of {metric}: it hides it, or none may see it.")
    count = valid_count(value)
    if count == 0:
        raise Unreachable(f"{source} gave 0 {metric} for this page, as it does while a page cannot be read.")
    return Reading(
        page=account.page,
        observed_at=now,
        received_at=now,
        count=count,
        low=count,
        high=count,
        metric=metric,
        source=source,
        url=account.url,
    )


def _shown(value: object) -> str:
    if type(value) is int:
        return "a negative number" if value < 0 else "a number too large to be one"
    if isinstance(value, str):
        return f"the text “{value[:20]}”"
    if isinstance(value, bool | float):
        return f"the value {value}"
    return "a list or an object"
