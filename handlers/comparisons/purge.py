"""Purge: a page loses a part of its audience within two days and does not make up for it.

``handlers/signals/drops.py`` decides what counts as a loss. After an alert the page is quiet for 7 days. If many pages
of the platform fall together, ``platform_event`` raises the alert instead. While that may still happen, this rule
waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from handlers.contract import Comparison, Names, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm, told_is_raised
from handlers.signals.drops import DEVIATIONS, DOWN_HOURS, LEVEL_HOURS, LOSS, LOSS_OF_AUDIENCE, NEWS_DAYS, Drop
from handlers.signals.facts import count_fact
from handlers.signals.platform_drops import Drops, is_together, lately, may_be_together, new_drops, watched
from handlers.wording.numbers import count, percent
from handlers.wording.phrases import on


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeParameters(Parameters):
    """The numbers of this rule."""

    loss: int = parameter(LOSS, "{metric}", "loss")
    loss_of_audience: float = parameter(LOSS_OF_AUDIENCE, "share", "loss, of the audience")
    deviations: int = parameter(DEVIATIONS, "standard deviations", "beyond the spread of daily gains")
    level_hours: int = parameter(LEVEL_HOURS, "hours", "level before, over")
    down_hours: int = parameter(DOWN_HOURS, "hours", "still down after")
    news_days: int = parameter(NEWS_DAYS, "days", "news for")
    quiet_days: int = parameter(7, "days", "quiet after")


_RULE = (
    "At every reading for {down_hours} hours the count was at least {share} below its middle of the {level_hours} "
    "hours before. The loss is far more than the page's days differ, and no old number shown again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeState:
    """The state of a platform: the pages that fell in the past 48 hours, and when each was last named by an alert."""

    fallen: Drops = field(default_factory=lambda: MappingProxyType({}))
    raised: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, state: PurgeState, parameters: PurgeParameters) -> Verdict[PurgeState] | None:
    """Raise an alert for each page that fell by itself."""
    found = new_drops(window)
    fallen = lately(state.fallen, window)
    if not found and fallen is state.fallen:
        return None
    quiet = timedelta(days=parameters.quiet_days)
    raised = {slug: at for slug, at in state.raised.items() if window.now - at <= quiet}
    if not found:
        return Verdict(alerts=(), state=PurgeState(fallen=fallen, raised=raised))
    fallen = {**dict.fromkeys(found, window.now), **fallen}
    alerts: list[Alert] = []
    news = {
        slug: loss
        for slug, loss in found.items()
        if slug not in raised and loss.size >= parameters.loss_of_audience * loss.level
    }
    if is_together(window, fallen):
        raised |= dict.fromkeys(fallen, window.now)
    elif news and not may_be_together(window, fallen):
        alerts = [_alert(window, slug, loss, len(fallen), parameters) for slug, loss in sorted(news.items())]
        raised |= dict.fromkeys(news, window.now)
    after = PurgeState(fallen=fallen, raised=raised)
    return Verdict(alerts=tuple(alerts), state=state if after == state else after)


def _alert(window: Window, slug: str, loss: Drop, fallen: int, parameters: PurgeParameters) -> Alert:
    series_state, last = window.series_states[slug], window.series_states[slug].last
    unit = series_state.metric.value
    key = f"purge:{slug}:down:{last.at.isoformat()}"
    before = last.at - timedelta(hours=parameters.down_hours)
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
        rule=parameters.fill(_RULE, share=percent(parameters.loss_of_audience)),
        parameters=parameters.listed(metric=unit),
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


_PARAMETERS = PurgeParameters()

COMPARISON = Comparison(
    name="purge",
    feature="purge",
    wording={"purge": Wording(headline=_headline, lines=_lines)},
    summary="a page loses a part of its audience within two days",
    scope=Scope.PLATFORM,
    trigger=Trigger.COUNTS,
    parameters=_PARAMETERS,
    threshold=_PARAMETERS.threshold(
        "loss_of_audience", unit="% of the audience", mark="%", least=0.5, most=90, scale=0.01
    ),
    state=StateForm(cls=PurgeState, version=3, upgrade=told_is_raised),
    compare=compare,
)
