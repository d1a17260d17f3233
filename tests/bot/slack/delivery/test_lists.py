"""A burst becomes one card with a list."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.slack.render.alert_card import MAX_CARDS, MAX_LISTED
from storage.values import Target
from tests.labs.standins import blockkit
from tests.labs.standins.desk import AHEAD, NEWSROOM, NOW, TEAM, Desk, desk, many, numbered
from tests.labs.standins.histories import SCENES
from tests.labs.standins.slack_faults import refuse

__all__ = ["desk"]


def test_a_few_alerts_are_each_a_card(desk: Desk) -> None:
    desk.raise_(*many(MAX_CARDS))
    for _ in range(MAX_CARDS):
        desk.later(1)
    assert len(desk.posted()) == MAX_CARDS


def test_more_than_a_few_are_one_card_with_a_line_for_each(desk: Desk) -> None:
    desk.raise_(*many(MAX_CARDS + 1))
    desk.deliverer.deliver_due()
    (card,) = desk.posted()
    assert desk.keys() == [f"key-{number}" for number in range(1, MAX_CARDS + 2)]
    assert card.text.startswith(f"{MAX_CARDS + 1} alerts: ahead {MAX_CARDS + 1}")
    assert blockkit.words(list(card.blocks)).count("moved ahead of") == MAX_CARDS + 1
    assert "trends alerts" in str(card.blocks)
    assert desk.store.outbox.counts_by_state()["sent"] == MAX_CARDS + 1


def test_a_burst_of_hundreds_comes_in_lists_one_a_second(desk: Desk) -> None:
    desk.raise_(*many(210))
    desk.deliverer.deliver_due()
    while desk.store.outbox.counts_by_state()["pending"]:
        desk.later(1)
    assert len(desk.posted()) == -(-210 // MAX_LISTED)
    assert desk.keys() == [f"key-{number}" for number in range(1, 211)]
    for message in desk.posted():
        assert len(str(message.blocks)) < 12_000
        assert blockkit.faults(list(message.blocks)) == []


def test_long_hostile_names_fit_into_a_list(desk: Desk) -> None:
    for slug in ("a", "b"):
        page = desk.store.pages.get(slug)
        assert page is not None
        desk.store.pages.add(replace(page, name="<!channel> *H*" + "H" * 3000), None, at=NOW)
    desk.raise_(*many(MAX_LISTED))
    desk.deliverer.deliver_due()
    (card,) = desk.posted()
    assert len(desk.keys()) == MAX_LISTED
    assert "<!channel>" not in str(card.blocks)
    assert sum(len(text) for text in blockkit.mrkdwn_texts(list(card.blocks))) < 12_000


def test_what_follows_in_a_story_told_in_a_list_is_a_new_card_and_changes_no_list(desk: Desk) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first, *many(MAX_CARDS))
    desk.deliverer.deliver_due()
    (listed,) = desk.posted()
    desk.raise_(second)
    desk.later(1)
    assert desk.posted()[0] == listed
    assert [message.thread_ts for message in desk.posted()] == ["", ""]


def test_what_has_a_card_to_be_edited_stays_out_of_the_list_and_in_its_place(desk: Desk) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first)
    desk.deliverer.deliver_due()
    desk.raise_(*many(6), second, *[numbered(number) for number in range(7, 13)])
    for _ in range(4):
        desk.later(1)
    card, before, reply, after = sorted(desk.posted(), key=lambda message: message.ts)
    assert reply.thread_ts == card.ts
    assert [len(one.metadata["event_payload"]["alerts"]) for one in (before, after) if one.metadata] == [6, 6]


def test_what_is_not_wanted_any_more_is_left_out_of_the_list(desk: Desk) -> None:
    desk.raise_(*many(6))
    desk.raise_(replace(numbered(7), page="c", rival=None))  # nobody here subscribed to it
    desk.store.outbox.put(
        replace(numbered(8), page="c"), desk.store.subscriptions.for_channel(TEAM, NEWSROOM), at=desk.clock.now()
    )
    desk.store.subscriptions.remove(TEAM, NEWSROOM, Target.PAGE, "a")
    desk.subscribe(NEWSROOM, "a")
    desk.store.subscriptions.mute(TEAM, NEWSROOM, "c", until=NOW + timedelta(days=1))
    desk.deliverer.deliver_due()
    assert desk.keys() == [f"key-{number}" for number in range(1, 7)]
    assert desk.store.outbox.counts_by_state()["dropped"] == 1


def test_where_all_but_one_are_muted_the_one_is_an_ordinary_card(desk: Desk) -> None:
    others = [replace(numbered(number), page="c", rival="a") for number in range(1, 8)]
    desk.raise_(*others, numbered(9))
    desk.store.subscriptions.mute(TEAM, NEWSROOM, "c", until=NOW + timedelta(days=1))
    desk.deliverer.deliver_due()
    (card,) = desk.posted()
    assert card.metadata is not None
    assert card.metadata["event_payload"] == {"key": "key-9"}


def test_a_list_that_slack_refuses_is_posted_one_by_one(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", refuse("msg_blocks_too_long"))
    desk.raise_(*many(7))
    for _ in range(8):
        desk.later(1)
    assert len(desk.posted()) == 7
    assert desk.keys() == [f"key-{number}" for number in range(1, 8)]


def test_one_that_no_words_can_be_found_for_does_not_spoil_the_list(desk: Desk) -> None:
    desk.raise_(*many(6), replace(numbered(7), kind="nobody wrote a sentence for this"), numbered(8))
    desk.deliverer.deliver_due()
    assert desk.keys() == [*(f"key-{number}" for number in range(1, 7)), "key-8"]
    assert desk.store.outbox.counts_by_state()["failed"] == 1


@pytest.mark.parametrize("replayed", [True, False])
def test_a_replay_shows_each_of_its_cards(desk: Desk, replayed: bool) -> None:
    for alert in many(7):
        desk.store.outbox.put(alert, desk.store.subscriptions.matching(AHEAD), at=desk.clock.now(), replayed=replayed)
    for _ in range(7):
        desk.later(1)
    assert len(desk.posted()) == (7 if replayed else 1)
