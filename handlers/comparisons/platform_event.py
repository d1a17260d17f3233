"""Platform event: many pages of one platform fall together, which is told once, of the platform.

5 pages or more, a fifth of the platform's watched pages or more, of more than one group, within 48 hours. Pages that
fall in the 48 hours after fold into it, and the notice is not repeated for 7 days: platforms remove in several rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from handlers.contract import Comparison, Saying, Scope, Verdict, Wakes, Window, Words
from handlers.memories import from_text, instant, to_text
from handlers.model import Alert, Fact, Parameter
from handlers.numerals import count, percent
from handlers.platform_falls import PAGES, SHARE_OF_PAGES, WITHIN_HOURS, Falls, is_together, lately, new_falls, watched

_RULE = "5 pages or more, and a fifth of the watched pages of the platform or more, fell together within 48 hours."
_NAMED = 5
_QUIET = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is remembered of a platform: the pages that fell in the past 48 hours, their losses, when it was told."""

    fallen: Falls = field(default_factory=lambda: MappingProxyType({}))
    losses: tuple[tuple[str, float, float], ...] = ()  # page, level before, size
    told: datetime | None = None


def compare(window: Window, event: Event) -> Verdict[Event] | None:
    """Gather the falls of the past 48 hours, and tell when they are enough."""
    known = lately(event.fallen, window)
    found = {slug: loss for slug, loss in new_falls(window).items() if slug not in known}
    if not found and known is event.fallen:
        return None
    fallen = {**known, **dict.fromkeys(found, window.now)}
    losses = tuple(loss for loss in event.losses if loss[0] in known)
    losses += tuple((slug, loss.level, loss.size) for slug, loss in found.items())
    told = event.told if event.told is not None and window.now - event.told <= _QUIET else None
    if told is not None or not is_together(window, fallen):
        return Verdict(alerts=(), memory=Event(fallen=fallen, losses=losses, told=told))
    now = tuple(loss for loss in losses if fallen[loss[0]] <= window.now)
    return Verdict(alerts=(_alert(window, now),), memory=Event(fallen=fallen, losses=losses, told=window.now))


def _alert(window: Window, losses: tuple[tuple[str, float, float], ...]) -> Alert:
    by_loss = sorted(losses, key=lambda loss: (-loss[2] / loss[1], loss[0]))
    newest = max(window.tracks[slug].last.at for slug, _, _ in losses)
    key = f"platform_event:{window.scope}:down:{newest.isoformat()}"
    facts = [
        Fact(name="fallen", value=len(losses), unit="pages", at=newest),
        Fact(name="pages", value=watched(window), unit="pages", at=newest),
    ]
    for slug, level, size in by_loss:
        track = window.tracks[slug]
        last = track.last
        facts.append(Fact(name="loss", value=size / level, unit="share", about=slug, at=last.at))
        facts.append(
            Fact(
                name="lost",
                value=size,
                unit=track.metric.value,
                about=slug,
                at=last.at,
                dated=last.dated,
                source=last.source,
                url=last.url,
            )
        )
    return Alert(
        key=key,
        story=key,
        kind="platform_event",
        feature="purge",
        page=window.scope,
        others=tuple(slug for slug, _, _ in by_loss),
        at=window.now,
        facts=tuple(facts),
        rule=_RULE,
        parameters=(
            Parameter(name="pages", value=PAGES, unit="pages"),
            Parameter(name="of the platform's pages", value=SHARE_OF_PAGES, unit="share"),
            Parameter(name="within", value=WITHIN_HOURS, unit="hours"),
        ),
    )


def _headline(alert: Alert, words: Words) -> str:
    fallen, watched = alert.fact("fallen"), alert.fact("pages")
    return (
        f"{count(fallen.value)} of the {count(watched.value)} watched pages of {words.page(alert.page)} lost a part of "
        "their audience together."
    )


def _lines(alert: Alert, words: Words) -> tuple[str, ...]:
    losses = alert.facts_named("loss")
    said = ", ".join(f"{words.page(fact.about)} \N{MINUS SIGN}{percent(fact.value)}" for fact in losses[:_NAMED])
    more = f" and {len(losses) - _NAMED} more" if len(losses) > _NAMED else ""
    return (
        f"Most: {said}{more}.",
        "Pages that have nothing to do with each other fell together: a change by the platform would look like this.",
    )


def _load(text: str) -> Event:
    kept = from_text(text)
    return Event(
        fallen={slug: datetime.fromisoformat(at) for slug, at in kept["fallen"].items()},
        losses=tuple((slug, level, size) for slug, level, size in kept["losses"]),
        told=instant(kept["told"]),
    )


def _dump(event: Event) -> str:
    return to_text({"fallen": dict(event.fallen), "losses": event.losses, "told": event.told})


COMPARISON = Comparison(
    name="platform_event",
    feature="purge",
    says={"platform_event": Saying(headline=_headline, lines=_lines)},
    summary="many pages of one platform fall together",
    scope=Scope.PLATFORM,
    wakes=Wakes.COUNTS,
    blank=Event,
    load=_load,
    dump=_dump,
    compare=compare,
)
