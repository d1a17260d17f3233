"""A count as a figure behind an alert."""

from __future__ import annotations

from handlers.model import Fact, Point, Track


def count_fact(name: str, track: Track, point: Point) -> Fact:
    """A count of a page's series, in likes or followers, with its bounds, its instant and its source."""
    return Fact(
        name=name,
        value=point.count,
        unit=track.metric.value,
        low=point.low,
        high=point.high,
        about=track.page,
        at=point.at,
        dated=point.dated,
        source=point.source,
        url=point.url,
    )
