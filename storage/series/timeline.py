"""The timeline: all stored readings of some pages, in the order in which they were received."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.model import AudienceReading, Dated, Reading
from storage.schema.database import Database
from storage.schema.ids import Ids, Source
from storage.schema.rows import DATES, METRICS, QUARTER, to_instant, to_ms
from storage.series.audiences import AUDIENCE, audience_of

_AT_ONCE = timedelta(days=7)
"""The period of one query. So no transaction stays open between two readings, and memory is bounded."""

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
    """The numbers of a page's stored counts and audience readings, and their first and last instant."""

    counts: int
    audiences: int
    first: datetime
    last: datetime


class Timeline:
    """Readings of every standing, and audience readings."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    def as_received(
        self, slugs: Iterable[str], since: datetime, until: datetime
    ) -> Iterator[Reading | AudienceReading]:
        """Yield readings for instants from ``since`` on that were received before ``until``, by ``received_at``.

        Counts come before audience readings of the same instant. A poll that found the same count again is not stored,
        and so is missing here. A reading that was received before its own instant counts as received at that instant.
        """
        waiting: list[tuple[datetime, bool, datetime, int, Reading | AudienceReading]] = []
        number = itertools.count()
        asked = list(slugs)
        while since < until:
            end = min(since + _AT_ONCE, until)
            for figure in self._readings(asked, since, end):
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
        """Yield readings for instants from ``since`` on and before ``until``, whenever they were received."""
        asked = list(slugs)
        while since < until:
            end = min(since + _AT_ONCE, until)
            yield from self._readings(asked, since, end)
            since = end

    def spans(self) -> dict[str, TimelineSpan]:
        """Return slug -> span for each page with any reading."""
        return {
            slug: TimelineSpan(counts=counts, audiences=audiences, first=to_instant(first), last=to_instant(last))
            for slug, counts, audiences, first, last in self._database.rows(_SPANS)
        }

    def _readings(self, slugs: list[str], since: datetime, until: datetime) -> Iterator[Reading | AudienceReading]:
        with self._database.read() as conn:
            names = self._ids.by_id(conn, slugs)
            first, end = to_ms(since), to_ms(until)
            bounds = {"pages": json.dumps(sorted(names)), "since": first, "until": end}
            quarters = {"first_quarter": first // QUARTER, "last_quarter": (end - 1) // QUARTER}
            rows = conn.execute(_HISTORY, bounds).fetchall() + conn.execute(_RECENT, {**bounds, **quarters}).fetchall()
            audiences = conn.execute(_AUDIENCES, bounds).fetchall()
            sources = self._ids.sources()
        rows.sort()
        for row in rows:
            page_id, observed_at, source_id, count, below, above, delay, dated = row
            numbers = (observed_at, delay, count, below, above)
            yield reading_of(names[page_id], numbers, sources[source_id], DATES[dated])
        for row in audiences:
            yield audience_of(names[row[0]], row[1:])


def reading_of(slug: str, numbers: Sequence[int], origin: Source, dated: Dated) -> Reading:
    """Return a reading from its numbers: instant and delay (both in ms), count, below, above."""
    observed_at, delay, number, below, above = numbers
    source, url, metric = origin
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
        dated=dated,
    )
