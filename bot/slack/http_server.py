"""Serve Slack over HTTP: Bolt answers signed requests to ``POST /slack/events`` in a thread."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.config.field_types import Address
from bot.http.server import HttpServer, listen

log = logging.getLogger(__name__)

PATH = "/slack/events"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_VALID_SECONDS = 300  # of a signature, before and after its timestamp: the verifier's own limit

LISTENERS = 1
"""Threads that answer Slack.

One thread answers from the store in a millisecond, and several would only contend. Nothing here waits for the network:
the app's workers do that.
"""

MAX_BODY = 1_000_000
"""Bytes. Slack's requests are far smaller, and a larger one is refused before its signature is checked."""

STOP_WITHIN = 5
"""Seconds that open requests get at the end."""


class SlackServer:
    """The HTTP server, in its own thread. If the port is 0, the server takes a free one; see ``address``."""

    def __init__(self, bolt: App, *, signing_secret: str, address: Address) -> None:
        self.address = address
        self._listeners = ThreadPoolExecutor(LISTENERS, thread_name_prefix="slack")
        events = _events(bolt, _Signatures(signing_secret), self._listeners)
        routes = [Route(PATH, events, methods=["POST"])]
        self._server = HttpServer(Starlette(routes=routes), name="slack-http", stop_within=STOP_WITHIN)

    def start(self) -> None:
        """Start to listen. Raise ``ConfigError`` if nothing can listen on the address."""
        listening = listen(self.address, "LIKEWATCH_HTTP")
        self.address = replace(self.address, port=listening.getsockname()[1])
        self._server.start(listening)

    def stop(self) -> None:
        """Answer the open requests, and close."""
        self._server.stop()
        self._listeners.shutdown()


def _events(
    bolt: App, signatures: _Signatures, listeners: ThreadPoolExecutor
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint. Bolt's own ASGI adapter would block the event loop while a listener runs."""

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
    """Return the body, or None if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


class _Signatures:
    """Admits requests that Slack signed at most five minutes ago, and each signature once."""

    def __init__(self, signing_secret: str) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._seen: dict[str, int] = {}  # signature -> its timestamp, oldest first

    def admit(self, body: bytes, headers: Headers) -> bool:
        """Return whether the signature of this body is valid and new. Nothing of the body is parsed before.

        https://docs.slack.dev/authentication/verifying-requests-from-slack. If Slack repeats a request, it signs anew;
        the id of the trigger or event then prevents a second effect. The patterns are checked first, because the
        verifier fails on timestamps that are no numbers and on letters outside ASCII.
        """
        timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        try:
            valid = self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:
            return False
        return valid and self._is_first(signature, int(timestamp))

    def _is_first(self, signature: str, timestamp: int) -> bool:
        if signature in self._seen:
            log.warning("A request came twice with the same signature from Slack; the second one was refused")
            return False
        self._seen[signature] = timestamp
        oldest = next(iter(self._seen))
        while self._seen[oldest] < timestamp - 2 * _VALID_SECONDS:
            del self._seen[oldest]
            oldest = next(iter(self._seen))
        return True


def _dispatch(bolt: App, body: str, headers: Headers) -> BoltResponse:
    try:
        request = BoltRequest(body=body, headers=dict(headers))
    except ValueError:
        return BoltResponse(status=HTTPStatus.BAD_REQUEST)
    return bolt.dispatch(request)
