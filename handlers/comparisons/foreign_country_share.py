"""One country's share of new likes: who came lately is listed there far more often than before.

The tests of the foreign share of new likes, for a single country abroad (``handlers.signals.new_likes`` has the rule). Each
country has its own episode. Nobody gets it without naming it: where one country alone makes the foreign share rise,
``foreign`` has told the same already; this is for who waits for that country, or whose page is foreign throughout.

Given with it is the country's share of all the page's likes. A location quotient (the same against the group's other
pages) would need their audiences at the same instant; no platform gives those of pages that are not one's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Threshold, Trigger, Verdict, Window
from handlers.model import Alert, Fact
from handlers.rule_state import from_text, to_text
from handlers.signals.new_likes import survey
from handlers.signals.new_likes_test import (
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
from handlers.signals.shares import fact
from handlers.wording.shares import COUNTRY_SHARE

_SERIES_RULE = (
    "On two lists by country in a row, the share of new {metric} from this country was {points:g} points or more above "
    "what is usual for the page, far more than that of so many {metric} varies, and still above it if everybody "
    "without a country were from elsewhere. One list is enough where lists are rare, or where it was {at_once:g} "
    "points or more above, and {lower_bound:g} even then. Days whose lists and counts do not fit together are left out."
)
_PUBLISHED_RULE = (
    "The published share of new {metric} from this country was {points:g} points or more above its share of all "
    "{metric} at the time."
)
_UNWATCHED = Watch()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryShareState:
    """What is remembered of a page: how far it was judged, and the countries that are more than usual lately."""

    progress: Progress = field(default_factory=Progress)
    watches: Mapping[str, Watch] = field(default_factory=lambda: MappingProxyType({}))


def compare(window: Window, episodes: CountryShareState, limit: float = EXCESS) -> Verdict[CountryShareState] | None:
    """Judge every country of what was not judged yet, oldest first; ``limit`` is a share."""
    home = window.pages[window.scope].home
    if home is None:
        return None
    progress, occasions = survey(window, episodes.progress, home, least=limit)
    watches, alerts = dict(episodes.watches), list[Alert]()
    for occasion in occasions:
        for country in sorted({*occasion.parts, *watches}):
            finding = occasion.strongest(country, limit)
            watch, is_news = judged(watches.pop(country, _UNWATCHED), finding, occasion, limit)
            if watch != _UNWATCHED:
                watches[country] = watch
            if is_news and finding is not None:
                alerts.append(_alert(finding, country, window, limit))
    after = CountryShareState(progress=progress, watches=watches)
    return Verdict(alerts=tuple(alerts), state=episodes if after == episodes else after)


def _alert(finding: Finding, country: str, window: Window, limit: float) -> Alert:
    reading, points = finding.reading, in_points(limit)
    at_once, lower_bound = map(in_points, at_once_from(limit))
    rule = _PUBLISHED_RULE if finding.unlisted is None else _SERIES_RULE
    key = f"country_share:{reading.page}:{country}:up:{reading.as_of.isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="country_share",
        feature="country",
        page=reading.page,
        at=window.now,
        dated=reading.dated,
        facts=tuple(_facts(finding, country)),
        rule=rule.format(metric=reading.metric, points=points, at_once=at_once, lower_bound=lower_bound),
        parameters=parameters(limit, reading.metric, "this country"),
        threshold=points,
    )


def _facts(finding: Finding, country: str) -> Iterator[Fact]:
    yield from share_facts(finding, country)
    if finding.of_all is not None:
        yield fact("of_all", finding.of_all, "share", finding.reading, about=country)


def _dump(episodes: CountryShareState) -> str:
    watches = {country: watch.kept() for country, watch in sorted(episodes.watches.items())}
    return to_text({**episodes.progress.kept(), "watches": watches})


def _load(text: str) -> CountryShareState:
    kept = from_text(text)
    watches = {country: watch_of(watch) for country, watch in kept["watches"].items()}
    return CountryShareState(progress=progress_of(kept), watches=watches)


COMPARISON = Comparison(
    name="foreign_country_share",
    feature="country",
    wording={"country_share": COUNTRY_SHARE},
    summary="a page's new likes come from one country abroad far more often than before",
    scope=Scope.PAGE,
    trigger=Trigger.AUDIENCE,
    blank=CountryShareState,
    load=_load,
    dump=_dump,
    compare=compare,
    threshold=Threshold(
        unit="points", mark="", default=in_points(EXCESS), least=5, most=90, scale=0.01, compare=compare
    ),
    opt_in=True,
)
