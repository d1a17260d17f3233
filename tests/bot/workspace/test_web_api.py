from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.labs.standins.clock import HandClock
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace

NEWSROOM, GENERAL = "C0NEWSROOM", "C0GENERAL0"
ANA, DARA = "U0ANA00001", "U0DARA0002"
SECOND = timedelta(seconds=1)
LONG = [{"type": "section", "text": {"type": "plain_text", "text": "x" * 3000}}] * 5
METADATA = {"event_type": "alert", "event_payload": {"key": "overtake:1"}}


def refused(client: WebClient, method: str, **arguments: Any) -> tuple[str, list[str]]:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=arguments)
    response = caught.value.response
    return response["error"], response.get("response_metadata", {}).get("messages", [])


def test_slacks_own_client_finds_out_who_it_is(client: WebClient) -> None:
    who = client.auth_test()
    assert who["user"] == "likewatch"
    assert "chat:write" in who.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-somebody-elses", "auth.test", "invalid_auth"),
        ("app", "auth.test", "not_allowed_token_type"),
        ("bot", "apps.connections.open", "not_allowed_token_type"),
    ],
)
def test_it_refuses_a_wrong_token(server: InstrumentedServer, token: str, method: str, error: str) -> None:
    known = {"app": server.app_token, "bot": server.bot_token}
    stranger = WebClient(token=known.get(token, token), base_url=server.api_url, retry_handlers=[])
    assert refused(stranger, method)[0] == error


@pytest.mark.parametrize(
    ("method", "arguments", "error", "named"),
    [
        ("chat.postMessage", {"channel": NEWSROOM, "text": "x", "thread": "1.2"}, "invalid_arguments", "thread"),
        ("chat.postMessage", {"channel": NEWSROOM, "text": "x", "link_names": True}, "invalid_arguments", "link_names"),
        ("chat.postMessage", {"text": "x"}, "invalid_arguments", "channel"),
        ("chat.postMessage", {"channel": NEWSROOM}, "no_text", ""),
        ("chat.postMessage", {"channel": NEWSROOM, "text": 7}, "invalid_arguments", "text"),
        ("chat.postMessage", {"channel": "newsroom", "text": "x"}, "channel_not_found", ""),
        ("chat.postMessage", {"channel": GENERAL, "text": "x"}, "not_in_channel", ""),
        ("chat.postMessage", {"channel": NEWSROOM, "text": "x" * 40_001}, "msg_too_long", "text"),
        ("chat.postMessage", {"channel": NEWSROOM, "text": "x", "thread_ts": "1.000001"}, "thread_not_found", ""),
        ("chat.postMessage", {"channel": NEWSROOM, "blocks": "[{"}, "invalid_blocks_format", "blocks"),
        ("chat.postMessage", {"channel": NEWSROOM, "blocks": LONG}, "msg_blocks_too_long", "/blocks"),
        ("chat.postMessage", {"channel": NEWSROOM, "blocks": [{"type": "poll"}]}, "invalid_blocks", "/blocks/0/type"),
        (
            "chat.postMessage",
            {"channel": NEWSROOM, "text": "x", "metadata": {"event_type": "x"}},
            "invalid_metadata_format",
            "event_payload",
        ),
        ("chat.postEphemeral", {"channel": NEWSROOM, "user": "U0NOBODY", "text": "x"}, "user_not_in_channel", ""),
        ("chat.update", {"channel": NEWSROOM, "ts": "1.000001", "text": "x"}, "message_not_found", ""),
        ("chat.delete", {"channel": NEWSROOM, "ts": "1.000001"}, "message_not_found", ""),
        ("conversations.history", {"channel": GENERAL}, "not_in_channel", ""),
        ("conversations.history", {"channel": NEWSROOM, "limit": 1000}, "invalid_arguments", "limit"),
        ("conversations.history", {"channel": NEWSROOM, "oldest": "yesterday"}, "invalid_ts_oldest", "oldest"),
        ("conversations.history", {"channel": NEWSROOM, "cursor": "?"}, "invalid_cursor", ""),
        ("conversations.replies", {"channel": NEWSROOM, "ts": "1.000001"}, "thread_not_found", ""),
        ("conversations.info", {"channel": "C0NOWHERE"}, "channel_not_found", ""),
        ("conversations.open", {"users": "U0NOBODY"}, "user_not_found", ""),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found", ""),
        ("views.open", {}, "unknown_method", "views.open"),
        ("api.test", {"error": "my_error"}, "my_error", ""),
    ],
)
def test_it_refuses_what_slack_refuses(
    client: WebClient, method: str, arguments: dict[str, Any], error: str, named: str
) -> None:
    code, messages = refused(client, method, **arguments)
    assert code == error
    assert named in " ".join(messages)


