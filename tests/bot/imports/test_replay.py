from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.imports.examples import press_example
from bot.imports.replay import by_instant, replay_example
from bot.polling.cycle import Cycle
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, cycle


@pytest.fixture
def feeding(store: Store) -> Iterator[Cycle]:
    made = cycle(store, HandClock(START), {})
    yield made
    made.close()


def test_the_example_is_posted_dated_then_and_marked_as_replayed(store: Store, feeding: Cycle) -> None:
    added = replay_example(store, feeding, press_example(), team_id="T1", channel_id="C1", now=START)
    assert added.queued == 11
    kept = store.alerts.recent()
    assert [(one.alert.kind, f"{one.alert.at:%Y-%m-%d}", one.replayed) for one in reversed(kept)] == [
        ("milestone", "2015-08-22", True),
        ("milestone", "2016-01-25", True),
        ("overtake", "2016-02-02", True),
        ("new_foreign_share", "2016-03-08", True),
        ("milestone", "2016-03-08", True),
        ("contradiction", "2016-03-13", True),
        ("milestone", "2016-03-14", True),  # Donald Trump, whom the group's subscription does not cover
        ("milestone", "2016-07-31", True),
        ("foreign_majority", "2017-03-28", True),
        ("milestone", "2017-03-28", True),
        ("milestone", "2018-03-15", True),
        ("milestone", "2020-08-05", True),
    ]
    assert [one.slug for one in store.subscriptions.for_channel("T1", "C1")] == ["cambodia"]


def test_an_interrupted_first_start_leaves_nothing_and_can_begin_again(store: Store, feeding: Cycle) -> None:
    example = press_example()
    stranger = replace(example.readings[-1], page="nobody")
    broken = replace(example, readings=(*example.readings, stranger))
    with pytest.raises(KeyError):
        replay_example(store, feeding, broken, team_id="T1", channel_id="C1", now=START)
    assert store.is_empty()
    assert store.alerts.recent() == ()
    assert replay_example(store, feeding, example, team_id="T1", channel_id="C1", now=START).queued == 11


def test_figures_arrive_in_the_order_in_which_they_were_known() -> None:
    example = press_example()
    batches = by_instant(reversed(example.readings), example.audiences)
    instants = [instant for instant, _ in batches]
    assert instants == sorted(set(instants))
    assert sum(len(arrivals.readings) + len(arrivals.audiences) for _, arrivals in batches) == len(
        example.readings
    ) + len(example.audiences)
