"""Points of one page, found by seeks in ``readings`` and ``history``.

One point per day of a year costs 365 seeks, however many readings each day has.
"""

from __future__ import annotations

import sys
from operator import itemgetter
from typing import NamedTuple

from storage.schema.rows import DAY, QUARTER, Row
from storage.schema.sqlite import sqlite3


class SeriesRange(NamedTuple):
    """A page's points of one metric from ``since`` to ``until``, both in milliseconds and both included."""

    page_id: int
    metric: str
    since: int
    until: int


_POINT = "observed_at, count, below, above, source_id, dated"
_BY_AGE = itemgetter(0, 4)
_ACCEPTED = "(standing IS NULL OR standing = 'late')"
_COUNTS = f"metric = :metric AND {_ACCEPTED}"

# Each quarter with any reading is found by one seek: SQLite has no skip scan over the first column of a key.
_QUARTERS = """
  WITH RECURSIVE quarters (quarter) AS (
    SELECT min(quarter) FROM readings WHERE quarter >= :first_quarter
    UNION ALL
    SELECT (SELECT min(readings.quarter) FROM readings WHERE readings.quarter > quarters.quarter)
    FROM quarters WHERE quarter < :last_quarter
  )"""

_HISTORY = f"""
  SELECT {_POINT} FROM history CROSS JOIN sources ON sources.id = source_id
  WHERE page_id = :page_id AND observed_at BETWEEN :since AND :until AND {_COUNTS}"""

_BETWEEN = f"""{_QUARTERS} {_HISTORY}
  UNION ALL
  SELECT {_POINT} FROM quarters
    CROSS JOIN readings ON readings.quarter = quarters.quarter AND page_id = :page_id
      AND observed_at BETWEEN :since AND :until
    CROSS JOIN sources ON sources.id = source_id
  WHERE {_COUNTS}"""

# Step back from the newest quarter, one seek each. Once a quarter has a reading of the page, go on before its day.
_QUARTERS_A_DAY = DAY // QUARTER
_EARLIER = f"""(
  SELECT max(quarter) FROM readings WHERE quarter < iif(
    newest_at IS NULL, step, step - ((step % {_QUARTERS_A_DAY}) + {_QUARTERS_A_DAY}) % {_QUARTERS_A_DAY}
  ))"""
_BACK = f"""
  back (step, newest_at) AS (
    SELECT :last_quarter + 1, NULL
    UNION ALL
    SELECT {_EARLIER}, (
      SELECT observed_at FROM readings CROSS JOIN sources ON sources.id = source_id
      WHERE quarter = {_EARLIER} AND page_id = :page_id AND observed_at BETWEEN :since AND :until AND {_COUNTS}
      ORDER BY observed_at DESC LIMIT 1
    ) FROM back WHERE step >= :first_quarter"""
_FOUND = f"""
  SELECT {_POINT} FROM back
    CROSS JOIN readings ON quarter = step AND page_id = :page_id AND observed_at = newest_at
    CROSS JOIN sources ON sources.id = source_id
  WHERE {_COUNTS}"""

_NEWEST = f"""
  WITH RECURSIVE {_BACK} AND newest_at IS NULL) {_FOUND}
  UNION ALL SELECT * FROM ({_HISTORY} ORDER BY observed_at DESC, source_id DESC LIMIT 1)"""

# No condition on the metric: a page's first reading may be older than its present series.
_FIRST = f"""{_QUARTERS}
  SELECT * FROM (
    SELECT {_POINT} FROM history WHERE page_id = :page_id AND {_ACCEPTED} ORDER BY observed_at, source_id LIMIT 1
  )
  UNION ALL SELECT * FROM (
    SELECT {_POINT} FROM quarters CROSS JOIN readings ON readings.quarter = quarters.quarter AND page_id = :page_id
    WHERE {_ACCEPTED} ORDER BY observed_at, source_id LIMIT 1
  )"""

