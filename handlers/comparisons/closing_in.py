"""Closing-in: a page will pass its rival, with an interval that is meant to hold eight times in ten; or nothing at all.

A group is looked at once a day, six hours after midnight UTC, when its pages' counts at midnight are known. A pair is
told of when the interval for the passing (by the model 10% earlier, 16% later or never; in simulated worlds it holds
eight times in ten, ``docs/alert-quality.md``) ends within 30 days, the straight line through the four weeks before has
led to a passing within 30 days on each of the past five days too, the one behind was behind for three weeks, the
passing is a day away or more, and the approach is steady (see ``handlers.signals.approach``). Otherwise nothing is said.

A forecast ends when the page has passed (ahead at two midnights running), or a week after the interval and 30 days
after it was told, and is then counted as held or not: every alert says how many of the group's last ten did. Of a page
and a rival there is one forecast at a time and in 30 days, so that a passing that did not last does not make the next
one news again; that the rival will pass it may be told besides. Of a large group the pages with most likes come first:
a page is held against the ten above it, and 1,000 pairs a day are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.model import Alert, Fact, Metric, Parameter, SeriesState
from handlers.rule_state import from_text, to_text
from handlers.signals.approach import DAYS, Approach, approach
from handlers.signals.facts import count_fact
from handlers.signals.history import DAY, EMPTY, HOUR, HistorySummary
from handlers.signals.leads import is_judged_in
from handlers.wording.forecasts import CLOSING_IN

WITHIN_DAYS = 30
EARLIER, LATER = 0.10, 0.16
BEHIND_DAYS = 21
COMING_DAYS = 5
AT_LEAST_DAYS = 1
RECORD = 10

_LOOKED_AT = 6 * HOUR
_KNOWN_DAYS_AGO = 4
_REST = timedelta(days=7)
_ANOTHER = timedelta(days=WITHIN_DAYS)  # the same passing is not announced twice
_ABOVE = 10
_PAIRS = 1_000
_RULE = (
    "The interval that should hold eight times in ten ends within 30 days, and on each of the past five days the pace "
    "of the four weeks before led to a passing within 30 days too; no surge or purge in these five days."
)
_PARAMETERS = (
    Parameter(name="ends within", value=WITHIN_DAYS, unit="days"),
    Parameter(name="earlier than the interval, by the model", value=EARLIER, unit="share"),
    Parameter(name="later than the interval, or never, by the model", value=LATER, unit="share"),
    Parameter(name="behind before", value=BEHIND_DAYS, unit="days"),
    Parameter(name="coming before", value=COMING_DAYS, unit="days"),
    Parameter(name="away at least", value=AT_LEAST_DAYS, unit="days"),
    Parameter(name="pace taken from", value=DAYS, unit="days"),
)

Chase = tuple[str, str]
"""The page behind, and the rival it may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What was told of a pair: when, and the interval; ``ended`` once it is known whether it held."""

    told: datetime
    low: datetime
    high: datetime
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingInState:
    """What is remembered of a group.

    ``day`` (since 1970) was looked at last. ``forecasts`` are those that have not ended, or were told less than 30 days
    ago; ``record`` says of up to ten that have ended, oldest first, whether they held.
    """

    day: int | None = None
    forecasts: Mapping[Chase, Forecast] = field(default_factory=lambda: MappingProxyType({}))
    record: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """An approach as it was at a midnight (``day``, since 1970), ``age`` days ago."""

    approach: Approach
    day: int
    age: float

    @property
    def chance(self) -> float:
        return self.approach.chance(WITHIN_DAYS + self.age)

    def days_until(self, chance: float) -> float | None:
        """From now."""
        days = self.approach.days_until(chance, within=WITHIN_DAYS + self.age)
        return None if days is None else max(days - self.age, 0.0)


def compare(window: Window, outlook: ClosingInState) -> Verdict[ClosingInState] | None:
    """Look at the group once a day; the cycles between cost one division."""
    day = int((window.now.timestamp() - _LOOKED_AT) // DAY)
    if outlook.day is not None and day <= outlook.day:
        return None
    forecasts, record = _kept(window, outlook)
    alerts = []
    for chase in islice(_chases(window), _PAIRS):
        sight = None if chase in forecasts else _sight(window, chase)
        alert = None if sight is None else _alert(window, chase, sight, record)
        if alert is not None:
            alerts.append(alert)
            low, high = (alert.fact(name).at or window.now for name in ("eta_low", "eta_high"))
            forecasts[chase] = Forecast(told=window.now, low=low, high=high)
    return Verdict(alerts=tuple(alerts), state=ClosingInState(day=day, forecasts=forecasts, record=record))


def _chases(window: Window) -> Iterator[Chase]:
    """Who could pass whom within 30 days at the pace of the past 28, from the top of the group."""
    gains = {
        slug: past.midnights[-1] - past.midnights[-1 - DAYS]
        for slug in window.series_states
        if len((past := window.histories.get(slug, EMPTY)).midnights) > DAYS
    }
    for metric in Metric:
        ranked = sorted(
            (-series_state.last.count, slug)
            for slug, series_state in window.series_states.items()
            if slug in gains and series_state.metric is metric
        )
        for place, (count, slug) in enumerate(ranked):
            for above, rival in ranked[max(place - _ABOVE, 0) : place]:
                closed = gains[slug] - gains[rival]
                if 0 < (count - above) * DAYS <= closed * WITHIN_DAYS and is_judged_in(window, slug, rival):
                    yield slug, rival


def _sight(window: Window, chase: Chase) -> _Sight | None:
    ours, theirs = (window.histories.get(slug, EMPTY) for slug in chase)
    day = min(ours.end, theirs.end)
    age = window.now.timestamp() / DAY - day
    if age > _KNOWN_DAYS_AGO:
        return None
    gaps = _gaps(ours, theirs, day - DAYS - COMING_DAYS, day)
    if len(gaps) <= DAYS + COMING_DAYS or min(gaps[-1 - BEHIND_DAYS :]) <= 0 or not _was_coming(gaps):
        return None
    step = max(window.series_states[slug].last.high - window.series_states[slug].last.low for slug in chase)
    if gaps[-1] <= step:  # rounding hides as much
        return None
    found = approach(gaps[-1 - DAYS :], step=step)
    return None if found is None else _Sight(approach=found, day=day, age=age)


def _was_coming(gaps: Sequence[float]) -> bool:
    """Whether the straight line through the 28 days before each day led to a passing within 30 days of it."""
    return all(after * DAYS <= (before - after) * WITHIN_DAYS for before, after in zip(gaps, gaps[DAYS:], strict=False))


def _gaps(ours: HistorySummary, theirs: HistorySummary, since: int, until: int) -> Sequence[float]:
    """By how much the rival leads at each midnight from one day to another that both are known of."""
    since = max(since, ours.first, theirs.first)
    mine = ours.midnights[since - ours.first : until + 1 - ours.first]
    other = theirs.midnights[since - theirs.first : until + 1 - theirs.first]
    return [after - before for before, after in zip(mine, other, strict=False)]


def _kept(window: Window, outlook: ClosingInState) -> tuple[dict[Chase, Forecast], tuple[bool, ...]]:
    """The forecasts that go on, and the record with those that ended; what nobody can judge any more is dropped."""
    kept, record = {}, outlook.record
    for chase, forecast in outlook.forecasts.items():
        if not _is_comparable(window, chase, forecast.told):
            continue
        held = None if forecast.ended else _has_held(window, chase, forecast)
        if held is not None:
            record = (*record, held)
        ended = forecast.ended or held is not None
        if not ended or window.now < forecast.told + _ANOTHER:
            kept[chase] = replace(forecast, ended=ended)
    return kept, record[-RECORD:]


def _has_held(window: Window, chase: Chase, forecast: Forecast) -> bool | None:
    """Whether the page passed within the interval; None while that is open."""
    passed = _passed(window, chase, forecast.told)
    if passed is not None:
        return forecast.low <= passed <= forecast.high
    return False if window.now >= max(forecast.high + _REST, forecast.told + _ANOTHER) else None


def _is_comparable(window: Window, chase: Chase, told: datetime) -> bool:
    series_states = [window.series_states[slug] for slug in chase if slug in window.series_states]
    return len({series_state.metric for series_state in series_states}) == 1 and len(
        [one for one in series_states if one.since <= told]
    ) == len(chase)


def _passed(window: Window, chase: Chase, told: datetime) -> datetime | None:
    """When the page passed, between two midnights as the crow flies: the first of two at which it is ahead."""
    ours, theirs = (window.histories.get(slug, EMPTY) for slug in chase)
    since = max(int(told.timestamp() // DAY), ours.first, theirs.first)
    gaps = _gaps(ours, theirs, since, min(ours.end, theirs.end))
    for index in range(1, len(gaps) - 1):
        if gaps[index] < 0 and gaps[index + 1] < 0:
            before = max(gaps[index - 1], 0.0)
            return _instant(since + index - 1 + before / (before - gaps[index]))
    return None


def _instant(day: float) -> datetime:
    """To the hour; ``day`` counts from 1970."""
    return datetime.fromtimestamp(round(day * 24) * HOUR, UTC)


def _alert(window: Window, chase: Chase, sight: _Sight, record: tuple[bool, ...]) -> Alert | None:
    page, rival = chase
    low, middle, high = (sight.days_until(chance) for chance in (EARLIER, 0.5, 1 - LATER))
    if low is None or middle is None or high is None or middle < AT_LEAST_DAYS:
        return None
    ours, theirs = window.series_states[page], window.series_states[rival]
    now = window.now.timestamp() / DAY
    etas = (("eta", middle), ("eta_low", low), ("eta_high", high))
    key = f"closing_in:{page}>{rival}:{_instant(sight.day).date().isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="closing_in",
        feature="closing",
        page=page,
        rival=rival,
        at=window.now,
        facts=(
            _gap(ours, theirs),
            *(Fact(name=name, value=days, unit="days", at=_instant(now + days)) for name, days in etas),
            Fact(name="pace", value=sight.approach.four_weeks, unit=ours.metric.value, at=_instant(sight.day)),
            Fact(name="chance", value=sight.chance, unit="share", at=window.now),
            count_fact("count", ours, ours.last),
            count_fact("rival_count", theirs, theirs.last),
            *_record(record),
        ),
        rule=_RULE,
        parameters=_PARAMETERS,
    )


def _gap(ours: SeriesState, theirs: SeriesState) -> Fact:
    return Fact(
        name="gap",
        value=theirs.last.count - ours.last.count,
        unit=ours.metric.value,
        low=theirs.last.low - ours.last.high,
        high=theirs.last.high - ours.last.low,
        at=min(ours.last.at, theirs.last.at),
    )


def _record(record: tuple[bool, ...]) -> Iterator[Fact]:
    if record:
        yield Fact(name="held", value=sum(record), unit="forecasts")
        yield Fact(name="ended", value=len(record), unit="forecasts")


def _dump(outlook: ClosingInState) -> str:
    kept = {
        "day": outlook.day,
        "forecasts": [
            [*chase, one.told, one.low, one.high, one.ended] for chase, one in sorted(outlook.forecasts.items())
        ],
        "record": list(outlook.record),
    }
    return to_text(kept)


def _load(text: str) -> ClosingInState:
    kept = from_text(text)
    forecasts = {}
    for page, rival, *instants, ended in kept["forecasts"]:
        told, low, high = (datetime.fromisoformat(at) for at in instants)
        forecasts[page, rival] = Forecast(told=told, low=low, high=high, ended=ended)
    return ClosingInState(day=kept["day"], forecasts=forecasts, record=tuple(kept["record"]))


COMPARISON = Comparison(
    name="closing_in",
    feature="closing",
    wording={"closing_in": CLOSING_IN},
    summary="a page will probably pass a rival of its group within 30 days",
    scope=Scope.GROUP,
    trigger=Trigger.COUNTS,
    blank=ClosingInState,
    load=_load,
    dump=_dump,
    compare=compare,
    opt_in=True,
)
