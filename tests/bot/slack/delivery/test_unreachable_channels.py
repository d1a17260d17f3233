"""Channels that nothing can be posted in: paused, told once, and taken up again with what waited."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.slack.delivery.notices import MAY_BE_TWICE
from storage.values import Subscription, Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.desk import AHEAD, ANA, NEWSROOM, POLITICS, TEAM, Desk, desk, many, numbered
from tests.labs.standins.histories import scene
from tests.labs.standins.slack_faults import DROP_AFTER, DROP_BEFORE, SERVER_ERROR, PlannedFault, refuse, throttle
from tests.labs.standins.slacked import Newsroom, newsroom

__all__ = ["desk"]


def throw_out(desk: Desk) -> None:
    desk.workspace.remove("newsroom")
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()


def test_what_waited_comes_when_it_goes_on_and_in_one_list(desk: Desk) -> None:
    throw_out(desk)
    desk.raise_(*many(12))
    desk.later(3600)
    assert desk.posted() == []
    desk.workspace.invite("newsroom")
    desk.store.subscriptions.resume(TEAM, NEWSROOM)
    desk.later(1)
    assert len(desk.posted()) == 1
    assert desk.keys() == [f"key-{number}" for number in range(1, 13)]
    assert len(desk.told()) == 1


def test_a_paused_channel_holds_up_no_other_and_is_not_tried_again(desk: Desk) -> None:
    desk.subscribe(POLITICS)
    throw_out(desk)
    tried = len(desk.posts())
    desk.raise_(numbered(2))
    desk.later(3600)
    assert desk.keys(POLITICS) == ["key-1", "key-2"]
    assert len([call for call in desk.posts()[tried:] if call.arguments["channel"] == NEWSROOM]) == 0


def test_it_is_told_again_when_it_is_thrown_out_again(desk: Desk) -> None:
    throw_out(desk)
    desk.store.subscriptions.resume(TEAM, NEWSROOM)
    desk.later(1)
    assert len(desk.told()) == 2


@pytest.mark.parametrize(
    ("fault", "tellings", "doubtful"),
    [
        pytest.param(throttle(30), 1, False, id="Slack asks to wait"),
        pytest.param(DROP_BEFORE, 1, True, id="lost before it was read"),
        pytest.param(SERVER_ERROR, 1, True, id="Slack stumbles"),
        pytest.param(DROP_AFTER, 2, True, id="told, and the answer lost"),
    ],
)
def test_who_subscribed_is_told_for_sure_and_a_repeat_says_so(
    desk: Desk, fault: PlannedFault, tellings: int, doubtful: bool
) -> None:
    desk.workspace.faults.next("chat.postMessage", refuse("not_in_channel"), fault)
    desk.raise_(numbered(1))
    desk.deliverer.deliver_due()
    for _ in range(40):
        desk.later(1)
    assert len(desk.told()) == tellings
    assert (MAY_BE_TWICE in desk.told()[-1]) == doubtful


def test_who_is_to_be_told_outlives_a_restart(desk: Desk) -> None:
    desk.workspace.faults.next("conversations.open", throttle(30))
    throw_out(desk)
    assert desk.told() == []
    restarted = desk.restarted()
    desk.clock.move(timedelta(seconds=30))
    restarted.deliver_due()
    assert len(desk.told()) == 1


def test_who_left_the_newsroom_is_not_told_for_ever(desk: Desk) -> None:
    desk.workspace.faults.next("conversations.open", refuse("user_disabled"))
    throw_out(desk)
    desk.later(3600)
    assert desk.told() == []
    assert desk.store.notices.next_at() is None


def test_with_a_token_that_slack_refuses_nobody_is_told_and_the_operator_is_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    revoked = refuse("token_revoked")
    desk.workspace.faults.next("conversations.open", *[revoked] * 50)
    throw_out(desk)
    for _ in range(40):
        desk.later(100)
    assert len([call for call in desk.workspace.calls if call.method == "conversations.open"]) == 1
    assert [record.levelname for record in caplog.records if "SLACK_BOT_TOKEN" in record.getMessage()] == ["ERROR"]
    while desk.workspace.faults.take("conversations.open"):
        pass
    desk.restarted().deliver_due()
    assert len(desk.told()) == 1


@pytest.fixture(params=["socket mode", "http"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path, over_http=request.param == "http") as running:
        yield running


def paused(room: Newsroom, channel: str, *, alerts: int, weeks_ago: int = 0) -> None:
    """A channel that was paused while so many alerts came."""
    wish = Subscription(
        team_id=TEAM,
        channel_id=channel,
        target=Target.PAGE,
        slug="a",
        features=("overtake",),
        by=ANA,
        at=room.clock.now(),
    )
    room.store.subscriptions.put(wish)
    room.store.subscriptions.pause(TEAM, channel, "It was thrown out.")
    for alert in many(alerts):
        room.store.outbox.put(alert, [wish], at=room.clock.now() - timedelta(weeks=weeks_ago))


def test_inviting_it_again_makes_the_channel_go_on_and_says_what_waited(room: Newsroom) -> None:
    paused(room, "C0GENERAL0", alerts=3)
    room.workspace.faults.repeat_envelopes(1)
    room.workspace.say("ana", "general", "/invite @Likewatch")
    notice = room.workspace.wait_for_message("general", "alerts continue", person="dara")
    assert "3 alerts waited and follow now" in notice.text
    assert [one.paused for one in room.store.subscriptions.for_channel(TEAM, "C0GENERAL0")] == [None]
    (entry,) = room.store.audit.recent()
    assert (entry.action, entry.user_id) == ("resume", ANA)
    assert room.woken.wait(10), "or what waited would wait for another minute"


def test_opening_an_archived_channel_makes_it_go_on(room: Newsroom) -> None:
    paused(room, NEWSROOM, alerts=1)
    room.workspace.archive("newsroom")
    room.workspace.unarchive("ana", "newsroom")
    room.workspace.wait_for_message("newsroom", "1 alert waited and follows now", person="dara")


def test_subscribing_again_makes_it_go_on_and_tells_who_did(room: Newsroom) -> None:
    room.track("a")
    paused(room, NEWSROOM, alerts=2)
    room.workspace.say("ana", "newsroom", "/trends subscribe a")
    answer = room.workspace.wait_for_message("newsroom", "This channel is subscribed", person="ana")
    assert "2 alerts waited and follow now" in str(answer.blocks)


@pytest.mark.parametrize("typed", ["", "nobody"])
def test_what_subscribes_to_nothing_makes_no_channel_go_on(room: Newsroom, typed: str) -> None:
    room.track("a")
    paused(room, NEWSROOM, alerts=2, weeks_ago=2)
    room.workspace.say("ana", "newsroom", f"/trends subscribe {typed}")
    room.workspace.wait_for_message("newsroom", "nobody" if typed else "Say what to subscribe to", person="ana")
    assert all(one.paused for one in room.store.subscriptions.for_channel(TEAM, NEWSROOM))
    assert room.store.outbox.counts_by_state()["paused"] == 2


def test_what_is_told_to_follow_follows_also_where_the_threshold_is_another_now(room: Newsroom) -> None:
    room.track("a")
    paused(room, NEWSROOM, alerts=0)
    (wish,) = room.store.subscriptions.for_channel(TEAM, NEWSROOM)
    room.store.subscriptions.put(replace(wish, features=("foreign",), thresholds={"foreign": 10.0}))
    raised = replace(scene("total_foreign_share"), key="told by 10", page="a", threshold=10.0, tuned=True)
    muted = replace(AHEAD, key="muted", page="a", rival="b", feature="foreign")
    for alert in (raised, muted):
        room.store.outbox.put(alert, [wish], at=room.clock.now())
    room.store.subscriptions.mute(TEAM, NEWSROOM, "b", until=room.clock.now() + timedelta(days=1))
    room.workspace.say("ana", "newsroom", "/trends subscribe a foreign")
    answer = room.workspace.wait_for_message("newsroom", "This channel is subscribed", person="ana")
    assert "1 alert waited and follows now" in str(answer.blocks)
    client = slack_client(token=room.server.bot_token, api_url=room.server.api_url)
    Deliverer(client=client, store=room.store, clock=room.clock, chance=random.Random(1)).deliver_due()
    posted = [one.metadata["event_payload"]["key"] for one in room.workspace.messages("newsroom") if one.metadata]
    assert posted == ["told by 10"]


def test_being_invited_where_nothing_was_paused_is_met_with_silence(room: Newsroom) -> None:
    room.workspace.invite("general")
    room.workspace.say("ana", "general", "@Likewatch likes help")
    room.workspace.wait_for_message("general", "What /likes can do", person="ana")
    assert [message for message in room.workspace.messages("general") if "go on" in message.text] == []


def test_what_waited_too_long_is_not_posted_as_if_it_were_news(room: Newsroom) -> None:
    paused(room, "C0GENERAL0", alerts=4, weeks_ago=2)
    room.workspace.say("ana", "general", "/invite @Likewatch")
    notice = room.workspace.wait_for_message("general", "alerts continue", person="dara")
    assert "4 alerts of more than 7 days ago will not be posted" in notice.text
    assert room.store.outbox.counts_by_state()["dropped"] == 4


def test_a_line_about_a_change_that_slack_did_not_take_is_told_later(room: Newsroom) -> None:
    room.track("a")
    room.workspace.faults.next("chat.postMessage", throttle(1))
    room.workspace.say("ana", "newsroom", "/trends mute a")
    assert room.woken.wait(10)
    clock = HandClock(room.clock.now() + timedelta(seconds=2))
    client = slack_client(token=room.server.bot_token, api_url=room.server.api_url)
    Deliverer(client=client, store=room.store, clock=clock, chance=random.Random(1)).deliver_due()
    told = [message.text for message in room.workspace.messages("newsroom", person="dara")]
    assert told == [f"<@{ANA}> muted a here for 1 day"]
