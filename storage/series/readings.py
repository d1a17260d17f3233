"""Counts: taking them in, telling a page's newest state and its past.

``readings`` holds the last days as they arrived, ``history`` everything older by page, and ``fold`` moves rows from one
to the other. What arrives older than the note ``folded_before`` goes straight to ``history``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from handlers.model import Page, Point, Reading, SeriesState, Standing, ValidatedReading
from storage.newsroom.pages import PAGE, PAGE_WIDTH, pages_of
from storage.schema.database import Database
from storage.schema.ids import Ids, Source
from storage.schema.rows import DATE_TEXTS, METRIC_TEXTS, METRICS, QUARTER, Row, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.series.reading_rows import (
    SeriesRange,
    confirm_between,
    daily_rows,
    first_row,
    fold_pages,
    newest_row,
    rows_between,
)
from storage.series.series_states import SERIES_STATE, StoredSeriesStates, point_of, series_state_of
from storage.values import PageSnapshot, PollTrouble

_PUT_READING = "INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_HISTORY = "INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STANDINGS: dict[Standing, str | None] = {
    standing: None if standing is Standing.ACCEPTED else standing.value for standing in Standing
}
_FOLD_PAGES = 100
"""Pages folded in one transaction: their rows land side by side, so that each disk page is written once."""


class Readings:
    """Everything counted."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._tracks = StoredSeriesStates(ids)
        database.after_rollback(self._tracks.forget)

    def add(self, rows: Sequence[ValidatedReading]) -> int:
        """Store readings (the caller leaves out unchanged and repeated ones); returns how many were new."""
        with self._database.write() as db:
            folded_before = _folded_before(db.conn)
            recent: list[Row] = []
            old: list[Row] = []
            for row in self._rows_of(db.conn, rows):
                if row[2] < folded_before:
                    old.append(row[1:])  # history knows no quarters
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
        """The count already stored under this key, else None."""
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
        """Whether the series says this count at this instant already: it repeats the newest taken before it, or then.

        The poll of an unchanged count is not stored, so nothing need be there for the instant itself.
        """
        with self._database.read() as conn:
            page_id = self._ids.page(conn, reading.page)
            at = to_ms(reading.observed_at)
            row = None
            if page_id is not None:
                row = newest_row(
                    conn, SeriesRange(page_id=page_id, metric=reading.metric, since=-sys.maxsize, until=at)
                )
            if row is None:
                return False
            point = point_of(row, self._ids.sources())
        return (point.count, point.low, point.high) == (reading.count, reading.low, reading.high)

    def confirm(self, page: str, first: datetime, last: datetime) -> None:
        """The readings held between these instants, both included, turned out true: they count from now on."""
        with self._database.write() as db:
            page_id = self._ids.page(db.conn, page)
            if page_id is not None:
                confirm_between(db.conn, page_id, to_ms(first), to_ms(last))

    def series_states(self, slugs: Iterable[str]) -> dict[str, SeriesState]:
        """The series of these pages; a page that was never counted is absent."""
        with self._database.read() as conn:
            by_id = self._ids.by_id(conn, slugs)
            rows = conn.execute(
                f"SELECT {SERIES_STATE} FROM json_each(?) AS asked JOIN series_states ON page_id = asked.value",
                (json.dumps(list(by_id)),),
            ).fetchall()
            sources = self._ids.sources()
        series_states = {by_id[row[0]]: series_state_of(by_id[row[0]], row, sources) for row in rows}
        self._tracks.know(series_states)
        return series_states

    def save_series_states(self, series_states: Sequence[SeriesState]) -> None:
        """Replace the pages' series."""
        with self._database.write() as db:
            self._tracks.put(db.conn, series_states)

    def page_snapshot(self, slug: str) -> PageSnapshot | None:
        """A page's newest state; None if there is no such page."""
        return next(iter(self.page_snapshots((slug,))), None)

    def page_snapshots(self, slugs: Iterable[str]) -> tuple[PageSnapshot, ...]:
        """The newest states: highest count first; pages without a count last, by slug."""
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
                _latest_of(page, row[PAGE_WIDTH:], sources) for page, row in zip(pages_of(rows), rows, strict=True)
            )

    def point_at(self, slug: str, instant: datetime) -> Point | None:
        """The newest accepted point at or before this instant, of the page's present series."""
        return self.points_at(slug, (instant,))[0]

    def historical_point_at(self, slug: str, instant: datetime) -> Point | None:
        """The newest accepted point at or before this instant, of the series that was the page's then."""
        with self._database.read() as conn:
            series = self._series_then(conn, slug, to_ms(instant))
            row = None if series is None else newest_row(conn, series)
            return None if row is None else point_of(row, self._ids.sources())

    def points_at(self, slug: str, instants: Sequence[datetime]) -> tuple[Point | None, ...]:
        """For each of these instants, the newest accepted point at or before it, of the page's present series."""
        with self._database.read() as conn:
            present = self._present(conn, slug)
            if present is None:
                return (None,) * len(instants)
            rows = [newest_row(conn, present._replace(until=to_ms(instant))) for instant in instants]
            sources = self._ids.sources()
            return tuple(None if row is None else point_of(row, sources) for row in rows)

    def first_point(self, slug: str) -> Point | None:
        """The page's oldest accepted point, of whatever series; None if it was never counted."""
        with self._database.read() as conn:
            page_id = self._ids.page(conn, slug)
            row = None if page_id is None else first_row(conn, page_id)
            return None if row is None else point_of(row, self._ids.sources())

    def points(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """The accepted points from ``since`` to ``until``, both included, of the page's present series, by age."""
        return self._points(slug, since, until, rows_between)

    def daily_points(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """Of ``series``, the last point of each UTC day."""
        return self._points(slug, since, until, daily_rows)

    def historical_daily_points(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """The last accepted point of each UTC day, of the series that was the page's at ``until``."""
        with self._database.read() as conn:
            series = self._series_then(conn, slug, to_ms(until))
            if series is None:
                return ()
            rows = daily_rows(conn, series._replace(since=max(series.since, to_ms(since))))
            sources = self._ids.sources()
            return tuple([point_of(row, sources) for row in rows])

    def _points(
        self,
        slug: str,
        since: datetime,
        until: datetime,
        rows_of: Callable[[sqlite3.Connection, SeriesRange], list[Row]],
    ) -> tuple[Point, ...]:
        with self._database.read() as conn:
            present = self._present(conn, slug)
            if present is None:
                return ()
            rows = rows_of(conn, present._replace(since=max(present.since, to_ms(since)), until=to_ms(until)))
            sources = self._ids.sources()
            return tuple([point_of(row, sources) for row in rows])

    def _present(self, conn: sqlite3.Connection, slug: str) -> SeriesRange | None:
        """All of the page's present series."""
        page_id = self._ids.page(conn, slug)
        series = conn.execute("SELECT metric, since FROM series_states WHERE page_id = ?", (page_id,)).fetchone()
        if page_id is None or series is None:
            return None
        metric, began = series
        return SeriesRange(page_id=page_id, metric=metric, since=began, until=sys.maxsize)

    def _series_then(self, conn: sqlite3.Connection, slug: str, at: int) -> SeriesRange | None:
        """The page's series up to this instant. Of one before the present series, only what it counted is known."""
        present = self._present(conn, slug)
        if present is None or present.since <= at:
            return present and present._replace(until=at)
        every = [present._replace(metric=metric, since=-sys.maxsize, until=at) for metric in METRICS]
        newest = [(row[0], series) for series in every if (row := newest_row(conn, series))]
        return max(newest)[1] if newest else None

    def move_to_history(self, before: datetime) -> int:
        """Move readings older than this (to the quarter of an hour) into the per-page history; how many.

        Some pages at a time, so that what else is to be written gets its turn in between.
        """
        end = to_ms(before) // QUARTER
        with self._database.write() as db:
            newest_page = db.conn.execute("SELECT max(id) FROM pages").fetchone()[0] or 0
            _put_folded_before(db.conn, end * QUARTER)
        moved = 0
        for first in range(1, newest_page + 1, _FOLD_PAGES):
            with self._database.write() as db:
                moved += fold_pages(db.conn, first, first + _FOLD_PAGES - 1, end)
        return moved


def _latest_of(page: Page, row: Row, sources: Mapping[int, Source]) -> PageSnapshot:
    polled_at, trouble, message, since = row[:4]
    series_state = row[4:]
    return PageSnapshot(
        page=page,
        series_state=None if series_state[0] is None else series_state_of(page.slug, series_state, sources),
        polled_at=None if polled_at is None else to_instant(polled_at),
        trouble=None if trouble is None else PollTrouble(reason=trouble, message=message, since=to_instant(since)),
    )


def _folded_before(conn: sqlite3.Connection) -> int:
    row = conn.execute("SELECT value FROM notes WHERE key = 'folded_before'").fetchone()
    return int(row[0]) if row else -sys.maxsize


def _put_folded_before(conn: sqlite3.Connection, ms: int) -> None:
    conn.execute("INSERT OR REPLACE INTO notes VALUES ('folded_before', ?)", (str(max(ms, _folded_before(conn))),))