def test_it_posts_and_gives_the_message_back(client: WebClient, workspace: InstrumentedWorkspace) -> None:
    posted = client.chat_postMessage(channel=NEWSROOM, text="*Hello*", metadata=METADATA, unfurl_links=False)
    assert posted["message"]["metadata"] == METADATA
    (message,) = workspace.messages("newsroom")
    assert (message.ts, message.text, message.by_bot) == (posted["ts"], "*Hello*", True)


def test_every_message_has_a_ts_of_its_own_even_when_time_stands_still(client: WebClient) -> None:
    stamps = [client.chat_postMessage(channel=NEWSROOM, text=str(number))["ts"] for number in range(3)]
    assert stamps == sorted(set(stamps))


def test_it_gives_names_to_elements_that_came_without(client: WebClient) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}
    posted = client.chat_postMessage(channel=NEWSROOM, text="x", blocks=[{"type": "actions", "elements": [button]}])
    (block,) = posted["message"]["blocks"]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


def test_it_updates_and_deletes_only_the_bots_own_messages(client: WebClient, workspace: InstrumentedWorkspace) -> None:
    workspace.say("ana", "newsroom", "mine")
    theirs = workspace.messages("newsroom")[0].ts
    assert refused(client, "chat.update", channel=NEWSROOM, ts=theirs, text="x")[0] == "cant_update_message"
    assert refused(client, "chat.delete", channel=NEWSROOM, ts=theirs)[0] == "cant_delete_message"
    ours = client.chat_postMessage(channel=NEWSROOM, text="before", metadata=METADATA)["ts"]
    assert client.chat_update(channel=NEWSROOM, ts=ours, text="after")["text"] == "after"
    changed = workspace.messages("newsroom")[1]
    assert (changed.text, bool(changed.edited_ts), changed.metadata) == ("after", True, METADATA)
    client.chat_delete(channel=NEWSROOM, ts=ours)
    assert [message.ts for message in workspace.messages("newsroom")] == [theirs]


def test_an_update_without_blocks_keeps_them_and_an_empty_list_takes_them_away(client: WebClient) -> None:
    divider = [{"type": "divider"}]
    ts = client.chat_postMessage(channel=NEWSROOM, text="x", blocks=divider)["ts"]
    assert client.chat_update(channel=NEWSROOM, ts=ts, text="y")["message"]["blocks"][0]["type"] == "divider"
    assert "blocks" not in client.chat_update(channel=NEWSROOM, ts=ts, text="z", blocks=[])["message"]


def test_an_ephemeral_message_is_seen_by_one_person_and_reached_by_no_method(
    client: WebClient, workspace: InstrumentedWorkspace
) -> None:
    ts = client.chat_postEphemeral(channel=NEWSROOM, user=ANA, text="psst")["message_ts"]
    assert [message.text for message in workspace.messages("newsroom", person="ana")] == ["psst"]
    assert workspace.messages("newsroom", person="dara") == []
    assert client.conversations_history(channel=NEWSROOM)["messages"] == []
    assert refused(client, "chat.update", channel=NEWSROOM, ts=ts, text="x")[0] == "message_not_found"


def test_an_archived_channel_can_be_read_but_not_written(client: WebClient, workspace: InstrumentedWorkspace) -> None:
    client.chat_postMessage(channel=NEWSROOM, text="x")
    workspace.archive("newsroom")
    assert refused(client, "chat.postMessage", channel=NEWSROOM, text="y")[0] == "is_archived"
    assert len(client.conversations_history(channel=NEWSROOM)["messages"]) == 1
    assert client.conversations_info(channel=NEWSROOM)["channel"]["is_archived"]


