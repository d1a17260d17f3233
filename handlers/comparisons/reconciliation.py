"""Reconciliation: published figures of one page that do not fit together.

A country had the share s0 of all likes at the beginning of a period and s1 at its end; T0 likes became T0 + D. Then
its part of the D new likes is s1 (T0 + D) - s0 T0 = s1 D - (s0 - s1) T0, and the rounding of the four figures leaves an
interval for it (the expression is linear in each of them, so its extremes lie at their bounds). A published count of
that country's new likes outside the interval is a contradiction: one of the figures is wrong, and from them alone
nobody can tell which.

8 to 13 March 2016: 57.6% of 3,003,000 likes, then 56.4%, after 151,000 new likes; that makes 45,700 to 52,500 new
likes at home, and 34,069 were published.

The total at the end is never asked for: newspapers print it less often, and more coarsely, than the gain (here the
nearest is "3.2 million", a day later), and T0 + D is the same figure, known better. T0 is the total that came with the
first share, else the page's own accepted count within 72 hours of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, AudienceReading, Dated, Fact, Figure, Measure, Parameter, Point
from handlers.rule_state import from_text, to_text
from handlers.signals.shares import TOTAL_WITHIN, fact, published_share
from handlers.wording.numbers import count, percent
from handlers.wording.phrases import on, span

BEYOND = 0.1
SAME_DAY_HOURS = 24

_SAME_DAY = timedelta(hours=SAME_DAY_HOURS)
_RULE = (
    "The published count of new {metric} lies outside what the published shares and totals leave open, rounding "
    "included, and by more than a tenth of itself: figures of one day may be hours apart."
)
_PARAMETERS = (
    Parameter(name="beyond the rounding, of the published count", value=BEYOND, unit="share"),
    Parameter(name="figures of one instant are at most apart", value=SAME_DAY_HOURS, unit="hours"),
    Parameter(name="total within", value=TOTAL_WITHIN / timedelta(hours=1), unit="hours"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedState:
    """What is remembered of a page: the keys of the contradictions told of periods that are still laid before us."""

    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """A country's published new likes (``new.likes[country]`` of ``gained``), and what they are to be held against."""

    new: AudienceReading
    country: str
    published: Figure
    gained: Figure
    before: tuple[AudienceReading, Figure]
    after: tuple[AudienceReading, Figure]
    total: Fact

    @property
    def implied(self) -> Figure:
        """The country's new likes by its shares and the totals."""
        (_, before), (_, after), gained = self.before, self.after, self.gained
        low, high = self.total.low or 0.0, self.total.high or 0.0
        corners = [
            share_after * came - (share_before - share_after) * total
            for share_before, share_after, came, total in product(
                (before.low, before.high), (after.low, after.high), (gained.low, gained.high), (low, high)
            )
        ]
        middle = after.value * gained.value - (before.value - after.value) * self.total.value
        return Figure(value=middle, low=min(corners), high=max(corners))

    @property
    def is_contradiction(self) -> bool:
        implied, published = self.implied, self.published
        beyond = max(implied.low - published.high, published.low - implied.high)
        return beyond > BEYOND * published.value


def compare(window: Window, told: PublishedState) -> Verdict[PublishedState] | None:
    """Hold every published count of new likes against the shares and totals that are known."""
    published = [new for new in window.audience if new.measure is Measure.NEW]
    if not published:
        return None
    known = told.keys & {_key(new, country) for new in published for country in new.likes}
    periods = (period for new in published for period in _periods(window, new))
    found = {_key(period.new, period.country): period for period in periods if period.is_contradiction}
    alerts = tuple(_alert(key, found[key], window) for key in sorted(found.keys() - known))
    keys = known.union(found)
    return Verdict(alerts=alerts, state=told if keys == told.keys else PublishedState(keys=keys))


def _key(new: AudienceReading, country: str) -> str:
    published = f"{new.likes[country].value:.0f}"
    return f"contradiction:{new.page}:{country}:{new.metric}:{new.days}d:{new.as_of.isoformat()}:{published}"


def _periods(window: Window, new: AudienceReading) -> Iterator[_Period]:
    if new.days is None or new.total is None:
        return
    for country, published in new.likes.items():
        before = _share(window, new, country, days=new.days)
        after = _share(window, new, country, days=0)
        total = None if before is None else _total(window, before[0])
        if before is not None and after is not None and total is not None:
            yield _Period(
                new=new,
                country=country,
                published=published,
                gained=new.total,
                before=before,
                after=after,
                total=total,
            )


