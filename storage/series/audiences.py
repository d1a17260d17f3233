"""Audience readings: likes by country at one instant, or of a period's new likes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from handlers.model import AudienceReading, Figure, Measure
from storage.schema.database import Database
from storage.schema.ids import Ids
from storage.schema.rows import DATE_TEXTS, DATES, METRIC_TEXTS, METRICS, Row, to_instant, to_ms

_COLUMNS = ("as_of", "received_at", "measure", "metric", "days", "source", "method", "url", "dated", "figures")
AUDIENCE = ", ".join(_COLUMNS)
"""The columns that ``audience_of`` reads."""

_ALWAYS = 12
"""The number of newest readings of each measure that ``recent`` returns however old they are."""


class Audiences:
    """All audience readings."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    def add(self, reading: AudienceReading) -> bool:
        """Store a reading; return False if an equal one is stored already, whenever it was received."""
        with self._database.write() as db:
            row = {"page_id": self._ids.pages(db.conn, (reading.page,))[reading.page]}
            row |= dict(zip(_COLUMNS, audience_row(reading), strict=True))
            same = " AND ".join(f"{column} IS :{column}" for column in row if column != "received_at")
            if db.conn.execute(f"SELECT 1 FROM audiences WHERE {same}", row).fetchone():
                return False
            db.table("audiences").insert(row)
            return True

    def recent(self, slug: str, since: datetime, *, newest: int = sys.maxsize) -> tuple[AudienceReading, ...]:
        """Return the page's readings since this instant, and always the 12 newest of each measure, by ``as_of``.

        ``newest`` is the highest id to return: rows that were stored later are left out.
        """
        with self._database.read() as conn:
            rows = conn.execute(
                f"SELECT {AUDIENCE} FROM ("
                "SELECT *, row_number() OVER (PARTITION BY measure ORDER BY as_of DESC, id DESC) AS place "
                "FROM audiences WHERE page_id = ? AND id <= ?) WHERE as_of >= ? OR place <= ? ORDER BY as_of, id",
                (self._ids.page(conn, slug), newest, to_ms(since), _ALWAYS),
            ).fetchall()
        return tuple(audience_of(slug, row) for row in rows)


def audience_row(reading: AudienceReading) -> Row:
    """Return the columns ``AUDIENCE`` of a reading."""
    return (
        to_ms(reading.as_of),
        to_ms(reading.received_at),
        reading.measure.value,
        METRIC_TEXTS[reading.metric],
        reading.days,
        reading.source,
        reading.method,
        reading.url,
        DATE_TEXTS[reading.dated],
        _text(reading),
    )


def _text(reading: AudienceReading) -> str:
    def numbers(figure: Figure) -> tuple[float, float, float]:
        return figure.value, figure.low, figure.high

    return json.dumps(
        {
            "likes": {country: numbers(figure) for country, figure in sorted(reading.likes.items())},
            "shares": {country: numbers(figure) for country, figure in sorted(reading.shares.items())},
            "total": numbers(reading.total) if reading.total else None,
        }
    )


def audience_of(slug: str, row: Row) -> AudienceReading:
    """Return the audience reading of a page's columns ``AUDIENCE``."""
    as_of, received_at, measure, metric, days, source, method, url, dated, text = row
    figures: dict[str, Any] = json.loads(text)
    return AudienceReading(
        page=slug,
        as_of=to_instant(as_of),
        received_at=to_instant(received_at),
        measure=Measure(measure),
        metric=METRICS[metric],
        days=days,
        likes=_figures(figures["likes"]),
        shares=_figures(figures["shares"]),
        total=_figure(*figures["total"]) if figures["total"] else None,
        source=source,
        method=method,
        url=url,
        dated=DATES[dated],
    )


def _figures(by_country: Mapping[str, tuple[float, float, float]]) -> Mapping[str, Figure]:
    return MappingProxyType({country: _figure(*numbers) for country, numbers in by_country.items()})


def _figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, low=low, high=high)
