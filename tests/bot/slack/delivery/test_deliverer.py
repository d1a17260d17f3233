import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.slack.delivery.reconciliation import EVENT_TYPE
from bot.slack.delivery.sender import MAY_BE_TWICE, SEARCH_AFTER
from handlers.model import Fact
from storage.values import Target
from tests.labs.standins.desk import AHEAD, NEWSROOM, NOW, POLITICS, TEAM, Desk, desk, numbered
from tests.labs.standins.histories import SCENES, scene
from tests.labs.standins.slack_faults import DROP_AFTER, DROP_BEFORE, SERVER_ERROR, PlannedFault, refuse, throttle

__all__ = ["desk"]


def test_it_posts_a_card_with_the_alerts_key(desk: Desk) -> None:
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    (message,) = desk.posted()
    assert message.text
    assert message.metadata == {"event_type": EVENT_TYPE, "event_payload": {"key": AHEAD.key}}
    (call,) = desk.posts()
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)
    assert desk.store.outbox.counts_by_state()["sent"] == 1


def test_one_message_a_second_in_a_channel_and_channels_do_not_wait_for_each_other(desk: Desk) -> None:
    desk.subscribe(POLITICS)
    desk.raise_(numbered(1), numbered(2))
    assert desk.deliverer.deliver_due() == 1
    assert (desk.keys(), desk.keys(POLITICS)) == (["key-1"], ["key-1"])
    desk.later(1)
    assert (desk.keys(), desk.keys(POLITICS)) == (["key-1", "key-2"], ["key-1", "key-2"])


def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(AHEAD)
    assert desk.deliverer.deliver_due() == SEARCH_AFTER.total_seconds()
    desk.later(SEARCH_AFTER.total_seconds())
    assert desk.keys() == [AHEAD.key]
    assert desk.store.outbox.counts_by_state()["sent"] == 1


def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(desk: Desk) -> None:
    first, second = SCENES["overtake"]().alerts
    desk.raise_(first)
    desk.deliverer.deliver_due()
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.raise_(second)
    desk.later(1)
    desk.later(SEARCH_AFTER.total_seconds())
    assert desk.keys() == [first.key, second.key]
    assert desk.store.outbox.counts_by_state()["sent"] == 2


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DROP_BEFORE, id="the connection breaks before Slack reads it"),
        pytest.param(SERVER_ERROR, id="Slack stumbles"),
        pytest.param(refuse("internal_error"), id="Slack says it stumbled"),
    ],
)
def test_a_post_that_slack_did_not_take_is_posted_once_it_is_sure(desk: Desk, fault: PlannedFault) -> None:
    desk.workspace.faults.next("chat.postMessage", fault)
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    desk.later(SEARCH_AFTER.total_seconds() - 1)
    assert desk.keys() == []
    desk.later(1)
    desk.later(2)
    assert desk.keys() == [AHEAD.key]


def test_what_a_crash_left_half_sent_is_found_after_the_restart(desk: Desk) -> None:
    desk.raise_(numbered(1), numbered(2))
    desk.deliverer.deliver_due()
    desk.clock.move(timedelta(seconds=1))
    claimed = desk.store.outbox.claim(desk.clock.now())
    assert claimed is not None
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": claimed.alert.key}}
    client = slack_client(token=desk.server.bot_token, api_url=desk.server.api_url)
    client.chat_postMessage(channel=NEWSROOM, text="posted, and then the power went", metadata=metadata)
    restarted = desk.restarted()
    assert restarted.deliver_due() == SEARCH_AFTER.total_seconds(), "it may have been on its way when we died"
    desk.clock.move(SEARCH_AFTER)
    restarted.deliver_due()
    assert desk.keys() == ["key-1", "key-2"]
    assert desk.store.outbox.counts_by_state()["sent"] == 2


def test_where_history_cannot_be_read_it_is_posted_again_and_says_that_it_may_repeat(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER, throttle(5))
    desk.workspace.faults.next("conversations.history", refuse("missing_scope"))
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    desk.later(SEARCH_AFTER.total_seconds())
    desk.later(1)
    desk.later(5)
    first, second = desk.posted()
    assert MAY_BE_TWICE not in str(first.blocks)
    assert MAY_BE_TWICE in str(second.blocks)


