"""Slack over HTTP: Bolt checks our signature as it checks Slack's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import pytest
from slack_bolt import Ack, App, BoltRequest, Respond, Say
from slack_sdk import WebClient

from tests.labs.standins.instrumented_workspace import InstrumentedServer

Json: TypeAlias = dict[str, Any]

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}


@contextmanager
def request_url(app: App) -> Iterator[str]:
    """A Bolt app behind the plainest of HTTP servers."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = app.dispatch(BoltRequest(body=body, headers=dict(self.headers.items())))
            self.send_response(answer.status)
            for name, values in answer.headers.items():
                self.send_header(name, values[0])
            self.end_headers()
            self.wfile.write((answer.body or "").encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/slack/events"
        listening.shutdown()
        thread.join()


@pytest.fixture
def signed(client: WebClient, wall_server: InstrumentedServer) -> App:
    """A Bolt app that verifies signatures."""
    client.base_url = wall_server.api_url
    client.token = wall_server.bot_token
    return App(client=client, signing_secret=wall_server.signing_secret, process_before_response=True)


def test_commands_actions_and_events_pass_bolts_verification(signed: App, wall_server: InstrumentedServer) -> None:
    workspace = wall_server.workspace

    def likes(ack: Ack) -> None:
        ack(text="card", blocks=[{"type": "actions", "elements": [BUTTON]}])

    def pressed(ack: Ack, respond: Respond) -> None:
        ack()
        respond("pressed")

    def mentioned(say: Say) -> None:
        say("mentioned")

    signed.command("/likes")(likes)
    signed.action("go")(pressed)
    signed.event("app_mention")(mentioned)
    with request_url(signed) as url:
        wall_server.deliver_to(url, wall_server.signing_secret)
        assert workspace.connected
        workspace.say("ana", "newsroom", "/likes hunsen")
        card = workspace.wait_for_message("newsroom", "card")
        workspace.press("ana", card, action_id="go")
        workspace.wait_for_message("newsroom", "pressed")
        workspace.say("ana", "newsroom", "@Likewatch hello")
        workspace.wait_for_message("newsroom", "mentioned")


@pytest.mark.parametrize("cause", ["a wrong signature", "no listener"])
def test_a_refused_request_fails_before_the_persons_eyes(
    signed: App, wall_server: InstrumentedServer, cause: str
) -> None:
    secret = "wrong" if cause == "a wrong signature" else wall_server.signing_secret
    with request_url(signed) as url:
        wall_server.deliver_to(url, secret)
        wall_server.workspace.say("ana", "newsroom", "/likes hunsen")
        wall_server.workspace.wait_for_message("newsroom", '/likes failed with the error "dispatch_failed"')


def test_an_answer_after_the_limit_is_no_answer(signed: App, wall_server: InstrumentedServer) -> None:
    released = threading.Event()

    def likes(ack: Ack) -> None:
        released.wait()
        ack("too late")

    signed.command("/likes")(likes)
    with request_url(signed) as url:
        wall_server.deliver_to(url, wall_server.signing_secret)
        wall_server.workspace.say("ana", "newsroom", "/likes hunsen")
        wall_server.workspace.wait_for_message("newsroom", '/likes failed with the error "operation_timeout"')
        released.set()


def test_an_address_where_nobody_listens_fails(wall_server: InstrumentedServer) -> None:
    wall_server.deliver_to("http://127.0.0.1:9/", "secret")
    wall_server.workspace.say("ana", "newsroom", "/likes hunsen")
    wall_server.workspace.wait_for_message("newsroom", "dispatch_failed")
