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

from bot.errors import ConfigError
from bot.workspace.connections import DroppableProtocol
from bot.workspace.feed import Feed
from bot.workspace.guard import Guard
from bot.workspace.request_url import RequestUrl
from bot.workspace.routes import PAGE_POSTS, Routes
from bot.workspace.socket_mode import SocketModeServer
from bot.workspace.workspace import Workspace

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8033
ACK_WITHIN = timedelta(seconds=3)
_STOP_WITHIN = 10.0
_PING_EVERY = 0.5
"""Seconds. Slack pings too; its SDK, asked to close, waits up to three seconds for the next byte to arrive."""


class WorkspaceServer:
    """Serves a workspace.

    ``port`` 0 picks a free one. ``ack_within`` is how long Slack waits for an app, three seconds. Give the bot
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
        self._host = host
        self._port = port
        self._ack_within = ack_within
        self._socket_mode = SocketModeServer(workspace.state, ack_within=ack_within)
        self._request_url: RequestUrl | None = None
        self._feed = Feed(workspace.state)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._uvicorn: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """The page's address."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    @property
    def api_url(self) -> str:
        """The Web API's base address, for ``WebClient(base_url=…)``."""
        return f"{self.url}api/"

    @property
    def bot_token(self) -> str:
        return self.workspace.bot_token

    @property
    def app_token(self) -> str:
        return self.workspace.app_token

    @property
    def signing_secret(self) -> str:
        return self.workspace.signing_secret

    def start(self) -> None:
        """Serve, in a thread; returns when the workspace answers. Raises ``ConfigError`` where the port is taken."""
        listening = listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        self.workspace.acting.base_url = self.url
        self.workspace.open_connection = self._connection_url
        self.workspace.state.connect(self._socket_mode.send)
        self._uvicorn = uvicorn.Server(self._config())
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listening]}, name="workspace", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Close every connection and the port. Safe to call twice."""
        if self._thread is None or self._uvicorn is None or self._loop is None:
            return
        self.workspace.state.connect(None)
        if self._request_url is not None:
            self._request_url.close()
        self._loop.call_soon_threadsafe(self._feed.stop)
        self._uvicorn.should_exit = True
        self._thread.join(_STOP_WITHIN)
        self._thread = None

    def deliver_to(self, url: str, signing_secret: str) -> None:
        """From now on post commands, events and actions to this Request URL instead of Socket Mode."""
        if self._request_url is not None:
            self._request_url.close()
        self._request_url = RequestUrl(
            url, signing_secret=signing_secret, clock=self.workspace.state.clock, ack_within=self._ack_within
        )
        self.workspace.state.connect(self._request_url.send)
        self.workspace.state.set_connected(connected=True)

    def refresh_connections(self) -> None:
        """Ask every Socket Mode connection to reconnect, as Slack does every few hours."""
        self._socket_mode.refresh()

    def drop_connections(self) -> None:
        """Cut every Socket Mode connection, as a broken network does."""
        self._socket_mode.drop()

    def _config(self) -> uvicorn.Config:
        app = Starlette(
            routes=Routes(self.workspace, self._socket_mode, self._feed).table(),
            middleware=[Middleware(Guard, port=lambda: self._port, needs_origin=PAGE_POSTS)],
            lifespan=self._lifespan,
        )
        return uvicorn.Config(
            app,
            http=DroppableProtocol,
            ws="websockets-sansio",
            ws_ping_interval=_PING_EVERY,
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        self._socket_mode.start(self._loop)
        self._feed.start(self._loop)
        self._ready.set()
        yield

    def _connection_url(self) -> str:
        return f"{self.url.replace('http://', 'ws://')}link/?ticket={self._socket_mode.new_ticket()}"


_STEP = 10
"""From a port that is taken to the one proposed: the next is that of /healthz, unless somebody moved it."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ``ConfigError`` where the port is taken, or the host is not this computer."""
    try:
        family = _loopback_family(host)
    except ValueError as error:
        raise ConfigError(
            f"The local workspace opens only on this computer, not on {host}: it lets anybody act "
            f"as anybody. Use LIKEWATCH_WORKSPACE={DEFAULT_HOST}:{port}."
        ) from error
    # IPPROTO_TCP: without it asyncio leaves Nagle on, and every answer waits 40 ms for an acknowledgement
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
