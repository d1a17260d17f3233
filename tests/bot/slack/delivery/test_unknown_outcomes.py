"""Posts of unknown outcome: looked for where that can be done, repeated with a word about it where it cannot."""

import random
from contextlib import closing
from datetime import timedelta

import pytest

from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.slack.delivery.sender import LONGEST_SEARCH, MAY_BE_TWICE, SEARCH_AFTER
from storage.schema.sqlite import sqlite3
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.desk import NEWSROOM, POLITICS, Desk, desk, many, numbered
from tests.labs.standins.histories import SCENES
from tests.labs.standins.slack_faults import DROP_AFTER, DROP_BEFORE, SERVER_ERROR, delay, refuse, throttle

__all__ = ["desk"]


def talk(desk: Desk, messages: int) -> None:
    """People go on writing in the channel."""
    for number in range(messages):
        desk.workspace.say("ana", NEWSROOM, f"Message {number}")


def histories(desk: Desk) -> int:
    return len([call for call in desk.workspace.calls if call.method == "conversations.history"])


def test_an_answer_that_comes_too_late_is_an_unknown_outcome(desk: Desk) -> None:
    client = slack_client(token=desk.server.bot_token, api_url=desk.server.api_url)
    client.timeout = 0.2  # type: ignore[assignment]  # seconds; a fraction works as well
    sender = Deliverer(client=client, store=desk.store, clock=desk.clock, chance=random.Random(1))
    desk.workspace.faults.next("chat.postMessage", delay(0.5))
    desk.raise_(numbered(1))
    assert sender.deliver_due() == SEARCH_AFTER.total_seconds()
    client.timeout = 10
    desk.clock.move(SEARCH_AFTER)
    sender.deliver_due()
    assert (desk.keys(), len(desk.posts())) == (["key-1"], 1)


def test_it_settles_from_the_end_of_the_call_and_not_from_its_beginning(desk: Desk) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first)
    desk.deliverer.deliver_due()
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(second)
    desk.clock.move(timedelta(seconds=1))
    claimed = desk.store.outbox.claim(desk.clock.now())
    assert claimed is not None
    desk.clock.move(2 * SEARCH_AFTER)  # what came before the post took long
    assert desk.restarted().deliver_due() == SEARCH_AFTER.total_seconds()
    assert histories(desk) == 0


@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(hours=1)], ids=["ahead", "behind"])
def test_a_clock_that_is_wrong_by_an_hour_finds_the_post_all_the_same(desk: Desk, ahead: timedelta) -> None:
    clock = HandClock(desk.clock.now() + ahead)
    client = slack_client(token=desk.server.bot_token, api_url=desk.server.api_url)
    sender = Deliverer(client=client, store=desk.store, clock=clock, chance=random.Random(1))
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(numbered(1))
    sender.deliver_due()
    clock.move(SEARCH_AFTER)
    sender.deliver_due()
    assert (desk.keys(), len(desk.posts())) == (["key-1"], 1)


def test_it_is_found_behind_what_people_wrote_since(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    talk(desk, 450)
    desk.later(SEARCH_AFTER.total_seconds())
    assert (desk.keys(), len(desk.posts()), histories(desk)) == (["key-1"], 1, 3)


def test_where_history_is_read_slowly_the_search_goes_on_where_it_was(desk: Desk) -> None:
    desk.workspace.faults.slow_history = True
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(numbered(1), numbered(2))
    desk.deliverer.deliver_due()
    talk(desk, 40)
    desk.later(SEARCH_AFTER.total_seconds())
    assert desk.store.outbox.counts_by_state()["sending"] == 1
    desk.later(60)
    desk.later(60)
    assert histories(desk) <= 5, "three pages, and at most two that came too early"
    desk.later(1)
    assert (desk.keys(), len(desk.posts())) == (["key-1", "key-2"], 2)


def test_a_channel_whose_history_is_read_slowly_holds_up_no_other(desk: Desk) -> None:
    desk.subscribe(POLITICS)
    desk.workspace.faults.slow_history = True
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER, DROP_AFTER)
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    talk(desk, 40)
    desk.later(SEARCH_AFTER.total_seconds())
    desk.raise_(numbered(2))
    for _ in range(5):
        desk.later(60)
    assert desk.keys() == desk.keys(POLITICS) == ["key-1", "key-2"]
    assert len(desk.posts()) == 4


