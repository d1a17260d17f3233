"""Slack over HTTP: signed requests to ``POST /slack/events``, answered by Bolt in threads, served by uvicorn."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import uvicorn
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import ConfigError

log = logging.getLogger(__name__)

PATH = "/slack/events"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_GOOD_FOR = 300  # seconds, before and after: the verifier's own

LISTENERS = 1
"""Threads that answer Slack: what one answers from the store in a millisecond, several would only contend for.

Nothing here waits for the network: that is done by the app's own workers.
"""

MAX_BODY = 1_000_000
"""Bytes. Slack's own requests stay far below; nothing larger is read before its signature is checked."""

STOP_WITHIN = 5
"""Seconds that open requests are given at the end."""


class SlackServer:
    """The HTTP server, in a thread of its own. ``port`` 0 takes a free one; see ``address``."""

    def __init__(self, bolt: App, *, signing_secret: str, host: str, port: int) -> None:
        self._listeners = ThreadPoolExecutor(LISTENERS, thread_name_prefix="slack")
        self._host, self._port = host, port
        self._socket: socket.socket | None = None
        events = _events(bolt, _Signatures(signing_secret), self._listeners)
        asgi = Starlette(routes=[Route(PATH, events, methods=["POST"])])
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                asgi,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=STOP_WITHIN,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="slack-http", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return f"{self._host}:{self._port}"

    def start(self) -> None:
        """Listen, and return; ``ConfigError`` where the address cannot be had."""
        try:
            self._socket = socket.create_server((self._host, self._port), backlog=2048)
        except OSError as error:
            raise ConfigError(
                f"Nothing can listen on {self.address}: {error.strerror or error}. Stop the program that uses it, or "
                "set LIKEWATCH_HTTP to another host:port."
            ) from error
        # asyncio does this only to sockets that it made itself; without it, answers wait 40 ms for an acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = self._socket.getsockname()[1]
        self._thread.start()

    def stop(self) -> None:
        """Answer what is open, and close."""
        self._uvicorn.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._listeners.shutdown()
        if self._socket is not None:
            self._socket.close()

    def _serve(self) -> None:
        assert self._socket is not None  # noqa: S101 (the thread is started after it)
        self._uvicorn.run(sockets=[self._socket])


def _events(
    bolt: App, signatures: _Signatures, listeners: ThreadPoolExecutor
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint. Bolt's own ASGI adapter would hold up the event loop while a listener runs."""

    async def events(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not signatures.admit(body, request.headers):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(listeners, _dispatch, bolt, body.decode(), request.headers)
        return Response(answer.body, answer.status, answer.first_headers())

    return events


async def _read(request: Request) -> bytes | None:
    """The body; None if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


class _Signatures:
    """Lets in what Slack signed, at most five minutes ago, and each signed request once."""

    def __init__(self, signing_secret: str) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._taken: dict[str, int] = {}  # signature -> its timestamp, oldest first

    def admit(self, body: bytes, headers: Headers) -> bool:
        """Whether the signature over this body is good and was not used before; nothing of the body is read first.

        https://docs.slack.dev/authentication/verifying-requests-from-slack. Slack signs anew what it sends again, and
        that has one effect by its trigger's or event's id. The verifier itself falls over timestamps that are no
        numbers, and over letters outside ASCII.
        """
        timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        try:
            good = self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:
            return False
        return good and self._is_first(signature, int(timestamp))

    def _is_first(self, signature: str, timestamp: int) -> bool:
        if signature in self._taken:
            log.warning("A request was sent a second time with Slack's signature of the first; it was refused")
            return False
        self._taken[signature] = timestamp
        oldest = next(iter(self._taken))
        while self._taken[oldest] < timestamp - 2 * _GOOD_FOR:
            del self._taken[oldest]
            oldest = next(iter(self._taken))
        return True


def _dispatch(bolt: App, body: str, headers: Headers) -> BoltResponse:
    try:
        request = BoltRequest(body=body, headers=dict(headers))
    except ValueError:
        return BoltResponse(status=HTTPStatus.BAD_REQUEST)
    return bolt.dispatch(request)
