"""Write a page's figures in words: the count with its rounding, its age and source, and its growth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.imports.values import UNNAMED
from bot.platforms.discovery import platforms
from bot.slack.contract import Link, Moment, Plot, Span
from bot.slack.render.charts import counts_plot
from bot.text import durations, phrases
from handlers.model import Dated, Point, SeriesState, least_precise
from storage.store import Store
from storage.values import PageSnapshot

SAME_TIME = timedelta(hours=36)
"""Two counts no further apart than this are compared as counts of the same time."""

_LONG_AGO = timedelta(days=2)
_MUCH_LONGER = 1.25  # growth over more than this many times a period is growth over another period


class CountedPage(NamedTuple):
    """A page that has a figure."""

    snapshot: PageSnapshot
    state: SeriesState


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The growth of a page between two accepted points, in likes or followers.

    ``change`` is the difference between both counts, and ``before`` is the older count. If a count is rounded,
    the true change lies in an interval of this ``width``. ``over`` is the time between the points, and ``dated`` is its
    precision.
    """

    change: int
    before: int
    width: int
    over: timedelta
    dated: Dated

    @property
    def time(self) -> str:
        """The time between the points, in words."""
        return durations.between(self.over, self.dated)


def platform_title(platform: str) -> str:
    """Return a platform's name as people write it: ``"facebook"`` -> ``"Facebook"``."""
    return next((known.title for known in platforms() if known.name == platform), platform.title())


def with_figures(snapshots: Iterable[PageSnapshot | None]) -> list[CountedPage]:
    """Return the pages that have a figure."""
    return [CountedPage(one, one.series_state) for one in snapshots if one is not None and one.series_state is not None]


def as_of(page: CountedPage) -> datetime:
    """Return the time of the page's figure. If a later poll found the count unchanged, that is the poll's time."""
    last, polled_at = page.state.last.at, page.snapshot.polled_at
    return last if polled_at is None or page.state.held else max(last, polled_at)


def count_text(state: SeriesState) -> str:
    """Return ``"2,108,800 likes"``, or ``"2,100,000 likes (± 50,000)"`` for a rounded count."""
    rounding = rounding_text(state.last)
    return f"{phrases.count(state.last.count)} {state.metric}" + (f" ({rounding})" if rounding else "")


def rounding_text(point: Point) -> str:
    """Return the bounds that a rounded figure leaves open; "" for an exact figure."""
    below, above = point.count - point.low, point.high - point.count
    if below == above == 0:
        return ""
    if below == 0:
        return f"rounded down: up to {phrases.count(point.high)}"
    if abs(below - above) <= 1:
        return f"± {phrases.count(max(below, above))}"
    return f"between {phrases.count(point.low)} and {phrases.count(point.high)}"


def age_text(page: CountedPage, now: datetime) -> str:
    """Return the age of the page's figure.

    - ``"read 4 minutes ago"`` for a figure from a poll;
    - ``"published 5 August 2020, 6 years ago"`` for an imported figure whose publisher is named;
    - ``"as of 5 August 2020, 6 years ago (imported)"`` for any other imported figure.
    """
    at, last = as_of(page), page.state.last
    if _is_polled(page):
        return f"read {durations.ago(at, now)}" + (f", on {phrases.day(at)}" if now - at > _LONG_AGO else "")
    date = f"{phrases.dated(at, last.dated)}, {durations.ago_as_dated(at, last.dated, now)}"
    return f"as of {date} (imported)" if last.source.startswith(UNNAMED) else f"published {date}"


def source_spans(page: CountedPage, now: datetime) -> tuple[Span, ...]:
    """Return age and source: ``"read 4 minutes ago from Facebook"``, ``"published June 2013, …; source: …"``."""
    if _is_polled(page):
        return (f"{age_text(page, now)} from {platform_title(page.snapshot.page.platform)}",)
    return (f"{age_text(page, now)}; source: ", Link(page.state.last.source, page.state.last.url))


def _is_polled(page: CountedPage) -> bool:
    """Return whether the newest figure is from the platform, or a poll found an imported figure unchanged."""
    last = page.state.last
    return last.source.startswith(platform_title(page.snapshot.page.platform)) or as_of(page) != last.at


def date_span(at: datetime, precision: Dated) -> Span:
    """Return the date of a figure. A date with an hour is shown in the reader's own time zone."""
    return Moment(at) if precision is Dated.INSTANT else phrases.dated(at, precision)


def growth(store: Store, page: CountedPage, period: timedelta) -> Growth | None:
    """Return the growth over ``period`` up to the newest figure, or None if no figure is that old."""
    return next(growths(store, page, (period,)), None)


def growths(store: Store, page: CountedPage, periods: Sequence[timedelta]) -> Iterator[Growth]:
    """Yield the growth over each of these periods, without periods that are older than the first figure."""
    at, last = as_of(page), page.state.last
    older_points = store.readings.points_at(page.snapshot.page.slug, [at - period for period in periods])
    for period, older in zip(periods, older_points, strict=True):
        if older is not None:
            yield Growth(
                change=last.count - older.count,
                before=older.count,
                width=last.high - last.low + older.high - older.low,
                over=period if older.at == last.at else at - older.at,
                dated=least_precise(older.dated, last.dated if at == last.at else Dated.INSTANT),
            )


def growth_text(measured: Growth) -> str:
    """Return ``"+14,000 (+0.7%)"``, with "about" for rounded figures, or ``"no change"``."""
    if measured.change == 0:
        return "no change"
    if 2 * abs(measured.change) <= measured.width:
        return "no change beyond the rounding"
    sign = "+" if measured.change > 0 else ""
    share = f" ({phrases.percent_change(measured.change / measured.before)})" if measured.before else ""
    return ("about " if measured.width else "") + sign + phrases.about(measured.change, measured.width) + share


def longer_than(measured: Growth, period: timedelta | None) -> str:
    """Return a remark if the growth is over a much longer time than the ``period`` that a person named; else ""."""
    if period is None or measured.over <= _MUCH_LONGER * period:
        return ""
    return f" (no figure from {durations.length(period)} before)"


def growth_and_time(measured: Growth, period: timedelta | None) -> str:
    """Return ``"+14,000 (+0.7%) in 7 days"``, with the remark of ``longer_than``."""
    return f"{growth_text(measured)} in {measured.time}{longer_than(measured, period)}"


def gap_text(ahead: Point, behind: Point) -> str | None:
    """Return the difference, ``"14,000"``, or None if the rounding hides which one is ahead."""
    if ahead.low <= behind.high:
        return None
    width = ahead.high - ahead.low + behind.high - behind.low
    return ("about " if width else "") + phrases.about(ahead.count - behind.count, width)


def same_time(one: CountedPage, other: CountedPage) -> bool:
    """Return whether both figures are of about the same time, so that their difference means something."""
    return abs(as_of(one) - as_of(other)) <= SAME_TIME


def series_plot(
    store: Store, title: str, pages: Sequence[CountedPage], until: datetime, period: timedelta
) -> Plot | None:
    """Draw the ``period`` up to ``until`` by day; if that has too few points, draw the whole series."""
    slugs = {page.snapshot.page.name: page.snapshot.page.slug for page in pages}
    for since in (until - period, min(page.state.since for page in pages)):
        points = {name: store.readings.daily_points(slug, since, until) for name, slug in slugs.items()}
        plot = counts_plot(title, points, unit=pages[0].state.metric) if all(points.values()) else None
        if plot is not None:
            return plot
    return None
