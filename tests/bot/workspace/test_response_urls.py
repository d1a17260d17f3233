from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from tests.labs.standins.clock import HandClock
from tests.labs.standins.instrumented_workspace import InstrumentedWorkspace

Json: TypeAlias = dict[str, Any]

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}


def asked(workspace: InstrumentedWorkspace) -> str:
    """The response URL of a fresh /likes by Ana."""
    workspace.say("ana", "newsroom", "/likes hunsen")
    return str(workspace.envelopes[-1].payload["response_url"])


def pressed(workspace: InstrumentedWorkspace, client: WebClient) -> str:
    """The response URL of a button pressed by Ana."""
    blocks = [{"type": "actions", "elements": [BUTTON]}]
    client.chat_postMessage(channel="C0NEWSROOM", text="The card", blocks=blocks)
    workspace.press("ana", workspace.messages("newsroom")[-1], action_id="go")
    return str(workspace.envelopes[-1].payload["response_url"])


def respond(url: str, **body: Any) -> WebhookResponse:
    return WebhookClient(url, retry_handlers=[]).send_dict(body)


def texts(workspace: InstrumentedWorkspace, person: str) -> list[str]:
    return [message.text for message in workspace.messages("newsroom", person=person) if message.by_bot]


@pytest.mark.parametrize(
    ("body", "ana", "dara"),
    [
        ({"text": "x"}, ["x"], []),
        ({"text": "x", "response_type": "ephemeral"}, ["x"], []),
        ({"text": "x", "response_type": "in_channel"}, ["x"], ["x"]),
        ({"text": "x", "replace_original": True}, ["x"], []),
    ],
)
def test_it_answers_a_command(workspace: InstrumentedWorkspace, body: Json, ana: list[str], dara: list[str]) -> None:
    assert respond(asked(workspace), **body).body == "ok"
    assert texts(workspace, "ana") == ana
    assert texts(workspace, "dara") == dara


@pytest.mark.parametrize(
    ("body", "ana", "dara"),
    [
        ({"text": "x"}, ["The card", "x"], ["The card"]),
        ({"text": "x", "replace_original": True}, ["x"], ["x"]),
        ({"text": "x", "delete_original": True}, ["x"], []),
        ({"delete_original": True}, [], []),
    ],
)
def test_it_answers_a_button(
    workspace: InstrumentedWorkspace, client: WebClient, body: Json, ana: list[str], dara: list[str]
) -> None:
    assert respond(pressed(workspace, client), **body).status_code == 200
    assert texts(workspace, "ana") == ana
    assert texts(workspace, "dara") == dara


def test_a_later_answer_to_a_command_may_replace_the_first(workspace: InstrumentedWorkspace) -> None:
    url = asked(workspace)
    respond(url, text="Looking it up …")
    respond(url, text="Here it is", replace_original=True)
    assert texts(workspace, "ana") == ["Here it is"]


def test_it_answers_in_a_thread(workspace: InstrumentedWorkspace) -> None:
    workspace.say("dara", "newsroom", "Seen?")
    root = workspace.messages("newsroom")[0]
    respond(asked(workspace), text="x", thread_ts=root.ts)
    assert workspace.messages("newsroom")[-1].thread_ts == root.ts


def test_it_answers_where_the_bot_is_not_a_member(workspace: InstrumentedWorkspace) -> None:
    workspace.say("ana", "general", "/likes")
    assert respond(workspace.envelopes[-1].payload["response_url"], text="x").status_code == 200


def test_five_answers_and_no_more(workspace: InstrumentedWorkspace) -> None:
    url = asked(workspace)
    assert [respond(url, text=str(number)).status_code for number in range(5)] == [200] * 5
    sixth = respond(url, text="6")
    assert (sixth.status_code, '"used_url"' in sixth.body) == (404, True)


@pytest.mark.parametrize(("minutes", "status"), [(30, 200), (31, 404)])
def test_thirty_minutes_and_no_longer(
    workspace: InstrumentedWorkspace, clock: HandClock, minutes: int, status: int
) -> None:
    url = asked(workspace)
    clock.move(timedelta(minutes=minutes))
    answer = respond(url, text="late")
    assert answer.status_code == status
    assert ("expired_url" in answer.body) is (status == 404)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "respnse_type": "in_channel"}, "unknown argument: respnse_type"),
        ({"text": "x", "response_type": "public"}, "ephemeral or in_channel"),
        ({"blocks": [{"type": "poll"}]}, "unsupported type: poll"),
        ({"text": "x" * 40_001}, "msg_too_long"),
    ],
)
def test_it_refuses_what_slack_would_not_show(workspace: InstrumentedWorkspace, body: Json, fault: str) -> None:
    answer = respond(asked(workspace), **body)
    assert (answer.status_code, fault in answer.body) == (400, True)
    assert texts(workspace, "ana") == []


def test_a_made_up_address_answers_to_nothing(workspace: InstrumentedWorkspace) -> None:
    assert respond(f"{asked(workspace)}x", text="x").status_code == 404
