"""Surge: a page gains in a day many times what it usually gains.

g is the gain of the past 24 hours; the usual day is e^m, with m the median of the logarithms of the 28 daily gains
before (raised half-way to that of the same weekdays where it is higher), and s = sqrt(0.18^2 + sd^2 + 1/e^m), with sd
how far the days above the median usually lie above it: bad days make no good day usual. Told if g >= 3.2 e^m and
(log g - m)/s >= 3, or if g >= 5 e^m, now and 6 hours ago (now, where readings are rarer than every 8 hours), and
g >= max(500, 0.2% of the audience). Where it is one jump that makes the surge, of more than 0.4% beyond six times the
usual pace between two readings, it is 12 hours: wrong values inside the ledger's gate last as long as 8. A rounded
count must have been read to rise twice within the 24 hours instead: one step at least is then known to have come in
them. One an episode, which ends after 72 hours below 1.8 usual days, or after 45 days; a counter that stands still
though its page does not is no calm.

Where nobody read the page a day ago, its count then is drawn on a straight line. That would spread a surge over up to
three days of an outage; so it is taken to have grown by usual days until then, if that makes a gain of 5 of them, and
the straight line one of 2.5 and of 0.7 times the least gain that is told. Both are said to be taken so: what is known
is the gain since the last reading before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import exp, inf, log, sqrt
from statistics import median

from handlers.contract import Comparison, Names, Scope, Threshold, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Figure, Parameter, SeriesState
from handlers.rule_state import from_text, instant, to_text
from handlers.signals.facts import count_fact
from handlers.signals.history import DAY, HOUR, HistorySummary
from handlers.signals.jumps import JUMP_OF_COUNT, STANDS_HOURS, TIMES_ITS_PACE, is_jump
from handlers.signals.spread import deviation_above
from handlers.validation import frozen_since
from handlers.wording.numbers import count, dated
from handlers.wording.phrases import NET_OF_REMOVALS, is_rounded, on, span

TIMES = 3.2
DEVIATIONS = 3
TIMES_BEYOND_DOUBT = 5
TIMES_IF_EVEN = 2.5
GAIN_IF_EVEN = 0.7
GAIN = 500
GAIN_OF_AUDIENCE = 0.002
HOURS_APART = 6
OVER_BELOW = 1.8
OVER_HOURS = 72
OVER_DAYS = 45
BASE_DAYS = 28
BASE_DAYS_AT_LEAST = 14

_APART = HOURS_APART * HOUR
_APART_AFTER_A_JUMP = STANDS_HOURS * HOUR
_RARELY = 8 * HOUR
_OVER = timedelta(hours=OVER_HOURS)
_LONGEST = timedelta(days=OVER_DAYS)
_UNREAD_AT_MOST = 3 * DAY  # of longer ones 5 usual days in one are too easily several good ones
_WEEK = 7
_LEAST_SPREAD = 0.18
_RULE = (
    "The gain of 24 hours was {times:g} times the usual day or more, far more than the page's days differ (or "
    "5 times, however they do), and it was so 6 hours before too, 12 where one jump makes it (or the page is read more "
    "rarely than every 8 hours, or its count is rounded and rose twice in the 24 hours)."
)
_ASSUMED = {
    "drawn": " The page was not read a day before, and is taken to have grown evenly while it was not.",
    "paced": " The page was not read a day before, and is taken to have gained by usual days until then, as that makes "
    "5 of them or more in the 24 hours, and a straight line half as many.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeState:
    """What is remembered of a page: since when it surges, and since when it has been calm again."""

    since: datetime | None = None
    calm_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A gain of 24 hours, from a ``level`` a day ago, and the usual one.

    Where the level was not read, it is drawn on a line, or ``paced`` by usual days.
    """

    level: float
    gain: float
    usual: float
    spread: float
    paced: bool

    @property
    def ratio(self) -> float:
        return self.gain / self.usual

    def is_unusual(self, times: float) -> bool:
        is_clear = self.ratio >= TIMES_BEYOND_DOUBT or log(self.ratio) >= DEVIATIONS * self.spread
        return self.ratio >= times and is_clear


_CALM = SurgeState()


