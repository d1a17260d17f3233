import os
import subprocess
import sys
from collections.abc import Iterator
from http.client import RemoteDisconnected
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.slack.client import ResponseRefused, send_response, slack_client, with_chart_fallback
from bot.slack.contract import Card, Chart, Plot, Series
from bot.slack.render.block_kit import blocks
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.slack_faults import DROP_AFTER, refuse
from tests.labs.standins.slacked import served

ROOT = Path(__file__).parents[3]
CHART = Plot(
    title="Likes", chart=Chart.LINE, categories=("Mon", "Tue"), series=(Series(name="Hun Sen", values=(1.0, 2.0)),)
)


@pytest.fixture
def server() -> Iterator[InstrumentedServer]:
    with served(InstrumentedWorkspace()) as running:
        yield running


def test_a_call_whose_answer_is_lost_is_made_once(server: InstrumentedServer) -> None:
    server.workspace.faults.next("chat.postMessage", DROP_AFTER)
    client = slack_client(token=server.bot_token, api_url=server.api_url)
    with pytest.raises(RemoteDisconnected):
        client.chat_postMessage(channel="C0NEWSROOM", text="once")
    assert len(server.workspace.messages("newsroom")) == 1


def test_a_chart_that_slack_refuses_is_sent_as_words(server: InstrumentedServer) -> None:
    server.workspace.faults.next("chat.postMessage", refuse("invalid_blocks"))
    client = slack_client(token=server.bot_token, api_url=server.api_url)

    def post(shown: list[dict[str, object]]) -> SlackResponse:
        return client.chat_postMessage(channel="C0NEWSROOM", text="Likes", blocks=shown)

    with_chart_fallback(post, blocks(Card(headline="Likes", plot=CHART)))
    (message,) = server.workspace.messages("newsroom")
    assert "data_visualization" not in str(message.blocks)
    assert "Hun Sen: Mon: 1; Tue: 2" in str(message.blocks)


def test_blocks_without_a_chart_that_slack_refuses_are_not_sent_again(server: InstrumentedServer) -> None:
    server.workspace.faults.next("chat.postMessage", refuse("invalid_blocks"))
    client = slack_client(token=server.bot_token, api_url=server.api_url)
    with pytest.raises(SlackApiError):
        with_chart_fallback(
            lambda shown: client.chat_postMessage(channel="C0NEWSROOM", text="Likes", blocks=shown),
            blocks(Card(headline="Likes")),
        )
    assert server.workspace.messages("newsroom") == []


def test_a_response_url_that_takes_nothing_is_an_error(server: InstrumentedServer) -> None:
    with pytest.raises(ResponseRefused, match="invalid_url"):
        send_response(f"{server.url}response/unknown", {"text": "too late"}, proxy=None)


def test_the_local_workspace_is_reached_past_any_proxy(server: InstrumentedServer) -> None:
    asked = f"""
from bot.slack.client import slack_client
print(slack_client(token={server.bot_token!r}, api_url={server.api_url!r}).auth_test()["team"])
"""
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    environment = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"} | proxies
    process = subprocess.run(
        [sys.executable, "-c", asked], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.stdout == "Newsroom\n", process.stderr
