"""Closing in: a forecast that a page will pass its rival, with an interval that should hold eight times in ten.

A group is compared once a day, six hours after midnight UTC, when the counts of midnight have arrived. An alert needs
all of:

- the interval ends within 30 days. The model's limits are 10% earlier and 16% later or never; in simulated worlds
  such intervals hold eight times in ten (``docs/alert-quality.md``);
- on each of the past five days, the straight line through the four weeks before led to a passing within 30 days;
- the page was behind for three weeks, and the passing is a day away or more;
- the approach is steady (``handlers.signals.approach``).

A forecast ends when the page has passed (ahead at two midnights running), or else a week after the interval and 30
days after the alert. Then the record says whether the interval held; every alert quotes the group's last ten.
A page and a rival have one forecast at a time and in 30 days. So a short-lived passing does not make the next one
news. The opposite passing is a forecast of its own. In a large group, pages with most likes come first: each is
compared with the ten above it, and at most 1,000 pairs a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, Fact, Metric
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm
from handlers.signals.approach import DAYS, Approach, approach
from handlers.signals.count_intervals import is_judged_in
from handlers.signals.facts import count_fact
from handlers.signals.history import DAY, EMPTY, HOUR, HistorySummary
from handlers.wording.forecasts import CLOSING_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingInParameters(Parameters):
    """The numbers of this rule."""

    within_days: int = parameter(30, "days", "ends within")
    earlier: float = parameter(0.10, "share", "earlier than the interval, by the model")
    later: float = parameter(0.16, "share", "later than the interval, or never, by the model")
    behind_days: int = parameter(21, "days", "behind before")
    coming_days: int = parameter(5, "days", "coming before")
    least_days: int = parameter(1, "days", "away at least")
    pace_days: int = parameter(DAYS, "days", "pace taken from")
    hour_of_day: int = parameter(6, "hours after midnight UTC")
    oldest_days: int = parameter(4, "days since the newest midnight")
    rest_days: int = parameter(7, "days after the interval")
    another_days: int = parameter(30, "days between two alerts of a pair")
    rivals: int = parameter(10, "pages above")
    pairs: int = parameter(1_000, "pairs a day")
    record: int = parameter(10, "forecasts")


_RULE = (
    "The interval should hold eight times in ten and ends within {within_days} days. On each of the past {coming_days} "
    "days the four-week pace led to that too, without a surge or purge."
)

PageAndRival = tuple[str, str]
"""The page behind, and the rival that it may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A forecast of a pair: when it was raised, its interval, and whether it has ended."""

    raised: datetime
    low: datetime
    high: datetime
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingInState:
    """The state of a group.

    Attributes:
        day: The day (since 1970) of the last comparison.
        forecasts: The forecasts that have not ended, or were raised less than 30 days ago.
        record: True for each of the last ten ended forecasts that held, oldest first.

    """

    day: int | None = None
    forecasts: Mapping[PageAndRival, Forecast] = field(default_factory=lambda: MappingProxyType({}))
    record: tuple[bool, ...] = ()


def compare(window: Window, state: ClosingInState, parameters: ClosingInParameters) -> Verdict[ClosingInState] | None:
    """Compare the group once a day."""
    day = int((window.now.timestamp() - parameters.hour_of_day * HOUR) // DAY)
    if state.day is not None and day <= state.day:
        return None
    forecasts, record = _continued(window, state, parameters)
    alerts = []
    for pair in islice(_pairs(window, parameters), parameters.pairs):
        alert = None if pair in forecasts else _forecast(window, pair, record, parameters)
        if alert is not None:
            alerts.append(alert)
            low, high = (alert.fact(name).at or window.now for name in ("eta_low", "eta_high"))
            forecasts[pair] = Forecast(raised=window.now, low=low, high=high)
    return Verdict(alerts=tuple(alerts), state=ClosingInState(day=day, forecasts=forecasts, record=record))


def _pairs(window: Window, parameters: ClosingInParameters) -> Iterator[PageAndRival]:
    """Yield the pairs that would pass within 30 days at the pace of the past 28, from the top of the group."""
    gains = {
        slug: history.midnights[-1] - history.midnights[-1 - DAYS]
        for slug in window.series_states
        if len((history := window.histories.get(slug, EMPTY)).midnights) > DAYS
    }
    for metric in Metric:
        ranked = sorted(
            (-series_state.last.count, slug)
            for slug, series_state in window.series_states.items()
            if slug in gains and series_state.metric is metric
        )
        for place, (count, slug) in enumerate(ranked):
            for above, rival in ranked[max(place - parameters.rivals, 0) : place]:
                closed = gains[slug] - gains[rival]
                is_near = 0 < (count - above) * DAYS <= closed * parameters.within_days
                if is_near and is_judged_in(window, slug, rival):
                    yield slug, rival


def _forecast(
    window: Window, pair: PageAndRival, record: tuple[bool, ...], parameters: ClosingInParameters
) -> Alert | None:
    ours, theirs = (window.histories.get(slug, EMPTY) for slug in pair)
    day = min(ours.end, theirs.end)
    age = window.now.timestamp() / DAY - day
    if age > parameters.oldest_days:
        return None
    days = DAYS + parameters.coming_days
    gaps = _gaps(ours, theirs, day - days, day)
    if len(gaps) <= days or min(gaps[-1 - parameters.behind_days :]) <= 0:
        return None
    if any(
        after * DAYS > (before - after) * parameters.within_days
        for before, after in zip(gaps, gaps[DAYS:], strict=False)
    ):
        return None
    step = max(window.series_states[slug].last.high - window.series_states[slug].last.low for slug in pair)
    if gaps[-1] <= step:  # rounding hides as much
        return None
    found = approach(gaps[-1 - DAYS :], step=step)
    return None if found is None else _alert(window, pair, found, parameters, day=day, age=age, record=record)


def _gaps(ours: HistorySummary, theirs: HistorySummary, since: int, until: int) -> Sequence[float]:
    """Return the rival's lead at each midnight from one day to another, as far as both pages have one."""
    since = max(since, ours.first, theirs.first)
    mine = ours.midnights[since - ours.first : until + 1 - ours.first]
    other = theirs.midnights[since - theirs.first : until + 1 - theirs.first]
    return [after - before for before, after in zip(mine, other, strict=False)]


