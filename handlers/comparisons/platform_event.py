"""Platform event: many pages of one platform fall together, which is one event of the platform.

- An event takes 5 pages or more, a fifth of the platform's watched pages or more, of more than one group, within 48
  hours (``handlers.signals.platform_drops``).
- Platforms remove accounts in several rounds. For 7 days, more pages that fall with others belong to the same event
  and bring its card up to date. This happens at once if they would make an event of their own. Else it happens 48 hours
  after the first of them fell, so that no page's loss goes without an alert.
- A page that an alert named is not named again for 7 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm
from handlers.signals.facts import count_fact
from handlers.signals.platform_drops import (
    PAGES,
    SHARE_OF_PAGES,
    WITHIN_HOURS,
    Drops,
    is_together,
    lately,
    new_drops,
    watched,
)
from handlers.wording.numbers import count, percent
from handlers.wording.phrases import on


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEventParameters(Parameters):
    """The numbers of this rule."""

    pages: int = parameter(PAGES, "pages", "pages")
    share_of_pages: float = parameter(SHARE_OF_PAGES, "share", "of the platform's pages")
    within_hours: int = parameter(WITHIN_HOURS, "hours", "within")
    quiet_days: int = parameter(7, "days")


_RULE = (
    "At least {pages} pages, and {share_of_pages:.0%} of the platform's watched pages, fell together within "
    "{within_hours} hours."
)
_MORE_RULE = f"{_RULE} Pages that fall with others in the {{quiet_days}} days after belong to the same event."
_NAMED = 5

Losses = Mapping[str, tuple[float, float]]
"""The level before and the size of the loss, by page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that was raised: the key of its first alert, when, and when each page was named."""

    key: str
    raised: datetime
    named: Drops


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEventState:
    """The state of a platform.

    Attributes:
        fallen: The pages that fell in the past 48 hours, with the instant.
        losses: The losses of the pages in ``fallen`` and ``waiting``.
        event: The newest event.
        waiting: The pages that fell with others since the event and are not named yet, with the instant.

    """

    fallen: Drops = field(default_factory=lambda: MappingProxyType({}))
    losses: Losses = field(default_factory=lambda: MappingProxyType({}))
    event: Event | None = None
    waiting: Drops = field(default_factory=lambda: MappingProxyType({}))


def compare(
    window: Window, state: PlatformEventState, parameters: PlatformEventParameters
) -> Verdict[PlatformEventState] | None:
    """Collect the falls of the past 48 hours, and raise an alert once they are enough."""
    known = lately(state.fallen, window)
    found = {slug: loss for slug, loss in new_drops(window).items() if slug not in known}
    if not found and known is state.fallen and not state.waiting:
        return None
    quiet = timedelta(days=parameters.quiet_days)
    fallen = {**known, **dict.fromkeys(found, window.now)}
    event = _open(state.event, fallen, window.now, quiet)
    waiting = {slug: at for slug, at in state.waiting.items() if slug in window.series_states}
    if is_together(window, fallen):
        waiting = {**_unnamed(fallen, event, window.now, quiet), **waiting}
    losses = {slug: loss for slug, loss in state.losses.items() if slug in fallen or slug in waiting}
    losses = {**{slug: (loss.level, loss.size) for slug, loss in found.items()}, **losses}
    after = PlatformEventState(fallen=fallen, losses=losses, event=event, waiting=waiting)
    is_due = bool(waiting) and (
        event is None
        or is_together(window, waiting)
        or window.now - min(waiting.values()) >= timedelta(hours=parameters.within_hours)
    )
    if not is_due:
        return Verdict(alerts=(), state=state if after == state else after)
    alert = _alert(window, {slug: losses[slug] for slug in waiting}, event, parameters)
    named = dict.fromkeys(waiting, window.now)
    if event is None:
        event = Event(key=alert.key, raised=alert.at, named=named)
    else:
        event = replace(event, named={**event.named, **named})
    return Verdict(alerts=(alert,), state=replace(after, event=event, waiting={}))


def _open(event: Event | None, fallen: Drops, now: datetime, quiet: timedelta) -> Event | None:
    """Return the event while more pages belong to it: for 7 days, and while a page that it named is in ``fallen``."""
    if event is None or now - event.raised <= quiet:
        return event
    return event if any(slug in fallen and fallen[slug] <= at for slug, at in event.named.items()) else None


def _unnamed(fallen: Drops, event: Event | None, now: datetime, quiet: timedelta) -> Drops:
    """Return the pages that fell by now and were not named within 7 days."""
    named = {slug for slug, at in event.named.items() if now - at <= quiet} if event else set()
    return {slug: at for slug, at in fallen.items() if at <= now and slug not in named}


def _alert(window: Window, losses: Losses, event: Event | None, parameters: PlatformEventParameters) -> Alert:
    by_loss = sorted(losses.items(), key=lambda loss: (-loss[1][1] / loss[1][0], loss[0]))
    newest = max(window.series_states[slug].last.at for slug in losses)
    kind = "platform_event" if event is None else "platform_event_more"
    key = f"{kind}:{window.scope}:down:{newest.isoformat()}"
    earlier = () if event is None else tuple(sorted(event.named.keys() - losses.keys()))
    facts = [
        Fact(name="fallen", value=len(losses) + len(earlier), unit="pages", at=newest),
        Fact(name="pages", value=watched(window), unit="pages", at=newest),
    ]
    if event is not None:
        facts.append(Fact(name="more", value=len(losses), unit="pages", at=event.raised))
    for slug, (level, size) in by_loss:
        facts.append(
            Fact(name="loss", value=size / level, unit="share", about=slug, at=window.series_states[slug].last.at)
        )
        lost = count_fact("lost", window.series_states[slug], window.series_states[slug].last)
        facts.append(replace(lost, value=size, low=None, high=None))
    return Alert(
        key=key,
        story=key if event is None else event.key,
        kind=kind,
        feature="purge",
        page=window.scope,
        others=(*(slug for slug, _ in by_loss), *earlier),
        at=window.now,
        facts=tuple(facts),
        rule=parameters.fill(_RULE if event is None else _MORE_RULE),
        parameters=parameters.listed(),
    )


def _headline(alert: Alert, words: Names) -> str:
    fallen, watched = alert.fact("fallen"), alert.fact("pages")
    of = f"{count(fallen.value)} of the {count(watched.value)} watched pages of {words.page(alert.page)}"
    if alert.kind == "platform_event":
        return f"{of} lost a part of their audience together."
    more = alert.fact("more")
    return f"{of} have lost a part of their audience: {count(more.value)} more since this was told {on(more)}."


def _lines(alert: Alert, words: Names) -> tuple[str, ...]:
    losses = alert.facts_named("loss")
    said = ", ".join(f"{words.page(fact.about)} \N{MINUS SIGN}{percent(fact.value)}" for fact in losses[:_NAMED])
    more = f" and {len(losses) - _NAMED} more" if len(losses) > _NAMED else ""
    return (
        f"{'Most' if alert.kind == 'platform_event' else 'The new ones'}: {said}{more}.",
        "Pages that have nothing to do with each other fell together: a change by the platform would look like this.",
    )


def _upgrade(version: int, stored: Any) -> Any:
    """Bring older forms up to date. Before version 1 a loss was another thing; before version 3 the event was a row."""
    if version < 1:
        return None
    event = stored.pop("notice")
    if event is not None:
        event = dict(zip(("key", "raised", "named"), event, strict=True))
    return {**stored, "event": event}


_WORDING = Wording(headline=_headline, lines=_lines)

COMPARISON = Comparison(
    name="platform_event",
    feature="purge",
    wording={"platform_event": _WORDING, "platform_event_more": _WORDING},
    summary="many pages of one platform fall together",
    scope=Scope.PLATFORM,
    trigger=Trigger.COUNTS,
    parameters=PlatformEventParameters(),
    state=StateForm(cls=PlatformEventState, version=3, upgrade=_upgrade),
    compare=compare,
)
