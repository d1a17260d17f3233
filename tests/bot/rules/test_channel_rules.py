from __future__ import annotations

from dataclasses import replace

import pytest

from bot.rules.channel_rules import RulesInForce, channel_rules
from handlers.contract import Scope
from handlers.model import Page
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins.newsroom import START
from tests.labs.standins.rules.crowd import COMPARISON as CROWD
from tests.labs.standins.samples import wish
from tests.labs.standins.tunable import crowd

GROUPWISE = replace(CROWD, name="together", scope=Scope.GROUP)
PLATFORMWIDE = replace(CROWD, name="everywhere", scope=Scope.PLATFORM)
UNTUNABLE = replace(CROWD, name="fixed", threshold=None)


@pytest.fixture
def store(store: Store) -> Store:
    for slug, groups in (("hunsen", ("cambodia", "asean")), ("samrainsy", ("cambodia",)), ("alone", ())):
        store.pages.add(Page(slug=slug, name=slug, platform="facebook", groups=groups), None, at=START)
    return store


@pytest.mark.parametrize(
    ("wishes", "made"),
    [
        ([], {}),
        ([wish("hunsen", features=("crowd",))], {}),
        (
            [crowd()],
            {"crowd>50": {"hunsen"}, "together>50": {"cambodia", "asean"}, "everywhere>50": {"facebook"}},
        ),
        (
            [crowd("cambodia", target=Target.GROUP)],
            {"crowd>50": {"hunsen", "samrainsy"}, "together>50": {"cambodia"}, "everywhere>50": {"facebook"}},
        ),
        ([crowd("alone")], {"crowd>50": {"alone"}, "everywhere>50": {"facebook"}}),
        ([crowd("untracked"), crowd("nowhere", target=Target.GROUP)], {}),
        ([crowd(limit=100)], {}),
    ],
)
def test_a_threshold_makes_channel_rules_for_what_it_was_set_for(
    store: Store, wishes: list[Subscription], made: dict[str, set[str]]
) -> None:
    found = channel_rules(store, wishes, [CROWD, GROUPWISE, PLATFORMWIDE, UNTUNABLE])
    assert {rule.name: set(rule.only or ()) for rule in found} == made


def test_channels_that_set_the_same_share_one_channel_rule(store: Store) -> None:
    wishes = [crowd(), crowd("samrainsy", channel="C2"), crowd("alone", 2.5, channel="C3")]
    found = {rule.name: set(rule.only or ()) for rule in channel_rules(store, wishes, [CROWD])}
    assert found == {"crowd>50": {"hunsen", "samrainsy"}, "crowd>2.5": {"alone"}}


def test_the_rules_in_force_are_the_very_same_until_a_subscription_or_a_page_changes(store: Store) -> None:
    rules = RulesInForce(store, [CROWD])
    plain = rules.now()
    assert [rule.name for rule in plain] == ["crowd"]
    store.notes.put("something", "else")
    assert rules.now() is plain
    store.subscriptions.put(crowd("cambodia", target=Target.GROUP))
    tuned = rules.now()
    assert [rule.name for rule in tuned] == ["crowd", "crowd>50"]
    assert rules.now() is tuned
    store.pages.add(Page(slug="new", name="New", platform="facebook", groups=("cambodia",)), None, at=START)
    assert rules.now()[1].only == frozenset({"hunsen", "samrainsy", "new"})
    store.subscriptions.pause("T1", "C1", "The channel is archived.")
    assert len(rules.now()) == 2, "a paused subscription has nothing to catch up with later"
    store.subscriptions.remove("T1", "C1", Target.GROUP, "cambodia")
    assert [rule.name for rule in rules.now()] == ["crowd"]


def test_what_was_undone_is_not_in_force(store: Store) -> None:
    rules = RulesInForce(store, [CROWD])

    def begin(subscription: Subscription) -> None:
        with store.write():
            store.subscriptions.put(subscription)
            assert len(rules.now()) == 2
            raise RuntimeError("the machine stops here")

    with pytest.raises(RuntimeError):
        begin(crowd())
    assert len(rules.now()) == 1
    store.subscriptions.put(crowd("samrainsy"))
    assert rules.now()[1].only == frozenset({"samrainsy"}), "though its version is that of what was undone"
