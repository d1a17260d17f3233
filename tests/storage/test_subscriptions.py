from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.model import Page
from storage.store import Store
from storage.values import Subscription, Target
from tests.standins.samples import DAY, HOUR, NOON, alert, wish


def test_it_saves_and_says_what_it_replaced(cambodia: Store) -> None:
    first = wish(features=("overtake", "foreign"))
    second = replace(first, features=("overtake",), by="U2", at=NOON + DAY)
    assert cambodia.subscriptions.put(first) is None
    assert cambodia.subscriptions.put(second) == first
    assert cambodia.subscriptions.get("T1", "C1", Target.PAGE, "hunsen") == second
    assert cambodia.subscriptions.remove("T1", "C1", Target.PAGE, "hunsen")
    assert not cambodia.subscriptions.remove("T1", "C1", Target.PAGE, "hunsen")
    assert cambodia.subscriptions.get("T1", "C1", Target.PAGE, "hunsen") is None


def test_a_channel_may_want_several_pages_and_groups(cambodia: Store) -> None:
    wishes = [wish("samrainsy"), wish("hunsen"), wish("cambodia", target=Target.GROUP)]
    for one in [*wishes, wish(channel="C2"), wish(team="T2")]:
        cambodia.subscriptions.put(one)
    assert [one.slug for one in cambodia.subscriptions.of_channel("T1", "C1")] == ["hunsen", "samrainsy", "cambodia"]


@pytest.mark.parametrize(
    ("subscription", "rival", "wanted"),
    [
        (wish("hunsen"), "samrainsy", True),
        (wish("samrainsy"), "samrainsy", True),
        (wish("samrainsy"), None, False),
        (wish("outsider"), "samrainsy", False),
        (wish("cambodia", target=Target.GROUP), "samrainsy", True),
        (wish("cambodia", target=Target.GROUP), "outsider", False),
        (wish("asean", target=Target.GROUP), "samrainsy", False),
        (wish("asean", target=Target.GROUP), "outsider", True),
        (wish("asean", target=Target.GROUP), None, True),
        (wish("cambodia", target=Target.PAGE), None, False),
        (wish("hunsen", target=Target.GROUP), None, False),
        (wish("hunsen", features=("foreign",)), "samrainsy", False),
        (wish("hunsen", features=("foreign", "overtake")), "samrainsy", True),
        (replace(wish("hunsen"), paused="The channel is archived."), "samrainsy", False),
    ],
)
def test_it_knows_who_wants_an_alert(
    cambodia: Store, subscription: Subscription, rival: str | None, *, wanted: bool
) -> None:
    cambodia.pages.add(Page(slug="outsider", name="Outsider", platform="facebook", groups=("asean",)), None, at=NOON)
    cambodia.subscriptions.put(subscription)
    assert cambodia.subscriptions.wanting(alert(rival=rival)) == ((subscription,) if wanted else ())


def test_a_channel_is_told_once_for_its_page_before_its_group(cambodia: Store) -> None:
    for one in [wish("cambodia", target=Target.GROUP), wish("samrainsy"), wish("hunsen"), wish("samrainsy", team="T2")]:
        cambodia.subscriptions.put(one)
    assert cambodia.subscriptions.wanting(alert()) == (wish("hunsen"), wish("samrainsy", team="T2"))


def test_a_paused_channel_wants_nothing_until_it_is_resumed(cambodia: Store) -> None:
    for one in [wish("hunsen"), wish("samrainsy"), wish("hunsen", channel="C2")]:
        cambodia.subscriptions.put(one)
    paused = cambodia.subscriptions.pause("T1", "C1", "The channel is archived.")
    assert {(one.channel_id, one.slug, one.paused) for one in paused} == {
        ("C1", "hunsen", "The channel is archived."),
        ("C1", "samrainsy", "The channel is archived."),
    }
    assert cambodia.subscriptions.pause("T1", "C1", "Again.") == (), "nobody is told twice"
    assert [one.channel_id for one in cambodia.subscriptions.wanting(alert())] == ["C2"]
    cambodia.subscriptions.resume("T1", "C1")
    assert [one.channel_id for one in cambodia.subscriptions.wanting(alert())] == ["C1", "C2"]


def test_a_mute_ends_by_itself_or_when_it_is_ended(cambodia: Store) -> None:
    mutes = cambodia.subscriptions
    assert mutes.muted("T1", "C1", "hunsen", NOON) is None
    mutes.mute("T1", "C1", "hunsen", until=NOON + HOUR)
    mutes.mute("T1", "C1", "hunsen", until=NOON + DAY)
    assert mutes.muted("T1", "C1", "hunsen", NOON) == NOON + DAY
    assert mutes.muted("T1", "C1", "hunsen", NOON + DAY) is None
    assert mutes.muted("T1", "C2", "hunsen", NOON) is None
    assert mutes.muted("T1", "C1", "samrainsy", NOON) is None
    assert mutes.unmute("T1", "C1", "hunsen")
    assert not mutes.unmute("T1", "C1", "hunsen")
    assert mutes.muted("T1", "C1", "hunsen", NOON) is None
