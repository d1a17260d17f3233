"""TCP connections that can be dropped in the middle of a call: what a real network does, and a polite server cannot."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_Peer = tuple[str, int]


class DroppableProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1, remembering each connection's transport by its peer: ASGI tells an app only the peer."""

    transports: ClassVar[dict[_Peer, asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self.transports[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.client is not None:
            self.transports.pop(self.client, None)


class DroppedConnection(Response):
    """No response at all: the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI's signature)
        DroppableProtocol.transports[tuple(scope["client"])].close()
        while (await receive())["type"] != "http.disconnect":
            pass
