"""How a page's figures are said: with their rounding, their age, their source, and over the time that truly passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.imports.values import UNNAMED
from bot.platforms.registry import platforms
from bot.slack.contract import Link, Moment, Span
from bot.text import phrases
from handlers.model import Dated, Point, SeriesState
from storage.store import Store
from storage.values import PageSnapshot

DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)
TOGETHER = timedelta(hours=36)
_LONG_AGO = timedelta(days=2)
_ABOUT = 1.25  # times a period: what grew over more than that grew over another


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What a page gained between two accepted points: likes or followers, over the time that truly lies between them.

    ``width`` is that of the interval in which ``gained`` lies because either figure was rounded; ``dated`` says how
    precisely the instants of both are known.
    """

    gained: int
    before: int
    width: int
    over: timedelta
    dated: Dated

    @property
    def time(self) -> str:
        """Over how long, in words."""
        return phrases.between(self.over, self.dated)


def title(platform: str) -> str:
    """A platform's name as people write it: ``"facebook"`` -> ``"Facebook"``; one that is only imported as it came."""
    return next((known.title for known in platforms() if known.name == platform), platform.title())


def as_of(latest: PageSnapshot) -> datetime | None:
    """The instant the page's count is known for: an unchanged count is as young as the last poll that answered."""
    if latest.series_state is None:
        return None
    last = latest.series_state.last.at
    if latest.polled_at is None or latest.series_state.held:
        return last
    return max(last, latest.polled_at)


def counted(track: SeriesState) -> str:
    """``"2,108,800 likes"``, ``"2,100,000 likes (± 50,000)"``."""
    rounding = rounded(track.last)
    return f"{phrases.count(track.last.count)} {track.metric}" + (f" ({rounding})" if rounding else "")


def rounded(point: Point) -> str:
    """What the figure's rounding leaves open; empty where it is exact."""
    below, above = point.count - point.low, point.high - point.count
    if below == above == 0:
        return ""
    if below == 0:
        return f"rounded down: up to {phrases.count(point.high)}"
    if abs(below - above) <= 1:
        return f"± {phrases.count(max(below, above))}"
    return f"between {phrases.count(point.low)} and {phrases.count(point.high)}"


def age(latest: PageSnapshot, now: datetime) -> str:
    """``"read 4 minutes ago"``; of a figure that no poll brought ``"published 5 August 2020, 6 years ago"``.

    Where nobody is named who published it: ``"as of 5 August 2020, 6 years ago (imported)"``.
    """
    at = as_of(latest)
    if latest.series_state is None or at is None:
        return "not read yet"
    last = latest.series_state.last
    if polled(latest):
        return f"read {phrases.ago(at, now)}" + (f", on {phrases.day(at)}" if now - at > _LONG_AGO else "")
    of = f"{phrases.dated(at, last.dated)}, {phrases.ago_as_dated(at, last.dated, now)}"
    return f"as of {of} (imported)" if last.source.startswith(UNNAMED) else f"published {of}"


def polled(latest: PageSnapshot) -> bool:
    """Whether the platform itself told the newest figure, or a poll found an imported one unchanged."""
    if latest.series_state is None:
        return False
    last = latest.series_state.last
    return last.source.startswith(title(latest.page.platform)) or as_of(latest) != last.at


def provenance(latest: PageSnapshot, now: datetime) -> tuple[Span, ...]:
    """Age and source: ``"read 4 minutes ago from Facebook"``, ``"published 5 August 2020, 6 years ago; source: …"``."""
    if latest.series_state is None:
        return (age(latest, now),)
    if polled(latest):
        return (f"{age(latest, now)} from {title(latest.page.platform)}",)
    last = latest.series_state.last
    return (f"{age(latest, now)}; source: ", Link(last.source, last.url))


def moment(at: datetime, precision: Dated) -> Span:
    """When a figure is of: in the reader's own time zone where the hour is known."""
    return Moment(at) if precision is Dated.INSTANT else phrases.dated(at, precision)


def growth(store: Store, latest: PageSnapshot, period: timedelta) -> Growth | None:
    """What the page gained over ``period`` up to its newest figure; None where nothing is known from so long ago."""
    return next(growths(store, latest, (period,)), None)


def growths(store: Store, latest: PageSnapshot, periods: Sequence[timedelta]) -> Iterator[Growth]:
    """``growth`` over each of these periods for which it is known."""
    at = as_of(latest)
    if latest.series_state is None or at is None:
        return
    last = latest.series_state.last
    known = store.readings.points_at(latest.page.slug, [at - period for period in periods])
    for period, then in zip(periods, known, strict=True):
        if then is not None:
            yield Growth(
                gained=last.count - then.count,
                before=then.count,
                width=last.high - last.low + then.high - then.low,
                over=period if then.at == last.at else at - then.at,
                dated=max(then.dated, last.dated if at == last.at else Dated.INSTANT, key=list(Dated).index),
            )


def instead(grown: Growth, period: timedelta) -> str:
    """What is to be said where growth over ``period`` was asked for and only a longer one is known; else empty."""
    return f" (no figure from {phrases.length(period)} before)" if grown.over > _ABOUT * period else ""


def gained(grown: Growth) -> str:
    """``"+14,000 (+0.7%)"``; ``"no change"``; "about" where the figures are rounded."""
    if grown.gained == 0:
        return "no change"
    if 2 * abs(grown.gained) <= grown.width:
        return "no change beyond the rounding"
    sign = "+" if grown.gained > 0 else ""
    share = f" ({phrases.percent_change(grown.gained / grown.before)})" if grown.before else ""
    return ("about " if grown.width else "") + sign + phrases.about(grown.gained, grown.width) + share


def gap(ahead: Point, behind: Point) -> str | None:
    """How many ahead, ``"14,000"``; None where the rounding of the two does not let one say who is ahead."""
    if ahead.low <= behind.high:
        return None
    width = ahead.high - ahead.low + behind.high - behind.low
    return ("about " if width else "") + phrases.about(ahead.count - behind.count, width)


def together(one: PageSnapshot, other: PageSnapshot) -> bool:
    """Whether the two counts are of about the same time, so that a difference between them means something."""
    first, second = as_of(one), as_of(other)
    return first is not None and second is not None and abs(first - second) <= TOGETHER
