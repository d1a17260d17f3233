"""Surge: a page gains in a day many times what it usually gains.

| symbol | meaning |
|---|---|
| g | the gain of the past 24 hours |
| m | the median logarithm of the 28 daily gains before, raised half-way to that of the same weekdays if higher |
| e^m | the usual day |
| sd | how far the days above the median usually lie above it: bad days make no good day usual |
| s | sqrt(0.18^2 + sd^2 + 1/e^m) |

A surge is raised if all of these hold:

- ``g >= 3.2 e^m and (log g - m) / s >= 3``, or ``g >= 5 e^m``;
- the same held 6 hours ago (not asked of a page read less often than every 8 hours);
- ``g >= max(500, 0.2% of the audience)``.

If one jump makes the surge, it must hold for 12 hours instead of 6 (``handlers.signals.jumps``). A rounded count must
have been read to rise twice within the 24 hours instead: then one step at least happened in them. There is one alert an
episode, which ends after 72 hours below 1.8 usual days, or after 45 days. A frozen counter does not end it.

If nobody read the page a day ago, its count then is interpolated on a straight line. Such a line spreads a surge over
up to three days of an outage. So the rule assumes usual days until then, on two conditions: they leave a gain of 5
usual days, and the line one of 2.5 usual days and of 0.7 times the least gain. The alert names the assumption and the
gain since the last reading before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import exp, inf, log, sqrt
from statistics import median

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Figure, SeriesState
from handlers.parameter_types import Parameters, parameter
from handlers.reading_validation import frozen_since
from handlers.rule_state import StateForm
from handlers.signals.facts import count_fact
from handlers.signals.history import DAY, HOUR, HistorySummary
from handlers.signals.jumps import JUMP_OF_COUNT, STANDS_HOURS, TIMES_ITS_PACE, is_jump
from handlers.signals.spread import deviation_above
from handlers.wording.numbers import count, dated
from handlers.wording.phrases import NET_OF_REMOVALS, is_rounded, on, span

_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeParameters(Parameters):
    """The numbers of this rule."""

    times: float = parameter(3.2, "times", "usual days")
    deviations: int = parameter(3, "standard deviations", "beyond the spread of daily gains")
    times_beyond_doubt: int = parameter(5, "times", "whatever the spread, usual days")
    gain: int = parameter(500, "{metric}", "gain")
    gain_of_audience: float = parameter(0.002, "share", "gain, of the audience")
    hours_apart: int = parameter(6, "hours", "apart")
    hours_apart_after_a_jump: int = parameter(STANDS_HOURS, "hours", "apart, where one jump makes it")
    jump_of_count: float = parameter(JUMP_OF_COUNT, "share", "a jump, of the count, beyond its pace")
    times_its_pace: int = parameter(TIMES_ITS_PACE, "times the usual", "its pace, for a jump")
    times_if_even: float = parameter(2.5, "times", "usual days on a straight line over unread ones")
    gain_if_even: float = parameter(0.7, "times", "of the least gain, on that line")
    base_days: int = parameter(28, "days", "days that make the usual one")
    over_below: float = parameter(1.8, "usual days", "episode over below")
    over_hours: int = parameter(72, "hours", "episode over after")
    over_days: int = parameter(45, "days")
    base_days_at_least: int = parameter(14, "days")
    rarely_hours: int = parameter(8, "hours between readings")
    least_spread: float = parameter(0.18, "of the logarithm")
    unread_days: int = parameter(3, "days")  # in more days, 5 usual days in one are too easily several good days

    def least(self, count: float) -> float:
        """Return the least gain that is news."""
        return max(self.gain, self.gain_of_audience * count)


_RULE = (
    "The gain of 24 hours is {times:g} times the usual day or more, and far more than its days differ (or "
    "{times_beyond_doubt} times). It was so {hours_apart} hours before too ({hours_apart_after_a_jump} after a jump), "
    "or the page is read rarely, or its rounded count rose twice."
)
_ASSUMED = {
    "drawn": " The page was not read a day before. The rule assumes that it grew evenly until it was read.",
    "paced": " The page was not read a day before. The rule assumes usual days until then, which leaves "
    "{times_beyond_doubt} usual days or more for the 24 hours.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeState:
    """The state of a page: since when it surges, and since when it has been calm again."""

    since: datetime | None = None
    calm_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A gain of 24 hours from a ``level`` a day ago, and the usual gain.

    ``paced`` is True if the level was not read and usual days are assumed until then.
    """

    level: float
    gain: float
    usual: float
    spread: float
    paced: bool

    @property
    def ratio(self) -> float:
        return self.gain / self.usual

    def is_unusual(self, parameters: SurgeParameters) -> bool:
        is_beyond_doubt = self.ratio >= parameters.times_beyond_doubt
        is_clear = is_beyond_doubt or log(self.ratio) >= parameters.deviations * self.spread
        return self.ratio >= parameters.times and is_clear


