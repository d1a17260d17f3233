"""Conversions between Python values and SQLite's: instants, enumerations, packed numbers.

A stored time is an INTEGER: milliseconds since 1970-01-01T00:00:00Z. Fractions of a millisecond are cut off.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from handlers.model import Dated, Metric

Row = tuple[Any, ...]
"""One row as SQLite returns it: its columns in the order of the SELECT."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

DAY = 86_400_000
"""Milliseconds in a UTC day."""

QUARTER = 900_000
"""Milliseconds in a quarter of an hour, the first key column of ``readings``."""

# Dictionaries, because an enumeration's own lookup takes as long as reading the row.
METRICS: dict[str, Metric] = {metric.value: metric for metric in Metric}
METRIC_TEXTS: dict[Metric, str] = {metric: metric.value for metric in Metric}
DATES: dict[str | None, Dated] = {None: Dated.INSTANT, Dated.DAY.value: Dated.DAY, Dated.MONTH.value: Dated.MONTH}
DATE_TEXTS: dict[Dated, str | None] = {dated: text for text, dated in DATES.items()}


@lru_cache(maxsize=4096)  # the pages of one batch share their instants
def to_ms(instant: datetime) -> int:
    """Return milliseconds since 1970. Raise ValueError for a datetime without a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; instants are aware, in UTC")
    since = instant - EPOCH
    return since.days * DAY + since.seconds * 1000 + since.microseconds // 1000


@lru_cache(maxsize=4096)
def to_instant(ms: int) -> datetime:
    """Return the aware UTC datetime of a stored time."""
    return EPOCH + ms * _MILLISECOND


def optional_instant(ms: int | None) -> datetime | None:
    """Return the datetime of a stored time that may be NULL."""
    return None if ms is None else to_instant(ms)


def optional_ms(instant: datetime | None) -> int | None:
    """Return the stored time of an instant that may be None."""
    return None if instant is None else to_ms(instant)


def to_span(span: timedelta) -> int:
    """Return a length of time in whole milliseconds."""
    return span // _MILLISECOND


@lru_cache(maxsize=256)  # thousands of accounts share a few polling intervals
def from_span(ms: int) -> timedelta:
    """Return a length of time that is stored in milliseconds."""
    return ms * _MILLISECOND


def pack(numbers: tuple[float, ...]) -> bytes:
    """Return the numbers as little-endian doubles: exact, and sixteen times faster than JSON."""
    return struct.pack(f"<{len(numbers)}d", *numbers)


def unpack(packed: bytes) -> tuple[float, ...]:
    """Return the numbers that ``pack`` was given."""
    return struct.unpack(f"<{len(packed) // 8}d", packed)
