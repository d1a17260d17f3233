"""How a page's audience by country is said: as bounds, with date, source and denominator, and never mixed up.

All likes and new likes are different measures: 80% of one month's *new* likes and 43% of *all* likes are both true of
the same page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot import words
from bot.countries import country_name
from bot.slack.contract import Bold, Line, Link, Span
from handlers.model import AudienceReading, Figure, Measure, Page
from handlers.shares import complement, published_share
from storage.store import Store

CAVEAT = (
    "From abroad is not the same as not genuine: diaspora, advertising and foreign news all look like this. "
    "New likes and all likes are different measures."
)
RECENT = timedelta(days=60)
_NAMED = 3


def recent_since(now: datetime) -> datetime:
    """The beginning of the UTC day from which on audiences are looked through: it changes once a day."""
    return (now - RECENT).replace(hour=0, minute=0, second=0, microsecond=0)


def share_lines(store: Store, page: Page, since: datetime) -> tuple[Line, ...]:
    """The newest known home and foreign share of all likes, then of new likes; nothing where none is known."""
    home = page.home
    if home is None:
        return ()
    readings = store.audiences.recent(page.slug, since)
    lines = (_share_line(store, home, _newest(readings, measure, home)) for measure in Measure)
    return tuple(line for line in lines if line is not None)


def _newest(readings: Iterable[AudienceReading], measure: Measure, home: str) -> AudienceReading | None:
    told = [one for one in readings if one.measure is measure and (home in one.shares or home in one.likes)]
    return max(told, key=lambda one: one.as_of, default=None)


def _share_line(store: Store, home: str, reading: AudienceReading | None) -> Line | None:
    if reading is None:
        return None
    total = reading.total or (_total(store, reading) if reading.measure is Measure.ALL else None)
    reading = replace(reading, total=total)
    at_home = published_share(reading, home)
    if at_home is None:
        return None
    date = words.dated(reading.as_of, reading.dated)
    what = "All likes" if reading.measure is Measure.ALL else f"New likes, {_during(reading)}"
    spans: list[Span] = [Bold(f"{what}:"), f" {_bounds(at_home)} from home ({country_name(home)})"]
    if home in reading.likes and total is not None:
        spans.append(f", {words.count(reading.likes[home].value)} of {words.count(total.value)}")
    elif total is not None:
        spans.append(f", of {words.count(total.value)}")
    spans.append(f"; {_foreign(reading, home, at_home)}. {date}, ")
    spans += [Link(reading.source, reading.url), "."]
    return tuple(spans)


def _during(reading: AudienceReading) -> str:
    date = words.dated(reading.as_of, reading.dated)
    return f"the {words.several(reading.days, 'day')} to {date}" if reading.days else f"up to {date}"


def _total(store: Store, reading: AudienceReading) -> Figure | None:
    point = store.readings.at(reading.page, reading.as_of)
    return Figure(value=point.count, low=point.low, high=point.high) if point else None


def _foreign(reading: AudienceReading, home: str, at_home: Figure) -> str:
    """The bounds of the foreign share: what was located abroad, and all that was not located at home."""
    abroad = {
        country: share
        for country in {*reading.shares, *reading.likes} - {home}
        if (share := published_share(reading, country)) is not None
    }
    most = _bound(complement(at_home).high)
    if not abroad:
        return f"from abroad at most {most}"
    least = _bound(sum(share.low for share in abroad.values()))
    top = sorted(abroad, key=lambda country: (-abroad[country].value, country))[:_NAMED]
    named = ", ".join(f"{country_name(country)} {words.percent(abroad[country].value)}" for country in top)
    return f"from abroad at least {least}, at most {most} ({named})"


def _bounds(share: Figure) -> str:
    value, low, high = words.percent(share.value), _bound(share.low), _bound(share.high)
    return value if low == high else f"{value} (between {low} and {high})"


def _bound(share: float) -> str:
    return words.percent(share, digits=2)
