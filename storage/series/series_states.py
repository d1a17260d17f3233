"""Series states: one row of ``series_states`` for each page. A cycle reads and writes ten thousand of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from handlers.model import Point, Restart, SeriesState
from storage.schema.database import Database
from storage.schema.ids import Ids, Source
from storage.schema.rows import DATE_TEXTS, DATES, METRIC_TEXTS, METRICS, Row, pack, to_instant, to_ms, unpack
from storage.schema.sqlite import sqlite3

_POINT = ("at", "count", "below", "above", "source_id", "dated")
_COLUMNS = (
    *("page_id", "metric", "since", "gap", "gains", "held", "held_metric", "restarted"),
    *(f"{name}_{part}" for name in ("last", "previous", "day") for part in _POINT),
)
_NO_POINT: Row = (None,) * len(_POINT)

SERIES_STATE = ", ".join(f"series_states.{column}" for column in _COLUMNS)
"""The columns that ``series_state_of`` reads."""

_PUT = (
    f"INSERT INTO series_states ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (page_id) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in _COLUMNS[1:])}"
)
_MOVE_ON = (
    f"UPDATE series_states SET {', '.join(f'previous_{part} = last_{part}' for part in _POINT)}, "
    "last_at = ?, last_count = ?, last_below = ?, last_above = ?, gap = ? WHERE page_id = ?"
)


class SeriesStates:
    """Page -> series state.

    The class keeps what is stored, because most states differ from the stored one by one new point. Such a state is
    written as five columns instead of twenty-five, in a quarter of the time. Benchmark (a) meets its target by 4% only.
    """

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        database.after_rollback(self._forget)
        self._forget()

    def _forget(self) -> None:
        self._stored: dict[str, SeriesState] = {}

    def get(self, slugs: Iterable[str]) -> dict[str, SeriesState]:
        """Return the series states of these pages; a page that was never counted is absent."""
        with self._database.read() as conn:
            found = read_series_states(conn, self._ids.by_id(conn, slugs), self._ids.sources())
        self._stored.update(found)
        return found

    def put(self, series_states: Sequence[SeriesState]) -> None:
        """Store these series states, in place of the stored ones of the same pages."""
        moves: list[Row] = []
        whole: list[Row] = []
        with self._database.write() as db:
            ids, stored = self._ids.pages(db.conn, [state.page for state in series_states]), self._stored
            for state in series_states:
                known, page_id = stored.get(state.page), ids[state.page]
                if known is not None and _has_moved_on(known, state):
                    last, count = state.last, state.last.count
                    moves.append((to_ms(last.at), count, count - last.low, last.high - count, state.gap, page_id))
                else:
                    whole.append(_row_of(db.conn, self._ids, state, page_id))
            db.conn.executemany(_MOVE_ON, moves)
            db.conn.executemany(_PUT, whole)
            stored.update((state.page, state) for state in series_states)

    def delete(self, slugs: Iterable[str]) -> None:
        """Delete the series states of these pages."""
        with self._database.write() as db:
            by_id = self._ids.by_id(db.conn, slugs)
            db.conn.executemany("DELETE FROM series_states WHERE page_id = ?", [(page_id,) for page_id in by_id])
            for slug in by_id.values():
                self._stored.pop(slug, None)


def _has_moved_on(known: SeriesState, state: SeriesState) -> bool:
    """Return whether a new point of the same source is the only change."""
    last, before = state.last, known.last
    return (
        state.previous is before
        and state.day is known.day
        and state.gains is known.gains
        and not state.held
        and not known.held
        and state.metric is known.metric
        and state.since is known.since
        and state.restarted is known.restarted
        and last.source == before.source
        and last.url == before.url
        and last.dated is before.dated
    )


def _row_of(conn: sqlite3.Connection, ids: Ids, state: SeriesState, page_id: int) -> Row:
    metric = METRIC_TEXTS[state.metric]
    return (
        page_id,
        metric,
        to_ms(state.since),
        state.gap,
        pack(state.gains),
        _held_text(state.held) if state.held else None,
        None if state.held_metric is None else METRIC_TEXTS[state.held_metric],
        state.restarted or 0,
        *_point_row(conn, ids, state.last, metric),
        *_point_row(conn, ids, state.previous, metric),
        *_point_row(conn, ids, state.day, metric),
    )


def _point_row(conn: sqlite3.Connection, ids: Ids, point: Point | None, metric: str) -> Row:
    if point is None:
        return _NO_POINT
    count = point.count
    return (
        to_ms(point.at),
        count,
        count - point.low,
        point.high - count,
        ids.source(conn, (point.source, point.url, metric)),
        DATE_TEXTS[point.dated],
    )


def point_of(row: Row, sources: Mapping[int, Source]) -> Point:
    """Return the point of the columns instant, count, below, above, source id, dated."""
    at, count, below, above, source_id, dated = row
    source, url, _ = sources[source_id]
    return Point(
        at=to_instant(at),
        count=count,
        low=count - below,
        high=count + above,
        source=source,
        url=url,
        dated=DATES[dated],
    )


def read_series_states(
    conn: sqlite3.Connection, by_id: Mapping[int, str], sources: Mapping[int, Source], *, prefix: str = ""
) -> dict[str, SeriesState]:
    """Return the series states of these pages, from the table whose name begins with ``prefix``."""
    rows = conn.execute(
        f"SELECT {SERIES_STATE} FROM json_each(?) AS asked "
        f"JOIN {prefix}series_states AS series_states ON page_id = asked.value",
        (json.dumps(list(by_id)),),
    ).fetchall()
    return {by_id[row[0]]: series_state_of(by_id[row[0]], row, sources) for row in rows}


def series_state_of(slug: str, row: Row, sources: Mapping[int, Source]) -> SeriesState:
    """Return the series state of a page's columns ``SERIES_STATE``."""
    metric, since, gap, gains, held, held_metric, restarted = row[1:8]
    last, previous, day = row[8:14], row[14:20], row[20:26]
    return SeriesState(
        page=slug,
        metric=METRICS[metric],
        since=to_instant(since),
        last=point_of(last, sources),
        previous=None if previous == _NO_POINT else point_of(previous, sources),
        day=None if day == _NO_POINT else point_of(day, sources),
        gains=unpack(gains),
        gap=gap,
        held=_held_points(held) if held else (),
        held_metric=None if held_metric is None else METRICS[held_metric],
        restarted=Restart(restarted) if restarted else None,
    )


def _held_text(held: tuple[Point, ...]) -> str:
    return json.dumps(
        [
            (to_ms(point.at), point.count, point.low, point.high, DATE_TEXTS[point.dated], point.source, point.url)
            for point in held
        ],
        ensure_ascii=False,
    )


def _held_points(text: str) -> tuple[Point, ...]:
    return tuple(
        Point(at=to_instant(at), count=count, low=low, high=high, dated=DATES[dated], source=source, url=url)
        for at, count, low, high, dated, source, url in json.loads(text)
    )
