"""Purge: a page loses a part of its audience within two days and does not make up for it.

What counts as a loss is in ``handlers/signals/drops.py``. A page is then quiet for 7 days. Where many pages of the platform
fall together, it is told once, of the platform, by another rule, and not here; while that may turn out, this waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from handlers.contract import Comparison, Names, Scope, Threshold, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Parameter
from handlers.rule_state import from_text, to_text
from handlers.signals.drops import DEVIATIONS, DOWN_HOURS, LEVEL_HOURS, LOSS, LOSS_OF_AUDIENCE, NEWS_DAYS, Drop
from handlers.signals.facts import count_fact
from handlers.signals.platform_drops import Drops, is_together, lately, may_be_together, new_drops, watched
from handlers.wording.numbers import count, percent
from handlers.wording.phrases import on

QUIET_DAYS = 7

_QUIET = timedelta(days=QUIET_DAYS)
_RULE = (
    "The count lay below its middle of the two days before by {share} or more at every reading for 12 hours, far more "
    "than its days differ; and it was not again exactly what it had been at an hour of the two days before, as far as "
    "they were read (a stale copy)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeState:
    """What is remembered of a platform: the pages that fell in the past 48 hours, and when each was last told."""

    fallen: Drops = field(default_factory=lambda: MappingProxyType({}))
    told: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, losses: PurgeState, share: float = LOSS_OF_AUDIENCE) -> Verdict[PurgeState] | None:
    """Look at the pages that were read."""
    found = new_drops(window)
    fallen = lately(losses.fallen, window)
    if not found:
        return (
            None
            if fallen is losses.fallen
            else Verdict(alerts=(), state=PurgeState(fallen=fallen, told=_quiet(losses, window)))
        )
    fallen = {**dict.fromkeys(found, window.now), **fallen}
    told = _quiet(losses, window)
    alerts: list[Alert] = []
    untold = {slug: loss for slug, loss in found.items() if slug not in told and loss.size >= share * loss.level}
    if untold and not is_together(window, fallen) and not may_be_together(window, fallen):
        alerts = [_alert(window, slug, loss, share, len(fallen)) for slug, loss in sorted(untold.items())]
    elif is_together(window, fallen):
        told |= dict.fromkeys(fallen, window.now)
    told |= {alert.page: window.now for alert in alerts}
    after = PurgeState(fallen=fallen, told=told)
    return Verdict(alerts=tuple(alerts), state=losses if after == losses else after)


def _quiet(losses: PurgeState, window: Window) -> dict[str, datetime]:
    """The pages that were told within the past 7 days, and when."""
    return {slug: at for slug, at in losses.told.items() if window.now - at <= _QUIET}


def _alert(window: Window, slug: str, loss: Drop, share: float, fallen: int) -> Alert:
    series_state, last = window.series_states[slug], window.series_states[slug].last
    unit = series_state.metric.value
    key = f"purge:{slug}:down:{last.at.isoformat()}"
    before = last.at - timedelta(hours=DOWN_HOURS)
    return Alert(
        key=key,
        story=key,
        kind="purge",
        feature="purge",
        page=slug,
        at=window.now,
        dated=last.dated,
        facts=(
            Fact(name="loss", value=loss.size / loss.level, unit="share", about=slug, at=last.at),
            Fact(name="lost", value=loss.size, unit=unit, about=slug, at=last.at),
            Fact(name="level", value=loss.level, unit=unit, about=slug, at=before),
            count_fact("count", series_state, last),
            Fact(name="fallen", value=fallen, unit="pages", at=last.at),
            Fact(name="pages", value=watched(window), unit="pages", at=last.at),
        ),
        rule=_RULE.format(share=percent(share)),
        parameters=(
            Parameter(name="loss", value=LOSS, unit=unit),
            Parameter(name="loss, of the audience", value=share, unit="share"),
            Parameter(name="beyond the spread of daily gains", value=DEVIATIONS, unit="standard deviations"),
            Parameter(name="level before, over", value=LEVEL_HOURS, unit="hours"),
            Parameter(name="still down after", value=DOWN_HOURS, unit="hours"),
            Parameter(name="news for", value=NEWS_DAYS, unit="days"),
            Parameter(name="quiet after", value=QUIET_DAYS, unit="days"),
        ),
        threshold=round(share * 100, 6),
    )


def _headline(alert: Alert, words: Names) -> str:
    lost, loss = alert.fact("lost"), alert.fact("loss")
    return f"{words.page(alert.page)} lost {count(lost.value)} {lost.unit} ({percent(loss.value)}) within two days."


def _lines(alert: Alert, _: Names) -> tuple[str, ...]:
    level, now, fallen, watched = (alert.fact(name) for name in ("level", "count", "fallen", "pages"))
    together = (
        f"{count(fallen.value)} of the {count(watched.value)} watched pages of its platform fell in these two days."
    )
    return (
        f"From about {count(level.value)} to {count(now.value)} {now.unit} {on(now)}, at every reading of 12 hours.",
        *((together,) if watched.value > 1 else ()),
        "People who leave and accounts that the platform removes look alike in this number.",
    )


def _load(text: str) -> PurgeState:
    kept = from_text(text)
    return PurgeState(
        fallen={slug: datetime.fromisoformat(at) for slug, at in kept["fallen"].items()},
        told={slug: datetime.fromisoformat(at) for slug, at in kept["told"].items()},
    )


def _dump(losses: PurgeState) -> str:
    return to_text({"fallen": dict(losses.fallen), "told": dict(losses.told)})


COMPARISON = Comparison(
    name="purge",
    feature="purge",
    wording={"purge": Wording(headline=_headline, lines=_lines)},
    summary="a page loses a part of its audience within two days",
    scope=Scope.PLATFORM,
    trigger=Trigger.COUNTS,
    blank=PurgeState,
    load=_load,
    dump=_dump,
    compare=compare,
    threshold=Threshold(
        unit="% of the audience", mark="%", default=0.5, least=0.5, most=90, scale=0.01, compare=compare
    ),
)
