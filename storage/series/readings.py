"""Readings: storing counts, and finding points of a page's series.

``readings`` holds the last days in the order of arrival, ``history`` everything older, by page. ``move_to_history``
moves rows from one to the other. A reading from before the note ``folded_before`` goes straight to ``history``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from handlers.model import Page, Point, Reading, Standing, ValidatedReading
from storage.newsroom.pages import PAGE, PAGE_WIDTH, pages_of
from storage.schema.database import Database
from storage.schema.ids import Ids, Source
from storage.schema.rows import DATE_TEXTS, METRIC_TEXTS, METRICS, QUARTER, Row, optional_instant, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.series.reading_rows import (
    SeriesRange,
    confirm_between,
    daily_rows,
    first_row,
    move_pages_to_history,
    newest_row,
    rows_between,
)
from storage.series.series_states import SERIES_STATE, point_of, series_state_of
from storage.values import PageSnapshot, PollTrouble

_PUT_READING = "INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_HISTORY = "INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STANDINGS: dict[Standing, str | None] = {
    standing: None if standing is Standing.ACCEPTED else standing.value for standing in Standing
}
_PAGES_AT_ONCE = 100
"""Pages moved in one transaction. Their rows land side by side, so that SQLite writes each of its disk pages once."""


class Readings:
    """All stored counts. "Present series" is the page's series as of its newest reading."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    def add(self, rows: Sequence[ValidatedReading]) -> int:
        """Store readings and return how many were new. The caller leaves out unchanged and repeated counts."""
        with self._database.write() as db:
            moved_before = _moved_before(db.conn)
            recent: list[Row] = []
            old: list[Row] = []
            for row in self._rows_of(db.conn, rows):
                if row[2] < moved_before:
                    old.append(row[1:])  # history has no column for the quarter
                else:
                    recent.append(row)
            before = db.conn.total_changes
            db.conn.executemany(_PUT_READING, recent)
            db.conn.executemany(_PUT_HISTORY, old)
            return db.conn.total_changes - before

    def _rows_of(self, conn: sqlite3.Connection, rows: Sequence[ValidatedReading]) -> Iterator[Row]:
        pages, source = self._ids.pages(conn, [judged.reading.page for judged in rows]), self._ids.source
        for judged in rows:
            reading = judged.reading
            observed_at, count = to_ms(reading.observed_at), reading.count
            yield (
                observed_at // QUARTER,
                pages[reading.page],
                observed_at,
                source(conn, (reading.source, reading.url, METRIC_TEXTS[reading.metric])),
                count,
                count - reading.low,
                reading.high - count,
                0 if reading.received_at is reading.observed_at else to_ms(reading.received_at) - observed_at,
                DATE_TEXTS[reading.dated],
                _STANDINGS[judged.standing],
            )

    def stored_count(self, page: str, observed_at: datetime, source: str) -> int | None:
        """Return the count stored for this page, instant and source, or None if there is none."""
        with self._database.read() as conn:
            at = to_ms(observed_at)
            row = conn.execute(
                "SELECT count FROM readings JOIN sources ON sources.id = source_id "
                "WHERE quarter = :quarter AND page_id = :page AND observed_at = :at AND source = :source "
                "UNION ALL SELECT count FROM history JOIN sources ON sources.id = source_id "
                "WHERE page_id = :page AND observed_at = :at AND source = :source",
                {"quarter": at // QUARTER, "page": self._ids.page(conn, page), "at": at, "source": source},
            ).fetchone()
        return row[0] if row else None

    def is_redundant(self, reading: Reading) -> bool:
        """Return whether the newest point at or before the reading's instant has the same count and bounds.

        A poll that finds the same count again is not stored, so a point at the very instant may be missing.
        """
        with self._database.read() as conn:
            page_id, until = self._ids.page(conn, reading.page), to_ms(reading.observed_at)
            if page_id is None:
                return False
            series = SeriesRange(page_id=page_id, metric=reading.metric, since=-sys.maxsize, until=until)
            point = self._point(newest_row(conn, series))
        return point is not None and (point.count, point.low, point.high) == (reading.count, reading.low, reading.high)

    def confirm(self, page: str, first: datetime, last: datetime) -> None:
        """Accept the page's held readings between these instants, both included."""
        with self._database.write() as db:
            page_id = self._ids.page(db.conn, page)
            if page_id is not None:
                confirm_between(db.conn, page_id, to_ms(first), to_ms(last))

    def page_snapshot(self, slug: str) -> PageSnapshot | None:
        """Return a page's newest state, or None if no such page is tracked."""
        return next(iter(self.page_snapshots((slug,))), None)

    def page_snapshots(self, slugs: Iterable[str]) -> tuple[PageSnapshot, ...]:
        """Return the newest states, highest count first. Pages without a count come last, by slug."""
        with self._database.read() as conn:
            rows = conn.execute(
                f"SELECT {PAGE}, polled_at, trouble, message, trouble_since, {SERIES_STATE} "
                "FROM json_each(?) AS asked JOIN pages ON slug = asked.value "
                "LEFT JOIN polls ON polls.page_id = pages.id "
                "LEFT JOIN series_states ON series_states.page_id = pages.id "
                "WHERE removed_at IS NULL ORDER BY last_count DESC NULLS LAST, slug",
                (json.dumps(list(slugs)),),
            ).fetchall()
            sources = self._ids.sources()
            return tuple(
                _snapshot_of(page, row[PAGE_WIDTH:], sources) for page, row in zip(pages_of(rows), rows, strict=True)
            )

    def point_at(self, slug: str, instant: datetime) -> Point | None:
        """Return the newest accepted point at or before this instant, of the present series."""
        return self.points_at(slug, (instant,))[0]

    def points_at(self, slug: str, instants: Sequence[datetime]) -> tuple[Point | None, ...]:
        """Return, for each instant, the newest accepted point at or before it, of the present series."""
        with self._database.read() as conn:
            series = self._present_series(conn, slug)
            if series is None:
                return (None,) * len(instants)
            rows = [newest_row(conn, series._replace(until=to_ms(instant))) for instant in instants]
            return tuple(map(self._point, rows))

    def historical_point_at(self, slug: str, instant: datetime) -> Point | None:
        """Return the newest accepted point at or before this instant, of the page's series at that time."""
        with self._database.read() as conn:
            series = self._series_at(conn, slug, to_ms(instant))
            return None if series is None else self._point(newest_row(conn, series))

    def first_point(self, slug: str) -> Point | None:
        """Return the page's oldest accepted point, of any series, or None if it was never counted."""
        with self._database.read() as conn:
            page_id = self._ids.page(conn, slug)
            return None if page_id is None else self._point(first_row(conn, page_id))

    def points(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """Return the present series' accepted points from ``since`` to ``until``, both included, oldest first."""
        return self._points(slug, since, until, rows_between)

    def daily_points(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """Return the last of the ``points`` of each UTC day."""
        return self._points(slug, since, until, daily_rows)

    def historical_daily_points(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """Return the last accepted point of each UTC day, of the page's series at ``until``."""
        return self._points(slug, since, until, daily_rows, historical=True)

    def _points(
        self,
        slug: str,
        since: datetime,
        until: datetime,
        rows_of: Callable[[sqlite3.Connection, SeriesRange], list[Row]],
        *,
        historical: bool = False,
    ) -> tuple[Point, ...]:
        with self._database.read() as conn:
            end = to_ms(until)
            series = self._series_at(conn, slug, end) if historical else self._present_series(conn, slug)
            if series is None:
                return ()
            rows = rows_of(conn, series._replace(since=max(series.since, to_ms(since)), until=end))
            sources = self._ids.sources()
            return tuple([point_of(row, sources) for row in rows])

    def _point(self, row: Row | None) -> Point | None:
        return None if row is None else point_of(row, self._ids.sources())

    def _present_series(self, conn: sqlite3.Connection, slug: str) -> SeriesRange | None:
        page_id = self._ids.page(conn, slug)
        series = conn.execute("SELECT metric, since FROM series_states WHERE page_id = ?", (page_id,)).fetchone()
        if page_id is None or series is None:
            return None
        metric, since = series
        return SeriesRange(page_id=page_id, metric=metric, since=since, until=sys.maxsize)

    def _series_at(self, conn: sqlite3.Connection, slug: str, at: int) -> SeriesRange | None:
        """Return the page's series at an instant. For a series before the present one only the metric is known."""
        present = self._present_series(conn, slug)
        if present is None or present.since <= at:
            return present and present._replace(until=at)
        every = [present._replace(metric=metric, since=-sys.maxsize, until=at) for metric in METRICS]
        newest = [(row[0], series) for series in every if (row := newest_row(conn, series))]
        return max(newest)[1] if newest else None

    def move_to_history(self, before: datetime) -> int:
        """Move readings from before this instant, cut to the quarter of an hour, to ``history``; return how many.

        Each transaction moves some pages, so that other writers get their turn in between.
        """
        end = to_ms(before) // QUARTER
        with self._database.write() as db:
            newest_page = db.conn.execute("SELECT max(id) FROM pages").fetchone()[0] or 0
            moved_before = max(end * QUARTER, _moved_before(db.conn))
            db.conn.execute("INSERT OR REPLACE INTO notes VALUES ('folded_before', ?)", (str(moved_before),))
        moved = 0
        for first in range(1, newest_page + 1, _PAGES_AT_ONCE):
            with self._database.write() as db:
                moved += move_pages_to_history(db.conn, first, first + _PAGES_AT_ONCE - 1, end)
        return moved


def _snapshot_of(page: Page, row: Row, sources: Mapping[int, Source]) -> PageSnapshot:
    polled_at, trouble, message, since, *series_state = row
    return PageSnapshot(
        page=page,
        series_state=None if series_state[0] is None else series_state_of(page.slug, tuple(series_state), sources),
        polled_at=optional_instant(polled_at),
        trouble=None if trouble is None else PollTrouble(reason=trouble, message=message, since=to_instant(since)),
    )


def _moved_before(conn: sqlite3.Connection) -> int:
    row = conn.execute("SELECT value FROM notes WHERE key = 'folded_before'").fetchone()
    return int(row[0]) if row else -sys.maxsize
