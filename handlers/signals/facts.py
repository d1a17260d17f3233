"""Facts: a count as a figure behind an alert."""

from __future__ import annotations

from handlers.model import Fact, Point, SeriesState


def count_fact(name: str, series_state: SeriesState, point: Point) -> Fact:
    """Return a count of a page's series as a fact: its value, bounds, instant and source."""
    return Fact(
        name=name,
        value=point.count,
        unit=series_state.metric.value,
        low=point.low,
        high=point.high,
        about=series_state.page,
        at=point.at,
        dated=point.dated,
        source=point.source,
        url=point.url,
    )
