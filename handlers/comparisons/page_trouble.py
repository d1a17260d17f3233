"""Page trouble: a page went, came back, hides its count, was merged into another page, or has a new name.

| trouble | raised after |
|---|---|
| unavailable, or no count for any reason | 24 hours of polls |
| hidden count | 2 polls in a row |
| merged, renamed | at once |

- The trouble must be the page's own: the cycle leaves out what befalls a platform or Likewatch. A failed poll is a gap.
- Each trouble is raised once in an episode. The episode ends when the page is read again; then the same story's card
  says so.
- After a hole of hours without polls (the platform or Likewatch was down), trouble that was not raised begins anew.
- The count from before stands. It never falls to 0, and nobody passes a page because it cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, PageStatus, PageTrouble, SeriesState
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm, told_is_raised
from handlers.signals.facts import count_fact
from handlers.wording.numbers import count, instant
from handlers.wording.phrases import on


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTroubleParameters(Parameters):
    """The numbers of this rule."""

    hours: int = parameter(24, "hours", "without a count")
    hidden_polls: int = parameter(2, "polls", "hidden")
    hole_hours: int = parameter(6, "hours", "begun anew after a hole of")
    hole_polls: int = parameter(3, "polls", "begun anew after a hole of")


_UNREADABLE = frozenset({PageTrouble.UNAVAILABLE, PageTrouble.UNREAD})
_LASTED = (
    "Polls of at least {hours} hours brought no count; the reason lies with the page, not its platform or Likewatch."
)
_RULES = {
    "page_unavailable": _LASTED,
    "page_unread": _LASTED,
    "page_hidden": "{hidden_polls} polls in a row found the page without a count.",
    "page_merged": "The platform answered with another page, or wrote that this one was merged into it.",
    "page_renamed": "The platform gave another name for the same page.",
    "page_back": "The page was read again after an alert about its trouble.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTroubleState:
    """The state of a page.

    Attributes:
        trouble: The present trouble, if there is one.
        since: The first poll of ``trouble`` (unavailable and unread count as one).
        until: The newest poll of ``trouble``.
        polls: The number of these polls.
        raised: The troubles that alerts were raised about in this episode.
        opened: The instant that the story of these alerts is named after.

    """

    trouble: PageTrouble | None = None
    since: datetime | None = None
    until: datetime | None = None
    polls: int = 0
    raised: tuple[PageTrouble, ...] = ()
    opened: datetime | None = None


def compare(
    window: Window, state: PageTroubleState, parameters: PageTroubleParameters
) -> Verdict[PageTroubleState] | None:
    """Follow the page's episode through the page statuses that arrived."""
    series_state = window.series_states.get(window.scope)
    before, alerts = state, list[Alert]()

    def add(kind: str, status: PageStatus, since: datetime, opened: datetime) -> None:
        alerts.append(_alert(kind, status, series_state, parameters, since=since, opened=opened))

    for status in window.page_statuses:
        if status.trouble is None:
            if state.opened is not None:
                add("page_back", status, state.opened, state.opened)
            state = PageTroubleState()
        elif status.trouble is PageTrouble.RENAMED:
            add("page_renamed", status, status.at, status.at)
        else:
            state = _continued(state, status, series_state, parameters)
            if _is_news(state, parameters):
                since = state.since or status.at
                opened = state.opened or since
                state = replace(state, raised=(*state.raised, status.trouble), opened=opened)
                add(f"page_{status.trouble}", status, since, opened)
    if state == before and not alerts:
        return None
    return Verdict(alerts=tuple(alerts), state=before if state == before else state)


def _continued(
    state: PageTroubleState, status: PageStatus, series_state: SeriesState | None, parameters: PageTroubleParameters
) -> PageTroubleState:
    """Return the episode after one more poll without a count."""
    if _is_over(state, status, series_state, parameters):
        state = PageTroubleState()
    is_same = status.trouble is state.trouble or {status.trouble, state.trouble} <= _UNREADABLE
    if is_same and status.trouble in state.raised:
        return state
    return replace(
        state,
        trouble=status.trouble,
        since=state.since if is_same else status.at,
        until=status.at,
        polls=state.polls + 1 if is_same else 1,
    )


def _is_over(
    state: PageTroubleState, status: PageStatus, series_state: SeriesState | None, parameters: PageTroubleParameters
) -> bool:
    if state.until is None:
        return False
    if series_state is not None and series_state.last.at > state.until:
        return True  # the page was read in between
    gap = timedelta(seconds=(series_state and series_state.gap) or 0.0)
    hole = max(timedelta(hours=parameters.hole_hours), parameters.hole_polls * gap)
    return not state.raised and status.at - state.until > hole


