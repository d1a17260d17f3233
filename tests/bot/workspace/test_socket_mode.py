"""The same Bolt app that talks to Slack talks to the workspace, over the wire."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import pytest
from slack_bolt import Ack, App, Respond, Say
from slack_sdk import WebClient

from bot.workspace import SlashCommand
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace

Json: TypeAlias = dict[str, Any]
OnTheWire: TypeAlias = Callable[[], AbstractContextManager[None]]

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "value": "7", "action_id": "go"}
SELECT = {
    "type": "static_select",
    "placeholder": {"type": "plain_text", "text": "For how long"},
    "options": [{"text": {"type": "plain_text", "text": label}, "value": label} for label in ("1h", "1d")],
    "action_id": "choose",
}
ACTIONS = [{"type": "actions", "block_id": "row", "elements": [BUTTON, SELECT]}]


def acknowledge(ack: Ack) -> None:
    ack()


def test_a_slash_command_arrives_as_slack_sends_it(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire
) -> None:
    arrived: list[Json] = []

    def likes(ack: Ack, body: Json) -> None:
        arrived.append(body)
        ack(text="Looking …")

    app.command("/likes")(likes)
    with on_the_wire():
        server.workspace.say("ana", "newsroom", "/likes  hunsen foreign>10 ")
        answer = server.workspace.wait_for_message("newsroom", "Looking …")
    (body,) = arrived
    assert answer.ephemeral_to == "U0ANA00001"
    assert {name: body[name] for name in ("command", "text", "channel_name", "user_name", "is_enterprise_install")} == {
        "command": "/likes",
        "text": "hunsen foreign&gt;10",
        "channel_name": "newsroom",
        "user_name": "ana",
        "is_enterprise_install": "false",
    }
    assert {"token", "team_id", "team_domain", "channel_id", "user_id", "api_app_id", "trigger_id"} < set(body)
    assert body["response_url"].startswith(server.url)


def test_a_command_that_wants_it_gets_names_and_addresses_marked_up(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire
) -> None:
    texts: list[str] = []

    def likes(ack: Ack, body: Json) -> None:
        texts.append(body["text"])
        ack("ok")

    app.command("/likes")(likes)
    server.workspace.commands["/likes"] = SlashCommand(command="/likes", description="", should_escape=True)
    with on_the_wire():
        server.workspace.say("ana", "newsroom", "/likes @dara #politics https://example.org/?a=1&b=2.")
        server.workspace.wait_for_message("newsroom", "ok")
    assert texts == ["<@U0DARA0002|dara> <#C0POLITICS|politics> <https://example.org/?a=1&amp;b=2>."]


def test_an_answer_in_the_channel_shows_what_was_asked(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire
) -> None:
    def likes(ack: Ack) -> None:
        ack(text="For all", response_type="in_channel")

    app.command("/likes")(likes)
    with on_the_wire():
        server.workspace.say("ana", "newsroom", "/likes hunsen")
        server.workspace.wait_for_message("newsroom", "For all", person="dara")
    assert [message.text for message in server.workspace.messages("newsroom")] == ["/likes hunsen", "For all"]


def test_an_unacknowledged_command_fails_before_the_persons_eyes(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire
) -> None:
    app.command("/trends")(acknowledge)  # and nothing for /likes: Bolt answers 404, which Socket Mode never acks
    with on_the_wire():
        server.workspace.say("ana", "newsroom", "/likes hunsen")
        failed = server.workspace.wait_for_message("newsroom", "/likes failed")
    assert failed.text == '/likes failed with the error "operation_timeout"'
    assert failed.ephemeral_to == "U0ANA00001"


def test_an_answer_that_breaks_the_rules_fails_too(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire
) -> None:
    def likes(ack: Ack) -> None:
        ack(text="x", blocks=[{"type": "poll"}])

    app.command("/likes")(likes)
    with on_the_wire():
        server.workspace.say("ana", "newsroom", "/likes")
        server.workspace.wait_for_message("newsroom", 'failed with the error "invalid_command_response"')


@pytest.mark.parametrize(
    ("line", "in_thread", "told"),
    [
        ("/likes hunsen", False, '/likes failed with the error "dispatch_failed"'),
        ("/likes hunsen", True, "/likes is not supported in threads. Sorry!"),
        ("/lkes hunsen", False, "`/lkes` is not a valid command."),
        ("/invite @Likewatch", False, "is already in this channel"),
    ],
)
def test_without_a_bot_the_person_is_told(
    workspace: InstrumentedWorkspace, line: str, in_thread: bool, told: str
) -> None:
    workspace.say("dara", "newsroom", "Good morning")
    (morning,) = workspace.messages("newsroom")
    workspace.say("ana", "newsroom", line, thread_ts=morning.ts if in_thread else "")
    answer = workspace.wait_for_message("newsroom", told, person="ana")
    assert answer.ephemeral_to == "U0ANA00001"
    assert answer.thread_ts == (morning.ts if in_thread else "")


def test_a_mention_arrives_as_an_event_and_is_answered_in_its_thread(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire
) -> None:
    bodies: list[Json] = []

    def mentioned(body: Json, event: Json, say: Say) -> None:
        bodies.append(body)
        say(text="Here", thread_ts=event["thread_ts"])

    app.event("app_mention")(mentioned)
    workspace = server.workspace
    workspace.say("dara", "newsroom", "Seen this?")
    (root,) = workspace.messages("newsroom")
    with on_the_wire():
        workspace.say("ana", "newsroom", "@Likewatch likes <hunsen>", thread_ts=root.ts)
        answer = workspace.wait_for_message("newsroom", "Here")
    assert answer.thread_ts == root.ts
    (body,) = bodies
    assert body["event_id"].startswith("Ev")
    assert body["event"]["text"] == "<@U0LIKEWATCH> likes &lt;hunsen&gt;"


def test_a_mention_where_the_bot_is_not_is_no_event_but_a_hint(workspace: InstrumentedWorkspace) -> None:
    workspace.say("ana", "general", "@Likewatch help")
    workspace.wait_for_message("general", "/invite @Likewatch", person="ana")
    assert workspace.envelopes == []
    workspace.say("ana", "general", "/invite @Likewatch")
    workspace.wait_for_message("general", "was added to #general by <@U0ANA00001>", person="dara")
    workspace.say("ana", "general", "@Likewatch help")
    assert [one.payload["event"]["type"] for one in workspace.envelopes] == ["member_joined_channel", "app_mention"]


@pytest.mark.parametrize("ephemeral", [False, True])
def test_a_pressed_button_arrives_as_a_block_action(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire, client: WebClient, ephemeral: bool
) -> None:
    bodies: list[Json] = []

    def pressed(ack: Ack, body: Json, respond: Respond) -> None:
        bodies.append(body)
        ack()
        respond(text="Done", replace_original=True)

    app.action("go")(pressed)
    if ephemeral:
        client.chat_postEphemeral(channel="C0NEWSROOM", user="U0ANA00001", text="x", blocks=ACTIONS)
    else:
        client.chat_postMessage(channel="C0NEWSROOM", text="x", blocks=ACTIONS)
    (message,) = server.workspace.messages("newsroom")
    with on_the_wire():
        server.workspace.press("ana", message, action_id="go")
        changed = server.workspace.wait_for_message("newsroom", "Done")
    (body,) = bodies
    (action,) = body["actions"]
    assert (action["type"], action["value"], action["block_id"]) == ("button", "7", "row")
    assert float(action["action_ts"]) > float(message.ts)
    assert body["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": "C0NEWSROOM",
        "is_ephemeral": ephemeral,
    }
    assert ("message" in body) is not ephemeral
    assert (changed.ts, changed.ephemeral_to, bool(changed.edited_ts)) == (
        message.ts,
        message.ephemeral_to,
        not ephemeral,
    )


def test_a_choice_arrives_with_the_option(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire, client: WebClient
) -> None:
    def chosen(ack: Ack, action: Json, body: Json, respond: Respond) -> None:
        ack()
        assert body["state"]["values"]["row"]["choose"]["selected_option"] == action["selected_option"]
        respond(text=f"Muted {action['selected_option']['value']}")

    app.action("choose")(chosen)
    client.chat_postMessage(channel="C0NEWSROOM", text="x", blocks=ACTIONS)
    (message,) = server.workspace.messages("newsroom")
    with on_the_wire():
        server.workspace.press("dara", message, action_id="choose", value="1d")
        assert server.workspace.wait_for_message("newsroom", "Muted 1d").ephemeral_to == "U0DARA0002"


def test_a_button_that_nobody_answers_says_so(workspace: InstrumentedWorkspace, client: WebClient) -> None:
    client.chat_postMessage(channel="C0NEWSROOM", text="x", blocks=ACTIONS)
    (message,) = workspace.messages("newsroom")
    workspace.press("ana", message, action_id="go")
    workspace.wait_for_message("newsroom", "did not answer the button (dispatch_failed)", person="ana")


def test_the_same_envelope_may_come_twice(app: App, server: InstrumentedServer, on_the_wire: OnTheWire) -> None:
    triggers: list[str] = []

    def likes(ack: Ack, body: Json, respond: Respond) -> None:
        triggers.append(body["trigger_id"])
        ack()
        respond(text=f"Answer {len(triggers)}")

    app.command("/likes")(likes)
    server.workspace.faults.repeat_envelopes(1)
    with on_the_wire():
        server.workspace.say("ana", "newsroom", "/likes")
        server.workspace.wait_for(lambda: len(server.workspace.messages("newsroom")) == 2)
    assert len(set(triggers)) == 1


def test_several_connections_take_turns(app: App, server: InstrumentedServer, on_the_wire: OnTheWire) -> None:
    def likes(ack: Ack) -> None:
        ack("ok")

    app.command("/likes")(likes)
    with on_the_wire(), on_the_wire():
        for number in range(4):
            server.workspace.say("ana", "newsroom", f"/likes {number}")
        server.workspace.wait_for(lambda: len(server.workspace.messages("newsroom")) == 4)
    assert {message.text for message in server.workspace.messages("newsroom")} == {"ok"}


@pytest.mark.parametrize("trouble", ["refresh_connections", "drop_connections"])
def test_the_app_comes_back_when_slack_sends_it_away(
    app: App, server: InstrumentedServer, on_the_wire: OnTheWire, trouble: str
) -> None:
    def likes(ack: Ack) -> None:
        ack("ok")

    def asked_again() -> bool:  # Slack's SDK reads nothing for a moment after it reconnected
        if any(message.text == "ok" for message in server.workspace.messages("newsroom")):
            return True
        if len(server.workspace.messages("newsroom")) == len(server.workspace.envelopes):
            server.workspace.say("ana", "newsroom", "/likes")
        return False

    app.command("/likes")(likes)
    with on_the_wire():
        getattr(server, trouble)()
        server.workspace.wait_for_bot()
        server.workspace.wait_for(asked_again)


def test_it_says_when_the_bot_is_gone(server: InstrumentedServer, on_the_wire: OnTheWire) -> None:
    with on_the_wire():
        assert server.workspace.connected
    server.workspace.wait_for(lambda: not server.workspace.connected)


def test_who_invites_the_bot_is_named_to_it(workspace: InstrumentedWorkspace) -> None:
    workspace.say("ana", "general", "/invite @Likewatch")
    (sent,) = workspace.envelopes
    event = sent.payload["event"]
    assert (event["type"], event["channel"], event["inviter"]) == ("member_joined_channel", "C0GENERAL0", "U0ANA00001")
