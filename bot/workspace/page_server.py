"""The page in the browser: its files, its posts, the stream of what happens, and a guard against other websites."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from bot.workspace import people
from bot.workspace.model import BOT_NAME, BOT_USER_ID, TEAM_NAME, Change, ChangeKind, Json, Message, Refused
from bot.workspace.web_api import parse_body
from bot.workspace.workspace import Workspace

FILES = Path(__file__).parent / "page"
MAX_BODY = 1_000_000
HEARTBEAT = 15.0
"""Seconds between comments that keep an idle stream open, and show that its page is gone."""


class PageServer:
    """The page's routes, and one stream of server-sent events for each open page.

    A stream begins with everything (``snapshot``), so a page that lost its connection needs only a new one.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: list[tuple[str, asyncio.Queue[Json | None]]] = []

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._workspace.listeners.append(self._changed)

    def stop(self) -> None:
        """End every stream. Call this on the loop."""
        self._workspace.listeners.remove(self._changed)
        for _, events in self._open:
            events.put_nowait(None)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", lambda _request: FileResponse(FILES / "index.html")),
            Mount("/page", StaticFiles(directory=FILES)),
            Route("/live", self._live),
            Route("/say", self._post(people.say), methods=["POST"]),
            Route("/press", self._post(people.press), methods=["POST"]),
            Route("/dismiss", self._post(people.dismiss), methods=["POST"]),
        ]

    def _post(self, act: Callable[..., None]) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that takes ``act``'s arguments as JSON, and answers only with what was wrong."""
        parameters = dict(inspect.signature(act).parameters)
        del parameters["workspace"]
        required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]

        @functools.wraps(act)
        async def endpoint(request: Request) -> Response:
            try:
                body = parse_body("", request.headers.get("content-type", ""), await read_body(request))
                if missing := [name for name in required if name not in body]:
                    return JSONResponse({"error": f"{missing[0]} is missing."}, status_code=400)
                act(self._workspace, **{name: body[name] for name in parameters if name in body})
            except Refused as refused:
                error = refused.messages[0] if refused.messages else refused.code
                return JSONResponse({"error": error}, status_code=400)
            return Response(status_code=204)

        return endpoint

    async def _live(self, request: Request) -> Response:
        try:
            person = self._workspace.person(request.query_params.get("person", "ana"))
        except Refused as refused:
            return JSONResponse({"error": refused.code}, status_code=404)
        return StreamingResponse(self._stream(person.id), media_type="text/event-stream")

    async def _stream(self, person_id: str) -> AsyncIterator[str]:
        page = (person_id, asyncio.Queue[Json | None]())
        with self._workspace.lock:
            self._open.append(page)
            snapshot = self._snapshot(person_id)
        try:
            yield _line(snapshot)
            while True:
                try:
                    event = await asyncio.wait_for(page[1].get(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                yield _line(event)
        finally:
            self._open.remove(page)

    def _changed(self, change: Change) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._send, change)

    def _send(self, change: Change) -> None:
        for person_id, events in self._open:
            event = self._event(change, person_id)
            if event is not None:
                events.put_nowait(event)

    def _event(self, change: Change, person_id: str) -> Json | None:
        match change.kind, change.message:
            case ChangeKind.CONNECTION, _:
                return {"type": "connection", "connected": self._workspace.connected}
            case ChangeKind.CHANNELS, _:
                return {"type": "channels", "channels": self._channels(person_id)}
            case kind, Message() as message if self._may_see(message, person_id):
                if kind is ChangeKind.GONE:
                    return {"type": "gone", "channel": message.channel_id, "ts": message.ts}
                return {"type": "message", "message": _shown(message)}
        return None

    def _may_see(self, message: Message, person_id: str) -> bool:
        channel = self._workspace.channels[message.channel_id]
        return message.visible_to(person_id) and channel.person_id in {"", person_id}

    def _snapshot(self, person_id: str) -> Json:
        return {
            "type": "snapshot",
            "team": TEAM_NAME,
            "me": person_id,
            "bot": {"id": BOT_USER_ID, "name": BOT_NAME},
            "people": {person.id: asdict(person) for person in self._workspace.people.values()},
            "channels": self._channels(person_id),
            "commands": [asdict(command) for command in self._workspace.commands.values()],
            "connected": self._workspace.connected,
            "messages": [_shown(message) for message in self._workspace.seen_by(person_id)],
        }

    def _channels(self, person_id: str) -> list[Json]:
        return [
            {
                **asdict(channel),
                "bot_is_in": self._workspace.bot_is_in(channel.id),
                "archived": channel.id in self._workspace.archived,
            }
            for channel in self._workspace.channels_of(person_id)
        ]


def _shown(message: Message) -> Json:
    return {**message.as_slack(), "channel": message.channel_id, "ephemeral": bool(message.ephemeral_to)}


def _line(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"


async def read_body(request: Request) -> bytes:
    """Return a request's body. Raises ``Refused`` if it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused("request_too_large", status=413)
    return body


_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_PAGE_POSTS = ("/say", "/press", "/dismiss")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class WebsiteGuard:
    """Keeps other websites out: they can reach 127.0.0.1 through the browser of a visitor.

    The workspace answers only to its own host names (against DNS rebinding), and only to its own page's Origin. The
    page's posts must carry an Origin, which every browser sends.
    """

    def __init__(self, app: ASGIApp, *, port: Callable[[], int]) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before the accept: answered with 403
        elif refusal:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> str:
        headers, port = Headers(scope=scope), self._port()
        if headers.get("host") not in {*_HOSTS, *(f"{host}:{port}" for host in _HOSTS)}:
            return f"The local workspace answers only at http://127.0.0.1:{port}/."
        origin = headers.get("origin")
        if origin is None and scope["path"] not in _PAGE_POSTS:
            return ""
        if origin not in {f"http://{host}:{port}" for host in _HOSTS}:
            return "The local workspace takes posts only from its own page."
        return ""


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
