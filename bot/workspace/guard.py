"""Keeps other websites out of the workspace: they can reach 127.0.0.1 through the browser of whoever visits them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOSTS = ("127.0.0.1", "localhost", "[::1]")
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


class Guard:
    """Answers only to our own names (against DNS rebinding) and only to our own page's Origin (against other sites).

    The page's own posts (``needs_origin``: their paths) must carry an Origin: every browser sends it.
    """

    def __init__(self, app: ASGIApp, *, port: Callable[[], int], needs_origin: tuple[str, ...]) -> None:
        self._app = app
        self._port = port
        self._needs_origin = needs_origin

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
        if origin is None and scope["path"] not in self._needs_origin:
            return ""
        if origin not in {f"http://{host}:{port}" for host in _HOSTS}:
            return "The local workspace takes posts only from its own page."
        return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
