"""The cycle with thresholds of channels: the channel rules run beside the default rule, each for itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.polling.cycle import Cycle
from bot.rules.preview import settle_rule_states
from handlers.decide import Arrivals
from handlers.model import Alert
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, reading, track
from tests.labs.standins.rules.crowd import COMPARISON as CROWD
from tests.labs.standins.samples import wish
from tests.labs.standins.tunable import crowd

HOUR = timedelta(hours=1)
RULES = (CROWD,)


@pytest.fixture
def told(store: Store) -> ToldPlatform:
    platform = ToldPlatform()
    for slug in ("hunsen", "samrainsy"):
        track(store, slug, groups=("cambodia",), every=HOUR, now=START)
        platform.counts[slug] = 49_500
    return platform


@pytest.fixture
def polling(store: Store, clock: HandClock, told: ToldPlatform) -> Iterator[Cycle]:
    made = cycle(store, clock, {"told": told.source()}, comparisons=RULES)
    yield made
    made.close()


def subscribe(store: Store, clock: HandClock, *subscriptions: Subscription) -> None:
    for subscription in subscriptions:
        store.subscriptions.put(subscription)
        settle_rule_states(store, RULES, clock.now())


def read(polling: Cycle, clock: HandClock, told: ToldPlatform, **counts: int) -> tuple[Alert, ...]:
    told.counts |= counts
    clock.move(2 * HOUR)
    report = polling.run_due()
    assert report is not None
    return report.added.alerts


def posted(store: Store, clock: HandClock) -> list[tuple[str, float | None]]:
    """What waits in the outbox: the channel, and the threshold that raised it."""
    found = []
    while claimed := store.outbox.claim(clock.now()):
        found.append((claimed.channel_id, claimed.alert.threshold))
    return sorted(found)


def test_each_channel_gets_alerts_by_its_own_threshold(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    told.counts["hunsen"] = 98_500
    plain = wish(channel="C1", features=("crowd",))
    subscribe(store, clock, plain, crowd(limit=99, channel="C2"), crowd(limit=101, channel="C3"))
    read(polling, clock, told)
    for count, reached in ((99_200, [("C2", 99)]), (100_200, [("C1", 100)]), (101_200, [("C3", 101)]), (102_000, [])):
        read(polling, clock, told, hunsen=count)
        assert posted(store, clock) == reached
        clock.move(timedelta(seconds=2))  # a channel is posted to once a second


def test_a_channel_rule_looks_at_nothing_but_what_it_was_set_for(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    subscribe(store, clock, crowd("samrainsy"))
    read(polling, clock, told)
    (alert,) = read(polling, clock, told, hunsen=50_500, samrainsy=50_500)
    assert (alert.page, alert.tuned) == ("samrainsy", True)


def test_a_new_threshold_does_not_tell_the_past_as_if_it_were_now(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    read(polling, clock, told, hunsen=60_000)
    subscribe(store, clock, crowd("cambodia", target=Target.GROUP))
    assert read(polling, clock, told, hunsen=60_500) == ()
    (alert,) = read(polling, clock, told, samrainsy=50_500)
    assert alert.page == "samrainsy"


def test_a_threshold_that_was_taken_back_and_set_again_knows_what_happened_meanwhile(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    subscribe(store, clock, crowd())
    read(polling, clock, told)
    store.subscriptions.remove("T1", "C1", Target.PAGE, "hunsen")
    settle_rule_states(store, RULES, clock.now())
    assert store.rule_states.channel_rule_keys("crowd") == set()
    assert read(polling, clock, told, hunsen=50_500) == ()
    subscribe(store, clock, crowd())
    assert read(polling, clock, told, hunsen=50_600) == ()


def test_the_state_of_a_channel_rule_outlives_a_restart(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    subscribe(store, clock, crowd())
    read(polling, clock, told)
    assert len(read(polling, clock, told, hunsen=50_500)) == 1
    restarted = cycle(store, clock, {"told": told.source()}, comparisons=RULES)
    assert read(restarted, clock, told, hunsen=50_600) == ()
    restarted.close()


def test_what_a_channel_rule_raises_for_a_paused_channel_waits_until_it_goes_on(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    subscribe(store, clock, crowd())
    read(polling, clock, told)
    store.subscriptions.pause("T1", "C1", "The channel is archived.")
    assert len(read(polling, clock, told, hunsen=50_500)) == 1
    assert posted(store, clock) == []
    store.subscriptions.resume("T1", "C1")
    assert read(polling, clock, told, hunsen=50_600) == ()
    assert [threshold for _, threshold in posted(store, clock)] == [50]


def test_a_page_that_joins_a_group_comes_under_the_groups_threshold(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    subscribe(store, clock, crowd("cambodia", target=Target.GROUP))
    read(polling, clock, told)
    track(store, "newcomer", groups=("cambodia",), every=HOUR, now=clock.now())
    settle_rule_states(store, RULES, clock.now())
    read(polling, clock, told, newcomer=49_500)
    (alert,) = read(polling, clock, told, newcomer=50_500)
    assert (alert.page, alert.threshold) == ("newcomer", 50)


def test_imported_figures_go_through_the_channel_rules_too(polling: Cycle, store: Store, clock: HandClock) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    subscribe(store, clock, crowd())
    then = START - timedelta(days=400)
    added = polling.add_figures([(then, Arrivals(readings=(reading("hunsen", 60_000, then),)))])
    assert [(alert.threshold, alert.tuned) for alert in added.past] == [(50, True)]
