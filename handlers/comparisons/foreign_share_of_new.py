"""Foreign share of new likes: who came lately is listed abroad far more often than before.

From lists by country over 7 and 28 days, or from a published figure; ``handlers.signals.new_likes`` has the rule. A channel may
set how many points above what is usual are news (``foreign>10``); 15 unless it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from handlers.contract import Comparison, Scope, Threshold, Trigger, Verdict, Window
from handlers.model import Alert, Fact
from handlers.rule_state import from_text, to_text
from handlers.signals.new_likes import survey
from handlers.signals.new_likes_test import (
    ABROAD,
    EXCESS,
    Finding,
    Progress,
    Watch,
    at_once_from,
    in_points,
    judged,
    parameters,
    progress_of,
    share_facts,
    watch_of,
)
from handlers.signals.shares import exactly, fact
from handlers.wording.shares import NEW_SHARE

_TOP = 3
_SERIES_RULE = (
    "On two lists by country in a row, the share of new {metric} from abroad was {points:g} points or more above what "
    "is usual for the page, far more than that of so many {metric} varies, and still above it if everybody without a "
    "country were at home. One list is enough where lists are rare, or where it was {at_once:g} points or more above, "
    "and {lower_bound:g} even then. Days whose lists and counts do not fit together are left out."
)
_PUBLISHED_RULE = (
    "The published share of new {metric} from outside the home country was {points:g} points or more above the share "
    "of all {metric} at the time."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShareState:
    """What is remembered of a page: how far it was judged, and whether an episode is on."""

    progress: Progress = field(default_factory=Progress)
    watch: Watch = field(default_factory=Watch)


def compare(window: Window, episode: NewShareState, limit: float = EXCESS) -> Verdict[NewShareState] | None:
    """Judge every list and every published figure not judged yet, oldest first; ``limit`` is a share."""
    home = window.pages[window.scope].home
    if home is None:
        return None
    progress, occasions = survey(window, episode.progress, home)
    watch, alerts = episode.watch, list[Alert]()
    for occasion in occasions:
        finding = occasion.strongest(ABROAD, limit)
        watch, is_news = judged(watch, finding, occasion, limit)
        if is_news and finding is not None:
            alerts.append(_alert(finding, window, home, limit))
    after = NewShareState(progress=progress, watch=watch)
    return Verdict(alerts=tuple(alerts), state=episode if after == episode else after)


def _alert(finding: Finding, window: Window, home: str, limit: float) -> Alert:
    reading, points = finding.reading, in_points(limit)
    at_once, lower_bound = map(in_points, at_once_from(limit))
    rule = _PUBLISHED_RULE if finding.unlisted is None else _SERIES_RULE
    key = f"new_foreign_share:{reading.page}:up:{reading.as_of.isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="new_foreign_share",
        feature="foreign",
        page=reading.page,
        at=window.now,
        dated=reading.dated,
        facts=tuple(_facts(finding, home)),
        rule=rule.format(metric=reading.metric, points=points, at_once=at_once, lower_bound=lower_bound),
        parameters=parameters(limit, reading.metric, "abroad"),
        threshold=points,
    )


def _facts(finding: Finding, home: str) -> Iterator[Fact]:
    reading = finding.reading
    yield from share_facts(finding, reading.page)
    at_home = finding.gained.value - finding.came.value - (finding.unlisted or 0.0)
    yield fact("home", exactly(at_home), reading.metric, reading, about=home)
    for country, likes in finding.countries[:_TOP]:
        yield fact("country", exactly(likes), reading.metric, reading, about=country)


def _dump(episode: NewShareState) -> str:
    return to_text({**episode.progress.kept(), **episode.watch.kept()})


def _load(text: str) -> NewShareState:
    kept = from_text(text)
    return NewShareState(progress=progress_of(kept), watch=watch_of(kept))


COMPARISON = Comparison(
    name="foreign_share_of_new",
    feature="foreign",
    wording={"new_foreign_share": NEW_SHARE},
    summary="a page's new likes come from abroad far more often than before",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    blank=NewShareState,
    load=_load,
    dump=_dump,
    compare=compare,
    threshold=Threshold(
        unit="points", mark="", default=in_points(EXCESS), least=5, most=90, scale=0.01, compare=compare
    ),
)
