"""A workspace on the wire, and Slack's own client and Bolt as its judges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.workspace import Workspace, WorkspaceServer
from tests.standins.clock import HandClock

START = datetime(2016, 2, 2, 8, 0, tzinfo=UTC)
ACK_WITHIN = timedelta(seconds=0.3)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture
def server(clock: HandClock) -> Iterator[WorkspaceServer]:
    """A served workspace whose patience with an app is short."""
    server = WorkspaceServer(Workspace(clock=clock), port=0, ack_within=ACK_WITHIN)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workspace(server: WorkspaceServer) -> Workspace:
    return server.workspace


@pytest.fixture
def client(server: WorkspaceServer) -> WebClient:
    return WebClient(token=server.bot_token, base_url=server.api_url, retry_handlers=[])


@pytest.fixture
def app(client: WebClient) -> App:
    """A Bolt app without listeners; ``connected`` puts it on the wire."""
    return App(client=client)


@contextmanager
def connected(app: App, server: WorkspaceServer) -> Iterator[None]:
    """The app in Socket Mode."""
    client = SocketModeHandler(app, server.app_token).client
    client.connect()
    server.workspace.wait_for_bot()
    yield
    client.close()


@pytest.fixture
def wall_server() -> Iterator[WorkspaceServer]:
    """Served by the machine's clock: Bolt compares the signature's timestamp with it."""
    server = WorkspaceServer(Workspace(), port=0, ack_within=ACK_WITHIN)
    server.start()
    yield server
    server.stop()
