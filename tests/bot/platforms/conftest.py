from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from bot.http.client import Http
from bot.platforms import bluesky
from bot.platforms.facebook import platform as facebook
from tests.labs.standins.bluesky import Bluesky
from tests.labs.standins.graph import Graph
from tests.labs.standins.loopback import App, Message, Receive, Send, serving

TOKEN = "EAAB-token-nobody-may-see"
SECRET = "app-secret-nobody-may-see"


class Switchboard:
    """Yield one server for all tests: starting and stopping a server takes longer than a test."""

    app: App

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switchboard() -> Iterator[tuple[Switchboard, str]]:
    board = Switchboard()
    with serving(board) as url:
        yield board, url


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def graph_http(switchboard: tuple[Switchboard, str]) -> Iterator[tuple[Graph, Http]]:
    """Yield a Graph stand-in with a client."""
    switchboard[0].app = graph = Graph(token=TOKEN, app_secret=SECRET)
    values = {"FACEBOOK_ACCESS_TOKEN": TOKEN, "FACEBOOK_APP_SECRET": SECRET, "FACEBOOK_API_URL": switchboard[1]}
    with closing(Http(values, facebook.base_url(values))) as http:
        yield graph, http


@pytest.fixture
def sky_http(switchboard: tuple[Switchboard, str]) -> Iterator[tuple[Bluesky, Http]]:
    """Yield a Bluesky stand-in with a client."""
    switchboard[0].app = sky = Bluesky()
    values = {"BLUESKY_API_URL": switchboard[1]}
    with closing(Http(values, bluesky.base_url(values))) as http:
        yield sky, http
