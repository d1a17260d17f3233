"""Milestone: a page passes 10,000, 20,000 … 90,000, 100,000, 200,000 … (d times 10^k; d = 1…9, k >= 4).

- Each milestone is raised once ever: not again after a dip, and not at first sight (a page first seen at 2,108,800
  passed 2,000,000 long ago). Followers after likes are a new series.
- A rounded count has passed a milestone once its whole interval has.
- Only the highest milestone within 48 hours is news. If a page will pass the next milestone within 48 hours
  of the first, at its pace of the last 12, the alert waits. A higher one that follows all the same joins the story of
  the first, so that its card is edited.
- A jump of the last 12 hours may be a wrong value inside the gate (``handlers.signals.jumps``). A count that is above
  the milestone only by such a jump must stand at every reading until 12 hours after the jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Metric, Restart, SeriesState
from handlers.parameter_types import Parameters, parameter
from handlers.reading_validation import usual_gain
from handlers.rule_state import StateForm
from handlers.signals.facts import count_fact
from handlers.signals.history import HistorySummary, with_points
from handlers.signals.jumps import JUMP_OF_COUNT, STANDS_HOURS, TIMES_ITS_PACE, is_jump
from handlers.wording.numbers import count
from handlers.wording.phrases import is_rounded, on

SMALLEST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneParameters(Parameters):
    """The numbers of this rule."""

    smallest: int = parameter(SMALLEST, "likes or followers", "smallest milestone")
    together_hours: int = parameter(48, "hours", "only the highest within")
    pace_hours: int = parameter(12, "hours", "pace by which the next is waited for, of the last")
    jump_of_count: float = parameter(JUMP_OF_COUNT, "share", "a jump, of the count, beyond its pace")
    jump: int = parameter(60, "likes or followers", "a jump, beyond its pace")
    times_its_pace: int = parameter(TIMES_ITS_PACE, "times the usual", "its pace, for a jump")
    stands_hours: int = parameter(STANDS_HOURS, "hours", "stands after a jump")

    @property
    def together(self) -> timedelta:
        return timedelta(hours=self.together_hours)

    @property
    def pace(self) -> timedelta:
        return timedelta(hours=self.pace_hours)

    @property
    def stands(self) -> timedelta:
        return timedelta(hours=self.stands_hours)


_RULE = (
    "The count passed a round number, rounding included, for the first time since the page is watched. After a jump it "
    "must stand for {stands_hours} hours. Only the highest within {together_hours} hours counts."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneState:
    """The state of a page.

    Attributes:
        metric: The metric of the page's series, None before the first reading.
        next: The lowest milestone that the page has not passed while it was watched.
        waiting: The facts of a passed milestone whose alert waits for a higher one, and of the lowest passed.
        story: The milestone that opened the newest story.
        same_until: Until when a milestone belongs to that story.
        doubted: The instant of the jump by which the count is above ``next``.
        since: The beginning of the page's series, None in a state of version 1.

    """

    metric: Metric | None = None
    next: int = 0
    waiting: tuple[Fact, ...] = ()
    story: int = 0
    same_until: datetime | None = None
    doubted: datetime | None = None
    since: datetime | None = None


def compare(window: Window, state: MilestoneState, parameters: MilestoneParameters) -> Verdict[MilestoneState] | None:
    """Raise the highest milestone that the page passed; at most readings it passed none."""
    series_state = window.series_states[window.scope]
    if series_state.metric is not state.metric or _began_anew(state, series_state):
        return Verdict(alerts=(), state=_first_seen(state, series_state))
    before = state
    if state.since is None:
        state = replace(state, since=series_state.since)
    elif series_state.last.low < state.next and not state.waiting and state.doubted is None:
        return None
    history = window.histories[window.scope]
    after = _passed(state, series_state, history, parameters)
    if after.waiting and not _is_soon_higher(after, series_state, history, parameters):
        return _raised(after, window, parameters)
    return None if after == before else Verdict(alerts=(), state=after)


def _began_anew(state: MilestoneState, series_state: SeriesState) -> bool:
    """Return True if the first reading, which this state is from, turned out to be wrong."""
    is_refuted = series_state.restarted is Restart.FIRST_REFUTED
    return is_refuted and state.since is not None and series_state.since > state.since


def _first_seen(state: MilestoneState, series_state: SeriesState) -> MilestoneState:
    """Return the state after a first reading, or after one that replaces a refuted first reading.

    The refuted one may have been right. If it was at most twice as high, the page may have passed those milestones
    and lost since, so that they are not news again.
    """
    ahead = following(series_state.last.high)
    if series_state.metric is state.metric and state.next <= following(2 * series_state.last.high):
        ahead = max(ahead, state.next)
    return MilestoneState(metric=series_state.metric, next=ahead, since=series_state.since)


def _passed(
    state: MilestoneState, series_state: SeriesState, history: HistorySummary, parameters: MilestoneParameters
) -> MilestoneState:
    """Add the milestone that the newest reading has passed, unless a recent jump alone brought it there."""
    if series_state.last.low < state.next:
        return state if state.doubted is None else replace(state, doubted=None)
    doubted = state.doubted or _jumped_at(state.next, series_state, history, parameters)
    if doubted is not None and series_state.last.at - doubted < parameters.stands:
        return replace(state, doubted=doubted)
    return replace(state, waiting=_facts(series_state, state), next=following(series_state.last.low), doubted=None)


def following(number: int) -> int:
    """Return the lowest milestone above a count: 0 -> 10,000; 20,000 -> 30,000; 95,000 -> 100,000."""
    step = _step(number)
    return (number // step + 1) * step


def _step(number: int) -> int:
    step = SMALLEST
    while step * 10 <= number:
        step *= 10
    return step


def _jumped_at(
    milestone: int, series_state: SeriesState, history: HistorySummary, parameters: MilestoneParameters
) -> datetime | None:
    """Return the newest jump of 12 hours without which a polled page would be below the milestone."""
    usual, last = usual_gain(series_state), series_state.last
    if usual is None or not _is_polled(series_state, parameters):
        return None
    steps = with_points(history, [(last.at.timestamp(), last.low)]).steps((last.at - parameters.stands).timestamp())
    jumps = [
        step.at
        for step in steps
        if is_jump(step.size, step.before, max(usual, 0.0), step.days, least=parameters.jump)
        and last.low - step.size < milestone
    ]
    return datetime.fromtimestamp(jumps[-1], UTC) if jumps else None


def _is_polled(series_state: SeriesState, parameters: MilestoneParameters) -> bool:
    return series_state.gap is not None and series_state.gap <= parameters.pace.total_seconds()


def _is_soon_higher(
    state: MilestoneState, series_state: SeriesState, history: HistorySummary, parameters: MilestoneParameters
) -> bool:
    """Return True if a polled page will also pass the next milestone before the 48 hours are over."""
    passed_at = _lowest(state.waiting).at
    if passed_at is None or not _is_polled(series_state, parameters):
        return False
    now = (series_state.last.low + series_state.last.high) / 2
    before = history.at((series_state.last.at - parameters.pace).timestamp())
    if before is None:
        return False
    left = (passed_at + parameters.together - series_state.last.at) / parameters.pace
    return left > 0 and (now - before) * left >= state.next - series_state.last.low


def _raised(state: MilestoneState, window: Window, parameters: MilestoneParameters) -> Verdict[MilestoneState]:
    page, facts = window.scope, state.waiting
    milestone, at = int(facts[0].value), facts[0].at
    is_same_story = state.same_until is not None and at is not None and at <= state.same_until
    story = state.story if is_same_story else milestone
    alert = Alert(
        key=f"milestone:{page}:{state.metric}:{milestone}",
        story=f"milestone:{page}:{state.metric}:{story}",
        kind="milestone",
        feature="milestone",
        page=page,
        at=window.now,
        dated=facts[0].dated,
        facts=facts,
        rule=parameters.fill(_RULE),
        parameters=parameters.listed(),
    )
    same_until = None if at is None else at + parameters.together
    return Verdict(alerts=(alert,), state=replace(state, waiting=(), story=story, same_until=same_until))


def _lowest(waiting: tuple[Fact, ...]) -> Fact:
    """Return the first passed of the milestones that wait."""
    return next((fact for fact in waiting if fact.name == "lowest"), waiting[0])


def _facts(series_state: SeriesState, state: MilestoneState) -> tuple[Fact, ...]:
    """Return the highest milestone passed, the reading that shows it, the one before, and the lowest passed."""
    previous, point = series_state.previous, series_state.last
    step = _step(point.low)
    milestone = point.low // step * step
    if previous is not None and previous.low >= milestone:  # several readings arrived at once
        point = previous
    reached = replace(count_fact("milestone", series_state, point), value=milestone, low=None, high=None)
    facts = [reached, count_fact("count", series_state, point)]
    if previous is not None and previous is not point:
        facts.append(count_fact("before", series_state, previous))
    lowest = _lowest(state.waiting) if state.waiting else replace(reached, value=state.next)
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


def _upgrade(version: int, stored: Any) -> Any:  # noqa: ARG001 - the signature of an upgrade
    """Bring forms before version 2 up to date: ``doubted`` and ``since`` were not stored."""
    return {"doubted": None, "since": None, **stored}


COMPARISON = Comparison(
    name="milestone",
    feature="milestone",
    wording={"milestone": Wording(headline=_headline, lines=_lines)},
    summary="a page passes a round number: 10,000, 20,000 … 1,000,000, 2,000,000 …",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    parameters=MilestoneParameters(),
    state=StateForm(cls=MilestoneState, version=2, upgrade=_upgrade),
    compare=compare,
)
