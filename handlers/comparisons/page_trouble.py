"""Page trouble: a page went, came back, hides its count, was merged into another or goes by a new name.

A failed poll is a gap and no event. Told is only what lasted and is the page's own (the cycle leaves out what befalls
a platform or us): unavailable, or no count for whatever reason, for 24 hours of polls; a hidden count on 2 polls in a
row; merged and renamed at once. Each is told once in an episode, which ends when the page is read again: then the same
story's card says so. An hours-long hole between the notices (the platform was down, or we were) counts for nothing:
what was not told yet begins anew after it.

The count from before stands. It never falls to 0, and nobody passes a page because it cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, PageStatus, PageTrouble, Parameter, SeriesState
from handlers.rule_state import from_text, instant, to_text
from handlers.signals.facts import count_fact
from handlers.wording.numbers import count
from handlers.wording.numbers import instant as said_instant
from handlers.wording.phrases import on

HOURS_TO_TELL = 24
HIDDEN_POLLS_TO_TELL = 2
HOLE_HOURS = 6
HOLE_POLLS = 3

_TO_TELL = timedelta(hours=HOURS_TO_TELL)
_HOLE = timedelta(hours=HOLE_HOURS)
_DAY = timedelta(days=1)
_UNREADABLE = frozenset({PageTrouble.UNAVAILABLE, PageTrouble.UNREAD})
_LASTED = "Polls of 24 hours or more brought no count, for a reason that concerns this page and not its platform or us."
_RULES = {
    "page_unavailable": _LASTED,
    "page_unread": _LASTED,
    "page_hidden": "Two polls in a row found the page without a count.",
    "page_merged": "The platform answered with another page, or said that this one was merged into it.",
    "page_renamed": "The platform gave another name for the same page.",
    "page_back": "The page was read again after its trouble was told.",
}
_PARAMETERS = (
    Parameter(name="without a count", value=HOURS_TO_TELL, unit="hours"),
    Parameter(name="hidden", value=HIDDEN_POLLS_TO_TELL, unit="polls"),
    Parameter(name="begun anew after a hole of", value=HOLE_HOURS, unit="hours"),
    Parameter(name="begun anew after a hole of", value=HOLE_POLLS, unit="polls"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTroubleState:
    """What is remembered of a page: its present trouble, None while it is read.

    ``since`` and ``until`` are the first and the newest poll of ``trouble`` (unavailable and unread are one), ``polls``
    how many there were. ``told`` are the troubles told, ``opened`` the instant that their story is named after.
    """

    trouble: PageTrouble | None = None
    since: datetime | None = None
    until: datetime | None = None
    polls: int = 0
    told: tuple[PageTrouble, ...] = ()
    opened: datetime | None = None


def compare(window: Window, episode: PageTroubleState) -> Verdict[PageTroubleState] | None:
    """Follow the page's episode through the notices that came."""
    series_state = window.series_states.get(window.scope)
    before, alerts = episode, list[Alert]()
    for notice in window.page_statuses:
        if notice.trouble is None:
            if episode.opened is not None:
                alerts.append(_alert("page_back", notice, episode.opened, series_state))
            episode = PageTroubleState()
        elif notice.trouble is PageTrouble.RENAMED:
            alerts.append(_alert("page_renamed", notice, notice.at, series_state))
        else:
            episode = _gone_on(episode, notice, series_state)
            if _is_news(episode):
                episode = replace(episode, told=(*episode.told, notice.trouble), opened=episode.opened or episode.since)
                alerts.append(
                    _alert(f"page_{notice.trouble}", notice, episode.opened or notice.at, series_state, episode)
                )
    if episode == before and not alerts:
        return None
    return Verdict(alerts=tuple(alerts), state=before if episode == before else episode)


def _gone_on(episode: PageTroubleState, notice: PageStatus, series_state: SeriesState | None) -> PageTroubleState:
    """The episode after one more poll without a count."""
    if _is_over(episode, notice, series_state):
        episode = PageTroubleState()
    is_same = notice.trouble is episode.trouble or {notice.trouble, episode.trouble} <= _UNREADABLE
    if is_same and notice.trouble in episode.told:
        return episode
    return replace(
        episode,
        trouble=notice.trouble,
        since=episode.since if is_same else notice.at,
        until=notice.at,
        polls=episode.polls + 1 if is_same else 1,
    )


def _is_over(episode: PageTroubleState, notice: PageStatus, series_state: SeriesState | None) -> bool:
    if episode.until is None:
        return False
    if series_state is not None and series_state.last.at > episode.until:
        return True  # it was read in between
    usual = (
        timedelta(seconds=series_state.gap)
        if series_state is not None and series_state.gap is not None
        else timedelta(0)
    )
    return not episode.told and notice.at - episode.until > max(_HOLE, HOLE_POLLS * usual)


def _is_news(episode: PageTroubleState) -> bool:
    trouble, since, until = episode.trouble, episode.since, episode.until
    if trouble in episode.told or since is None or until is None:
        return False
    if trouble is PageTrouble.MERGED:
        return True
    if trouble is PageTrouble.HIDDEN:
        return episode.polls >= HIDDEN_POLLS_TO_TELL
    return until - since >= _TO_TELL and not (trouble is PageTrouble.UNREAD and episode.told)


def _alert(
    kind: str,
    notice: PageStatus,
    opened: datetime,
    series_state: SeriesState | None,
    episode: PageTroubleState | None = None,
) -> Alert:
    page = notice.page
    story = f"{kind}:{page}:{notice.detail}" if kind == "page_renamed" else f"trouble:{page}"
    since = opened if episode is None or episode.since is None else episode.since
    return Alert(
        key=f"{kind}:{page}:{since.isoformat()}",
        story=f"{story}:{opened.isoformat()}",
        kind=kind,
        feature="trouble",
        page=page,
        at=notice.at,
        facts=tuple(_facts(notice, since, series_state)),
        rule=_RULES[kind],
        parameters=_PARAMETERS,
    )


def _facts(notice: PageStatus, since: datetime, series_state: SeriesState | None) -> Iterator[Fact]:
    yield Fact(name="lasted", value=(notice.at - since) / _DAY, unit="days", about=notice.page, at=since)
    yield Fact(name="noticed", value=1, unit="readings", about=_called(notice), at=notice.at)
    if series_state is not None:
        yield count_fact("count", series_state, series_state.last)


def _called(notice: PageStatus) -> str:
    """What to call it by: a name with its @ is nobody's slug."""
    return f"@{notice.detail}" if notice.trouble is PageTrouble.RENAMED else notice.detail


def _since(alert: Alert) -> str:
    since = alert.fact("lasted").at
    return said_instant(since) if since else "then"


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
    when = f" {said_instant(noticed)}" if noticed else ""
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


def _dump(episode: PageTroubleState) -> str:
    return to_text(asdict(episode))


def _load(text: str) -> PageTroubleState:
    kept = from_text(text)
    return PageTroubleState(
        trouble=None if kept["trouble"] is None else PageTrouble(kept["trouble"]),
        since=instant(kept["since"]),
        until=instant(kept["until"]),
        polls=kept["polls"],
        told=tuple(map(PageTrouble, kept["told"])),
        opened=instant(kept["opened"]),
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
    blank=PageTroubleState,
    load=_load,
    dump=_dump,
    compare=compare,
)
