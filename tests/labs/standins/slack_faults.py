"""Slack on its bad days: a wrapper around the workspace's ASGI app records the bot's calls and makes them fail."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.clock import Clock
from bot.workspace.model import Refused
from bot.workspace.web_api import parse_body

Json: TypeAlias = dict[str, Any]

HISTORIES = ("conversations.history", "conversations.replies")
SLOW_PAGE, SLOW_EVERY = 15, 60.0


class FaultKind(StrEnum):
    """The ways a call goes wrong."""

    THROTTLE = "throttle"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # HTTP 500
    REFUSE = "refuse"  # {"ok": false, "error": code}
    DROP_BEFORE = "drop_before"  # the connection closes before the call is carried out
    DROP_AFTER = "drop_after"  # the call is carried out, then the connection closes without an answer
    DELAY = "delay"  # the call is carried out and answered late


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault; ``seconds`` is Retry-After or the delay, ``code`` the error code of a refusal."""

    kind: FaultKind
    seconds: float = 0
    code: str = ""


SERVER_ERROR = PlannedFault(kind=FaultKind.SERVER_ERROR)
DROP_BEFORE = PlannedFault(kind=FaultKind.DROP_BEFORE)
DROP_AFTER = PlannedFault(kind=FaultKind.DROP_AFTER)


def throttle(seconds: int) -> PlannedFault:
    """429 ``ratelimited`` with this Retry-After."""
    return PlannedFault(kind=FaultKind.THROTTLE, seconds=seconds)


def refuse(code: str) -> PlannedFault:
    """Slack's own error code, for example ``channel_not_found``."""
    return PlannedFault(kind=FaultKind.REFUSE, code=code)


def delay(seconds: float) -> PlannedFault:
    """The answer comes this much later."""
    return PlannedFault(kind=FaultKind.DELAY, seconds=seconds)


class PlannedFaults:
    """The faults that the next calls meet. Response URLs go under the method name ``response_url``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, deque[PlannedFault]] = defaultdict(deque)
        self._repeats = 0
        self.slow_history = False
        """Histories are read as by an app sold outside Slack's marketplace: 15 messages a call, a call a minute.

        https://docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps
        """

    def next(self, method: str, *faults: PlannedFault) -> None:
        """The next calls of ``method`` meet these faults, in this order."""
        with self._lock:
            self._faults[method].extend(faults)

    def take(self, method: str) -> PlannedFault | None:
        """The fault that this call meets, if any; it is then used up."""
        with self._lock:
            return self._faults[method].popleft() if self._faults[method] else None

    def repeat_envelopes(self, times: int) -> None:
        """The next envelopes are each sent a second time, as Slack does when it missed the acknowledgement."""
        with self._lock:
            self._repeats += times

    def take_repeat(self) -> bool:
        with self._lock:
            repeat = self._repeats > 0
            self._repeats -= repeat
            return repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A recorded Web API call or response_url post, without its token; ``error`` is empty where it succeeded."""

    method: str
    arguments: Json
    error: str = ""


class FaultyApi:
    """Passes every request on to the workspace's app; Web API calls and response_url posts by way of the faults."""

    def __init__(self, app: ASGIApp, faults: PlannedFaults, clock: Clock, record: Callable[[ApiCall], None]) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._record = record
        self._next_history: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, _, name = scope.get("path", "").removeprefix("/").partition("/")
        if scope["type"] != "http" or kind not in {"api", "response"}:
            await self._app(scope, receive, send)
            return
        method = name if kind == "api" else "response_url"
        fault = self._faults.take(method)
        request = Request(scope, receive)
        body = await request.body()
        if fault is not None and fault.kind is FaultKind.DROP_BEFORE:
            await _drop(receive, send)
            return
        try:
            arguments = parse_body(request.url.query, request.headers.get("content-type", ""), body)
        except Refused:
            arguments = {}
        app = _refusal(fault, usual_status=200 if kind == "api" else 400)
        if app is None and self._faults.slow_history and method in HISTORIES:
            app = self._too_soon(method)
            scope, body = _with_limit(scope, arguments), b""
        answer = await _answer(app or self._app, scope, body)
        recorded = {name: value for name, value in arguments.items() if name != "token"}
        self._record(ApiCall(method=method, arguments=recorded, error=_error(answer)))
        if fault is not None and fault.kind is FaultKind.DROP_AFTER:
            await _drop(receive, send)
            return
        if fault is not None and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        for message in answer:
            await send(message)

    def _too_soon(self, method: str) -> Response | None:
        """The refusal of a history that is read less than a minute after the last; ``None`` where it may be read."""
        now = self._clock.monotonic()
        wait = self._next_history.get(method, now) - now
        if wait > 0:
            return _refused("ratelimited", 429, retry_after=math.ceil(wait))
        self._next_history[method] = now + SLOW_EVERY
        return None


def _with_limit(scope: Scope, arguments: Json) -> Scope:
    """The same call for at most fifteen messages; its arguments are all in the query."""
    limited = {**arguments, "limit": min(int(arguments.get("limit", 100)), SLOW_PAGE)}
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return {**scope, "query_string": urlencode(limited).encode(), "headers": headers}


def _refusal(fault: PlannedFault | None, *, usual_status: int) -> Response | None:
    if fault is None:
        return None
    match fault.kind:
        case FaultKind.THROTTLE:
            return _refused("ratelimited", 429, retry_after=int(fault.seconds))
        case FaultKind.SERVER_ERROR:
            return _refused("fatal_error", 500)
        case FaultKind.REFUSE:
            return _refused(fault.code, usual_status)
    return None


def _refused(code: str, status: int, *, retry_after: int = 0) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return JSONResponse({"ok": False, "error": code}, status_code=status, headers=headers)


async def _answer(app: ASGIApp, scope: Scope, body: bytes) -> list[Message]:
    """Everything that an app sends to a request with this body."""
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        answer.append(message)

    await app(scope, receive, send)
    return answer


def _error(answer: list[Message]) -> str:
    body = b"".join(message.get("body", b"") for message in answer)
    said = json.loads(body) if body.startswith(b"{") else {}
    return str(said.get("error", ""))


async def _drop(receive: Receive, send: Send) -> None:
    """Close the connection without a response, as a broken network does: ASGI cannot, uvicorn's own cycle can."""
    send.__self__.transport.close()  # type: ignore[attr-defined]
    while (await receive())["type"] != "http.disconnect":
        pass
