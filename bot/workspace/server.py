"""The workspace on the wire: Starlette on uvicorn, in a thread of its own with its own event loop, on loopback only."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from bot.config.field_types import Address
from bot.errors import ConfigError
from bot.http.server import FREE_PORT, HttpServer, listen
from bot.workspace import response_urls, web_api
from bot.workspace.model import SCOPES, Json, Refused
from bot.workspace.page_server import PageServer, WebsiteGuard, read_body
from bot.workspace.socket_mode import SocketModeServer
from bot.workspace.workspace import Workspace

ACK_WITHIN = timedelta(seconds=3)
_PING_EVERY = 0.5
"""Seconds. Slack pings too. slack_sdk, when it closes, waits up to three seconds for the next byte to arrive."""


class WorkspaceServer:
    """Serves a workspace.

    Port 0 picks a free one. ``ack_within`` is how long Slack waits for an app: three seconds. Give the bot
    ``api_url``, ``bot_token`` and ``app_token``.
    """

    def __init__(
        self, workspace: Workspace, address: Address = FREE_PORT, *, ack_within: timedelta = ACK_WITHIN
    ) -> None:
        self.workspace = workspace
        self.bot_token = workspace.bot_token
        self.app_token = workspace.app_token
        self.socket_mode = SocketModeServer(workspace, ack_within=ack_within)
        self._address = address
        self._page = PageServer(workspace)
        self._ready = threading.Event()
        self._server = HttpServer(
            self.app(),
            name="workspace",
            lifespan="on",
            http="h11",
            ws="websockets-sansio",
            ws_ping_interval=_PING_EVERY,
        )

    @property
    def url(self) -> str:
        """Return the page's address."""
        return f"http://{self._address}/"

    @property
    def api_url(self) -> str:
        """Return the Web API's base address, for ``WebClient(base_url=…)``."""
        return f"{self.url}api/"

    def start(self) -> None:
        """Serve in a thread, and return when the workspace answers. Raises ``ConfigError`` if the port is taken."""
        listening = listen_on_this_computer(self._address)
        self._address = replace(self._address, port=listening.getsockname()[1])
        self.workspace.base_url = self.url
        self.workspace.open_connection = self._connection_url
        self.workspace.connect(self.socket_mode.send)
        self._server.start(listening)
        self._ready.wait()

    def stop(self) -> None:
        """Close every connection and the port. A second call does nothing."""
        if self.socket_mode.loop is None or self.socket_mode.loop.is_closed():
            return
        self.workspace.connect(None)
        self.socket_mode.loop.call_soon_threadsafe(self._page.stop)
        self._server.stop()

    def app(self) -> ASGIApp:
        """Return the ASGI app that is served. Tests wrap it, to record calls and to make them fail."""
        return Starlette(
            routes=[
                Route("/api/{method}", self._call, methods=["GET", "POST"]),
                Route("/response/{secret}", self._respond, methods=["POST"]),
                WebSocketRoute("/link/", self.socket_mode.serve),
                *self._page.routes(),
            ],
            middleware=[Middleware(WebsiteGuard, port=lambda: self._address.port)],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.socket_mode.loop = asyncio.get_running_loop()
        self._page.start(self.socket_mode.loop)
        self._ready.set()
        yield

    def _connection_url(self) -> str:
        return f"{self.url.replace('http://', 'ws://')}link/?ticket={self.socket_mode.new_ticket()}"

    async def _call(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        try:
            answer = web_api.call(self.workspace, request.path_params["method"], await _arguments(request), token)
        except Refused as refused:
            return _refusal(refused, usual_status=200)
        return JSONResponse(answer, headers={"X-OAuth-Scopes": SCOPES})

    async def _respond(self, request: Request) -> Response:
        try:
            response_urls.respond(self.workspace, request.path_params["secret"], await _arguments(request))
        except Refused as refused:
            return _refusal(refused, usual_status=400)
        return PlainTextResponse("ok")


async def _arguments(request: Request) -> Json:
    body = await read_body(request)
    return web_api.parse_body(request.url.query, request.headers.get("content-type", ""), body)


def _refusal(refused: Refused, *, usual_status: int) -> Response:
    body: Json = {"ok": False, "error": refused.code}
    if refused.messages:
        body["response_metadata"] = {"messages": list(refused.messages)}
    headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
    return JSONResponse(body, status_code=refused.status or usual_status, headers=headers)


def listen_on_this_computer(address: Address) -> socket.socket:
    """Return a listening socket. Raise ``ConfigError`` if the port is taken or the host is not this computer."""
    try:
        is_here = address.host == "localhost" or ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise ConfigError(
            f"The local workspace opens only on this computer, not on {address.host}: it lets anybody act "
            f"as anybody. Use LIKEWATCH_WORKSPACE=127.0.0.1:{address.port}."
        )
    return listen(address, "LIKEWATCH_WORKSPACE")
