"""A later alert of a story edits the card and is posted in its thread; if Slack refuses, it gets its own card."""

import pytest

from bot.slack.delivery.reconciliation import EVENT_TYPE
from tests.labs.standins.desk import NEWSROOM, Desk, desk
from tests.labs.standins.histories import SCENES
from tests.labs.standins.slack_faults import refuse

__all__ = ["desk"]


def test_what_follows_in_a_story_edits_its_card_and_goes_to_its_thread(desk: Desk) -> None:
    first, second = SCENES["overtake"]().alerts
    assert first.story == second.story
    desk.raise_(first, second)
    desk.deliverer.deliver_due()
    (card,) = desk.posted()
    desk.later(1)
    edited, reply = desk.posted()
    assert edited.ts == card.ts
    assert edited.text != card.text
    assert (reply.thread_ts, reply.metadata) == (
        card.ts,
        {"event_type": EVENT_TYPE, "event_payload": {"key": second.key}},
    )


def test_where_the_card_was_deleted_what_follows_is_a_new_card(desk: Desk) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first, second)
    desk.deliverer.deliver_due()
    desk.workspace.api("chat.delete", channel=NEWSROOM, ts=desk.posted()[0].ts)
    desk.later(1)
    (card,) = desk.posted()
    assert (card.thread_ts, desk.keys()) == ("", [second.key])


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long"])
def test_a_card_that_slack_takes_only_in_plain_words_is_updated_in_plain_words(desk: Desk, code: str) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first, second)
    desk.deliverer.deliver_due()
    before = desk.posted()[0].text
    desk.workspace.faults.next("chat.update", refuse(code))
    desk.later(1)
    card, reply = desk.posted()
    assert (card.text != before, card.blocks) == (True, ())
    assert (reply.thread_ts, desk.keys()) == (card.ts, [first.key, second.key])


@pytest.mark.parametrize("code", ["msg_too_long", "edit_window_closed", "block_mismatch"])
def test_where_the_card_cannot_be_updated_what_follows_is_a_new_card(desk: Desk, code: str) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first, second)
    desk.deliverer.deliver_due()
    desk.workspace.faults.next("chat.update", *[refuse(code)] * 3)
    desk.later(1)
    assert [message.thread_ts for message in desk.posted()] == ["", ""]
    assert desk.keys() == [first.key, second.key]


@pytest.mark.parametrize("code", ["thread_not_found", "cannot_reply_to_message", "restricted_action_thread_locked"])
def test_where_nothing_can_be_said_in_the_cards_thread_what_follows_is_a_new_card(desk: Desk, code: str) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first, second)
    desk.deliverer.deliver_due()
    desk.workspace.faults.next("chat.postMessage", refuse(code))
    desk.later(1)
    assert [message.thread_ts for message in desk.posted()] == ["", ""]
    assert desk.keys() == [first.key, second.key]
    assert desk.posted()[1].blocks, "the whole card, not a reply in the thread"
