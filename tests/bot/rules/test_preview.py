from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.imports.replay import by_instant
from bot.rules.channel_rules import channel_rules
from bot.rules.preview import REACH, Preview, preview, settle_rule_states, states_begun_by
from handlers.comparisons.foreign_share_of_new import COMPARISON as OF_NEW
from handlers.comparisons.purge import COMPARISON as PURGE
from handlers.comparisons.surge import COMPARISON as SURGE
from handlers.contract import Comparison
from handlers.model import AudienceReading, Page, Reading
from storage.series.timeline import Timeline
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.histories import START as START_OF_HISTORIES
from tests.labs.standins.histories import published, rounded
from tests.labs.standins.newsroom import START, cycle, reading
from tests.labs.standins.rules.crowd import COMPARISON as CROWD
from tests.labs.standins.samples import wish
from tests.labs.standins.tunable import crowd

HOUR = timedelta(hours=1)


def watch(store: Store, *slugs: str, group: str = "cambodia") -> None:
    for slug in slugs:
        store.pages.add(Page(slug=slug, name=slug, platform="told", groups=(group,)), None, at=START)


def read_hourly(
    store: Store, hours: int, counts: Mapping[str, Callable[[int], float]], rules: Sequence[Comparison[Any]] = ()
) -> None:
    """So many readings of each page, by a live cycle with these rules; the first at ``START``."""
    instants = [(hour, START + hour * HOUR) for hour in range(hours)]
    readings = [reading(slug, round(count(hour)), at) for slug, count in counts.items() for hour, at in instants]
    made = cycle(store, HandClock(START + hours * HOUR), {}, comparisons=rules)
    made.add_figures(by_instant(readings, ()))
    made.close()


def previewed(store: Store, subscription: Subscription, rule: Comparison[Any], hours: int) -> Preview:
    rules = channel_rules(store, [subscription], [rule])
    return preview(store, [subscription], rules, START + hours * HOUR)


def stored_states(store: Store) -> dict[tuple[str, str], str]:
    return {
        (name, scope): store.rule_states.get(name, [scope])[scope][1]
        for name, scope in store.rule_states.channel_rule_keys("crowd")
    }


class NotedChronicle(Timeline):
    """A store's chronicle that notes which pages it was asked for."""

    def __init__(self, store: Store) -> None:
        self._whole = store.timeline
        self.asked: list[list[str]] = []

    def as_received(
        self, slugs: Iterable[str], since: datetime, until: datetime
    ) -> Iterator[Reading | AudienceReading]:
        self.asked.append(sorted(slugs))
        return self._whole.as_received(self.asked[-1], since, until)


TOLD, NOT_TOLD = '{"told":true}', '{"told":false}'


def test_it_shows_the_alerts_of_a_threshold_and_stores_nothing(store: Store) -> None:
    watch(store, "hunsen")
    read_hourly(store, 30, {"hunsen": lambda hour: 49_000 + 100 * hour})
    found = previewed(store, crowd(), CROWD, 30)
    assert [(alert.at, alert.threshold, alert.tuned) for alert in found.alerts] == [(START + 10 * HOUR, 50, True)]
    assert found.rule_states == {("crowd>50", "hunsen"): TOLD}
    assert previewed(store, crowd(limit=60), CROWD, 30) == Preview(
        alerts=(), rule_states={("crowd>60", "hunsen"): NOT_TOLD}
    )
    assert store.alerts.recent() == ()
    assert stored_states(store) == {}


def test_of_what_is_older_than_rules_look_back_it_knows_nothing(store: Store) -> None:
    watch(store, "hunsen")
    read_hourly(store, 30, {"hunsen": lambda hour: 49_000 + 100 * hour})
    later = (REACH + timedelta(days=2)) // HOUR
    assert previewed(store, crowd(), CROWD, later).rule_states == {("crowd>50", "hunsen"): NOT_TOLD}


def test_a_figure_of_years_ago_is_no_news_to_a_threshold_that_begins_today(store: Store) -> None:
    store.pages.add(Page(slug="a", name="a", platform="told", home="KH"), None, at=START)
    now = START_OF_HISTORIES + timedelta(days=3_000)
    live = cycle(store, HandClock(now), {}, comparisons=[OF_NEW])
    of_then = (
        published(0, shares={"KH": rounded(0.576, 0.001)}),
        published(1, likes={"KH": 157_331}, total=rounded(779_000, 1_000), days=30),
    )
    assert [alert.kind for alert in live.add_figures(by_instant((), of_then)).past] == ["new_foreign_share"]
    store.subscriptions.put(wish("a", features=("foreign",), thresholds={"foreign": 10}))
    settle_rule_states(store, [OF_NEW], now)
    added = live.add_figures(by_instant((), (published(3_000, shares={"KH": rounded(0.55, 0.001)}),)))
    live.close()
    assert (added.alerts, added.past) == ((), ())


def test_its_states_are_those_of_the_live_cycle(store: Store) -> None:
    watch(store, "hunsen")
    counts = {"hunsen": lambda hour: 500_000 + 20 * hour + 400 * max(hour - 35 * 24, 0)}
    live = SURGE.tuned(5, frozenset({"hunsen"}))
    read_hourly(store, 40 * 24, counts, [live])
    subscription = wish(features=("surge",), thresholds={"surge": 5})
    found = previewed(store, subscription, SURGE, 40 * 24)
    assert [alert.kind for alert in found.alerts] == ["surge"]
    assert found.rule_states == {("surge>5", "hunsen"): store.rule_states.get("surge>5", ["hunsen"])["hunsen"][1]}


