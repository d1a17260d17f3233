"""The rule of new likes: a part's share of the new likes is far above what is usual for the page.

Two comparisons declare it: ``foreign_share_of_new`` for everybody abroad, ``foreign_country_share`` for each country.
``handlers.signals.new_likes`` explains what is measured, ``handlers.signals.new_likes_findings`` what a hit is.

A hit on two lists in a row raises an alert. One list is enough if lists are more than 8 days apart, or if the hit is
certain. An episode ends after 30 days with an excess below 8 points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact
from handlers.rule_state import StateForm
from handlers.signals.new_likes import survey
from handlers.signals.new_likes_findings import ABROAD, Finding, NewLikesParameters, Occasion, Progress

_LIST_RULE = (
    "On {lists_in_a_row} lists in a row, new {metric} from {place} were at least {points:g} points above the usual "
    "share, and above it even if nobody of unknown country is from {place}. One list is enough if lists are rare, or "
    "from {at_once:g} points ({lower_bound:g} without unknown countries)."
)
_PUBLISHED_RULE = (
    "The published share of new {metric} from {place} was at least {points:g} points above the share of all {metric} "
    "at that time."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The state of one part: ``hits`` counts the hits in a row, ``raised`` is True during an episode.

    ``calm_since`` is None while the share is high.
    """

    hits: int = 0
    raised: bool = False
    calm_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLikesState:
    """The state of a page: how far it was judged, and the parts that are not as usual."""

    progress: Progress = field(default_factory=Progress)
    watches: Mapping[str, Watch] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLikesRule:
    """The part of the rule that the two comparisons do not share.

    Attributes:
        place: Ends "new likes from" in sentences and names of parameters.
        by_country: True to judge each country by itself, False to judge ``ABROAD``.
        facts: The facts of an alert about a finding; the arguments are the finding, its part, and the home country.

    """

    kind: str
    feature: str
    place: str
    by_country: bool
    facts: Callable[[Finding, str, str], Iterator[Fact]]

    def comparison(
        self, name: str, wording: Wording, summary: str, *, opt_in: bool = False
    ) -> Comparison[NewLikesState]:
        """Return the comparison of this rule."""
        parameters = NewLikesParameters()
        return Comparison(
            name=name,
            feature=self.feature,
            wording={self.kind: wording},
            summary=summary,
            scope=Scope.PAGE,
            trigger=Trigger.AUDIENCE,
            parameters=parameters,
            threshold=parameters.threshold("excess", unit="points", mark="", least=5, most=90, scale=0.01),
            state=StateForm(cls=NewLikesState, version=3, upgrade=_upgrade),
            compare=self.compare,
            opt_in=opt_in,
        )

    def compare(
        self, window: Window, state: NewLikesState, parameters: NewLikesParameters
    ) -> Verdict[NewLikesState] | None:
        """Judge every list and every published figure that was not judged yet, oldest first."""
        home = window.pages[window.scope].home
        if home is None:
            return None
        progress, occasions = survey(window, state.progress, home, parameters, by_country=self.by_country)
        watches, alerts = dict(state.watches), list[Alert]()
        for occasion in occasions:
            for part in sorted({*occasion.parts, *watches}):
                finding = occasion.strongest(part, parameters)
                watch, is_news = _judged(watches.pop(part, Watch()), finding, occasion, parameters)
                if watch != Watch():
                    watches[part] = watch
                if is_news and finding is not None:
                    alerts.append(self._alert(finding, part, home, window, parameters))
        after = NewLikesState(progress=progress, watches=watches)
        return Verdict(alerts=tuple(alerts), state=state if after == state else after)

    def _alert(self, finding: Finding, part: str, home: str, window: Window, parameters: NewLikesParameters) -> Alert:
        reading = finding.reading
        who = f"{reading.page}:{part}" if self.by_country else reading.page
        key = f"{self.kind}:{who}:up:{reading.as_of.isoformat()}"
        return Alert(
            key=key,
            story=key,
            kind=self.kind,
            feature=self.feature,
            page=reading.page,
            at=window.now,
            dated=reading.dated,
            facts=tuple(self.facts(finding, part, home)),
            rule=parameters.fill(
                _PUBLISHED_RULE if finding.unlisted is None else _LIST_RULE,
                metric=reading.metric,
                place=self.place,
                points=round(parameters.excess * 100, 6),
                at_once=round(parameters.excess_at_once * 100, 6),
                lower_bound=round(parameters.lower_bound_at_once * 100, 6),
            ),
            parameters=parameters.listed(metric=reading.metric, place=self.place),
        )


def _judged(
    watch: Watch, finding: Finding | None, occasion: Occasion, parameters: NewLikesParameters
) -> tuple[Watch, bool]:
    """Return the part's state after a finding, and whether it is news.

    Without a finding (nothing new came, or nothing that can be read as new) an episode calms down.
    """
    if watch.raised:
        if finding is not None and finding.excess >= parameters.calm_below:
            return replace(watch, calm_since=None), False
        calm_since = watch.calm_since or occasion.at
        is_over = occasion.at - calm_since >= timedelta(days=parameters.calm_days)
        return Watch() if is_over else replace(watch, calm_since=calm_since, hits=0), False
    if finding is None:
        return watch, False
    hits = watch.hits + 1 if finding.is_hit(parameters) else 0
    is_one_enough = occasion.sparse or finding.is_certain(parameters)
    if hits < (1 if is_one_enough else parameters.lists_in_a_row):
        return replace(watch, hits=hits), False
    return Watch(raised=True), True


def _upgrade(version: int, stored: Any) -> Any:  # noqa: ARG001 - the signature of an upgrade
    """Bring forms before version 3 up to date.

    The fields of the progress stood beside ``watches``, and ``raised`` was called ``told``. The rule for ``ABROAD``
    also stored the fields of its one watch there.
    """
    progress = {name: stored[name] for name in ("lists_until", "figures_until", "waiting", "totals")}
    watches = stored.get("watches", {ABROAD: stored})
    return {
        "progress": progress,
        "watches": {
            part: {"hits": watch["hits"], "raised": watch["told"], "calm_since": watch["calm_since"]}
            for part, watch in watches.items()
            if watch["hits"] or watch["told"] or watch["calm_since"]
        },
    }
