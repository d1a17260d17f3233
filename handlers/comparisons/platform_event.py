"""Platform event: many pages of one platform fall together, which is told once, of the platform.

5 pages or more, a fifth of the platform's watched pages or more, of more than one group, within 48 hours. Platforms
remove in several rounds: for 7 days more pages that fall with others are no second notice, and bring the first up to
date. That is done at once where they are as many as a notice takes, else 48 hours after the first of them fell, so that
the loss of no page is told to nobody. A page that was named is not named again for 7 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Parameter
from handlers.rule_state import from_text, to_text
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

_RULE = "5 pages or more, and a fifth of the watched pages of the platform or more, fell together within 48 hours."
_MORE_RULE = f"{_RULE} Pages that fell with others in the 7 days after are told with them, not of themselves."
_NAMED = 5
_QUIET = timedelta(days=7)
_WITHIN = timedelta(hours=WITHIN_HOURS)

Losses = Mapping[str, tuple[float, float]]
"""The level before and the size of the loss, by page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNotice:
    """A notice that was given: its key, when, the pages it named, with the instant at which each was."""

    key: str
    told: datetime
    named: Drops


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEventState:
    """What is remembered of a platform: the pages that fell in the past 48 hours, their losses, the newest notice.

    ``waiting`` are pages that fell with others since the notice, with the instant, and are not named in it yet.
    """

    fallen: Drops = field(default_factory=lambda: MappingProxyType({}))
    losses: Losses = field(default_factory=lambda: MappingProxyType({}))
    notice: EventNotice | None = None
    waiting: Drops = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, event: PlatformEventState) -> Verdict[PlatformEventState] | None:
    """Gather the falls of the past 48 hours, and tell when they are enough, or when more are to be told of."""
    known = lately(event.fallen, window)
    found = {slug: loss for slug, loss in new_drops(window).items() if slug not in known}
    if not found and known is event.fallen and not event.waiting:
        return None
    fallen = {**known, **dict.fromkeys(found, window.now)}
    notice = _open(event.notice, fallen, window.now)
    waiting = {slug: at for slug, at in event.waiting.items() if slug in window.series_states}
    if is_together(window, fallen):
        waiting = {**_unnamed(fallen, notice, window.now), **waiting}
    losses = {slug: loss for slug, loss in event.losses.items() if slug in fallen or slug in waiting}
    losses = {**{slug: (loss.level, loss.size) for slug, loss in found.items()}, **losses}
    after = PlatformEventState(fallen=fallen, losses=losses, notice=notice, waiting=waiting)
    if not waiting or (notice is not None and not _is_due(window, waiting)):
        return Verdict(alerts=(), state=event if after == event else after)
    alert = _alert(window, {slug: losses[slug] for slug in waiting}, notice)
    named = {**(notice.named if notice else {}), **dict.fromkeys(waiting, window.now)}
    told = EventNotice(key=notice.key, told=notice.told, named=named) if notice else _given(alert, named)
    return Verdict(alerts=(alert,), state=replace(after, notice=told, waiting={}))


def _open(notice: EventNotice | None, fallen: Drops, now: datetime) -> EventNotice | None:
    """The notice while more pages belong to it: for 7 days, and as long as falls it names are not 48 hours old."""
    if notice is None or now - notice.told <= _QUIET:
        return notice
    return notice if any(slug in fallen and fallen[slug] <= at for slug, at in notice.named.items()) else None


def _unnamed(fallen: Drops, notice: EventNotice | None, now: datetime) -> Drops:
    """Those that fell by now, but for those that were named within 7 days."""
    named = {slug for slug, at in notice.named.items() if now - at <= _QUIET} if notice else set()
    return {slug: at for slug, at in fallen.items() if at <= now and slug not in named}


def _is_due(window: Window, waiting: Drops) -> bool:
    """Whether it is time to tell of more pages: they are a wave of their own, or no more belong to the oldest."""
    return is_together(window, waiting) or window.now - min(waiting.values()) >= _WITHIN


def _given(alert: Alert, named: Drops) -> EventNotice:
    return EventNotice(key=alert.key, told=alert.at, named=named)


def _alert(window: Window, losses: Losses, notice: EventNotice | None) -> Alert:
    by_loss = sorted(losses.items(), key=lambda loss: (-loss[1][1] / loss[1][0], loss[0]))
    newest = max(window.series_states[slug].last.at for slug in losses)
    kind = "platform_event" if notice is None else "platform_event_more"
    key = f"{kind}:{window.scope}:down:{newest.isoformat()}"
    earlier = () if notice is None else tuple(sorted(notice.named.keys() - losses.keys()))
    facts = [
        Fact(name="fallen", value=len(losses) + len(earlier), unit="pages", at=newest),
        Fact(name="pages", value=watched(window), unit="pages", at=newest),
    ]
    if notice is not None:
        facts.append(Fact(name="more", value=len(losses), unit="pages", at=notice.told))
    for slug, (level, size) in by_loss:
        series_state = window.series_states[slug]
        last = series_state.last
        facts.append(Fact(name="loss", value=size / level, unit="share", about=slug, at=last.at))
        facts.append(
            Fact(
                name="lost",
                value=size,
                unit=series_state.metric.value,
                about=slug,
                at=last.at,
                dated=last.dated,
                source=last.source,
                url=last.url,
            )
        )
    return Alert(
        key=key,
        story=key if notice is None else notice.key,
        kind=kind,
        feature="purge",
        page=window.scope,
        others=(*(slug for slug, _ in by_loss), *earlier),
        at=window.now,
        facts=tuple(facts),
        rule=_RULE if notice is None else _MORE_RULE,
        parameters=(
            Parameter(name="pages", value=PAGES, unit="pages"),
            Parameter(name="of the platform's pages", value=SHARE_OF_PAGES, unit="share"),
            Parameter(name="within", value=WITHIN_HOURS, unit="hours"),
        ),
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


def _load(text: str) -> PlatformEventState:
    kept = from_text(text)
    notice = kept["notice"]
    return PlatformEventState(
        fallen=_instants(kept["fallen"]),
        losses={slug: (level, size) for slug, (level, size) in kept["losses"].items()},
        notice=notice
        and EventNotice(key=notice[0], told=datetime.fromisoformat(notice[1]), named=_instants(notice[2])),
        waiting=_instants(kept["waiting"]),
    )


def _instants(kept: Mapping[str, str]) -> Drops:
    return {slug: datetime.fromisoformat(at) for slug, at in kept.items()}


def _dump(event: PlatformEventState) -> str:
    notice = event.notice
    return to_text(
        {
            "fallen": dict(event.fallen),
            "losses": dict(event.losses),
            "notice": notice and [notice.key, notice.told, dict(notice.named)],
            "waiting": dict(event.waiting),
        }
    )


_SAYING = Wording(headline=_headline, lines=_lines)

COMPARISON = Comparison(
    name="platform_event",
    feature="purge",
    wording={"platform_event": _SAYING, "platform_event_more": _SAYING},
    summary="many pages of one platform fall together",
    scope=Scope.PLATFORM,
    trigger=Trigger.COUNTS,
    blank=PlatformEventState,
    load=_load,
    dump=_dump,
    compare=compare,
)
