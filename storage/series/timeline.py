"""Everything stored of some pages, in the order in which it could be known: what a backtest goes through."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from handlers.model import AudienceReading, Reading
from storage.schema.database import Database
from storage.schema.ids import Ids
from storage.schema.rows import DATES, METRICS, QUARTER, Row, to_instant, to_ms
from storage.series.audiences import AUDIENCE, audience_of

_AT_ONCE = timedelta(days=7)
"""What is read in one go: the store is not held on to while somebody thinks about it, nor all of it kept in memory."""

_READING = "page_id, observed_at, source_id, count, below, above, delay, dated"
_HISTORY = f"""
  SELECT {_READING} FROM json_each(:pages) AS asked
    CROSS JOIN history ON page_id = asked.value AND observed_at >= :since AND observed_at < :until"""
_RECENT = f"""
  WITH RECURSIVE quarters (quarter) AS (
    SELECT max(:first_quarter, (SELECT min(quarter) FROM readings))
    UNION ALL SELECT quarter + 1 FROM quarters WHERE quarter < :last_quarter
  )
  SELECT {_READING} FROM quarters CROSS JOIN json_each(:pages) AS asked
    CROSS JOIN readings ON readings.quarter = quarters.quarter AND page_id = asked.value
      AND observed_at >= :since AND observed_at < :until"""
_AUDIENCES = f"""
  SELECT asked.value, {AUDIENCE} FROM json_each(:pages) AS asked
    CROSS JOIN audiences ON page_id = asked.value AND as_of >= :since AND as_of < :until ORDER BY audiences.id"""


_SPANS = """
  SELECT slug, sum(is_count), sum(1 - is_count), min(at), max(at) FROM (
    SELECT page_id, observed_at AS at, 1 AS is_count FROM history
    UNION ALL SELECT page_id, observed_at, 1 FROM readings
    UNION ALL SELECT page_id, as_of, 0 FROM audiences
  ) JOIN pages ON pages.id = page_id GROUP BY slug ORDER BY slug"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineSpan:
    """What is stored of a page: how many counts and audience readings, and the first and the last instant of them."""

    counts: int
    audiences: int
    first: datetime
    last: datetime


class Timeline:
    """Readings of every standing, and audience readings, as they came."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    def as_received(
        self, slugs: Iterable[str], since: datetime, until: datetime
    ) -> Iterator[Reading | AudienceReading]:
        """What is for an instant from ``since`` on, and could be known before ``until``, in that order.

        Of the same instant, counts come before audiences. A poll that found the same count again is not stored, and so
        not here; a figure that was received before the instant it is for is taken to have been known then.
        """
        waiting: list[tuple[datetime, bool, datetime, int, Reading | AudienceReading]] = []
        number = count()
        asked = list(slugs)
        while since < until:
            end = min(since + _AT_ONCE, until)
            for figure in self._of(asked, since, end):
                is_audience = isinstance(figure, AudienceReading)
                at = figure.as_of if isinstance(figure, AudienceReading) else figure.observed_at
                if figure.received_at < at:
                    figure = replace(figure, received_at=at)  # noqa: PLW2901 (it stands for the one found)
                if figure.received_at < until:
                    heapq.heappush(waiting, (figure.received_at, is_audience, at, next(number), figure))
            while waiting and (waiting[0][0] < end or end == until):
                yield heapq.heappop(waiting)[-1]
            since = end

    def as_observed(
        self, slugs: Iterable[str], since: datetime, until: datetime
    ) -> Iterator[Reading | AudienceReading]:
        """What is for an instant from ``since`` on and before ``until``, whenever it is said to have been received."""
        asked = list(slugs)
        while since < until:
            end = min(since + _AT_ONCE, until)
            yield from self._of(asked, since, end)
            since = end

    def spans(self) -> dict[str, TimelineSpan]:
        """For each page that anything is stored of, how much there is, and from when to when."""
        with self._database.read() as conn:
            rows = conn.execute(_SPANS).fetchall()
        return {
            slug: TimelineSpan(counts=counts, audiences=audiences, first=to_instant(first), last=to_instant(last))
            for slug, counts, audiences, first, last in rows
        }

    def _of(self, slugs: list[str], since: datetime, until: datetime) -> Iterator[Reading | AudienceReading]:
        with self._database.read() as conn:
            ids = self._ids.pages(conn, slugs)
            names = {ids[slug]: slug for slug in slugs if slug in ids}
            first, end = to_ms(since), to_ms(until)
            bounds = {"pages": json.dumps(sorted(names)), "since": first, "until": end}
            quarters = {"first_quarter": first // QUARTER, "last_quarter": (end - 1) // QUARTER}
            rows = conn.execute(_HISTORY, bounds).fetchall() + conn.execute(_RECENT, {**bounds, **quarters}).fetchall()
            audiences = conn.execute(_AUDIENCES, bounds).fetchall()
            sources = self._ids.sources()
        rows.sort()
        for row in rows:
            yield _reading(names[row[0]], row, sources[row[2]])
        for row in audiences:
            yield audience_of(names[row[0]], row[1:])


def _reading(slug: str, row: Row, whence: tuple[str, str, str]) -> Reading:
    _, observed_at, _, number, below, above, delay, dated = row
    source, url, metric = whence
    at = to_instant(observed_at)
    return Reading(
        page=slug,
        observed_at=at,
        received_at=to_instant(observed_at + delay) if delay else at,
        count=number,
        low=number - below,
        high=number + above,
        metric=METRICS[metric],
        source=source,
        url=url,
        dated=DATES[dated],
    )
