import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from bot.config.field_types import Address
from bot.errors import ConfigError
from bot.slack.http_server import MAX_BODY, SlackServer
from tests.labs.standins.request_url import sign
from tests.labs.standins.slacked import Newsroom, newsroom

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
COMMAND = urlencode(
    {
        "command": "/likes",
        "text": "help",
        "team_id": "T0NEWSROOM",
        "channel_id": "C0NEWSROOM",
        "user_id": "U0ANA00001",
        "response_url": "http://127.0.0.1:9/response",
        "trigger_id": "1.2.3",
    }
).encode()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path, over_http=True) as running:
        yield running


def send(
    room: Newsroom,
    body: bytes,
    *,
    content_type: str = FORM,
    secret: str = "",
    age: float = 0,
    verb: str = "POST",
    headers: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Send what Slack would; ``secret`` signs it instead of the right one, ``headers`` replace the signature's."""
    timestamp = str(int(time.time() - age))
    signed = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": sign(secret or room.server.signing_secret, timestamp, body),
    }
    where = urlsplit(room.http)
    connection = http.client.HTTPConnection(where.netloc, timeout=10)
    try:
        connection.request(verb, where.path, body, {"Content-Type": content_type, **signed, **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_a_signed_command_is_answered_in_the_acknowledgement(room: Newsroom) -> None:
    status, body = send(room, COMMAND)
    assert status == 200
    assert json.loads(body)["response_type"] == "ephemeral"
    assert "What /likes can do" in json.loads(body)["text"]


def test_a_wrong_signature_is_refused(room: Newsroom) -> None:
    assert send(room, COMMAND, secret="of another app")[0] == 401


def test_a_request_of_ten_minutes_ago_is_refused(room: Newsroom) -> None:
    assert send(room, COMMAND, age=600)[0] == 401


@pytest.mark.parametrize(("age", "status"), [(290, 200), (310, 401), (-290, 200), (-310, 401)])
def test_a_signature_is_good_for_five_minutes(room: Newsroom, age: float, status: int) -> None:
    assert send(room, COMMAND, age=age)[0] == status


def test_a_request_that_somebody_sends_again_as_it_was_is_refused(room: Newsroom) -> None:
    timestamp = str(int(time.time()))
    headers = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": sign(room.server.signing_secret, timestamp, COMMAND),
    }
    assert send(room, COMMAND, headers=headers)[0] == 200
    assert send(room, COMMAND, headers=headers) == (401, "")


def test_the_same_trigger_signed_anew_has_one_effect_and_the_same_answer(room: Newsroom) -> None:
    room.track("hunsen")
    body = COMMAND.replace(b"%2Flikes", b"%2Ftrends").replace(b"text=help", b"text=mute+hunsen")
    first, again = send(room, body, age=1), send(room, body)
    assert first == again
    assert first[0] == 200
    assert [entry.action for entry in room.store.audit.recent()] == ["mute"]


def test_a_trigger_that_comes_again_after_a_restart_has_one_effect(tmp_path: Path) -> None:
    body = COMMAND.replace(b"%2Flikes", b"%2Ftrends").replace(b"text=help", b"text=mute+hunsen")
    with newsroom(tmp_path, over_http=True) as room:
        room.track("hunsen")
        send(room, body)
    with newsroom(tmp_path, over_http=True) as room:
        status, answer = send(room, body)
        assert (status, "twice" in json.loads(answer)["text"]) == (200, True)
        assert [entry.action for entry in room.store.audit.recent()] == ["mute"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Slack-Request-Timestamp": "now"}, id="a timestamp that is no number"),
        pytest.param({"X-Slack-Request-Timestamp": "9" * 5000}, id="a timestamp without end"),
        pytest.param({"X-Slack-Signature": "v0=\xe9"}, id="a signature outside ASCII"),
        pytest.param({"X-Slack-Signature": ""}, id="no signature"),
    ],
)
def test_what_is_not_even_a_signature_is_refused(room: Newsroom, headers: dict[str, str]) -> None:
    assert send(room, COMMAND, headers=headers)[0] == 401


def test_bytes_that_are_no_text_are_refused(room: Newsroom) -> None:
    assert send(room, b"\xff\xfe")[0] == 401


def test_a_body_without_end_is_not_read(room: Newsroom) -> None:
    assert send(room, b"a" * (MAX_BODY + 1))[0] == 413


def test_signed_nonsense_is_malformed(room: Newsroom) -> None:
    assert send(room, b"{", content_type=JSON)[0] == 400


def test_slack_may_verify_the_address(room: Newsroom) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
    status, answer = send(room, body, content_type=JSON)
    assert (status, json.loads(answer)["challenge"]) == (200, "3eZbrw1aB")


def test_only_posts_are_taken(room: Newsroom) -> None:
    assert send(room, b"", verb="GET")[0] == 405


def test_a_port_in_use_is_named(room: Newsroom) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = SlackServer(room.app.bolt, signing_secret="x", address=Address(host="127.0.0.1", port=port))
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}.*LIKEWATCH_HTTP"):
            server.start()
        server.stop()
