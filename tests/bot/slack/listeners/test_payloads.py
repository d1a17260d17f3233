"""Every shape of Slack's payloads, as its documentation and Bolt's own tests show them."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt import BoltRequest

from bot.slack.contract import RequestOrigin, SlackRequest, Slash
from bot.slack.listeners.payloads import call, form_values, pressed_query, read_request, typed_text

Json = dict[str, Any]

TEAM: Json = {"id": "T1", "domain": "paper"}
PERSON: Json = {"id": "U1", "username": "ana", "name": "ana", "team_id": "T1"}
MEMBER: Json = {"id": "W1", "username": "ana", "name": "ana", "team_id": "T1"}
ORGANIZATION: Json = {"enterprise": {"id": "E1", "name": "Papers"}, "is_enterprise_install": True, "team": None}
ACTION: Json = {"type": "button", "action_id": "ask.0", "block_id": "b", "value": "trends list", "action_ts": "1.5"}
VIEW: Json = {"id": "V1", "team_id": "T1", "callback_id": "subscribe", "app_installed_team_id": "T1", "blocks": []}
URL = "https://hooks.slack.com/actions/T1/2/3"


def slash(**more: object) -> Json:
    typed = {"command": "/likes", "text": "hunsen", "channel_name": "newsroom", "api_app_id": "A1"}
    ids = {"team_id": "T1", "user_id": "U1", "channel_id": "C1", "response_url": URL, "trigger_id": "1.2.3"}
    return {**typed, **ids, "is_enterprise_install": "false", **more}


def pressed(container: Json, **more: object) -> Json:
    body = {"type": "block_actions", "user": PERSON, "team": TEAM, "enterprise": None, "trigger_id": "1.2.3"}
    return {**body, "container": container, "actions": [ACTION], **more}


def pressed_on_message(channel: str = "C1", *, thread_ts: str = "", **more: object) -> Json:
    container = {"type": "message", "message_ts": "1.0", "channel_id": channel, "is_ephemeral": False}
    in_thread = {"thread_ts": thread_ts} if thread_ts else {}
    return pressed({**container, **in_thread}, channel={"id": channel, "name": "x"}, response_url=URL, **more)


def event(said: Json, *, installed_for: str | None = "T1", **more: object) -> Json:
    """An event; ``installed_for`` is None where the app is installed for a whole organization."""
    authorization = {
        "enterprise_id": None if installed_for else "E1",
        "team_id": installed_for,
        "user_id": "UBOT",
        "is_bot": True,
        "is_enterprise_install": installed_for is None,
    }
    body = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1", "event_time": 1}
    return {**body, "authorizations": [authorization], "is_ext_shared_channel": False, "event": said, **more}


def mention(**more: object) -> Json:
    return {"type": "app_mention", "user": "U1", "text": "<@UBOT> x", "ts": "1.0", "channel": "C1", **more}


def submitted(**more: object) -> Json:
    body = {"type": "view_submission", "team": TEAM, "user": PERSON, "trigger_id": "1.2.3", "response_urls": []}
    return {**body, "view": {**VIEW, "type": "modal"}, **more}


def shortcut(**more: object) -> Json:
    return {"type": "shortcut", "callback_id": "x", "team": TEAM, "user": PERSON, "trigger_id": "1.2.3", **more}


def on_message(**more: object) -> Json:
    message = {"type": "message", "user": "U2", "ts": "1.0", "text": "x", **more}
    return {
        **shortcut(type="message_action", response_url=URL, message_ts="1.0"),
        "channel": {"id": "C1", "name": "newsroom"},
        "message": message,
    }


INTERACTION: Json = {"team_id": "T1", "user_id": "U1", "trigger_id": "1.2.3", "request_id": "1.2.3"}
IN_CHANNEL: Json = {**INTERACTION, "channel_id": "C1", "response_url": URL}
IN_HOME: Json = {**INTERACTION, "origin": RequestOrigin.APP_HOME}
IN_MODAL: Json = {**INTERACTION, "origin": RequestOrigin.MODAL}
MENTIONED: Json = {"team_id": "T1", "user_id": "U1", "channel_id": "C1", "request_id": "Ev1"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(slash(), IN_CHANNEL, id="slash command"),
        pytest.param(
            slash(channel_id="D1", channel_name="directmessage"),
            {**IN_CHANNEL, "channel_id": "D1", "origin": RequestOrigin.DIRECT_MESSAGE},
            id="slash command in a direct message",
        ),
        pytest.param(
            slash(enterprise_id="E1", enterprise_name="Papers", is_enterprise_install="true"),
            IN_CHANNEL,
            id="slash command, organization-wide",
        ),
        pytest.param(event(mention()), MENTIONED, id="mention"),
        pytest.param(
            event(mention(thread_ts="0.9")),
            {**MENTIONED, "thread_ts": "0.9", "origin": RequestOrigin.THREAD},
            id="mention in a thread",
        ),
        pytest.param(
            event(mention(), installed_for=None, enterprise_id="E1"), MENTIONED, id="mention, organization-wide"
        ),
        pytest.param(
            event(mention(team="T9", user_team="T9"), team_id="T9", is_ext_shared_channel=True),
            MENTIONED,
            id="mention in a channel shared with another newsroom: ours is the team of the authorization",
        ),
        pytest.param(pressed_on_message(), IN_CHANNEL, id="button"),
        pytest.param(
            pressed_on_message("D1"),
            {**IN_CHANNEL, "channel_id": "D1", "origin": RequestOrigin.DIRECT_MESSAGE},
            id="button in a direct message",
        ),
        pytest.param(
            pressed_on_message(thread_ts="0.9"),
            {**IN_CHANNEL, "thread_ts": "0.9", "origin": RequestOrigin.THREAD},
            id="button in a thread",
        ),
        pytest.param(
            pressed_on_message(message={"type": "message", "ts": "1.0", "thread_ts": "1.0"}),
            IN_CHANNEL,
            id="button on a message that others replied to",
        ),
        pytest.param(
            pressed_on_message(**ORGANIZATION, message={"type": "message", "ts": "1.0"}) | {"user": MEMBER},
            {**IN_CHANNEL, "user_id": "W1"},
            id="button, organization-wide",
        ),
        pytest.param(
            pressed({"type": "view", "view_id": "V1"}, view={**VIEW, "type": "home"}), IN_HOME, id="button in App Home"
        ),
        pytest.param(
            pressed({"type": "view", "view_id": "V1"}, view={"id": "V1", "type": "home"}, **ORGANIZATION)
            | {"user": MEMBER},
            {**IN_HOME, "user_id": "W1"},
            id="button in App Home, organization-wide",
        ),
        pytest.param(
            pressed({"type": "view", "view_id": "V1"}, view={**VIEW, "type": "modal"}), IN_MODAL, id="button in a modal"
        ),
        pytest.param(
            event({"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home", "event_ts": "1.0"}),
            {"team_id": "T1", "user_id": "U1", "request_id": "Ev1", "origin": RequestOrigin.APP_HOME},
            id="App Home opened",
        ),
        pytest.param(submitted(), IN_MODAL, id="form"),
        pytest.param(
            submitted(response_urls=[{"block_id": "b", "action_id": "a", "channel_id": "C1", "response_url": URL}]),
            {**IN_MODAL, "channel_id": "C1", "response_url": URL},
            id="form in which somebody chose a channel",
        ),
        pytest.param(
            submitted(**ORGANIZATION)
            | {"user": MEMBER, "view": {"type": "modal", "team_id": "T1", "callback_id": "x"}},
            {**IN_MODAL, "user_id": "W1"},
            id="form, organization-wide",
        ),
        pytest.param(shortcut(), {**INTERACTION, "origin": RequestOrigin.ELSEWHERE}, id="global shortcut"),
        pytest.param(
            shortcut(**ORGANIZATION) | {"user": MEMBER},
            {**INTERACTION, "user_id": "W1", "origin": RequestOrigin.ELSEWHERE},
            id="global shortcut, organization-wide",
        ),
        pytest.param(on_message(), IN_CHANNEL, id="message shortcut"),
        pytest.param(
            on_message(thread_ts="0.9"),
            {**IN_CHANNEL, "thread_ts": "0.9", "origin": RequestOrigin.THREAD},
            id="message shortcut in a thread",
        ),
        pytest.param(
            event({"type": "channel_unarchive", "channel": "C1", "user": "U1"}), MENTIONED, id="channel unarchived"
        ),
        pytest.param(
            event({"type": "member_joined_channel", "channel": "C1", "user": "U1", "channel_type": "C", "team": "T1"}),
            MENTIONED,
            id="somebody joined",
        ),
    ],
)
def test_it_says_who_asked_from_where_and_how_to_answer(body: Json, expected: Json) -> None:
    assert read(body) == SlackRequest(**expected)


def test_nobody_but_the_organization_may_be_named() -> None:
    assert read({"type": "shortcut", **ORGANIZATION, "user": {"id": "W1"}}).team_id == "E1"


def test_a_request_becomes_a_call_that_knows_the_same() -> None:
    request = read(slash())
    made = call(request, Slash.LIKES, "hunsen")
    assert (made.slash, made.text) == (Slash.LIKES, "hunsen")
    assert (made.channel_id, made.response_url, made.request_id) == ("C1", URL, "1.2.3")
    assert URL not in repr(made)


def test_what_was_typed_comes_without_slacks_escapes() -> None:
    assert typed_text({"text": "subscribe hunsen surge&gt;5x"}) == "subscribe hunsen surge>5x"
    assert typed_text({}) == ""


@pytest.mark.parametrize(
    "action",
    [ACTION, {"type": "overflow", "action_id": "ask.1", "selected_option": {"value": "trends list"}}],
    ids=["button", "menu"],
)
def test_a_button_and_a_menu_entry_ask_their_query(action: Json) -> None:
    assert pressed_query({"actions": [action]}) == (Slash.TRENDS, "list")


def test_a_forms_fields_are_read_by_name() -> None:
    values = {
        "page": {"value": {"type": "plain_text_input", "value": "hunsen"}},
        "feature": {"value": {"type": "static_select", "selected_option": {"value": "surge"}}},
        "note": {"value": {"type": "plain_text_input", "value": None}},
        "hour": {"value": {"type": "static_select", "selected_option": None}},
    }
    body = submitted(view={**VIEW, "type": "modal", "state": {"values": values}})
    assert form_values(body) == {"page": "hunsen", "feature": "surge", "note": "", "hour": ""}


def read(body: Json) -> SlackRequest:
    return read_request(body, BoltRequest(body=body, mode="socket_mode").context)
