"""The faults that tests plan: each meets one call, and slack_sdk's client meets it as it would meet Slack's."""

from __future__ import annotations

from datetime import timedelta
from http.client import RemoteDisconnected

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.labs.standins.clock import HandClock
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.slack_faults import (
    DROP_AFTER,
    DROP_BEFORE,
    SERVER_ERROR,
    PlannedFault,
    delay,
    refuse,
    throttle,
)


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (throttle(30), 429, "ratelimited"),
        (SERVER_ERROR, 500, "fatal_error"),
        (refuse("is_archived"), 200, "is_archived"),
    ],
)
def test_a_scripted_refusal_meets_one_call(
    client: WebClient, workspace: InstrumentedWorkspace, fault: PlannedFault, status: int, error: str
) -> None:
    workspace.faults.next("chat.postMessage", fault)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0NEWSROOM", text="x")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (status, error)
    assert caught.value.response.headers.get("Retry-After") == ("30" if status == 429 else None)
    client.chat_postMessage(channel="C0NEWSROOM", text="x")
    assert [call.error for call in workspace.calls if call.method == "chat.postMessage"] == [error, ""]


@pytest.mark.parametrize(("fault", "posted"), [(DROP_BEFORE, 0), (DROP_AFTER, 1)])
def test_a_dropped_connection_leaves_the_client_in_doubt(
    client: WebClient, workspace: InstrumentedWorkspace, fault: PlannedFault, posted: int
) -> None:
    workspace.faults.next("chat.postMessage", fault)
    with pytest.raises(RemoteDisconnected):
        client.chat_postMessage(channel="C0NEWSROOM", text="x")
    assert len(workspace.messages("newsroom")) == posted


def test_slacks_client_with_its_default_retries_posts_twice(
    server: InstrumentedServer, workspace: InstrumentedWorkspace
) -> None:
    workspace.faults.next("chat.postMessage", DROP_AFTER)
    WebClient(token=server.bot_token, base_url=server.api_url).chat_postMessage(channel="C0NEWSROOM", text="x")
    assert len(workspace.messages("newsroom")) == 2


def test_a_delayed_call_is_carried_out_before_the_client_gives_up(
    server: InstrumentedServer, workspace: InstrumentedWorkspace
) -> None:
    workspace.faults.next("chat.postMessage", delay(0.3))
    hasty = WebClient(token=server.bot_token, base_url=server.api_url, retry_handlers=[], timeout=0.1)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        hasty.chat_postMessage(channel="C0NEWSROOM", text="x")
    assert len(workspace.messages("newsroom")) == 1


def test_calls_are_recorded_without_tokens(client: WebClient, workspace: InstrumentedWorkspace) -> None:
    client.api_call("chat.postMessage", params={"channel": "C0NEWSROOM", "text": "x", "token": client.token})
    (call,) = workspace.calls
    assert call.arguments == {"channel": "C0NEWSROOM", "text": "x"}


def test_an_app_that_is_sold_reads_fifteen_messages_a_minute(
    client: WebClient, workspace: InstrumentedWorkspace, clock: HandClock
) -> None:
    for number in range(20):
        workspace.say("ana", "newsroom", f"Message {number}")
    workspace.faults.slow_history = True
    page = client.conversations_history(channel="C0NEWSROOM", limit=200)
    assert (len(page["messages"]), page["has_more"]) == (15, True)
    cursor = page["response_metadata"]["next_cursor"]
    with pytest.raises(SlackApiError) as caught:
        client.conversations_history(channel="C0NEWSROOM", limit=200, cursor=cursor)
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "60")
    clock.move(timedelta(minutes=1))
    assert len(client.conversations_history(channel="C0NEWSROOM", limit=200, cursor=cursor)["messages"]) == 5
