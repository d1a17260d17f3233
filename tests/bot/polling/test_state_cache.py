"""What rules are shown: for one rule no less because another looks at some pages only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.imports.replay import by_instant
from bot.polling.state_cache import StateCache, StoredState
from handlers.comparisons.platform_event import COMPARISON as PLATFORM_EVENT
from handlers.comparisons.purge import COMPARISON as PURGE
from handlers.model import Page
from storage.store import Store
from tests.labs.standins.newsroom import START, reading
from tests.labs.standins.rules.crowd import COMPARISON as CROWD

TOLD = '{"told":true}'


@pytest.fixture
def store(store: Store) -> Store:
    for slug, platform in (("hunsen", "facebook"), ("samrainsy", "facebook"), ("kemsokha", "bluesky")):
        store.pages.add(Page(slug=slug, name=slug, platform=platform, groups=("cambodia",)), None, at=START)
    return store


def test_a_channel_rule_for_one_platform_hides_no_other_from_the_rules_after_it(store: Store) -> None:
    cache = StateCache(StoredState(store))
    readings = [reading(slug, 1_000, START) for slug in ("hunsen", "samrainsy", "kemsokha")]
    cache.read(by_instant(readings, ()), (PURGE, PURGE.tuned(1, frozenset({"bluesky"})), PLATFORM_EVENT))
    assert set(cache.snapshot().platforms) == {"facebook", "bluesky"}


def test_each_of_two_channel_rules_gets_its_own_states(store: Store) -> None:
    store.rule_states.put("crowd>50", 2, {"hunsen": TOLD})
    store.rule_states.put("crowd>60", 2, {"samrainsy": TOLD})
    cache = StateCache(StoredState(store))
    readings = [reading(slug, 1_000, START + timedelta(hours=1)) for slug in ("hunsen", "samrainsy")]
    channel_rules = (CROWD.tuned(50, frozenset({"hunsen"})), CROWD.tuned(60, frozenset({"samrainsy"})))
    cache.read(by_instant(readings, ()), (CROWD, *channel_rules))
    assert {key for key, state in cache.snapshot().rule_states.items() if CROWD.state.dump(state) == TOLD} == {
        ("crowd>50", "hunsen"),
        ("crowd>60", "samrainsy"),
    }
