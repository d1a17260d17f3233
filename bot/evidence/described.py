"""What a bundle's JSON says of readings: one form, for writing it and for holding replies against it."""

from __future__ import annotations

from typing import Any

from bot.evidence.alert_text import number
from bot.evidence.records import instant_text
from bot.evidence.trace import AnyReading
from handlers.model import Figure, Reading


def reading_value(figure: AnyReading) -> dict[str, Any]:
    """What a reading claims, and what the bytes behind it must say when they are read once more."""
    at = figure.observed_at if isinstance(figure, Reading) else figure.as_of
    known = {
        "dated": figure.dated.value,
        "received_at": instant_text(max(figure.received_at, at)),  # a figure was not known before its instant
        "url": figure.url,
    }
    return {**_counted(figure), **known}


def _counted(figure: AnyReading) -> dict[str, Any]:
    if isinstance(figure, Reading):
        return {
            "kind": "count",
            "page": figure.page,
            "observed_at": instant_text(figure.observed_at),
            "count": figure.count,
            "low": figure.low,
            "high": figure.high,
            "metric": figure.metric.value,
            "source": figure.source,
        }
    return {
        "kind": "audience",
        "page": figure.page,
        "as_of": instant_text(figure.as_of),
        "measure": figure.measure.value,
        "metric": figure.metric.value,
        "days": figure.days,
        "likes": {country: _numbers(value) for country, value in sorted(figure.likes.items())},
        "shares": {country: _numbers(value) for country, value in sorted(figure.shares.items())},
        "total": _numbers(figure.total) if figure.total else None,
        "source": figure.source,
    }


def _numbers(figure: Figure) -> list[float | int | str | None]:
    return [number(figure.value), number(figure.low), number(figure.high)]