def compare(window: Window, episode: SurgeState, times: float = TIMES) -> Verdict[SurgeState] | None:
    """Look at the past 24 hours; most pages are done with after one subtraction."""
    series_state, past = window.series_states[window.scope], window.histories[window.scope]
    now, width = series_state.last.at.timestamp(), series_state.last.high - series_state.last.low
    if not past.times or past.times[0] > now - DAY:
        return None
    if width and past.times[-1] != now:  # a rounded count says something when it changes
        return None
    count_now = past.counts[-1] if width else float(series_state.last.count)
    low, high = past.bounds(now - DAY)
    if episode.since is None and count_now - low < _least(count_now):
        return None
    if episode.since is not None:
        day = None if frozen_since(series_state) else _day(past, now, count_now, width=0)
        after = episode if day is None else _continued(episode, episode.since, day, series_state.last.at)
        return None if after is episode else Verdict(alerts=(), state=after)
    day = _day(past, now, count_now, width=width)
    if day is None:
        return None
    if day.gain < _least(count_now) or not day.is_unusual(times):
        return None
    if (series_state.gap or 0.0) > _RARELY:
        confirmed = count_now - low > 2 * width
    else:
        confirmed = day.gain >= width if width else _was_unusual(past, now - _apart(past, now, day, times), times)
    if not confirmed:
        return None
    level = Figure(value=day.level, low=day.level, high=day.level)
    if width or not past.is_read(now - DAY):
        level = Figure(value=day.level, low=low, high=high)
    return Verdict(
        alerts=(_alert(window, series_state, day, level, times),), state=SurgeState(since=series_state.last.at)
    )


def _least(count_now: float) -> float:
    """What a gain must be at least to be news."""
    return max(GAIN, GAIN_OF_AUDIENCE * count_now)


def _continued(episode: SurgeState, since: datetime, day: _Day, at: datetime) -> SurgeState:
    if at - since >= _LONGEST:
        return _CALM
    if day.ratio >= OVER_BELOW:
        return episode if episode.calm_since is None else replace(episode, calm_since=None)
    if episode.calm_since is None:
        return replace(episode, calm_since=at)
    return _CALM if at - episode.calm_since >= _OVER else episode


def _apart(past: HistorySummary, now: float, day: _Day, times: float) -> float:
    """For how long a surge must have been one, in seconds: longer where one jump makes it."""
    step = max(past.steps(now - DAY))
    made_by_it = is_jump(step.size, step.before, day.usual, step.days) and day.gain - step.size < times * day.usual
    return _APART_AFTER_A_JUMP if made_by_it else _APART


def _was_unusual(past: HistorySummary, by: float, times: float) -> bool:
    """Whether the day was as unusual at the newest mark up to then."""
    earlier = max((time for time in past.times if time <= by), default=None)
    then = None if earlier is None else past.at(earlier)
    if earlier is None or then is None:
        return False
    day = _day(past, earlier, then, width=0)
    return day is not None and day.is_unusual(times)


