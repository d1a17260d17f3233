"""Write a page's audience by country in words: as bounds, with date, source and total.

All likes and new likes are different measures: 80% of one month's *new* likes and 43% of *all* likes can both be true
of the same page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bot.slack.contract import Bold, Line, Link, Span
from bot.text import durations, phrases
from bot.text.countries import country_name
from handlers.model import AudienceReading, Dated, Figure, Measure, Page
from handlers.signals.shares import complement, published_share
from storage.store import Store

CAVEAT = (
    "From abroad is not the same as not genuine: diaspora, advertising and foreign news all look like this. "
    "New likes and all likes are different measures."
)
_RECENT = timedelta(days=60)
_MAX_COUNTRIES = 3
_MAX_ALERTS = 500
_ALERT_WITHIN = timedelta(days=60)  # an alert about a figure is dated by the last of its figures


def recent_since(now: datetime) -> datetime:
    """Return the start of the UTC day 60 days ago. It changes once a day, so answers can be cached."""
    return (now - _RECENT).replace(hour=0, minute=0, second=0, microsecond=0)


def share_lines(store: Store, page: Page, since: datetime) -> tuple[Line, ...]:
    """Return the newest home and foreign share of all likes, then those of new likes, as far as figures exist."""
    return tuple(_share_lines(store, page, page.home, since)) if page.home else ()


def _share_lines(store: Store, page: Page, home: str, since: datetime) -> Iterator[Line]:
    readings = store.audiences.recent(page.slug, since)
    for measure in Measure:
        with_home = [one for one in readings if one.measure is measure and (home in one.shares or home in one.likes)]
        if not with_home:
            continue
        reading = max(with_home, key=lambda one: one.as_of)
        if reading.total is None and measure is Measure.ALL:
            reading = replace(reading, total=_total(store, reading))
        if at_home := published_share(reading, home):
            yield _share_line(store, home, reading, at_home, today=since + _RECENT)


def _share_line(store: Store, home: str, reading: AudienceReading, at_home: Figure, *, today: datetime) -> Line:
    precision = Dated.DAY if reading.dated is Dated.INSTANT else reading.dated
    day = phrases.dated(reading.as_of, reading.dated)
    age = durations.ago_as_dated(reading.as_of, precision, today)
    what = f"All {reading.metric}"
    if reading.measure is Measure.NEW:
        days = f"the {phrases.several(reading.days, 'day')} to" if reading.days else "up to"
        what = f"New {reading.metric}, {days} {day}"
    spans: list[Span] = [Bold(f"{what}:"), f" {_bounds(at_home)} from home ({country_name(home)})"]
    if reading.total is not None:
        count = f"{phrases.count(reading.likes[home].value)} " if home in reading.likes else ""
        spans.append(f", {count}of {phrases.count(reading.total.value)}")
    spans.append(f"; {_foreign(reading, home, at_home)}. {day}, {age}, ")
    spans += [Link(reading.source, reading.url), "."]
    if _is_contradicted(store, reading):
        spans.append(f" Other published figures contradict it: /trends alerts {reading.page}.")
    return tuple(spans)


def _is_contradicted(store: Store, reading: AudienceReading) -> bool:
    """Return whether an alert says that this very figure and other figures contradict each other."""
    return any(
        stored.alert.kind == "contradiction"
        and any((fact.at, fact.source) == (reading.as_of, reading.source) for fact in stored.alert.facts)
        for stored in store.alerts.recent(page=reading.page, since=reading.as_of - _ALERT_WITHIN, limit=_MAX_ALERTS)
    )


def _total(store: Store, reading: AudienceReading) -> Figure | None:
    """Return the page's count at that time, if the page counts what the share is of."""
    state = store.series_states.get((reading.page,)).get(reading.page)
    if state is None or state.metric is not reading.metric:
        return None
    point = store.readings.point_at(reading.page, reading.as_of)
    return Figure(value=point.count, low=point.low, high=point.high) if point else None


def _foreign(reading: AudienceReading, home: str, at_home: Figure) -> str:
    """Return the bounds of the foreign share: at least what was located abroad, at most all that was not at home."""
    abroad = {
        country: share
        for country in {*reading.shares, *reading.likes} - {home}
        if (share := published_share(reading, country)) is not None
    }
    most = _bound(complement(at_home).high)
    if not abroad:
        return f"from abroad at most {most}"
    least = _bound(sum(share.low for share in abroad.values()))
    largest = sorted(abroad, key=lambda country: (-abroad[country].value, country))[:_MAX_COUNTRIES]
    named = ", ".join(f"{country_name(country)} {phrases.percent(abroad[country].value)}" for country in largest)
    return f"from abroad at least {least}, at most {most} ({named})"


def _bounds(share: Figure) -> str:
    value, low, high = phrases.percent(share.value), _bound(share.low), _bound(share.high)
    return value if low == high else f"{value} (between {low} and {high})"


def _bound(share: float) -> str:
    return phrases.percent(share, digits=2)
