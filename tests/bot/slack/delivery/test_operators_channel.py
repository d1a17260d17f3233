"""The operators' channel gets each sentence in plain words, and once."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bot.slack.client import slack_client
from bot.slack.delivery.notices import OperatorsChannel
from tests.labs.standins.instrumented_workspace import InstrumentedServer

SENTENCE = "Facebook cannot be read. Put a new token in FACEBOOK_ACCESS_TOKEN, <!channel> & all."


@pytest.fixture(scope="module")
def slack() -> Iterator[InstrumentedServer]:
    server = InstrumentedServer()
    server.start()
    yield server
    server.stop()


def channel(slack: InstrumentedServer, name: str) -> OperatorsChannel:
    return OperatorsChannel(slack_client(token=slack.bot_token, api_url=slack.api_url), name)


def posted(slack: InstrumentedServer) -> list[dict[str, object]]:
    return [call.arguments for call in slack.workspace.calls if call.method == "chat.postMessage"]


def test_the_sentence_is_posted_as_it_is(slack: InstrumentedServer) -> None:
    before = len(posted(slack))
    assert channel(slack, slack.workspace.channel("newsroom").id).post(SENTENCE)
    assert len(posted(slack)) == before + 1
    assert SENTENCE in str(posted(slack)[-1]["blocks"])
    assert "<!channel>" not in str(posted(slack)[-1]["text"])


def test_without_a_channel_nobody_is_told(slack: InstrumentedServer) -> None:
    before = len(posted(slack))
    assert channel(slack, "").post(SENTENCE)
    assert len(posted(slack)) == before


def test_a_channel_that_is_not_there_is_tried_again_and_named_in_the_log_once(
    slack: InstrumentedServer, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = channel(slack, "C0NOWHERE")
    assert not nowhere.post(SENTENCE)
    assert not nowhere.post(SENTENCE)
    assert [record.getMessage() for record in caplog.records] == [
        f"The operators' channel could not be reached (channel_not_found): {SENTENCE}"
    ]


def test_a_slack_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = slack_client(token="xoxb-x", api_url=f"http://127.0.0.1:{port}/api/")
    assert not OperatorsChannel(client, "C1").post(SENTENCE)