def _day(past: HistorySummary, at: float, count: float, *, width: int) -> _Day | None:
    """The gain of the 24 hours before ``at`` against the 28 days before those; None where they are not known.

    Of a count rounded in steps of ``width``, it is the gain that is certain, or with 0 what a straight line between its
    steps makes likely.
    """
    level = past.bounds(at - DAY)[1] if width else past.at(at - DAY)
    surplus = past.end - int((at - DAY) // DAY)
    gains = past.gains(BASE_DAYS + surplus)
    gains = gains[: len(gains) - surplus] if surplus else gains
    if level is None or len(gains) < BASE_DAYS_AT_LEAST:
        return None
    logs = [log(max(one, 1.0)) for one in gains]
    middle = median(logs)
    same_weekday = logs[-_WEEK::-_WEEK]
    middle = max(middle, (middle + median(same_weekday)) / 2)
    spread = sqrt(_LEAST_SPREAD**2 + deviation_above(logs) ** 2 + exp(-middle))
    usual = exp(middle)
    paced = inf if width or past.is_read(at - DAY) else _paced(past, at - DAY, usual)
    is_much_if_even = count - level >= max(TIMES_IF_EVEN * usual, GAIN_IF_EVEN * _least(count))
    is_paced = paced < level and count - paced >= TIMES_BEYOND_DOUBT * usual and is_much_if_even
    level = paced if is_paced else level
    return _Day(level=level, gain=max(count - level, 1.0), usual=usual, spread=spread, paced=is_paced)


def _paced(past: HistorySummary, at: float, usual: float) -> float:
    """The count at a time between two marks if days until then were usual ones; infinite where they are far apart."""
    after = bisect_right(past.times, at)
    if after == len(past.times) or past.times[after] - past.times[after - 1] > _UNREAD_AT_MOST:
        return inf
    return past.counts[after - 1] + usual * (at - past.times[after - 1]) / DAY


def _alert(window: Window, series_state: SeriesState, day: _Day, level: Figure, times: float) -> Alert:
    unit, last = series_state.metric.value, series_state.last
    key = f"surge:{series_state.page}:up:{last.at.isoformat()}"
    low, high = last.low - (level.high or 0.0), last.high - (level.low or 0.0)
    facts = (
        Fact(
            name="ratio",
            value=day.ratio,
            unit="times",
            low=low / day.usual,
            high=high / day.usual,
            about=series_state.page,
            at=last.at,
        ),
        Fact(name="gain", value=day.gain, unit=unit, low=low, high=high, about=series_state.page, at=last.at),
        Fact(name="usual", value=day.usual, unit=unit, about=series_state.page, at=last.at - timedelta(days=1)),
        Fact(
            name="level",
            value=level.value,
            unit=unit,
            low=level.low,
            high=level.high,
            about=series_state.page,
            at=last.at - timedelta(days=1),
        ),
        count_fact("count", series_state, last),
        *_since(window.histories[series_state.page], series_state, "paced" if day.paced else "drawn"),
    )
    return Alert(
        key=key,
        story=key,
        kind="surge",
        feature="surge",
        page=series_state.page,
        at=window.now,
        dated=last.dated,
        facts=facts,
        rule=_RULE.format(times=times) + "".join(_ASSUMED.get(fact.name, "") for fact in facts),
        parameters=(
            Parameter(name="usual days", value=times, unit="times"),
            Parameter(name="beyond the spread of daily gains", value=DEVIATIONS, unit="standard deviations"),
            Parameter(name="whatever the spread, usual days", value=TIMES_BEYOND_DOUBT, unit="times"),
            Parameter(name="gain", value=GAIN, unit=unit),
            Parameter(name="gain, of the audience", value=GAIN_OF_AUDIENCE, unit="share"),
            Parameter(name="apart", value=HOURS_APART, unit="hours"),
            Parameter(name="apart, where one jump makes it", value=STANDS_HOURS, unit="hours"),
            Parameter(name="a jump, of the count, beyond its pace", value=JUMP_OF_COUNT, unit="share"),
            Parameter(name="its pace, for a jump", value=TIMES_ITS_PACE, unit="times the usual"),
            Parameter(name="usual days on a straight line over unread ones", value=TIMES_IF_EVEN, unit="times"),
            Parameter(name="of the least gain, on that line", value=GAIN_IF_EVEN, unit="times"),
            Parameter(name="days that make the usual one", value=BASE_DAYS, unit="days"),
            Parameter(name="episode over below", value=OVER_BELOW, unit="usual days"),
            Parameter(name="episode over after", value=OVER_HOURS, unit="hours"),
        ),
        threshold=times,
    )


def _since(past: HistorySummary, series_state: SeriesState, assumed: str) -> Iterator[Fact]:
    """The gain since the last reading before the 24 hours, where they began while nobody read the page."""
    last = series_state.last
    began = last.at.timestamp() - DAY
    if last.low < last.high or past.is_read(began):
        return
    before = bisect_right(past.times, began) - 1
    at = datetime.fromtimestamp(past.times[before], UTC)
    gained = last.count - past.counts[before]
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


def _load(text: str) -> SurgeState:
    kept = from_text(text)
    return SurgeState(since=instant(kept["since"]), calm_since=instant(kept["calm_since"]))


def _dump(episode: SurgeState) -> str:
    return to_text({"since": episode.since, "calm_since": episode.calm_since})


COMPARISON = Comparison(
    name="surge",
    feature="surge",
    wording={"surge": Wording(headline=_headline, lines=_lines)},
    summary="a page gains in a day several times what it usually gains",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    blank=SurgeState,
    load=_load,
    dump=_dump,
    compare=compare,
    threshold=Threshold(
        unit="times the usual day", mark="x", default=TIMES, least=2.5, most=100, scale=1, compare=compare
    ),
)
