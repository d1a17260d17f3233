"""How a page's audience by country is said: as bounds, with date, source and denominator, and never mixed up.

All likes and new likes are different measures: 80% of one month's *new* likes and 43% of *all* likes are both true of
the same page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.slack.contract import Bold, Line, Link, Span
from bot.text import phrases
from bot.text.countries import country_name
from handlers.model import AudienceReading, Dated, Figure, Measure, Page
from handlers.signals.shares import complement, published_share
from storage.store import Store

CAVEAT = (
    "From abroad is not the same as not genuine: diaspora, advertising and foreign news all look like this. "
    "New likes and all likes are different measures."
)
RECENT = timedelta(days=60)
_NAMED = 3
_MANY = 500
_TOLD_WITHIN = timedelta(days=60)  # before or after the figure: an alert is of the day of the last of its figures


def recent_since(now: datetime) -> datetime:
    """The beginning of the UTC day from which on audiences are looked through: it changes once a day."""
    return (now - RECENT).replace(hour=0, minute=0, second=0, microsecond=0)


def share_lines(store: Store, page: Page, since: datetime) -> tuple[Line, ...]:
    """The newest known home and foreign share of all likes, then of new likes; nothing where none is known."""
    home = page.home
    if home is None:
        return ()
    readings = store.audiences.recent(page.slug, since)
    today = since + RECENT
    lines = (_share_line(store, home, _newest(readings, measure, home), today) for measure in Measure)
    return tuple(line for line in lines if line is not None)


def _newest(readings: Iterable[AudienceReading], measure: Measure, home: str) -> AudienceReading | None:
    told = [one for one in readings if one.measure is measure and (home in one.shares or home in one.likes)]
    return max(told, key=lambda one: one.as_of, default=None)


def _share_line(store: Store, home: str, reading: AudienceReading | None, today: datetime) -> Line | None:
    if reading is None:
        return None
    total = reading.total or (_total(store, reading) if reading.measure is Measure.ALL else None)
    reading = replace(reading, total=total)
    at_home = published_share(reading, home)
    if at_home is None:
        return None
    precision = Dated.DAY if reading.dated is Dated.INSTANT else reading.dated
    date = f"{phrases.dated(reading.as_of, reading.dated)}, {phrases.ago_as_dated(reading.as_of, precision, today)}"
    all_or_new = f"All {reading.metric}" if reading.measure is Measure.ALL else f"New {reading.metric}"
    what = all_or_new if reading.measure is Measure.ALL else f"{all_or_new}, {_during(reading)}"
    spans: list[Span] = [Bold(f"{what}:"), f" {_bounds(at_home)} from home ({country_name(home)})"]
    if home in reading.likes and total is not None:
        spans.append(f", {phrases.count(reading.likes[home].value)} of {phrases.count(total.value)}")
    elif total is not None:
        spans.append(f", of {phrases.count(total.value)}")
    spans.append(f"; {_foreign(reading, home, at_home)}. {date}, ")
    spans += [Link(reading.source, reading.url), "."]
    if _is_contradicted(store, reading):
        spans.append(f" Other published figures contradict it: /trends alerts {reading.page}.")
    return tuple(spans)


def _during(reading: AudienceReading) -> str:
    date = phrases.dated(reading.as_of, reading.dated)
    return f"the {phrases.several(reading.days, 'day')} to {date}" if reading.days else f"up to {date}"


def _is_contradicted(store: Store, reading: AudienceReading) -> bool:
    """Whether it was told that this very figure and others do not fit together."""
    return any(
        kept.alert.kind == "contradiction"
        and any((fact.at, fact.source) == (reading.as_of, reading.source) for fact in kept.alert.facts)
        for kept in store.alerts.recent(page=reading.page, since=reading.as_of - _TOLD_WITHIN, limit=_MANY)
    )


def _total(store: Store, reading: AudienceReading) -> Figure | None:
    """The page's count then, where it counts what the share is of."""
    track = store.series_states.get((reading.page,)).get(reading.page)
    if track is None or track.metric is not reading.metric:
        return None
    point = store.readings.point_at(reading.page, reading.as_of)
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
    named = ", ".join(f"{country_name(country)} {phrases.percent(abroad[country].value)}" for country in top)
    return f"from abroad at least {least}, at most {most} ({named})"


def _bounds(share: Figure) -> str:
    value, low, high = phrases.percent(share.value), _bound(share.low), _bound(share.high)
    return value if low == high else f"{value} (between {low} and {high})"


def _bound(share: float) -> str:
    return phrases.percent(share, digits=2)