def _is_news(state: PageTroubleState, parameters: PageTroubleParameters) -> bool:
    trouble, since, until = state.trouble, state.since, state.until
    if trouble in state.raised or since is None or until is None:
        return False
    if trouble is PageTrouble.MERGED:
        return True
    if trouble is PageTrouble.HIDDEN:
        return state.polls >= parameters.hidden_polls
    is_lasting = until - since >= timedelta(hours=parameters.hours)
    return is_lasting and not (trouble is PageTrouble.UNREAD and state.raised)


def _alert(
    kind: str,
    status: PageStatus,
    series_state: SeriesState | None,
    parameters: PageTroubleParameters,
    *,
    since: datetime,
    opened: datetime,
) -> Alert:
    page = status.page
    story = f"{kind}:{page}:{status.detail}" if kind == "page_renamed" else f"trouble:{page}"
    return Alert(
        key=f"{kind}:{page}:{since.isoformat()}",
        story=f"{story}:{opened.isoformat()}",
        kind=kind,
        feature="trouble",
        page=page,
        at=status.at,
        facts=tuple(_facts(status, since, series_state)),
        rule=parameters.fill(_RULES[kind]),
        parameters=parameters.listed(),
    )


def _facts(status: PageStatus, since: datetime, series_state: SeriesState | None) -> Iterator[Fact]:
    # A name with an @ is no page's slug.
    other = f"@{status.detail}" if status.trouble is PageTrouble.RENAMED else status.detail
    yield Fact(name="lasted", value=(status.at - since) / timedelta(days=1), unit="days", about=status.page, at=since)
    yield Fact(name="noticed", value=1, unit="readings", about=other, at=status.at)
    if series_state is not None:
        yield count_fact("count", series_state, series_state.last)


def _since(alert: Alert) -> str:
    since = alert.fact("lasted").at
    return instant(since) if since else "then"


def _unavailable(alert: Alert, words: Names) -> str:
    return (
        f"{words.page(alert.page)} has not been readable since {_since(alert)}: the platform does not tell whether it "
        "was deleted, unpublished or restricted."
    )


def _unread(alert: Alert, words: Names) -> str:
    return (
        f"{words.page(alert.page)} has given no count since {_since(alert)}, while other pages of its platform were "
        "read: the platform gives no reason."
    )


def _hidden(alert: Alert, words: Names) -> str:
    return f"{words.page(alert.page)} is there, and has shown no count since {_since(alert)}."


def _merged(alert: Alert, words: Names) -> str:
    into = alert.fact("noticed").about
    other = words.page(into) if into else "another page, which it does not name"
    return f"{words.page(alert.page)} is not read any more: the platform answers that it was merged into {other}."


def _renamed(alert: Alert, words: Names) -> str:
    return f"{words.page(alert.page)} has a new name on its platform: {words.page(alert.fact('noticed').about)}."


def _back(alert: Alert, words: Names) -> str:
    lasted, noticed = alert.fact("lasted"), alert.fact("noticed").at
    days = "a day" if round(lasted.value) <= 1 else f"{count(lasted.value)} days"
    when = f" {instant(noticed)}" if noticed else ""
    return f"{words.page(alert.page)} can be read again since{when}, after about {days}."


def _last(alert: Alert, words: Names) -> tuple[str, ...]:  # noqa: ARG001 - the contract's signature
    return tuple(
        f"Its last count, {count(fact.value)} {fact.unit} {on(fact)}, stands: that it cannot be read is no fall."
        for fact in alert.facts_named("count")
    )


def _moved(alert: Alert, words: Names) -> tuple[str, ...]:
    into = alert.fact("noticed").about
    return (*_last(alert, words), *((f"To go on from there, track {words.page(into)}.",) if into else ()))


def _same(alert: Alert, words: Names) -> tuple[str, ...]:
    return ("It is the same page to the platform, and its counts go on.", *_newest(alert, words))


def _newest(alert: Alert, words: Names) -> tuple[str, ...]:  # noqa: ARG001 - the contract's signature
    return tuple(
        f"Its newest count is {count(fact.value)} {fact.unit} {on(fact)}." for fact in alert.facts_named("count")
    )


COMPARISON = Comparison(
    name="page_trouble",
    feature="trouble",
    wording={
        "page_unavailable": Wording(headline=_unavailable, lines=_last),
        "page_unread": Wording(headline=_unread, lines=_last),
        "page_hidden": Wording(headline=_hidden, lines=_last),
        "page_merged": Wording(headline=_merged, lines=_moved),
        "page_renamed": Wording(headline=_renamed, lines=_same),
        "page_back": Wording(headline=_back, lines=_newest),
    },
    summary="a page cannot be read any more, is back, hides its count, was merged or renamed",
    scope=Scope.PAGE,
    trigger=Trigger.PAGE_STATUS,
    parameters=PageTroubleParameters(),
    state=StateForm(cls=PageTroubleState, version=3, upgrade=told_is_raised),
    compare=compare,
)
