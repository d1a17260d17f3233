"""Order within a channel, and channels that do not hold up each other."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web import SlackResponse, WebClient

from bot.slack.delivery.deliverer import Deliverer
from bot.slack.delivery.pace import MANY_THROTTLED, MOST_TURNS
from bot.slack.delivery.sender import SEARCH_AFTER
from bot.workspace.model import Channel
from tests.labs.standins.desk import NEWSROOM, POLITICS, TEAM, Desk, desk, many, numbered
from tests.labs.standins.slack_faults import DROP_AFTER, DROP_BEFORE, SERVER_ERROR, PlannedFault, refuse, throttle

__all__ = ["desk"]


class HeldUp(WebClient):
    """Calls about one channel hang until the test lets them go on."""

    def __init__(self, desk: Desk, channel: str) -> None:
        super().__init__(token=desk.server.bot_token, base_url=desk.server.api_url, retry_handlers=[])
        self.let_go = threading.Event()
        self._channel = channel

    def chat_postMessage(self, *, channel: str, **arguments: Any) -> SlackResponse:  # noqa: N802
        if channel == self._channel:
            self.let_go.wait(10)
        return super().chat_postMessage(channel=channel, **arguments)

    def conversations_history(self, *, channel: str, **arguments: Any) -> SlackResponse:
        if channel == self._channel:
            self.let_go.wait(10)
        return super().conversations_history(channel=channel, **arguments)


def more_channels(desk: Desk, number: int) -> list[str]:
    """So many channels with the bot in them, each subscribed."""
    made = [Channel(id=f"C0MORE{one:04}", name=f"more-{one}") for one in range(number)]
    for channel in made:
        desk.workspace.channels[channel.id] = channel
        desk.workspace.set_membership(channel, member=True)
        desk.subscribe(channel.id)
    return [channel.id for channel in made]


@pytest.mark.parametrize("unknown", [False, True], ids=["its post hangs", "its look-up hangs"])
def test_a_channel_that_hangs_holds_up_no_other(desk: Desk, unknown: bool) -> None:
    if unknown:
        desk.workspace.faults.next("chat.postMessage", DROP_AFTER)
    client = HeldUp(desk, NEWSROOM)
    desk.raise_(numbered(1))
    if unknown:
        desk.deliverer.deliver_due()
    sender = Deliverer(client=client, store=desk.store, clock=desk.clock, chance=random.Random(1))
    if unknown:
        sender.deliver_due()
        desk.clock.move(SEARCH_AFTER)
    desk.subscribe(POLITICS)
    desk.raise_(numbered(2))
    thread = threading.Thread(target=sender.deliver_due)
    thread.start()
    try:
        desk.workspace.wait_for(lambda: desk.keys(POLITICS) == ["key-2"])
        assert desk.keys() == (["key-1"] if unknown else [])
        assert desk.store.outbox.counts_by_state()["sending"] >= 1
    finally:
        client.let_go.set()
        thread.join(30)
    for _ in range(3):
        desk.later(1)
    assert desk.keys() == ["key-1", "key-2"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DROP_AFTER, id="posted, and the answer lost"),
        pytest.param(DROP_BEFORE, id="lost before it was read"),
        pytest.param(SERVER_ERROR, id="Slack stumbles"),
        pytest.param(refuse("fatal_error"), id="Slack stumbles, politely"),
        pytest.param(throttle(30), id="Slack asks to wait"),
    ],
)
def test_a_channel_keeps_its_order_whatever_happens_to_its_first(desk: Desk, fault: PlannedFault) -> None:
    desk.subscribe(POLITICS)
    for number in range(1, 4):
        desk.workspace.faults.next("chat.postMessage", fault)
        desk.raise_(numbered(number))
        desk.deliverer.deliver_due()
    for _ in range(120):
        desk.later(1)
    assert desk.keys() == ["key-1", "key-2", "key-3"]
    assert desk.keys(POLITICS) == ["key-1", "key-2", "key-3"]


def test_two_throttled_channels_do_not_hold_up_a_third(desk: Desk) -> None:
    (third,) = more_channels(desk, 1)
    desk.subscribe(POLITICS)
    desk.workspace.faults.next("chat.postMessage", throttle(30), throttle(30))
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    assert sorted(len(desk.keys(channel)) for channel in (NEWSROOM, POLITICS, third)) == [0, 0, 1]


def test_where_the_whole_workspace_is_full_no_channel_is_tried(desk: Desk) -> None:
    channels = more_channels(desk, 30)
    desk.workspace.faults.next("chat.postMessage", *[throttle(30)] * 31)
    desk.raise_(numbered(1))
    assert desk.deliverer.deliver_due() == 30
    tried = len(desk.posts())
    assert MANY_THROTTLED <= tried <= MANY_THROTTLED + MOST_TURNS
    assert desk.restarted().deliver_due() == 30, "kept over a restart"
    assert len(desk.posts()) == tried
    while desk.workspace.faults.take("chat.postMessage"):
        pass
    desk.later(30)
    assert [desk.keys(channel) for channel in channels] == [["key-1"]] * 30


@pytest.mark.parametrize("code", ["rate_limited", "message_limit_exceeded"])
def test_where_slack_says_that_the_workspace_is_full_one_word_is_enough(desk: Desk, code: str) -> None:
    desk.workspace.faults.next("chat.postMessage", refuse(code))
    desk.raise_(numbered(1))
    assert desk.deliverer.deliver_due() == 30
    desk.subscribe(POLITICS)
    desk.raise_(numbered(2))
    assert desk.deliverer.deliver_due() == 30
    assert desk.posted(POLITICS) == []
    desk.later(30)
    assert desk.keys(POLITICS) == ["key-2"]


def test_a_clock_that_is_set_back_stretches_no_wait(desk: Desk) -> None:
    desk.raise_(numbered(1), numbered(2))
    desk.deliverer.deliver_due()
    back = HandClockBehind(desk, timedelta(hours=1))
    sender = Deliverer(client=HeldUp(desk, "none"), store=desk.store, clock=back, chance=random.Random(1))
    sender.deliver_due()
    assert desk.keys() == ["key-1", "key-2"]


class HandClockBehind:
    """The desk's clock, set back."""

    def __init__(self, desk: Desk, by: timedelta) -> None:
        self._clock, self._by = desk.clock, by
        self.monotonic = desk.clock.monotonic
        self.wait = desk.clock.wait

    def now(self) -> Any:
        return self._clock.now() - self._by


def test_ten_thousand_waiting_alerts_of_a_paused_channel_are_passed_by(desk: Desk) -> None:
    desk.raise_(*many(10_000))
    desk.store.subscriptions.pause(TEAM, NEWSROOM, "archived")
    desk.subscribe(POLITICS)
    desk.raise_(numbered(10_001))
    desk.deliverer.deliver_due()
    assert (desk.keys(), desk.keys(POLITICS)) == ([], ["key-10001"])
    assert desk.store.outbox.counts_by_state()["paused"] == 10_001
