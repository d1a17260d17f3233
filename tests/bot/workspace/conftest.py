"""A workspace on the wire, and Slack's own client and Bolt as its judges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from tests.labs.standins.clock import HandClock
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace

OnTheWire: TypeAlias = Callable[[], AbstractContextManager[None]]

START = datetime(2016, 2, 2, 8, 0, tzinfo=UTC)
ACK_WITHIN = timedelta(seconds=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture
def server(clock: HandClock) -> Iterator[InstrumentedServer]:
    """A served workspace whose patience with an app is short."""
    server = InstrumentedServer(InstrumentedWorkspace(clock=clock), ack_within=ACK_WITHIN)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workspace(server: InstrumentedServer) -> InstrumentedWorkspace:
    return server.workspace


@pytest.fixture
def client(server: InstrumentedServer) -> WebClient:
    return WebClient(token=server.bot_token, base_url=server.api_url, retry_handlers=[])


@pytest.fixture
def app(client: WebClient) -> App:
    """A Bolt app without listeners; ``on_the_wire`` connects it."""
    return App(client=client)


@pytest.fixture
def on_the_wire(app: App, server: InstrumentedServer) -> OnTheWire:
    """Connects the app in Socket Mode, for as long as the ``with`` block lasts."""

    @contextmanager
    def connected() -> Iterator[None]:
        socket_mode = SocketModeHandler(app, server.app_token, ping_interval=1).client
        socket_mode.connect()
        server.workspace.wait_for_bot()
        yield
        socket_mode.close()

    return connected


@pytest.fixture
def wall_server() -> Iterator[InstrumentedServer]:
    """Served by the machine's clock: Bolt compares the signature's timestamp with it."""
    server = InstrumentedServer(InstrumentedWorkspace(), ack_within=ACK_WITHIN)
    server.start()
    yield server
    server.stop()
