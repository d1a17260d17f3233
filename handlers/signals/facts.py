"""Facts: a count as a figure behind an alert."""

from __future__ import annotations

from handlers.model import AudienceReading, Fact, Figure, Point, SeriesState


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


def fact(name: str, figure: Figure, unit: str, reading: AudienceReading, *, about: str = "") -> Fact:
    """Return a figure as a fact, with the instant, the precision and the source of its reading."""
    return Fact(
        name=name,
        value=figure.value,
        unit=unit,
        low=figure.low,
        high=figure.high,
        about=about or reading.page,
        at=reading.as_of,
        dated=reading.dated,
        source=reading.source,
        url=reading.url,
    )


def exactly(value: float) -> Figure:
    """Return a figure without an interval."""
    return Figure(value=value, low=value, high=value)
