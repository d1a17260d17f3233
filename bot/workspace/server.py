"""The workspace on the wire: Starlette on uvicorn, in a thread of its own with its own event loop, on loopback only."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from bot.errors import ConfigError
from bot.workspace import response_urls, web_api
from bot.workspace.model import SCOPES, Json, Refused
from bot.workspace.page_server import PageServer, WebsiteGuard, read_body
from bot.workspace.request_url import RequestUrl
from bot.workspace.socket_mode import SocketModeServer
from bot.workspace.workspace import Workspace

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8033
ACK_WITHIN = timedelta(seconds=3)
_STOP_WITHIN = 10.0
_PING_EVERY = 0.5
"""Seconds. Slack pings too. slack_sdk, when it closes, waits up to three seconds for the next byte to arrive."""


class WorkspaceServer:
    """Serves a workspace.

    ``port`` 0 picks a free one. ``ack_within`` is how long Slack waits for an app: three seconds. Give the bot
    ``api_url``, ``bot_token`` and ``app_token``; or, over HTTP, ``signing_secret`` and call ``deliver_to``.
    """

    def __init__(
        self,
        workspace: Workspace,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        ack_within: timedelta = ACK_WITHIN,
    ) -> None:
        self.workspace = workspace
        self.bot_token = workspace.bot_token
        self.app_token = workspace.app_token
        self.signing_secret = workspace.signing_secret
        self.socket_mode = SocketModeServer(workspace, ack_within=ack_within)
        self._host = host
        self._port = port
        self._ack_within = ack_within
        self._request_url: RequestUrl | None = None
        self._page = PageServer(workspace)
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._uvicorn: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """Return the page's address."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    @property
    def api_url(self) -> str:
        """Return the Web API's base address, for ``WebClient(base_url=…)``."""
        return f"{self.url}api/"

    def start(self) -> None:
        """Serve in a thread, and return when the workspace answers. Raises ``ConfigError`` if the port is taken."""
        listening = listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        self.workspace.base_url = self.url
        self.workspace.open_connection = self._connection_url
        self.workspace.connect(self.socket_mode.send)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self.app(),
                http="h11",
                ws="websockets-sansio",
                ws_ping_interval=_PING_EVERY,
                lifespan="on",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listening]}, name="workspace", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Close every connection and the port. A second call does nothing."""
        if self._thread is None or self._uvicorn is None or self.socket_mode.loop is None:
            return
        self.workspace.connect(None)
        if self._request_url is not None:
            self._request_url.close()
        self.socket_mode.loop.call_soon_threadsafe(self._page.stop)
        self._uvicorn.should_exit = True
        self._thread.join(_STOP_WITHIN)
        self._thread = None

    def deliver_to(self, url: str, signing_secret: str) -> None:
        """From now on post commands, events and actions to this Request URL instead of Socket Mode."""
        if self._request_url is not None:
            self._request_url.close()
        self._request_url = RequestUrl(
            url, signing_secret=signing_secret, clock=self.workspace.clock, ack_within=self._ack_within
        )
        self.workspace.connect(self._request_url.send)
        self.workspace.set_connected(connected=True)

    def app(self) -> ASGIApp:
        """Return the ASGI app that is served. Tests wrap it, to record calls and to make them fail."""
        return Starlette(
            routes=[
                Route("/api/{method}", self._call, methods=["GET", "POST"]),
                Route("/response/{secret}", self._respond, methods=["POST"]),
                WebSocketRoute("/link/", self.socket_mode.serve),
                *self._page.routes(),
            ],
            middleware=[Middleware(WebsiteGuard, port=lambda: self._port)],
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


_STEP = 10
"""From a taken port to the proposed one. The port after the workspace's own is that of /healthz."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises ``ConfigError`` if the port is taken or the host is not this computer."""
    try:
        family = _loopback_family(host)
    except ValueError as error:
        raise ConfigError(
            f"The local workspace opens only on this computer, not on {host}: it lets anybody act "
            f"as anybody. Use LIKEWATCH_WORKSPACE={DEFAULT_HOST}:{port}."
        ) from error
    # IPPROTO_TCP: without it asyncio leaves Nagle's delay on, and every answer takes 40 ms longer
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"The local workspace cannot open port {port}: {error.strerror}. Perhaps Likewatch is already "
            f"running. Stop it, or choose another port: LIKEWATCH_WORKSPACE={host}:{port + _STEP}."
        ) from error
    return listening


def _loopback_family(host: str) -> socket.AddressFamily:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(host)
    return socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
