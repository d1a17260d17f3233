"""Reconciliation: published figures of one page that contradict each other.

| symbol | meaning | unit |
|---|---|---|
| s0, s1 | a country's share of all likes at the beginning and at the end of a period | share |
| T0 | all likes at the beginning | likes |
| D | new likes of the period | likes |

The country's new likes are ``s1 (T0 + D) - s0 T0 = s1 D - (s0 - s1) T0``. The rounding of the four figures leaves an
interval: the expression is linear in each figure, so its extremes lie at their bounds. A published count of the
country's new likes outside the interval is a contradiction. The figures alone do not show which of them is wrong.

Example, 8 to 13 March 2016: 57.6% of 3,003,000 likes, then 56.4%, after 151,000 new likes. These make 45,700 to
52,500 new likes at home; 34,069 were published.

The rule computes the total at the end as T0 + D: newspapers print it less often and more coarsely than the gain. T0 is
the total that came with the first share, else the page's own accepted count within 72 hours of that share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, AudienceReading, Dated, Fact, Figure, Measure, Point
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm
from handlers.signals.facts import count_fact, fact
from handlers.signals.shares import TOTAL_WITHIN, published_share
from handlers.wording.numbers import count, percent
from handlers.wording.phrases import on, span


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationParameters(Parameters):
    """The numbers of this rule."""

    beyond: float = parameter(0.1, "share", "beyond the rounding, of the published count")
    same_day_hours: int = parameter(24, "hours", "figures of one instant are at most apart")
    total_hours: float = parameter(TOTAL_WITHIN / timedelta(hours=1), "hours", "total within")


_RULE = (
    "The published count of new {metric} lies outside what the published shares and totals allow, rounding included, "
    "by more than {beyond:.0%} of itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationState:
    """The state of a page: the keys of the contradictions raised, of figures that the window still shows."""

    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """A country's ``published`` new likes, of all that the page ``gained``, and the figures to compare them with."""

    new: AudienceReading
    country: str
    published: Figure
    gained: Figure
    before: tuple[AudienceReading, Figure]
    after: tuple[AudienceReading, Figure]
    total: Fact

    @property
    def implied(self) -> Figure:
        """The country's new likes, computed from its shares and the totals."""
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

    def is_contradiction(self, beyond: float) -> bool:
        implied, published = self.implied, self.published
        return max(implied.low - published.high, published.low - implied.high) > beyond * published.value


def compare(
    window: Window, state: ReconciliationState, parameters: ReconciliationParameters
) -> Verdict[ReconciliationState] | None:
    """Compare every published count of new likes with the published shares and the totals."""
    published = [new for new in window.audience if new.measure is Measure.NEW]
    if not published:
        return None
    known = state.keys & {_key(new, country) for new in published for country in new.likes}
    periods = (period for new in published for period in _periods(window, new, parameters))
    found = {
        _key(period.new, period.country): period for period in periods if period.is_contradiction(parameters.beyond)
    }
    alerts = tuple(_alert(key, found[key], window, parameters) for key in sorted(found.keys() - known))
    keys = known.union(found)
    return Verdict(alerts=alerts, state=state if keys == state.keys else ReconciliationState(keys=keys))


def _key(new: AudienceReading, country: str) -> str:
    published = f"{new.likes[country].value:.0f}"
    return f"contradiction:{new.page}:{country}:{new.metric}:{new.days}d:{new.as_of.isoformat()}:{published}"


def _periods(window: Window, new: AudienceReading, parameters: ReconciliationParameters) -> Iterator[_Period]:
    if new.days is None or new.total is None:
        return
    for country, published in new.likes.items():
        before = _share(window, new, country, parameters, days=new.days)
        after = _share(window, new, country, parameters, days=0)
        total = None if before is None else _total(window, before[0], parameters)
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


def _share(
    window: Window, new: AudienceReading, country: str, parameters: ReconciliationParameters, *, days: int
) -> tuple[AudienceReading, Figure] | None:
    """Return the country's share of all likes ``days`` before the period's end: the nearest, then the most exact."""
    at = new.as_of - timedelta(days=days)
    shares = [
        (reading, share)
        for reading in window.audience
        if reading.measure is Measure.ALL
        and reading.metric is new.metric
        and reading.dated is not Dated.MONTH
        and abs(reading.as_of - at) < timedelta(hours=parameters.same_day_hours)
        and (share := published_share(reading, country)) is not None
    ]
    return min(shares, key=lambda known: (abs(known[0].as_of - at), known[1].high - known[1].low), default=None)


def _total(window: Window, reading: AudienceReading, parameters: ReconciliationParameters) -> Fact | None:
    """Return all likes of the page when a share of them was published."""
    if reading.total is not None:
        return fact("total", reading.total, reading.metric, reading)
    series_state = window.series_states.get(window.scope)
    if series_state is None or series_state.metric is not reading.metric:
        return None
    points = (series_state.day, series_state.previous, series_state.last, _midnight(window, reading))
    within = timedelta(hours=parameters.total_hours)
    near = [point for point in points if point is not None and abs(point.at - reading.as_of) <= within]
    nearest = min(near, key=lambda point: abs(point.at - reading.as_of), default=None)
    return None if nearest is None else count_fact("total", series_state, nearest)


def _midnight(window: Window, reading: AudienceReading) -> Point | None:
    """Return the count at the beginning of the reading's day, from the history of a polled page."""
    at, last = reading.as_of.replace(hour=0, minute=0, second=0, microsecond=0), window.series_states[window.scope].last
    level = window.histories[window.scope].level(at.timestamp())
    if level is None:
        return None
    number = round(level)
    return Point(at=at, count=number, low=number, high=number, source=last.source, url=last.url, dated=Dated.DAY)


def _alert(key: str, period: _Period, window: Window, parameters: ReconciliationParameters) -> Alert:
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
        rule=parameters.fill(_RULE, metric=new.metric),
        parameters=parameters.listed(),
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
    """Return three digits of the interval: more would look more exact than it is."""
    digits = len(str(round(abs(implied.value))))
    return f"about {span(implied, lambda bound: count(round(bound, min(3 - digits, 0))))}"


COMPARISON = Comparison(
    name="reconciliation",
    feature="figures",
    wording={"contradiction": Wording(headline=_headline, lines=_lines)},
    summary="published figures of a page do not fit together",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    parameters=ReconciliationParameters(),
    state=StateForm(cls=ReconciliationState, version=2),
    compare=compare,
)
