"""The page's doors and who may knock at them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest

from bot.config.field_types import Address
from bot.errors import ConfigError
from bot.workspace import Workspace, WorkspaceServer
from tests.labs.standins.instrumented_workspace import InstrumentedServer

Json: TypeAlias = dict[str, Any]


@contextmanager
def request(
    server: InstrumentedServer, method: str, path: str, headers: Mapping[str, str], body: str = ""
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    try:
        connection.request(method, path, body, dict(headers))
        yield connection.getresponse()
    finally:
        connection.close()


def post(server: InstrumentedServer, path: str, body: object, **headers: str) -> tuple[int, str]:
    sent = {"Origin": server.url.rstrip("/"), "Content-Type": "application/json", **headers}
    with request(server, "POST", path, sent, json.dumps(body)) as response:
        return response.status, response.read().decode()


def say(server: InstrumentedServer, said: object, **headers: str) -> tuple[int, str]:
    return post(server, "/say", said, **headers)


HELLO = {"person": "ana", "channel": "newsroom", "text": "Hello"}


def test_somebody_at_the_page_says_something(server: InstrumentedServer) -> None:
    assert say(server, HELLO) == (204, "")
    assert [message.text for message in server.workspace.messages("newsroom")] == ["Hello"]


def test_somebody_at_the_page_presses_a_button_and_puts_a_message_away(server: InstrumentedServer) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}
    card = [{"type": "actions", "block_id": "row", "elements": [button]}]
    server.workspace.api("chat.postEphemeral", channel="C0NEWSROOM", user="U0ANA00001", text="x", blocks=card)
    (shown,) = server.workspace.messages("newsroom")
    here = {"person": "ana", "channel": "newsroom", "ts": shown.ts}
    assert post(server, "/press", {**here, "block_id": "row", "action_id": "go"}) == (204, "")
    assert [sent.payload["actions"][0]["action_id"] for sent in server.workspace.envelopes] == ["go"]
    assert "no longer there" in post(server, "/press", {**here, "block_id": "row", "action_id": "stop"})[1]
    assert post(server, "/dismiss", {**here, "person": "dara"}) == (204, "")
    assert shown in server.workspace.messages("newsroom")
    assert post(server, "/dismiss", here) == (204, "")
    assert shown not in server.workspace.messages("newsroom")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({**HELLO, "text": "  "}, "Type something first."),
        ({**HELLO, "channel": "nowhere"}, "channel_not_found"),
        ({**HELLO, "channel": "D0DARA0002"}, "somebody else's direct messages"),
        ({"person": "ana", "channel": "newsroom"}, "text is missing"),
        ([], "json_not_object"),
    ],
)
def test_bad_input_gets_a_sentence(server: InstrumentedServer, said: object, sentence: str) -> None:
    status, answer = say(server, said)
    assert (status, sentence in answer) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8033"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_other_websites_are_kept_out(server: InstrumentedServer, headers: dict[str, str]) -> None:
    status, _ = say(server, HELLO, **headers)
    assert status in {400, 403}
    assert server.workspace.messages("newsroom") == []


def test_a_post_without_an_origin_is_not_the_pages(server: InstrumentedServer) -> None:
    with request(server, "POST", "/say", {"Content-Type": "application/json"}, json.dumps(HELLO)) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", ["/api/auth.test", "/link/?ticket=x", "/"])
def test_no_address_answers_to_a_foreign_name(server: InstrumentedServer, path: str) -> None:
    with request(server, "GET", path, {"Host": "rebound.example"}) as response:
        assert response.status == 403


def test_the_page_may_run_its_own_scripts_only(server: InstrumentedServer) -> None:
    with request(server, "GET", "/", {}) as response:
        policy = response.headers["Content-Security-Policy"]
        page = response.read().decode()
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "Access-Control-Allow-Origin" not in response.headers


def test_too_large_a_request_is_refused(server: InstrumentedServer) -> None:
    status, answer = say(server, {**HELLO, "text": "x" * 1_000_001})
    assert (status, "request_too_large" in answer) == (400, True)


def events(response: http.client.HTTPResponse) -> Iterator[Json]:
    for line in response:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


def test_the_stream_begins_with_everything_and_goes_on_with_what_happens(server: InstrumentedServer) -> None:
    server.workspace.say("dara", "newsroom", "Before")
    with request(server, "GET", "/live?person=ana", {}) as response:
        heard = events(response)
        snapshot = next(heard)
        assert [message["text"] for message in snapshot["messages"]] == ["Before"]
        assert {channel["name"] for channel in snapshot["channels"]} == {"newsroom", "politics", "general", "Likewatch"}
        server.workspace.say("dara", "newsroom", "/unknown")  # only Dara is told
        server.workspace.say("dara", "D0DARA0002", "private")  # Dara's direct messages
        server.workspace.invite("general")
        server.workspace.say("dara", "newsroom", "After")
        assert next(heard)["type"] == "channels"
        assert next(heard)["message"]["text"] == "After"


def test_nobody_streams_as_a_stranger(server: InstrumentedServer) -> None:
    with request(server, "GET", "/live?person=mallory", {}) as response:
        assert response.status == 404


def test_a_port_in_use_is_told_with_what_to_do(server: InstrumentedServer) -> None:
    taken = urlsplit(server.url).port or 0
    with pytest.raises(ConfigError, match=rf"port {taken}.*LIKEWATCH_WORKSPACE=127.0.0.1:{taken + 10}"):
        WorkspaceServer(Workspace(), Address(host="127.0.0.1", port=taken)).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org"])  # noqa: S104 (it must be refused)
def test_it_opens_on_this_computer_only(host: str) -> None:
    with pytest.raises(ConfigError, match="only on this computer"):
        WorkspaceServer(Workspace(), Address(host=host, port=8033)).start()


def test_stopping_twice_or_before_the_start_does_no_harm() -> None:
    server = InstrumentedServer()
    server.stop()
    server.start()
    server.stop()
    server.stop()