def test_of_a_platform_it_sees_the_other_pages_too(store: Store) -> None:
    names = ("a", "b", "c", "d", "e", "f")
    for name in names:
        watch(store, name, group=f"of-{name}")
    falls: Callable[[int], float] = lambda hour: 500_000 + 20 * hour - 12_000 * (hour > 25 * 24)  # noqa: E731
    stays: Callable[[int], float] = lambda hour: 500_000 + 20 * hour  # noqa: E731
    read_hourly(store, 27 * 24, {name: falls if name == "a" else stays for name in names})
    subscription = wish("a", features=("purge",), thresholds={"purge": 1})
    assert [alert.page for alert in previewed(store, subscription, PURGE, 27 * 24).alerts] == ["a"]


def test_pages_that_fall_together_are_no_purge_of_one_of_them(store: Store) -> None:
    names = ("a", "b", "c", "d", "e", "f")
    for name in names:
        watch(store, name, group=f"of-{name}")
    falls: Callable[[int], float] = lambda hour: 500_000 + 20 * hour - 12_000 * (hour > 25 * 24)  # noqa: E731
    read_hourly(store, 27 * 24, dict.fromkeys(names, falls))
    subscription = wish("a", features=("purge",), thresholds={"purge": 1})
    assert previewed(store, subscription, PURGE, 27 * 24).alerts == ()


def test_channel_rules_begin_and_end_with_the_thresholds(store: Store) -> None:
    watch(store, "hunsen", "samrainsy")
    read_hourly(store, 30, {"hunsen": lambda hour: 60_000 + hour, "samrainsy": lambda hour: 40_000 + hour})
    now = START + 30 * HOUR
    store.subscriptions.put(crowd("cambodia", target=Target.GROUP))
    store.subscriptions.put(crowd(limit=70, channel="C2"))
    settle_rule_states(store, [CROWD], now)
    begun = {
        ("crowd>50", "hunsen"): TOLD,
        ("crowd>50", "samrainsy"): NOT_TOLD,
        ("crowd>70", "hunsen"): NOT_TOLD,
    }
    assert stored_states(store) == begun
    store.subscriptions.remove("T1", "C2", Target.PAGE, "hunsen")
    store.subscriptions.put(crowd("samrainsy", channel="C2"))
    settle_rule_states(store, [CROWD], now)
    assert stored_states(store) == {key: state for key, state in begun.items() if key[0] == "crowd>50"}
    store.subscriptions.remove("T1", "C1", Target.GROUP, "cambodia")
    settle_rule_states(store, [CROWD], now)
    assert stored_states(store) == {("crowd>50", "samrainsy"): NOT_TOLD}


def test_a_state_that_a_channel_rule_has_is_not_computed_again(store: Store) -> None:
    watch(store, "hunsen", "samrainsy")
    store.subscriptions.put(crowd())
    store.rule_states.put("crowd>50", CROWD.state.version, {"hunsen": TOLD})
    settle_rule_states(store, [CROWD], START)
    made = {("crowd>50", "hunsen"): NOT_TOLD, ("crowd>50", "samrainsy"): TOLD, ("crowd>70", "hunsen"): TOLD}
    store.subscriptions.put(crowd("samrainsy", channel="C2"))
    settle_rule_states(store, [CROWD], START, made=made)
    assert stored_states(store) == {("crowd>50", "hunsen"): TOLD, ("crowd>50", "samrainsy"): TOLD}


def test_without_thresholds_there_is_nothing_to_settle(store: Store) -> None:
    watch(store, "hunsen")
    store.subscriptions.put(replace(crowd(), thresholds={}))
    settle_rule_states(store, [CROWD], START)
    assert stored_states(store) == {}


def test_only_the_pages_that_begin_are_gone_through(store: Store) -> None:
    watch(store, "hunsen", "samrainsy", "newcomer")
    read_hourly(store, 30, {slug: lambda hour: 60_000 + hour for slug in ("hunsen", "samrainsy", "newcomer")})
    now = START + 30 * HOUR
    store.pages.remove("newcomer", at=now)
    store.subscriptions.put(crowd("cambodia", target=Target.GROUP))
    settle_rule_states(store, [CROWD], now)
    noted = store.timeline = NotedChronicle(store)
    watch(store, "newcomer")
    settle_rule_states(store, [CROWD], now)
    settle_rule_states(store, [CROWD], now)
    assert noted.asked == [["newcomer"]]
    store.pages.remove("newcomer", at=now)
    settle_rule_states(store, [CROWD], now)
    assert noted.asked == [["newcomer"]]
    assert stored_states(store) == {("crowd>50", "hunsen"): TOLD, ("crowd>50", "samrainsy"): TOLD}


def test_what_begins_with_a_page_is_known_before_it_is_watched(store: Store) -> None:
    watch(store, "hunsen", "newcomer")
    read_hourly(store, 30, {slug: lambda hour: 60_000 + hour for slug in ("hunsen", "newcomer")})
    now = START + 30 * HOUR
    page = store.pages.get_many(["newcomer"])["newcomer"]
    store.pages.remove("newcomer", at=now)
    store.subscriptions.put(crowd("cambodia", target=Target.GROUP))
    settle_rule_states(store, [CROWD], now)
    begun = states_begun_by(store, page, [CROWD], now)
    assert begun == {("crowd>50", "newcomer"): TOLD}
    assert states_begun_by(store, replace(page, groups=("asia",)), [CROWD], now) == {}
    noted = store.timeline = NotedChronicle(store)
    watch(store, "newcomer")
    settle_rule_states(store, [CROWD], now, made=begun)
    assert noted.asked == []
    assert stored_states(store) == {("crowd>50", "hunsen"): TOLD, ("crowd>50", "newcomer"): TOLD}
