"""A stored state reads back the same, and states of older versions are brought up to date without a loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from handlers.comparisons.closing_in import Forecast
from handlers.comparisons.platform_event import Event, PlatformEventState
from handlers.discovery import all_comparisons
from handlers.model import Metric
from handlers.rule_state import StateForm
from handlers.signals.contests import Streak
from handlers.signals.count_intervals import LeadReading
from handlers.signals.new_likes_rule import Watch

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=9)
FORMS: Mapping[str, StateForm[Any]] = {comparison.name: comparison.state for comparison in all_comparisons()}


class Mark(NamedTuple):
    at: datetime
    number: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """A state with every kind of field."""

    metric: Metric | None = None
    mark: Mark | None = None
    marks: tuple[Mark, ...] = ()
    pair: tuple[str, int] = ("a", 1)
    keys: frozenset[str] = frozenset()
    by_metric: Mapping[Metric, tuple[str, ...]] = field(default_factory=dict)
    by_pair: Mapping[tuple[str, str], Mark] = field(default_factory=dict)
    by_instant: Mapping[datetime, int] = field(default_factory=dict)
    inner: Mapping[str, Inner] = field(default_factory=dict)


FULL = Everything(
    metric=Metric.FOLLOWERS,
    mark=Mark(NOON, 1.5),
    marks=(Mark(NOON, 1), Mark(LATER, 2)),
    keys=frozenset({"b", "a"}),
    by_metric={Metric.LIKES: ("a", "b")},
    by_pair={("a", "b"): Mark(NOON, 3)},
    by_instant={LATER: 2, NOON: 1},
    inner={"one": Inner(at=NOON), "other": Inner()},
)


@pytest.mark.parametrize("state", [Everything(), FULL])
def test_a_state_with_every_kind_of_field_reads_back_the_same(state: Everything) -> None:
    form = StateForm(cls=Everything, version=1)
    assert form.load(1, form.dump(state)) == state


def test_the_order_of_a_mapping_or_a_set_does_not_change_the_text() -> None:
    form = StateForm(cls=Everything, version=1)
    one = Everything(by_instant={NOON: 1, LATER: 2}, keys=frozenset(("a", "b")))
    other = Everything(by_instant={LATER: 2, NOON: 1}, keys=frozenset(("b", "a")))
    assert form.dump(one) == form.dump(other)


def test_a_field_that_an_older_text_does_not_have_gets_its_default() -> None:
    assert StateForm(cls=Everything, version=1).load(1, '{"metric":"likes"}') == Everything(metric=Metric.LIKES)


def test_a_state_of_a_newer_likewatch_is_refused() -> None:
    with pytest.raises(ValueError, match="version 4 cannot be read"):
        FORMS["overtake"].load(4, "{}")


def _load(comparison: str, version: int, stored: Any) -> Any:
    return FORMS[comparison].load(version, json.dumps(stored, default=datetime.isoformat))


def _group(*pairs: list[Any]) -> dict[str, Any]:
    return {"orders": {"likes": ["samrainsy", "hunsen"]}, "seats": {"hunsen": [NOON, LATER]}, "pairs": list(pairs)}


def test_overtake_0_keeps_the_contest_and_begins_the_streak_anew() -> None:
    row = ["hunsen", "samrainsy", "samrainsy", "hunsen", NOON, 2, ["hunsen", NOON, NOON, 4, NOON, NOON]]
    state = _load("overtake", 0, _group(row))
    (pair,) = state.pairs.values()
    assert (pair.leader, pair.front, pair.contest, pair.flips, pair.streak) == ("samrainsy", "hunsen", NOON, 2, None)
    assert state.orders == {Metric.LIKES: ("samrainsy", "hunsen")}
    assert state.seats == {"hunsen": (NOON, LATER)}


def test_overtake_1_keeps_the_streak_of_a_contest() -> None:
    streak = ["hunsen", NOON, NOON, 4, LATER, NOON, LATER]
    contest = ["hunsen", "samrainsy", "samrainsy", "hunsen", NOON, 2, streak]
    no_contest = ["hunsen", "other", "other", "hunsen", None, 0, streak]
    pairs = _load("overtake", 1, _group(contest, no_contest)).pairs
    assert pairs["hunsen", "other"].streak is None
    assert pairs["hunsen", "samrainsy"].streak == Streak(
        ahead="hunsen", since=NOON, until=NOON, evaluations=4, read=(NOON, LATER)
    )


def test_overtake_2_keeps_everything() -> None:
    streak = ["hunsen", NOON, LATER, 2, NOON, LATER, [["hunsen", NOON, 1.0, 2.0]]]
    pairs = _load("overtake", 2, _group(["hunsen", "samrainsy", None, None, None, 0, streak])).pairs
    assert pairs["hunsen", "samrainsy"].streak == Streak(
        ahead="hunsen",
        since=NOON,
        until=LATER,
        evaluations=2,
        read=(NOON, LATER),
        before={"hunsen": LeadReading(NOON, 1.0, 2.0)},
    )


@pytest.mark.parametrize(("version", "end", "ended"), [(1, [], False), (2, [True], True), (2, [False], False)])
def test_closing_in_keeps_its_forecasts(version: int, end: list[bool], ended: bool) -> None:
    stored = {"day": 1, "forecasts": [["hunsen", "samrainsy", NOON, NOON, LATER, *end]], "record": [True]}
    state = _load("closing_in", version, stored)
    forecast = Forecast(raised=NOON, low=NOON, high=LATER, ended=ended)
    assert (state.day, state.forecasts, state.record) == (1, {("hunsen", "samrainsy"): forecast}, (True,))


def test_milestone_1_keeps_the_next_milestone() -> None:
    stored = {"metric": "likes", "next": 3_000_000, "waiting": [], "story": 0, "same_until": None}
    state = _load("milestone", 1, stored)
    assert (state.metric, state.next, state.doubted, state.since) == (Metric.LIKES, 3_000_000, None, None)


def test_platform_event_0_begins_anew_and_2_keeps_the_event() -> None:
    assert _load("platform_event", 0, {"fallen": {}, "losses": [], "told": None}) == PlatformEventState()
    stored = {"fallen": {"a": NOON}, "losses": {"a": [2, 1]}, "notice": ["key", NOON, {"a": LATER}], "waiting": {}}
    assert _load("platform_event", 2, stored) == PlatformEventState(
        fallen={"a": NOON}, losses={"a": (2, 1)}, event=Event(key="key", raised=NOON, named={"a": LATER})
    )
    assert _load("platform_event", 2, {**stored, "notice": None}).event is None


def test_new_likes_2_keep_their_episodes() -> None:
    progress = {"lists_until": NOON, "figures_until": None, "waiting": [], "totals": [[NOON, 300_000]]}
    episode = {"hits": 0, "told": True, "calm_since": LATER}
    watch = Watch(raised=True, calm_since=LATER)
    abroad = _load("foreign_share_of_new", 2, {**progress, **episode})
    assert (abroad.watches, abroad.progress.totals) == ({"abroad": watch}, {NOON: 300_000})
    assert _load("foreign_country_share", 2, {**progress, "watches": {"IN": episode}}).watches == {"IN": watch}


@pytest.mark.parametrize(
    ("comparison", "stored"),
    [
        ("purge", {"fallen": {}, "told": {"a": NOON}}),
        ("foreign_majority", {"told": True}),
        ("foreign_share_of_all", {"told": True}),
        ("page_trouble", {"told": ["hidden"]}),
    ],
)
def test_what_was_raised_is_not_raised_again(comparison: str, stored: dict[str, Any]) -> None:
    assert _load(comparison, 2, stored).raised