def compare(window: Window, state: SurgeState, parameters: SurgeParameters) -> Verdict[SurgeState] | None:
    """Judge the past 24 hours; for most pages one subtraction is enough."""
    series_state, history = window.series_states[window.scope], window.histories[window.scope]
    last = series_state.last
    now, width = last.at.timestamp(), last.high - last.low
    if not history.times or history.times[0] > now - DAY:
        return None
    if width and history.times[-1] != now:  # only a change of a rounded count means anything
        return None
    count_now = history.counts[-1] if width else float(last.count)
    low, high = history.bounds(now - DAY)
    if state.since is not None:
        day = None if frozen_since(series_state) else _day(history, now, count_now, parameters, width=0)
        after = state if day is None else _continued(state, state.since, day, last.at, parameters)
        return None if after is state else Verdict(alerts=(), state=after)
    if count_now - low < parameters.least(count_now):
        return None
    day = _day(history, now, count_now, parameters, width=width)
    if day is None or day.gain < parameters.least(count_now) or not day.is_unusual(parameters):
        return None
    if (series_state.gap or 0.0) > parameters.rarely_hours * HOUR:
        is_confirmed = count_now - low > 2 * width
    elif width:
        is_confirmed = day.gain >= width
    else:
        is_confirmed = _was_unusual(history, now - _apart(history, now, day, parameters), parameters)
    if not is_confirmed:
        return None
    level = Figure(value=day.level, low=day.level, high=day.level)
    if width or not history.is_read(now - DAY):
        level = Figure(value=day.level, low=low, high=high)
    alert = _alert(window, series_state, day, level, parameters)
    return Verdict(alerts=(alert,), state=SurgeState(since=last.at))


def _continued(state: SurgeState, since: datetime, day: _Day, at: datetime, parameters: SurgeParameters) -> SurgeState:
    if at - since >= timedelta(days=parameters.over_days):
        return SurgeState()
    if day.ratio >= parameters.over_below:
        return state if state.calm_since is None else replace(state, calm_since=None)
    if state.calm_since is None:
        return replace(state, calm_since=at)
    return SurgeState() if at - state.calm_since >= timedelta(hours=parameters.over_hours) else state


def _apart(history: HistorySummary, now: float, day: _Day, parameters: SurgeParameters) -> float:
    """Return for how many seconds a surge must have been one: longer if one jump makes it."""
    step = max(history.steps(now - DAY))
    is_enough_without = day.gain - step.size >= parameters.times * day.usual
    if is_enough_without or not is_jump(step.size, step.before, day.usual, step.days):
        return parameters.hours_apart * HOUR
    return parameters.hours_apart_after_a_jump * HOUR


def _was_unusual(history: HistorySummary, by: float, parameters: SurgeParameters) -> bool:
    """Return True if the day was as unusual at the newest point up to then."""
    earlier = max((time for time in history.times if time <= by), default=None)
    then = None if earlier is None else history.at(earlier)
    if earlier is None or then is None:
        return False
    day = _day(history, earlier, then, parameters, width=0)
    return day is not None and day.is_unusual(parameters)


