"""Milestone: a page passes 10,000, 20,000 … 90,000, 100,000, 200,000 … (d times 10^k; d = 1…9, k >= 4).

Once ever: not again after a dip, and not at first sight (a page first seen at 2,108,800 passed 2,000,000 long ago).
A rounded count has passed only what its whole interval has passed. Followers after likes are a new series, and first
seen as such.

Of several passed within 48 hours only the highest is news. So a page that jumps over several at once tells the
highest; one that climbs so fast that it will pass the next within 48 hours of the first, at its pace of the last 12,
is waited for; and should a higher one follow a told one all the same, it is the same story: the card is edited.

A count that is there by a jump of the last 12 hours, of more than 0.4% (60) beyond six times the usual pace, may be
wrong though it is inside the ledger's gate: it must stand at every reading until 12 hours after the jump, or has passed
nothing, and is told with the reading at which it still stood.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Metric, Parameter, Restart, SeriesState
from handlers.rule_state import a_fact, from_text, instant, to_text
from handlers.signals.facts import count_fact
from handlers.signals.history import HistorySummary, with_points
from handlers.signals.jumps import JUMP_OF_COUNT, STANDS_HOURS, TIMES_ITS_PACE, is_jump
from handlers.validation import usual_gain
from handlers.wording.numbers import count
from handlers.wording.phrases import is_rounded, on

SMALLEST = 10_000
TOGETHER_HOURS = 48
PACE_HOURS = 12
JUMP = 60

_TOGETHER = timedelta(hours=TOGETHER_HOURS)
_PACE = timedelta(hours=PACE_HOURS)
_STANDS = timedelta(hours=STANDS_HOURS)
_RULE = (
    "The count, rounding included, is at or above a round number (1 to 9 times 10,000, 100,000 and so on) for the "
    "first time since the page is watched; where it jumped to it, at every reading for 12 hours. Of several passed "
    "within 48 hours only the highest counts."
)
_PARAMETERS = (
    Parameter(name="smallest milestone", value=SMALLEST, unit="likes or followers"),
    Parameter(name="only the highest within", value=TOGETHER_HOURS, unit="hours"),
    Parameter(name="pace by which the next is waited for, of the last", value=PACE_HOURS, unit="hours"),
    Parameter(name="a jump, of the count, beyond its pace", value=JUMP_OF_COUNT, unit="share"),
    Parameter(name="a jump, beyond its pace", value=JUMP, unit="likes or followers"),
    Parameter(name="its pace, for a jump", value=TIMES_ITS_PACE, unit="times the usual"),
    Parameter(name="stands after a jump", value=STANDS_HOURS, unit="hours"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneState:
    """What is remembered of a page: the ``next`` milestone of ``metric``, which nobody saw it pass yet.

    ``waiting`` are the facts of a milestone passed that waits for a higher one, the lowest passed among them, from
    which the 48 hours are counted. A milestone passed until ``same_until`` belongs to the story that milestone
    ``story`` opened. ``doubted`` is the jump by which the count is at the next one. ``since`` is where the page's
    series began.
    """

    metric: Metric | None = None
    next: int = 0
    waiting: tuple[Fact, ...] = ()
    story: int = 0
    same_until: datetime | None = None
    doubted: datetime | None = None
    since: datetime | None = None


def compare(window: Window, marks: MilestoneState) -> Verdict[MilestoneState] | None:
    """See whether the next milestone was passed; nearly always it was not, and that is all."""
    series_state = window.series_states[window.scope]
    if series_state.metric is not marks.metric or _began_anew(marks, series_state):
        return Verdict(alerts=(), state=_first_seen(marks, series_state))
    if series_state.last.low < marks.next and not marks.waiting and marks.doubted is None:
        return None
    past = window.histories[window.scope]
    after = _passed(marks, series_state, past)
    if after.waiting and not _is_soon_higher(after, series_state, past):
        return _told(after, window)
    return None if after == marks else Verdict(alerts=(), state=after)


def _began_anew(marks: MilestoneState, series_state: SeriesState) -> bool:
    """Whether the first reading, which these marks are from, turned out to be wrong."""
    is_refuted = series_state.restarted is Restart.FIRST_REFUTED
    return is_refuted and marks.since is not None and series_state.since > marks.since


def _first_seen(marks: MilestoneState, series_state: SeriesState) -> MilestoneState:
    """What was passed before the page was watched. A first reading that was refuted may have been right all the same.

    It is believed where it was no more than twice as high: then the page has lost since what it had passed.
    """
    ahead = following(series_state.last.high)
    if series_state.metric is marks.metric and marks.next <= following(2 * series_state.last.high):
        ahead = max(ahead, marks.next)
    return MilestoneState(metric=series_state.metric, next=ahead, since=series_state.since)


def _passed(marks: MilestoneState, series_state: SeriesState, past: HistorySummary) -> MilestoneState:
    """With the milestone that the newest reading is at, unless it is there by a jump of the last 12 hours."""
    if series_state.last.low < marks.next:
        return replace(marks, doubted=None)
    doubted = marks.doubted or _jumped_at(marks.next, series_state, past)
    if doubted is not None and series_state.last.at - doubted < _STANDS:
        return replace(marks, doubted=doubted)
    return replace(marks, waiting=_facts(series_state, marks), next=following(series_state.last.low), doubted=None)


def following(number: int) -> int:
    """The lowest milestone above a count: 0 -> 10,000; 20,000 -> 30,000; 95,000 -> 100,000."""
    step = _step(number)
    return (number // step + 1) * step


def _highest(number: int) -> int:
    step = _step(number)
    return number // step * step


def _step(number: int) -> int:
    step = SMALLEST
    while step * 10 <= number:
        step *= 10
    return step


def _jumped_at(milestone: int, series_state: SeriesState, past: HistorySummary) -> datetime | None:
    """The newest jump in 12 hours that is not like a page that is polled, and without which it were not there."""
    usual, last = usual_gain(series_state), series_state.last
    if usual is None or not _is_polled(series_state):
        return None
    steps = with_points(past, [(last.at.timestamp(), last.low)]).steps((last.at - _STANDS).timestamp())
    jumps = [
        step.at
        for step in steps
        if is_jump(step.size, step.before, max(usual, 0.0), step.days, least=JUMP) and last.low - step.size < milestone
    ]
    return datetime.fromtimestamp(jumps[-1], UTC) if jumps else None


def _is_polled(series_state: SeriesState) -> bool:
    return series_state.gap is not None and series_state.gap <= _PACE.total_seconds()


def _is_soon_higher(marks: MilestoneState, series_state: SeriesState, past: HistorySummary) -> bool:
    """Whether a page that is polled will pass the next one too before the 48 hours are over."""
    passed_at = _lowest(marks.waiting).at
    if passed_at is None or not _is_polled(series_state):
        return False
    now = (series_state.last.low + series_state.last.high) / 2
    before = past.at((series_state.last.at - _PACE).timestamp())
    if before is None:
        return False
    left = (passed_at + _TOGETHER - series_state.last.at) / _PACE
    return left > 0 and (now - before) * left >= marks.next - series_state.last.low


def _told(marks: MilestoneState, window: Window) -> Verdict[MilestoneState]:
    page, facts = window.scope, marks.waiting
    milestone, at = int(facts[0].value), facts[0].at
    goes_on = marks.same_until is not None and at is not None and at <= marks.same_until
    story = marks.story if goes_on else milestone
    alert = Alert(
        key=f"milestone:{page}:{marks.metric}:{milestone}",
        story=f"milestone:{page}:{marks.metric}:{story}",
        kind="milestone",
        feature="milestone",
        page=page,
        at=window.now,
        dated=facts[0].dated,
        facts=facts,
        rule=_RULE,
        parameters=_PARAMETERS,
    )
    same_until = None if at is None else at + _TOGETHER
    return Verdict(alerts=(alert,), state=replace(marks, waiting=(), story=story, same_until=same_until))


def _lowest(waiting: tuple[Fact, ...]) -> Fact:
    """The first milestone passed of those that wait."""
    return next((fact for fact in waiting if fact.name == "lowest"), waiting[0])


def _facts(series_state: SeriesState, marks: MilestoneState) -> tuple[Fact, ...]:
    """The highest milestone passed, the reading that shows it, the one before, and the lowest that is not told yet."""
    previous, point = series_state.previous, series_state.last
    milestone = _highest(point.low)
    if previous is not None and previous.low >= milestone:  # several readings came at once
        point = previous
    reached = replace(count_fact("milestone", series_state, point), value=milestone, low=None, high=None)
    facts = [reached, count_fact("count", series_state, point)]
    if previous is not None and previous is not point:
        facts.append(count_fact("before", series_state, previous))
    lowest = _lowest(marks.waiting) if marks.waiting else replace(reached, value=marks.next)
    if lowest.value < milestone:
        facts.append(replace(lowest, name="lowest"))
    return tuple(facts)


def _headline(alert: Alert, words: Names) -> str:
    milestone, reached = alert.fact("milestone"), alert.fact("count")
    return f"{words.page(alert.page)} has passed {count(milestone.value)} {milestone.unit} ({_read(reached)})."


def _lines(alert: Alert, words: Names) -> tuple[str, ...]:  # noqa: ARG001 - the contract's signature
    said = ["When it passed is not known."]
    for before in alert.facts_named("before"):
        said = [f"The reading before was {_read(before)}; when between the two it passed is not known."]
    for lowest in alert.facts_named("lowest"):
        if lowest.at == alert.fact("milestone").at:
            said.append(
                f"It passed all from {count(lowest.value)} on since it was last read; only the highest is told."
            )
        else:
            said.append(f"{count(lowest.value)} was passed {on(lowest)}; of all since, only the highest is told.")
    return tuple(said)


def _read(fact: Fact) -> str:
    rounded = " by rounded figures" if is_rounded(fact) else ""
    return f"{count(fact.value)}{rounded} {on(fact)}"


def _dump(marks: MilestoneState) -> str:
    return to_text(asdict(marks))


def _load(text: str) -> MilestoneState:
    kept = from_text(text)
    return MilestoneState(
        metric=None if kept["metric"] is None else Metric(kept["metric"]),
        next=kept["next"],
        waiting=tuple(map(a_fact, kept["waiting"])),
        story=kept["story"],
        same_until=instant(kept["same_until"]),
        doubted=instant(kept["doubted"]),
        since=instant(kept["since"]),
    )


COMPARISON = Comparison(
    name="milestone",
    feature="milestone",
    wording={"milestone": Wording(headline=_headline, lines=_lines)},
    summary="a page passes a round number: 10,000, 20,000 … 1,000,000, 2,000,000 …",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    blank=MilestoneState,
    load=_load,
    dump=_dump,
    compare=compare,
)
