from __future__ import annotations

from http.client import RemoteDisconnected

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

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
