"""A page's series in a nutshell, as one row of ``latest``. Ten thousand are read and written in every cycle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from handlers.model import Point, Restart, SeriesState
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


class StoredSeriesStates:
    """The tracks as they are stored, as far as they were read or written: most pages move on by one point at a time."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._stored: dict[str, SeriesState] = {}

    def know(self, series_states: Mapping[str, SeriesState]) -> None:
        """So they are stored."""
        self._stored.update(series_states)

    def forget(self) -> None:
        """Nothing is known of what is stored."""
        self._stored = {}

    def put(self, conn: sqlite3.Connection, series_states: Iterable[SeriesState]) -> None:
        """Replace the pages' tracks."""
        series_states = list(series_states)
        ids, stored = self._ids, self._stored
        pages = ids.pages(conn, [series_state.page for series_state in series_states])
        moves: list[Row] = []
        whole: list[Row] = []
        for series_state in series_states:
            known, page_id = stored.get(series_state.page), pages[series_state.page]
            if known is not None and _has_moved_on(known, series_state):
                last, count = series_state.last, series_state.last.count
                moves.append((to_ms(last.at), count, count - last.low, last.high - count, series_state.gap, page_id))
            else:
                whole.append(_row_of(conn, ids, series_state, page_id))
        conn.executemany(_MOVE_ON, moves)
        conn.executemany(_PUT, whole)
        stored.update((series_state.page, series_state) for series_state in series_states)


def _has_moved_on(known: SeriesState, series_state: SeriesState) -> bool:
    """Whether the newest point became the one before, another of the same source took its place, and that is all."""
    last, before = series_state.last, known.last
    return (
        series_state.previous is before
        and series_state.day is known.day
        and series_state.gains is known.gains
        and not series_state.held
        and not known.held
        and series_state.metric is known.metric
        and series_state.since is known.since
        and series_state.restarted is known.restarted
        and last.source == before.source
        and last.url == before.url
        and last.dated is before.dated
    )


def _row_of(conn: sqlite3.Connection, ids: Ids, series_state: SeriesState, page_id: int) -> Row:
    metric = METRIC_TEXTS[series_state.metric]
    return (
        page_id,
        metric,
        to_ms(series_state.since),
        series_state.gap,
        pack(series_state.gains),
        _held_text(series_state.held) if series_state.held else None,
        None if series_state.held_metric is None else METRIC_TEXTS[series_state.held_metric],
        series_state.restarted or 0,
        *_point_row(conn, ids, series_state.last, metric),
        *_point_row(conn, ids, series_state.previous, metric),
        *_point_row(conn, ids, series_state.day, metric),
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
    """The point of the columns instant, count, below, above, source id, dated."""
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


def series_state_of(slug: str, row: Row, sources: Mapping[int, Source]) -> SeriesState:
    """The track of a page's columns ``SERIES_STATE``."""
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