def _continued(
    window: Window, state: ClosingInState, parameters: ClosingInParameters
) -> tuple[dict[PageAndRival, Forecast], tuple[bool, ...]]:
    """Return the forecasts that go on, and the record with the ended ones; drop what nobody can judge any more."""
    forecasts, record = {}, state.record
    another = timedelta(days=parameters.another_days)
    for pair, forecast in state.forecasts.items():
        if not _is_comparable(window, pair, forecast.raised):
            continue
        if not forecast.ended:
            passed = _passed_at(window, pair, forecast.raised)
            over = max(forecast.high + timedelta(days=parameters.rest_days), forecast.raised + another)
            if passed is not None or window.now >= over:
                record = (*record, passed is not None and forecast.low <= passed <= forecast.high)
                forecast = replace(forecast, ended=True)  # noqa: PLW2901 - the forecast as it is from now on
        if not forecast.ended or window.now < forecast.raised + another:
            forecasts[pair] = forecast
    return forecasts, record[-parameters.record :]


def _is_comparable(window: Window, pair: PageAndRival, raised: datetime) -> bool:
    series_states = [window.series_states[slug] for slug in pair if slug in window.series_states]
    return len({one.metric for one in series_states}) == 1 and len(
        [one for one in series_states if one.since <= raised]
    ) == len(pair)


def _passed_at(window: Window, pair: PageAndRival, raised: datetime) -> datetime | None:
    """Return when the page passed: on a straight line to the first of two midnights at which it is ahead."""
    ours, theirs = (window.histories.get(slug, EMPTY) for slug in pair)
    since = max(int(raised.timestamp() // DAY), ours.first, theirs.first)
    gaps = _gaps(ours, theirs, since, min(ours.end, theirs.end))
    for index in range(1, len(gaps) - 1):
        if gaps[index] < 0 and gaps[index + 1] < 0:
            before = max(gaps[index - 1], 0.0)
            return _instant(since + index - 1 + before / (before - gaps[index]))
    return None


def _instant(day: float) -> datetime:
    """Return the instant to the hour; ``day`` counts from 1970."""
    return datetime.fromtimestamp(round(day * 24) * HOUR, UTC)


def _alert(
    window: Window,
    pair: PageAndRival,
    found: Approach,
    parameters: ClosingInParameters,
    *,
    day: int,
    age: float,
    record: tuple[bool, ...],
) -> Alert | None:
    """Return the alert for an approach as it was at the midnight of ``day``, ``age`` days ago."""
    within = parameters.within_days + age
    days = [found.days_until(chance, within=within) for chance in (parameters.earlier, 0.5, 1 - parameters.later)]
    low, middle, high = (None if one is None else max(one - age, 0.0) for one in days)
    if low is None or middle is None or high is None or middle < parameters.least_days:
        return None
    page, rival = pair
    ours, theirs = window.series_states[page], window.series_states[rival]
    gap = Fact(
        name="gap",
        value=theirs.last.count - ours.last.count,
        unit=ours.metric.value,
        low=theirs.last.low - ours.last.high,
        high=theirs.last.high - ours.last.low,
        at=min(ours.last.at, theirs.last.at),
    )
    now = window.now.timestamp() / DAY
    etas = (("eta", middle), ("eta_low", low), ("eta_high", high))
    key = f"closing_in:{page}>{rival}:{_instant(day).date().isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="closing_in",
        feature="closing",
        page=page,
        rival=rival,
        at=window.now,
        facts=(
            gap,
            *(Fact(name=name, value=days, unit="days", at=_instant(now + days)) for name, days in etas),
            Fact(name="pace", value=found.four_weeks, unit=ours.metric.value, at=_instant(day)),
            Fact(name="chance", value=found.chance(within), unit="share", at=window.now),
            count_fact("count", ours, ours.last),
            count_fact("rival_count", theirs, theirs.last),
            *(Fact(name="held", value=sum(record), unit="forecasts") for _ in record[:1]),
            *(Fact(name="ended", value=len(record), unit="forecasts") for _ in record[:1]),
        ),
        rule=parameters.fill(_RULE),
        parameters=parameters.listed(),
    )


def _upgrade(version: int, stored: Any) -> Any:
    """Bring older forms up to date: until version 2 a forecast was a row, before version 2 without its end."""
    forecasts = []
    for page, rival, raised, low, high, *ended in stored["forecasts"]:
        forecast = {"raised": raised, "low": low, "high": high, "ended": bool(version > 1 and ended[0])}
        forecasts.append([[page, rival], forecast])
    return {**stored, "forecasts": forecasts}


COMPARISON = Comparison(
    name="closing_in",
    feature="closing",
    wording={"closing_in": CLOSING_IN},
    summary="a page will probably pass a rival of its group within 30 days",
    scope=Scope.GROUP,
    trigger=Trigger.COUNTS,
    parameters=ClosingInParameters(),
    state=StateForm(cls=ClosingInState, version=3, upgrade=_upgrade),
    compare=compare,
    opt_in=True,
)
