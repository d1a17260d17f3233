"""Every platform's counts pass through here, and become a reading or the page's failure."""

from __future__ import annotations

from datetime import datetime

from bot.errors import PayloadChanged, Unreachable
from bot.platforms.batches import CountHidden
from handlers.model import Account, Metric, Reading

_LIMIT = 2**63  # SQLite's integers end here


def valid_count(value: object) -> int:
    """Return ``value`` if it is a whole number from 0 to 2⁶³ - 1. Else raise ``PayloadChanged``."""
    if type(value) is int and 0 <= value < _LIMIT:  # bool is an int to isinstance
        return value
    if value is None:
        raise PayloadChanged("No count came with this page's answer.")
    raise PayloadChanged(f"This is not a count: {_shown(value)}.")


def exact_reading(account: Account, value: object, *, metric: Metric, source: str, now: datetime) -> Reading:
    """Return a reading of exactly ``value`` at ``now``.

    Raise ``CountHidden`` if ``value`` is None, and ``PayloadChanged`` if it is not a count. Raise ``Unreachable``
    for 0, because platforms send 0 for a page that cannot be read.
    """
    if value is None:
        raise CountHidden(
            f"{source} showed this page without a count of {metric}. The page hides the count, or the platform does."
        )
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