def test_history_is_newest_first_in_pages_and_without_thread_replies(client: WebClient, clock: HandClock) -> None:
    stamps = []
    for number in range(5):
        clock.move(SECOND)
        stamps.append(client.chat_postMessage(channel=NEWSROOM, text=str(number))["ts"])
    client.chat_postMessage(channel=NEWSROOM, text="reply", thread_ts=stamps[0])
    first = client.conversations_history(channel=NEWSROOM, limit=3)
    assert ([one["text"] for one in first["messages"]], first["has_more"]) == (["4", "3", "2"], True)
    rest = client.conversations_history(channel=NEWSROOM, limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert ([one["text"] for one in rest["messages"]], rest["has_more"]) == (["1", "0"], False)
    assert rest["messages"][1]["reply_count"] == 1


@pytest.mark.parametrize(("inclusive", "expected"), [(False, ["2"]), (True, ["3", "2", "1"])])
def test_history_keeps_to_its_window(client: WebClient, inclusive: bool, expected: list[str]) -> None:
    stamps = [client.chat_postMessage(channel=NEWSROOM, text=str(number))["ts"] for number in range(5)]
    found = client.conversations_history(channel=NEWSROOM, oldest=stamps[1], latest=stamps[3], inclusive=inclusive)
    assert [message["text"] for message in found["messages"]] == expected


@pytest.mark.parametrize(("asked", "shown"), [(True, METADATA), (False, None)])
def test_history_shows_metadata_only_when_asked(client: WebClient, asked: bool, shown: object) -> None:
    client.chat_postMessage(channel=NEWSROOM, text="x", metadata=METADATA)
    (message,) = client.conversations_history(channel=NEWSROOM, include_all_metadata=asked)["messages"]
    assert message.get("metadata") == shown


def test_a_thread_is_read_from_its_parent_on(client: WebClient) -> None:
    parent = client.chat_postMessage(channel=NEWSROOM, text="parent")["ts"]
    reply = client.chat_postMessage(channel=NEWSROOM, text="reply", thread_ts=parent)["ts"]
    thread = client.conversations_replies(channel=NEWSROOM, ts=parent)["messages"]
    assert [message["text"] for message in thread] == ["parent", "reply"]
    wrong = refused(client, "chat.postMessage", channel=NEWSROOM, text="x", thread_ts=reply)
    assert wrong[0] == "cannot_reply_to_message"


def test_a_broadcast_reply_stands_in_the_channel_too(client: WebClient) -> None:
    parent = client.chat_postMessage(channel=NEWSROOM, text="parent")["ts"]
    client.chat_postMessage(channel=NEWSROOM, text="reply", thread_ts=parent, reply_broadcast=True)
    assert len(client.conversations_history(channel=NEWSROOM)["messages"]) == 2


def test_it_knows_channels_people_and_direct_messages(client: WebClient, workspace: InstrumentedWorkspace) -> None:
    listed = {channel["name"]: channel["is_member"] for channel in client.conversations_list()["channels"]}
    assert listed == {"newsroom": True, "politics": True, "general": False}
    direct = client.conversations_open(users=[DARA])["channel"]["id"]
    assert client.conversations_info(channel=direct)["channel"]["is_im"]
    client.chat_postMessage(channel=direct, text="only for Dara")
    assert len(workspace.messages(direct)) == 1
    assert client.users_info(user=DARA)["user"]["real_name"] == "Dara"


def test_faster_than_a_message_a_second_is_throttled_after_a_burst(client: WebClient, clock: HandClock) -> None:
    for _ in range(5):
        client.chat_postMessage(channel=NEWSROOM, text="x")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=NEWSROOM, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    client.chat_postMessage(channel="C0POLITICS", text="other channels are not held up")
    clock.move(SECOND)
    client.chat_postMessage(channel=NEWSROOM, text="x")


def test_the_members_of_a_user_group(client: WebClient) -> None:
    assert client.usergroups_users_list(usergroup="S0EDITORS1")["users"] == [DARA]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        client.usergroups_users_list(usergroup="S0NOBODY")


def test_an_archived_channel_that_is_opened_again_is_written_in_again(
    client: WebClient, workspace: InstrumentedWorkspace
) -> None:
    workspace.archive("newsroom")
    with pytest.raises(SlackApiError, match="is_archived"):
        client.chat_postMessage(channel=NEWSROOM, text="x")
    workspace.unarchive("ana", "newsroom")
    client.chat_postMessage(channel=NEWSROOM, text="x")
    assert [sent.payload["event"]["type"] for sent in workspace.envelopes] == ["channel_unarchive"]


@pytest.mark.parametrize(
    ("payload", "taken"),
    [
        ({"key": "a", "number": 1, "is": True}, True),
        ({"alerts": [{"key": "a"}, {"key": "b"}]}, True),
        ({"one": {"key": "a"}}, True),
        ({"alerts": ["a", "b"]}, False),
        ({"alerts": [{"key": ["a"]}]}, False),
        ({"one": {"two": {"three": 3}}}, False),
        ({"nothing": None}, False),
    ],
)
def test_metadata_holds_what_slacks_own_types_allow(client: WebClient, payload: dict[str, Any], taken: bool) -> None:
    metadata = {"event_type": "alert", "event_payload": payload}
    if taken:
        client.chat_postMessage(channel=NEWSROOM, text="x", metadata=metadata)
    else:
        with pytest.raises(SlackApiError, match="invalid_metadata_format"):
            client.chat_postMessage(channel=NEWSROOM, text="x", metadata=metadata)