def test_where_the_search_would_take_too_long_it_is_posted_again_with_a_word(desk: Desk) -> None:
    desk.workspace.faults.slow_history = True
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    talk(desk, 300)
    desk.later(SEARCH_AFTER.total_seconds())
    for _ in range(LONGEST_SEARCH.seconds // 60 + 1):
        desk.later(60)
    assert desk.keys() == ["key-1", "key-1"]
    assert [MAY_BE_TWICE in str(message.blocks) for message in desk.posted() if message.metadata] == [False, True]


@pytest.mark.parametrize(
    "code", ["missing_scope", "no_permission", "not_allowed_token_type", "team_access_not_granted"]
)
def test_where_history_may_not_be_read_the_repeat_says_so_and_nothing_else_stops(desk: Desk, code: str) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.workspace.faults.next("conversations.history", refuse(code))
    desk.raise_(numbered(1), numbered(2))
    desk.deliverer.deliver_due()
    desk.later(SEARCH_AFTER.total_seconds())
    desk.later(1)
    desk.later(1)
    assert desk.keys() == ["key-1", "key-1", "key-2"]
    assert [MAY_BE_TWICE in str(message.blocks) for message in desk.posted()] == [False, True, False]


def test_where_history_can_never_be_read_and_slack_stays_ill_repeats_become_rare(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", *[DROP_AFTER] * 50)
    desk.workspace.faults.next("conversations.history", *[refuse("missing_scope")] * 50)
    desk.raise_(numbered(1))
    for _ in range(3600):
        desk.later(1)
    assert len(desk.keys()) <= 30, "without waiting longer each time, it would be 180"


def test_a_word_that_it_may_repeat_outlives_a_restart_and_a_second_doubt(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER, DROP_BEFORE)
    desk.workspace.faults.next("conversations.history", refuse("missing_scope"))
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    desk.later(SEARCH_AFTER.total_seconds())
    desk.later(1)
    desk.workspace.api("chat.delete", channel=NEWSROOM, ts=desk.posted()[0].ts)
    restarted = desk.restarted()
    for _ in range(60):
        desk.clock.move(timedelta(seconds=1))
        restarted.deliver_due()
    (message,) = desk.posted()
    assert MAY_BE_TWICE in str(message.blocks)


def test_being_thrown_out_while_it_is_looked_for_pauses_the_channel(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_BEFORE)
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    desk.workspace.remove("newsroom")
    desk.later(SEARCH_AFTER.total_seconds())
    desk.later(2)
    assert desk.store.outbox.counts_by_state()["paused"] == 1
    assert len(desk.told()) == 1


def test_a_list_whose_answer_was_lost_is_found_by_its_keys(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(*many(12))
    desk.deliverer.deliver_due()
    assert desk.store.outbox.counts_by_state()["sending"] == 12
    restarted = desk.restarted()
    restarted.deliver_due()
    desk.clock.move(SEARCH_AFTER)
    restarted.deliver_due()
    assert (len(desk.posted()), desk.store.outbox.counts_by_state()["sent"]) == (1, 12)
    assert desk.keys() == [f"key-{number}" for number in range(1, 13)]


@pytest.mark.parametrize("fault", [DROP_BEFORE, SERVER_ERROR, throttle(30)])
def test_a_list_that_was_not_taken_is_posted_whole_once(desk: Desk, fault: object) -> None:
    desk.workspace.faults.next("chat.postMessage", fault)  # type: ignore[arg-type]
    desk.raise_(*many(12))
    for _ in range(40):
        desk.later(1)
    assert len(desk.posted()) == 1
    assert desk.keys() == [f"key-{number}" for number in range(1, 13)]


def test_of_many_posts_of_unknown_outcome_each_is_found_or_posted_once(desk: Desk) -> None:
    """As after a restore: all that waited in the backup may have been posted since."""
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first)
    desk.deliverer.deliver_due()
    desk.raise_(second)
    desk.later(1)
    for number in (1, 2):
        desk.raise_(numbered(number))
        desk.later(1)
    desk.store.close()
    database = desk.folder / "likewatch.db"
    with closing(sqlite3.connect(database)) as conn, conn:
        conn.execute("UPDATE deliveries SET state = 'sending', ts = NULL, claimed_at = queued_at")
        conn.execute("DELETE FROM cards")
    store = Store.open(database)
    try:
        store.outbox.put(numbered(3), store.subscriptions.matching(numbered(3)), at=desk.clock.now())
        client = slack_client(token=desk.server.bot_token, api_url=desk.server.api_url)
        sender = Deliverer(client=client, store=store, clock=desk.clock, chance=random.Random(1))
        for _ in range(30):
            sender.deliver_due()
            desk.clock.move(timedelta(seconds=1))
        assert store.outbox.counts_by_state()["sent"] == 5
    finally:
        store.close()
    assert desk.keys() == [first.key, second.key, "key-1", "key-2", "key-3"]