# In the history too: go from the newest point of the span to the newest one before its day, and so on.
_DAILY = f"""
  WITH RECURSIVE {_BACK}),
  days (last_at) AS (
    SELECT :until + 1
    UNION ALL
    SELECT (
      SELECT observed_at FROM history CROSS JOIN sources ON sources.id = source_id
      WHERE page_id = :page_id AND observed_at >= :since AND {_COUNTS}
        AND observed_at < iif(last_at > :until, last_at, last_at - ((last_at % {DAY}) + {DAY}) % {DAY})
      ORDER BY observed_at DESC LIMIT 1
    ) FROM days WHERE last_at IS NOT NULL
  )
  {_FOUND}
  UNION ALL
  SELECT {_POINT} FROM days
    CROSS JOIN history ON page_id = :page_id AND observed_at = last_at
    CROSS JOIN sources ON sources.id = source_id
  WHERE last_at <= :until AND {_COUNTS}"""


_CONFIRM_HISTORY = """
  UPDATE history SET standing = NULL
  WHERE page_id = :page_id AND observed_at BETWEEN :since AND :until AND standing = 'held' AND count > 0"""
_CONFIRM_RECENT = f"""{_QUARTERS}
  UPDATE readings SET standing = NULL
  WHERE quarter IN (SELECT quarter FROM quarters) AND page_id = :page_id AND observed_at BETWEEN :since AND :until
    AND standing = 'held' AND count > 0"""


# The quarters before ``last_quarter``, and in them the rows of some pages.
_COPY = f"""{_QUARTERS}
  INSERT OR IGNORE INTO history
  SELECT page_id, observed_at, source_id, count, below, above, delay, dated, standing
  FROM quarters CROSS JOIN readings ON readings.quarter = quarters.quarter AND page_id BETWEEN :first AND :last
  WHERE quarters.quarter < :last_quarter ORDER BY page_id, observed_at, source_id"""
_DELETE = f"""
  DELETE FROM readings WHERE quarter IN ({_QUARTERS} SELECT quarter FROM quarters WHERE quarter < :last_quarter)
  AND page_id BETWEEN :first AND :last"""


def rows_between(conn: sqlite3.Connection, span: SeriesRange) -> list[Row]:
    """Return the accepted points of a span, oldest first."""
    return sorted(conn.execute(_BETWEEN, _parameters(span)).fetchall(), key=_BY_AGE)


def newest_row(conn: sqlite3.Connection, span: SeriesRange) -> Row | None:
    """Return the newest accepted point of a span, or None if there is none."""
    return max(conn.execute(_NEWEST, _parameters(span)).fetchall(), key=_BY_AGE, default=None)


def first_row(conn: sqlite3.Connection, page_id: int) -> Row | None:
    """Return a page's oldest accepted point, of any metric and series."""
    span = SeriesRange(page_id=page_id, metric="", since=-sys.maxsize, until=sys.maxsize)
    return min(conn.execute(_FIRST, _parameters(span)).fetchall(), key=_BY_AGE, default=None)


def daily_rows(conn: sqlite3.Connection, span: SeriesRange) -> list[Row]:
    """Return the last accepted point of each UTC day of a span, oldest first."""
    rows = sorted(conn.execute(_DAILY, _parameters(span)).fetchall(), key=_BY_AGE)
    return list({row[0] // DAY: row for row in rows}.values())


def confirm_between(conn: sqlite3.Connection, page_id: int, since: int, until: int) -> None:
    """Accept a page's held readings of a span, of any metric, except counts of zero."""
    span = SeriesRange(page_id=page_id, metric="", since=since, until=until)
    for confirm in (_CONFIRM_RECENT, _CONFIRM_HISTORY):
        conn.execute(confirm, _parameters(span))


def move_pages_to_history(conn: sqlite3.Connection, first: int, last: int, end: int) -> int:
    """Move these pages' readings from before the quarter ``end`` to ``history``; return how many were moved."""
    parameters = {"first": first, "last": last, "first_quarter": -sys.maxsize, "last_quarter": end}
    conn.execute(_COPY, parameters)
    return conn.execute(_DELETE, parameters).rowcount


def _parameters(span: SeriesRange) -> dict[str, int | str]:
    return {**span._asdict(), "first_quarter": span.since // QUARTER, "last_quarter": span.until // QUARTER}