def _day(history: HistorySummary, at: float, count: float, parameters: SurgeParameters, *, width: int) -> _Day | None:
    """Return the gain of the 24 hours before ``at`` and the usual one, None if too few days before have counts.

    ``width`` is the step of a rounded count: then the gain is the part that is certain. With 0 it is the part that a
    straight line between the steps makes likely.
    """
    level = history.bounds(at - DAY)[1] if width else history.at(at - DAY)
    surplus = history.end - int((at - DAY) // DAY)
    gains = history.gains(parameters.base_days + surplus)
    gains = gains[: len(gains) - surplus] if surplus else gains
    if level is None or len(gains) < parameters.base_days_at_least:
        return None
    logs = [log(max(one, 1.0)) for one in gains]
    middle = median(logs)
    same_weekday = logs[-_WEEK::-_WEEK]
    middle = max(middle, (middle + median(same_weekday)) / 2)
    spread = sqrt(parameters.least_spread**2 + deviation_above(logs) ** 2 + exp(-middle))
    usual = exp(middle)
    paced = inf if width or history.is_read(at - DAY) else _paced(history, at - DAY, usual, parameters)
    if_even = max(parameters.times_if_even * usual, parameters.gain_if_even * parameters.least(count))
    is_paced = paced < level and count - paced >= parameters.times_beyond_doubt * usual and count - level >= if_even
    level = paced if is_paced else level
    return _Day(level=level, gain=max(count - level, 1.0), usual=usual, spread=spread, paced=is_paced)


def _paced(history: HistorySummary, at: float, usual: float, parameters: SurgeParameters) -> float:
    """Return the count at a time between two points if days until then were usual; infinity if they are far apart."""
    after = bisect_right(history.times, at)
    if after == len(history.times):
        return inf
    before = history.times[after - 1]
    if history.times[after] - before > parameters.unread_days * DAY:
        return inf
    return history.counts[after - 1] + usual * (at - before) / DAY


def _alert(window: Window, series_state: SeriesState, day: _Day, level: Figure, parameters: SurgeParameters) -> Alert:
    page, unit, last = series_state.page, series_state.metric.value, series_state.last
    a_day_ago = last.at - timedelta(days=1)
    low, high = last.low - level.high, last.high - level.low
    ratio, gain = (
        Fact(name=name, value=value, unit=of, low=low / each, high=high / each, about=page, at=last.at)
        for name, value, of, each in (("ratio", day.ratio, "times", day.usual), ("gain", day.gain, unit, 1))
    )
    facts = (
        ratio,
        gain,
        Fact(name="usual", value=day.usual, unit=unit, about=page, at=a_day_ago),
        Fact(name="level", value=level.value, unit=unit, low=level.low, high=level.high, about=page, at=a_day_ago),
        count_fact("count", series_state, last),
        *_since(window.histories[page], series_state, "paced" if day.paced else "drawn"),
    )
    key = f"surge:{page}:up:{last.at.isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="surge",
        feature="surge",
        page=page,
        at=window.now,
        dated=last.dated,
        facts=facts,
        rule=parameters.fill(_RULE + "".join(_ASSUMED.get(fact.name, "") for fact in facts)),
        parameters=parameters.listed(metric=unit),
    )


def _since(history: HistorySummary, series_state: SeriesState, assumed: str) -> Iterator[Fact]:
    """Yield the gain since the last reading before the 24 hours, if nobody read the page when they began."""
    last = series_state.last
    began = last.at.timestamp() - DAY
    if last.low < last.high or history.is_read(began):
        return
    before = bisect_right(history.times, began) - 1
    at = datetime.fromtimestamp(history.times[before], UTC)
    gained = last.count - history.counts[before]
    yield Fact(name=assumed, value=gained, unit=series_state.metric.value, about=series_state.page, at=at)


def _headline(alert: Alert, words: Names) -> str:
    ratio, gain, usual = (alert.fact(name) for name in ("ratio", "gain", "usual"))
    for known in (fact for fact in alert.facts if fact.name in _ASSUMED):
        since = "" if known.at is None else f" since {dated(known.at, known.dated)}"
        assumed = "its unread days were usual ones" if known.name == "paced" else "it grew evenly while it was not read"
        return (
            f"{words.page(alert.page)} gained {count(known.value)} {gain.unit}{since}: if {assumed}, about "
            f"{count(gain.value)} in the last 24 hours, {ratio.value:.1f} times its usual day of "
            f"{count(usual.value)}."
        )
    many = f"{'about ' if is_rounded(gain) else ''}{count(gain.value)} {gain.unit}"
    return (
        f"{words.page(alert.page)} gained {many} in 24 hours, {ratio.value:.1f} times its usual day of "
        f"{count(usual.value)}."
    )


def _lines(alert: Alert, _: Names) -> tuple[str, ...]:
    gain, now, level = alert.fact("gain"), alert.fact("count"), alert.fact("level")
    known = f"From {span(level, count)} to {span(now, count)} {gain.unit} {on(now)}"
    if is_rounded(gain):
        known += f", that is {span(gain, count)} more: the count a day before was rounded, or not read just then"
    return (
        f"{known}.",
        "The usual day is the middle one of the four weeks before.",
        f"What brought them is not in these numbers. {NET_OF_REMOVALS}",
    )


_PARAMETERS = SurgeParameters()

COMPARISON = Comparison(
    name="surge",
    feature="surge",
    wording={"surge": Wording(headline=_headline, lines=_lines)},
    summary="a page gains in a day several times what it usually gains",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    parameters=_PARAMETERS,
    threshold=_PARAMETERS.threshold("times", unit="times the usual day", mark="x", least=2.5, most=100, scale=1),
    state=StateForm(cls=SurgeState, version=2),
    compare=compare,
)