def _share(window: Window, new: AudienceReading, country: str, *, days: int) -> tuple[AudienceReading, Figure] | None:
    """The country's share of all likes so many days before the period's end: of those of that day the most exact."""
    at = new.as_of - timedelta(days=days)
    shares = [
        (reading, share)
        for reading in window.audience
        if reading.measure is Measure.ALL
        and reading.metric is new.metric
        and reading.dated is not Dated.MONTH
        and abs(reading.as_of - at) < _SAME_DAY
        and (share := published_share(reading, country)) is not None
    ]
    return min(shares, key=lambda known: (abs(known[0].as_of - at), known[1].high - known[1].low), default=None)


def _total(window: Window, reading: AudienceReading) -> Fact | None:
    """All likes of the page when a share of them was published."""
    if reading.total is not None:
        return fact("total", reading.total, reading.metric, reading)
    series_state = window.series_states.get(window.scope)
    if series_state is None or series_state.metric is not reading.metric:
        return None
    points = [
        point
        for point in (series_state.day, series_state.previous, series_state.last, _midnight(window, reading))
        if point
    ]
    near = [point for point in points if abs(point.at - reading.as_of) <= TOTAL_WITHIN]
    if not near:
        return None
    point = min(near, key=lambda point: abs(point.at - reading.as_of))
    return Fact(
        name="total",
        value=point.count,
        unit=reading.metric,
        low=point.low,
        high=point.high,
        about=reading.page,
        at=point.at,
        dated=point.dated,
        source=point.source,
        url=point.url,
    )


def _midnight(window: Window, reading: AudienceReading) -> Point | None:
    """The count at the beginning of the reading's day, as it is remembered of a page that is polled."""
    at, last = reading.as_of.replace(hour=0, minute=0, second=0, microsecond=0), window.series_states[window.scope].last
    level = window.histories[window.scope].level(at.timestamp())
    if level is None:
        return None
    number = round(level)
    return Point(at=at, count=number, low=number, high=number, source=last.source, url=last.url, dated=Dated.DAY)


def _alert(key: str, period: _Period, window: Window) -> Alert:
    new = period.new
    return Alert(
        key=key,
        story=key,
        kind="contradiction",
        feature="figures",
        page=new.page,
        at=window.now,
        dated=new.dated,
        facts=(
            fact("published", period.published, new.metric, new, about=period.country),
            fact("implied", period.implied, new.metric, new, about=period.country),
            fact("gained", period.gained, new.metric, new),
            Fact(name="period", value=new.days or 0, unit="days", at=new.as_of, dated=new.dated),
            fact("share_before", period.before[1], "share", period.before[0], about=period.country),
            fact("share_after", period.after[1], "share", period.after[0], about=period.country),
            period.total,
        ),
        rule=_RULE.format(metric=new.metric),
        parameters=_PARAMETERS,
    )


def _headline(alert: Alert, words: Names) -> str:
    published, implied, period = (alert.fact(name) for name in ("published", "implied", "period"))
    return (
        f"Published figures about {words.page(alert.page)} do not fit together: {count(published.value)} new "
        f"{published.unit} from {words.country(published.about)} in the {count(period.value)} days to "
        f"{on(period).removeprefix('on ')}, where the shares and totals leave room for {_room(implied)}."
    )


def _lines(alert: Alert, words: Names) -> tuple[str, ...]:
    before, after, total, gained, implied = (
        alert.fact(name) for name in ("share_before", "share_after", "total", "gained", "implied")
    )
    country = words.country(before.about)
    return (
        (
            f"The share listed in {country} was {percent(before.value)} of {count(total.value)} {total.unit} "
            f"{on(before)} and {percent(after.value)} {on(after)}, after {count(gained.value)} new ones: that makes "
            f"{_room(implied)} more from there, rounding included."
        ),
        "Which of the figures is wrong cannot be told from them.",
        "They may also be of different hours of their days, or count removals differently.",
    )


def _room(implied: Fact) -> str:
    """Three digits of the interval: more would look better known than it is."""
    digits = len(str(round(abs(implied.value))))
    return f"about {span(implied, lambda bound: count(round(bound, min(3 - digits, 0))))}"


def _dump(told: PublishedState) -> str:
    return to_text({"keys": sorted(told.keys)})


def _load(text: str) -> PublishedState:
    return PublishedState(keys=frozenset(from_text(text)["keys"]))


COMPARISON = Comparison(
    name="reconciliation",
    feature="figures",
    wording={"contradiction": Wording(headline=_headline, lines=_lines)},
    summary="published figures of a page do not fit together",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    blank=PublishedState,
    load=_load,
    dump=_dump,
    compare=compare,
)
