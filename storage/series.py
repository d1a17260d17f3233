"""A page's past, found in both tables by seeks: a year's days cost as many seeks as it has days, not readings."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from storage.rows import DAY, QUARTER, Row


class Span(NamedTuple):
    """Which points are wanted: a page's, of one metric, in milliseconds from ``since`` to ``until``, both included."""

    page_id: int
    metric: str
    since: int
    until: int


_POINT = "observed_at, source_id, count, below, above, dated"
_COUNTS = "metric = :metric AND (standing IS NULL OR standing = 'late')"

# The quarters that hold any reading at all, each found by one seek (SQLite has no skip scan over a first column).
_RECENT = f"""
  WITH RECURSIVE quarters (quarter) AS (
    SELECT min(quarter) FROM readings WHERE quarter >= :since / {QUARTER}
    UNION ALL
    SELECT (SELECT min(readings.quarter) FROM readings WHERE readings.quarter > quarters.quarter)
    FROM quarters WHERE quarter < :until / {QUARTER}
  )
  SELECT {_POINT} FROM quarters
    CROSS JOIN readings ON readings.quarter = quarters.quarter AND page_id = :page_id
      AND observed_at BETWEEN :since AND :until
    CROSS JOIN sources ON sources.id = source_id
  WHERE {_COUNTS}"""

_HISTORY = f"""
  SELECT {_POINT} FROM history CROSS JOIN sources ON sources.id = source_id
  WHERE page_id = :page_id AND observed_at BETWEEN :since AND :until AND {_COUNTS}"""

# From the newest point of the span to the newest before that one's day, and so on.
_HISTORY_DAILY = f"""
  WITH RECURSIVE days (last_at) AS (
    SELECT :until + 1
    UNION ALL
    SELECT (
      SELECT observed_at FROM history CROSS JOIN sources ON sources.id = source_id
      WHERE page_id = :page_id AND observed_at >= :since AND {_COUNTS}
        AND observed_at < iif(last_at > :until, last_at, last_at / {DAY} * {DAY})
      ORDER BY observed_at DESC LIMIT 1
    ) FROM days WHERE last_at IS NOT NULL
  )
  SELECT {_POINT} FROM days
    CROSS JOIN history ON page_id = :page_id AND observed_at = last_at
    CROSS JOIN sources ON sources.id = source_id
  WHERE {_COUNTS}"""


def rows_between(conn: sqlite3.Connection, span: Span) -> list[Row]:
    """The accepted points of a span, oldest first."""
    recent = conn.execute(f"{_RECENT} ORDER BY observed_at, source_id", span._asdict()).fetchall()
    return [*conn.execute(f"{_HISTORY} ORDER BY observed_at, source_id", span._asdict()), *recent]


def newest_row(conn: sqlite3.Connection, span: Span) -> Row | None:
    """The newest accepted point of a span."""
    row: Row | None = conn.execute(
        f"{_RECENT} ORDER BY observed_at DESC, source_id DESC LIMIT 1", span._asdict()
    ).fetchone()
    if row is None:
        row = conn.execute(
            f"{_HISTORY} ORDER BY observed_at DESC, source_id DESC LIMIT 1", span._asdict()
        ).fetchone()
    return row


def daily_rows(conn: sqlite3.Connection, span: Span) -> list[Row]:
    """The last accepted point of each UTC day of a span, oldest first."""
    rows = conn.execute(_HISTORY_DAILY, span._asdict()).fetchall()
    rows += conn.execute(_RECENT, span._asdict()).fetchall()
    return list({row[0] // DAY: row for row in sorted(rows)}.values())
