"""The stand-in lets an app read user groups, be invited, and read history as slowly as a sold app."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.labs.standins.clock import HandClock
from tests.labs.standins.instrumented_workspace import InstrumentedWorkspace

NEWSROOM, ANA, DARA = "C0NEWSROOM", "U0ANA00001", "U0DARA0002"


def test_the_members_of_a_user_group(client: WebClient) -> None:
    assert client.usergroups_users_list(usergroup="S0EDITORS1")["users"] == [DARA]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        client.usergroups_users_list(usergroup="S0NOBODY")


def test_who_invites_the_bot_is_named_to_it(workspace: InstrumentedWorkspace) -> None:
    workspace.say("ana", "general", "/invite @Likewatch")
    (sent,) = workspace.envelopes
    event = sent.payload["event"]
    assert (event["type"], event["channel"], event["inviter"]) == ("member_joined_channel", "C0GENERAL0", ANA)


def test_an_archived_channel_that_is_opened_again_is_written_in_again(
    client: WebClient, workspace: InstrumentedWorkspace
) -> None:
    workspace.archive("newsroom")
    with pytest.raises(SlackApiError, match="is_archived"):
        client.chat_postMessage(channel=NEWSROOM, text="x")
    workspace.unarchive("ana", "newsroom")
    client.chat_postMessage(channel=NEWSROOM, text="x")
    assert [sent.payload["event"]["type"] for sent in workspace.envelopes] == ["channel_unarchive"]


def test_an_app_that_is_sold_reads_fifteen_messages_a_minute(
    client: WebClient, workspace: InstrumentedWorkspace, clock: HandClock
) -> None:
    for number in range(20):
        workspace.say("ana", "newsroom", f"Message {number}")
    workspace.faults.slow_history = True
    page = client.conversations_history(channel=NEWSROOM, limit=200)
    assert (len(page["messages"]), page["has_more"]) == (15, True)
    cursor = page["response_metadata"]["next_cursor"]
    with pytest.raises(SlackApiError) as caught:
        client.conversations_history(channel=NEWSROOM, limit=200, cursor=cursor)
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "60")
    clock.move(timedelta(minutes=1))
    assert len(client.conversations_history(channel=NEWSROOM, limit=200, cursor=cursor)["messages"]) == 5


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
