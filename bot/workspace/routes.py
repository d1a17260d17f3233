"""What is served: the Web API, response URLs, Socket Mode and the page's own doors."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bot.workspace import methods
from bot.workspace.arguments import parse_body
from bot.workspace.connections import DroppedConnection
from bot.workspace.feed import Feed
from bot.workspace.model import SCOPES, ApiCall, Json, Refused
from bot.workspace.script import FaultKind, PlannedFault
from bot.workspace.socket_mode import SocketModeServer
from bot.workspace.workspace import Workspace

PAGE = Path(__file__).parent / "page"
PAGE_POSTS = ("/say", "/press", "/dismiss")
MAX_BODY = 1_000_000


class Routes:
    """The endpoints over one workspace."""

    def __init__(self, workspace: Workspace, socket_mode: SocketModeServer, feed: Feed) -> None:
        self._workspace = workspace
        self._socket_mode = socket_mode
        self._feed = feed

    def table(self) -> list[BaseRoute]:
        return [
            Route("/", lambda _request: FileResponse(PAGE / "index.html")),
            Mount("/page", StaticFiles(directory=PAGE)),
            Route("/live", self._live),
            Route("/say", self._for_person(self._say), methods=["POST"]),
            Route("/press", self._for_person(self._press), methods=["POST"]),
            Route("/dismiss", self._for_person(self._dismiss), methods=["POST"]),
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/response/{secret}", self._respond, methods=["POST"]),
            WebSocketRoute("/link/", self._socket_mode.serve),
        ]

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()

        def carry_out(said: Json) -> Json:
            return methods.call(self._workspace, method, said, token)

        headers = {"X-OAuth-Scopes": SCOPES}
        return await self._scripted(request, method, lambda said: JSONResponse(carry_out(said), headers=headers), 200)

    async def _respond(self, request: Request) -> Response:
        secret = request.path_params["secret"]

        def carry_out(said: Json) -> Response:
            self._workspace.acting.respond(secret, said)
            return PlainTextResponse("ok")

        return await self._scripted(request, "response_url", carry_out, 400)

    async def _scripted(
        self, request: Request, method: str, carry_out: Callable[[Json], Response], refused_with: int
    ) -> Response:
        """Carry out a call and record it, with whatever the script says; ``refused_with`` is the usual HTTP status."""
        fault = self._workspace.script.take(method)
        if fault is not None and fault.kind is FaultKind.DROP_BEFORE:
            return DroppedConnection()
        said: Json = {}
        error = ""
        try:
            said = parse_body(request.url.query, request.headers.get("content-type", ""), await _body(request))
            _refuse(fault)
            response = carry_out(said)
        except Refused as refused:
            error = refused.code
            response = _refusal(refused, refused_with)
        recorded = {name: value for name, value in said.items() if name != "token"}
        self._workspace.record(ApiCall(method=method, arguments=recorded, error=error))
        if fault is not None and fault.kind is FaultKind.DROP_AFTER:
            return DroppedConnection()
        if fault is not None and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        return response

    async def _live(self, request: Request) -> Response:
        try:
            person = self._workspace.state.person(request.query_params.get("person", "ana"))
        except Refused as refused:
            return _refusal(refused, 404)
        return StreamingResponse(self._feed.stream(person.id), media_type="text/event-stream")

    def _for_person(self, act: Callable[[Json], None]) -> Callable[[Request], Awaitable[Response]]:
        """A door of the page: JSON in, nothing out, or a sentence about what was wrong."""

        @functools.wraps(act)
        async def endpoint(request: Request) -> Response:
            try:
                act(parse_body("", request.headers.get("content-type", ""), await _body(request)))
            except Refused as refused:
                return JSONResponse(
                    {"error": refused.messages[0] if refused.messages else refused.code}, status_code=400
                )
            except KeyError as error:
                return JSONResponse({"error": f"{error.args[0]} is missing."}, status_code=400)
            return Response(status_code=204)

        return endpoint

    def _say(self, said: Json) -> None:
        self._workspace.say(said["person"], said["channel"], said["text"], thread_ts=said.get("thread_ts", ""))

    def _press(self, said: Json) -> None:
        state = self._workspace.state
        self._workspace.acting.press(
            state.person(said["person"]),
            state.channel(said["channel"]),
            said["ts"],
            action_id=said["action_id"],
            block_id=said["block_id"],
            value=said.get("value", ""),
        )

    def _dismiss(self, said: Json) -> None:
        state = self._workspace.state
        self._workspace.acting.dismiss(state.person(said["person"]), state.channel(said["channel"]), said["ts"])


def _refuse(fault: PlannedFault | None) -> None:
    if fault is None:
        return
    match fault.kind:
        case FaultKind.THROTTLE:
            raise Refused("ratelimited", status=429, retry_after=int(fault.seconds))
        case FaultKind.SERVER_ERROR:
            raise Refused("fatal_error", status=500)
        case FaultKind.REFUSE:
            raise Refused(fault.code)


def _refusal(refused: Refused, usual_status: int) -> Response:
    body: Json = {"ok": False, "error": refused.code}
    if refused.messages:
        body["response_metadata"] = {"messages": list(refused.messages)}
    headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
    return Response(
        json.dumps(body),
        status_code=refused.status or usual_status,
        headers=headers,
        media_type="application/json",
    )


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused("request_too_large", status=413)
    return body