def test_while_history_cannot_be_reached_nothing_is_repeated(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    desk.workspace.faults.next("conversations.history", DROP_BEFORE, throttle(7))
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    desk.later(SEARCH_AFTER.total_seconds())
    desk.later(SEARCH_AFTER.total_seconds())
    assert desk.keys() == [AHEAD.key]
    assert desk.store.outbox.counts_by_state()["sending"] == 1
    desk.later(7)
    assert desk.keys() == [AHEAD.key]
    assert desk.store.outbox.counts_by_state()["sent"] == 1


def test_when_slack_asks_to_wait_only_that_channel_waits(desk: Desk) -> None:
    desk.subscribe(POLITICS)
    desk.workspace.faults.next("chat.postMessage", throttle(30))
    desk.raise_(AHEAD)
    assert desk.deliverer.deliver_due() == 30
    waiting, served_ = sorted([NEWSROOM, POLITICS], key=lambda channel: len(desk.keys(channel)))
    assert (desk.keys(waiting), desk.keys(served_)) == ([], [AHEAD.key])
    desk.later(29)
    assert desk.keys(waiting) == []
    desk.later(1)
    assert desk.keys(waiting) == [AHEAD.key]


def test_a_wait_that_slack_asked_for_outlives_a_restart(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", throttle(30))
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    assert desk.restarted().deliver_due() == 30
    assert desk.keys() == []


def test_while_nobody_answers_it_tries_again_ever_more_rarely(desk: Desk) -> None:
    client = slack_client(token="xoxb-any", api_url="http://127.0.0.1:9/api/")
    sender = Deliverer(client=client, store=desk.store, clock=desk.clock, chance=random.Random(1))
    desk.raise_(AHEAD)
    waits = []
    for _ in range(12):
        waits.append(sender.deliver_due())
        desk.clock.move(timedelta(seconds=waits[-1]))
    assert 0.5 <= waits[0] <= 1
    assert 150 <= waits[-1] <= 300
    desk.deliverer.deliver_due()
    assert desk.keys() == [AHEAD.key]


@pytest.mark.parametrize(
    "code",
    ["channel_not_found", "is_archived", "not_in_channel", "restricted_action", "ekm_access_denied", "no_permission"],
)
def test_a_channel_that_cannot_be_posted_to_is_paused_and_who_subscribed_it_is_told_once(desk: Desk, code: str) -> None:
    desk.subscribe(NEWSROOM, "b")
    desk.workspace.faults.next("chat.postMessage", refuse(code))
    desk.raise_(numbered(1), numbered(2))
    desk.deliverer.deliver_due()
    desk.later(1)
    assert all(one.paused for one in desk.store.subscriptions.for_channel(TEAM, NEWSROOM))
    assert desk.posted() == []
    (told,) = desk.told()
    assert f"<#{NEWSROOM}>" in told
    assert "alerts wait meanwhile" in told
    depth = desk.store.outbox.counts_by_state()
    assert (depth["failed"], depth["dropped"], depth["paused"]) == (0, 0, 2)
    assert [entry.action for entry in desk.store.audit.recent()] == ["pause"]


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
def test_with_a_token_that_slack_refuses_nothing_is_tried_again_and_nothing_lost(
    desk: Desk, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.subscribe(POLITICS)
    desk.workspace.faults.next("chat.postMessage", refuse(code), refuse(code))
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    desk.later(3600)
    assert len(desk.posts()) <= 2, "what was under way, and then nothing"
    assert desk.posted() == desk.posted(POLITICS) == []
    assert [record.levelname for record in caplog.records if "SLACK_BOT_TOKEN" in record.getMessage()] == ["ERROR"]
    desk.workspace.faults.take("chat.postMessage")
    desk.restarted().deliver_due()
    assert (desk.keys(), desk.keys(POLITICS)) == ([AHEAD.key], [AHEAD.key])


@pytest.mark.parametrize("code", ["team_added_to_org", "org_login_required"])
def test_while_the_workspace_is_moved_into_an_organization_it_tries_again(desk: Desk, code: str) -> None:
    desk.workspace.faults.next("chat.postMessage", refuse(code), refuse(code), refuse(code))
    desk.raise_(AHEAD)
    waits = []
    for _ in range(4):
        waits.append(desk.deliverer.deliver_due())
        desk.clock.move(timedelta(seconds=waits[-1]))
    assert 0.5 <= waits[0] <= 1 < waits[2] <= 4
    assert desk.keys() == [AHEAD.key]


def test_a_channel_that_the_bot_may_not_post_in_stops_no_other(desk: Desk) -> None:
    desk.subscribe(POLITICS)
    desk.workspace.faults.next("chat.postMessage", refuse("no_permission"))
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    desk.raise_(numbered(1))
    desk.later(1)
    assert sorted([desk.keys(), desk.keys(POLITICS)]) == [[], [AHEAD.key, "key-1"]]


SURGE = replace(scene("surge"), key="surge", story="surge")
SURGE_OF_5 = replace(SURGE, key="surge>5", story="surge>5", threshold=5.0, tuned=True)


def want_surges(desk: Desk, channel: str, **thresholds: float) -> None:
    (before,) = desk.store.subscriptions.for_channel(TEAM, NEWSROOM)
    wish = replace(before, channel_id=channel, features=("surge",), thresholds=thresholds)
    desk.store.subscriptions.put(wish)


def test_each_channel_is_posted_what_its_own_threshold_raised(desk: Desk) -> None:
    want_surges(desk, POLITICS, surge=5.0)
    want_surges(desk, NEWSROOM)
    desk.raise_(SURGE, SURGE_OF_5)
    desk.deliverer.deliver_due()
    assert (desk.keys(), desk.keys(POLITICS)) == (["surge"], ["surge>5"])
    (card,) = desk.posted(POLITICS)
    assert "This channel set surge to 5 times the usual day" in str(card.blocks)


def test_what_waits_by_the_threshold_of_then_is_posted_though_the_channel_set_another_since(desk: Desk) -> None:
    want_surges(desk, NEWSROOM)
    desk.raise_(SURGE)
    want_surges(desk, NEWSROOM, surge=5.0)
    desk.raise_(SURGE)
    desk.deliverer.deliver_due()
    assert desk.keys() == [SURGE.key]


def unsubscribe(desk: Desk) -> None:
    desk.store.subscriptions.remove(TEAM, NEWSROOM, Target.PAGE, "a")


def mute_page(desk: Desk) -> None:
    desk.store.subscriptions.mute(TEAM, NEWSROOM, AHEAD.page, until=NOW + timedelta(days=1))


def mute_rival(desk: Desk) -> None:
    desk.store.subscriptions.mute(TEAM, NEWSROOM, AHEAD.rival or "", until=NOW + timedelta(days=1))


@pytest.mark.parametrize("change", [unsubscribe, mute_page, mute_rival])
def test_what_is_no_longer_wanted_is_not_posted(desk: Desk, change: Callable[[Desk], None]) -> None:
    desk.raise_(AHEAD)
    change(desk)
    desk.deliverer.deliver_due()
    assert desk.posted() == []
    assert desk.store.outbox.counts_by_state()["dropped"] == 1


FELL = replace(AHEAD, page="facebook", rival=None, others=("a", "b", "c"), kind="platform_event", feature="purge")
FELL = replace(FELL, facts=(Fact(name="fallen", value=3, unit="pages"), Fact(name="pages", value=3, unit="pages")))


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize(("muted", "posted"), [("a", True), ("c", True), ("ab", False)])
def test_what_befell_a_platform_is_posted_unless_all_that_the_channel_hears_of_is_muted(
    desk: Desk, target: Target, muted: str, posted: bool
) -> None:
    (wish,) = desk.store.subscriptions.for_channel(TEAM, NEWSROOM)
    desk.store.subscriptions.remove(TEAM, NEWSROOM, Target.PAGE, "a")
    for slug in "ab" if target is Target.PAGE else "g":
        desk.store.subscriptions.put(replace(wish, target=target, slug=slug, features=("purge",)))
    desk.raise_(FELL)
    for slug in muted:
        desk.store.subscriptions.mute(TEAM, NEWSROOM, slug, until=NOW + timedelta(days=1))
    desk.deliverer.deliver_due()
    assert bool(desk.posted()) == posted
    assert desk.store.outbox.counts_by_state()["dropped" if not posted else "sent"] == 1


def test_a_card_that_slack_refuses_does_not_hold_up_the_next(desk: Desk) -> None:
    desk.workspace.faults.next("chat.postMessage", refuse("no_text"))
    desk.raise_(numbered(1), numbered(2))
    desk.deliverer.deliver_due()
    assert desk.keys() == ["key-2"]
    assert desk.store.outbox.counts_by_state()["failed"] == 1


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
def test_a_card_whose_blocks_slack_refuses_is_posted_in_plain_words(desk: Desk, code: str) -> None:
    desk.workspace.faults.next("chat.postMessage", refuse(code))
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    (message,) = desk.posted()
    assert (message.blocks, desk.keys()) == ((), ["key-1"])
    assert "moved ahead of" in message.text


def test_a_card_that_cannot_be_made_does_not_hold_up_the_next(desk: Desk) -> None:
    desk.raise_(replace(numbered(1), kind="nobody wrote a sentence for this"), numbered(2))
    desk.deliverer.deliver_due()
    assert desk.keys() == ["key-2"]
    assert desk.store.outbox.counts_by_state()["failed"] == 1


def test_it_logs_into_and_out_of_trouble_and_no_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    desk.workspace.faults.next("chat.postMessage", SERVER_ERROR, SERVER_ERROR)
    desk.raise_(AHEAD)
    desk.deliverer.deliver_due()
    for _ in range(4):
        desk.later(SEARCH_AFTER.total_seconds())
    assert desk.keys() == [AHEAD.key]
    said = [record.getMessage() for record in caplog.records if record.name == "bot.slack.delivery.sender"]
    assert said[0].startswith("Slack does not accept alerts")
    assert said[-1].startswith("Slack accepts alerts again")
    assert not any(desk.server.bot_token in record.getMessage() for record in caplog.records)


def test_it_runs_until_it_is_stopped_and_posts_when_it_is_woken(desk: Desk) -> None:
    client = slack_client(token=desk.server.bot_token, api_url=desk.server.api_url)
    sender = Deliverer(client=client, store=desk.store, clock=SystemClock(), chance=random.Random(1))
    stop = threading.Event()
    thread = threading.Thread(target=sender.run, args=(stop,))
    thread.start()
    try:
        desk.raise_(AHEAD)
        sender.wake()
        desk.workspace.wait_for(lambda: desk.keys() == [AHEAD.key])
    finally:
        stop.set()
        sender.wake()
        thread.join(10)
    assert not thread.is_alive()
