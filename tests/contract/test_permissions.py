"""Each command declares who may run it. That holds for every way of asking, and a refusal is recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from slack_sdk.web import WebClient

from bot.clock import SystemClock
from bot.config.editors import EditorList
from bot.platforms.contract import Profile, Reference
from bot.slack.contract import Call, Command, Permission
from bot.slack.discovery import commands, query
from bot.slack.dispatch import Dispatcher, RenderedReply
from handlers.model import Metric
from storage.errors import AlreadyDone
from storage.store import Store
from tests.labs.standins.asked import NOW, ask, daily, watch

EDITOR, OUTSIDER = "U0EDITOR", "U0OUTSIDER"
CHANGED_BY_ANYONE = {"/trends subscribe", "/trends unsubscribe"}
"""Anyone may choose what their own channel gets; all else that changes something belongs to editors."""

EACH = pytest.mark.parametrize("command", commands(), ids=lambda command: query(command.slash, command.verbs[0]))


class InEveryChannel(WebClient):
    """Slack says that the bot is a member of the channel; anything else it is asked fails."""

    def conversations_info(self, *, channel: str, **_: object) -> dict[str, object]:  # type: ignore[override]
        return {"channel": {"id": channel, "is_member": True}}


def look_up(reference: Reference) -> Profile:
    return Profile(
        platform=reference.platform,
        native_id="77",
        handle="somebody",
        name="Somebody",
        url="https://www.facebook.com/somebody",
        count=1_000,
        low=1_000,
        high=1_000,
        metric=Metric.LIKES,
    )


def asked(store: Store, command: Command, *, by: str, channel: str = "C0NEWSROOM", request: str = "") -> RenderedReply:
    """The answer to the command about a page that is watched, subscribed to and muted."""
    dispatcher = Dispatcher(
        client=InEveryChannel(base_url="http://127.0.0.1:9/"),
        store=store,
        clock=SystemClock(),
        look_up=look_up,
        poll_every=timedelta(minutes=15),
        editors=EditorList(people=frozenset({EDITOR})),
        wake=lambda: None,
    )
    text = f"{command.verbs[0]} {'@somebody on facebook' if command.lookup else 'hunsen'}".strip()
    call = Call(slash=command.slash, text=text, team_id="T0PAPER", channel_id=channel, user_id=by, request_id=request)
    return dispatcher.reply(call)


@pytest.fixture
def busy(store: Store) -> Store:
    """A store where every command has something to change."""
    watch(store, "hunsen", daily(2_108_800, 1_000))
    for channel in ("C0NEWSROOM", "D0OUTSIDER"):
        ask(store, "trends subscribe hunsen", channel=channel)
        ask(store, "trends mute hunsen", channel=channel)
    return store


def actions(store: Store, before: int) -> list[str]:
    """What was noted since."""
    noted = store.audit.recent(limit=100)
    return [entry.action for entry in noted[: len(noted) - before]]


@EACH
def test_what_changes_something_is_for_editors_unless_it_is_ones_own_channels(command: Command, busy: Store) -> None:
    before = len(busy.audit.recent(limit=100))
    asked(busy, command, by=EDITOR)
    name = f"{command.slash} {command.verbs[0]}"
    changed = bool(actions(busy, before))
    assert (command.permission is not Permission.ANYONE) == (changed and name not in CHANGED_BY_ANYONE)


@EACH
def test_an_outsider_is_refused_in_a_sentence_and_it_is_noted(command: Command, busy: Store) -> None:
    before = len(busy.audit.recent(limit=100))
    answer = asked(busy, command, by=OUTSIDER)
    if command.permission is Permission.ANYONE:
        assert "refused" not in actions(busy, before)
        assert "Only editors" not in answer.text
    else:
        assert answer.text.startswith(f"Only editors may use {command.slash} {command.verbs[0]}")
        assert OUTSIDER in answer.text
        assert (answer.blocks, answer.notice) == ((), None)
        assert actions(busy, before) == ["refused"]
        assert busy.audit.recent()[0].user_id == OUTSIDER


@EACH
def test_in_ones_own_direct_messages_what_concerns_oneself_is_open(command: Command, busy: Store) -> None:
    before = len(busy.audit.recent(limit=100))
    asked(busy, command, by=OUTSIDER, channel="D0OUTSIDER")
    assert ("refused" in actions(busy, before)) == (command.permission is Permission.EDITORS)


@EACH
def test_a_request_that_comes_again_after_a_crash_has_one_effect(command: Command, busy: Store) -> None:
    before = len(busy.audit.recent(limit=100))
    first = asked(busy, command, by=EDITOR, request="13345224609.738474920.8088")
    noted = actions(busy, before)
    again = asked(busy, command, by=EDITOR, request="13345224609.738474920.8088")
    assert actions(busy, before) == noted
    if noted:
        assert again.notice is None
    else:
        assert again == first, "what changes nothing may be answered again"


@EACH
def test_a_refusal_that_comes_again_is_noted_once(command: Command, busy: Store) -> None:
    before = len(busy.audit.recent(limit=100))
    for _ in range(2):
        asked(busy, command, by=OUTSIDER, request="1.2.3")
    assert actions(busy, before).count("refused") == (command.permission is not Permission.ANYONE)


def test_a_change_whose_note_fails_is_undone(busy: Store) -> None:
    mute = next(command for command in commands() if command.verbs[0] == "mute")
    asked(busy, mute, by=EDITOR, request="1.2.3")
    until = busy.subscriptions.muted("T0PAPER", "C0NEWSROOM", "hunsen", NOW)
    call = Call(
        slash=mute.slash,
        text="hunsen 4w",
        team_id="T0PAPER",
        channel_id="C0NEWSROOM",
        user_id=EDITOR,
        request_id="1.2.3",
    )
    with pytest.raises(AlreadyDone):
        mute.run(call, busy, NOW)
    assert busy.subscriptions.muted("T0PAPER", "C0NEWSROOM", "hunsen", NOW) == until
