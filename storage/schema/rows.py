"""Between Python values and SQLite's: instants, enumerations, packed numbers.

Times are stored as INTEGER milliseconds since 1970-01-01T00:00:00Z. Anything finer than a millisecond is cut, so that
a value read back is equal to one written at millisecond resolution.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from handlers.model import Dated, Metric

Row = tuple[Any, ...]
"""What SQLite gives: the columns of a STRICT table, in the order of the SELECT beside it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

DAY = 86_400_000
"""Milliseconds of a UTC day."""

QUARTER = 900_000
"""Milliseconds of a quarter of an hour, by which ``readings`` are kept together."""

# Looked up instead of called: an enumeration's own lookup costs as much as reading the row.
METRICS: dict[str, Metric] = {metric.value: metric for metric in Metric}
METRIC_TEXTS: dict[Metric, str] = {metric: metric.value for metric in Metric}
DATES: dict[str | None, Dated] = {None: Dated.INSTANT, Dated.DAY.value: Dated.DAY, Dated.MONTH.value: Dated.MONTH}
DATE_TEXTS: dict[Dated, str | None] = {dated: text for text, dated in DATES.items()}


@lru_cache(maxsize=4096)  # the pages of one batch share their instants
def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970; ValueError for a datetime without a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; instants are aware, in UTC")
    since = instant - EPOCH
    return since.days * DAY + since.seconds * 1000 + since.microseconds // 1000


@lru_cache(maxsize=4096)
def to_instant(ms: int) -> datetime:
    """The aware UTC datetime of a stored time; exact for every year that datetime knows."""
    return EPOCH + ms * _MILLISECOND


def to_span(span: timedelta) -> int:
    """A stored length of time: whole milliseconds."""
    return span // _MILLISECOND


@lru_cache(maxsize=256)  # thousands of accounts share a handful of cadences
def from_span(ms: int) -> timedelta:
    """The length of time stored as these milliseconds."""
    return ms * _MILLISECOND


def pack(numbers: tuple[float, ...]) -> bytes:
    """Little-endian doubles: exact, and sixteen times faster to write and read than JSON."""
    return struct.pack(f"<{len(numbers)}d", *numbers)


def unpack(packed: bytes) -> tuple[float, ...]:
    """The numbers of ``pack``."""
    return struct.unpack(f"<{len(packed) // 8}d", packed)
