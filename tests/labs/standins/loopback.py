"""Serves a stand-in on 127.0.0.1: in a thread for tests, in the foreground for people and benchmarks."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it arrived; ``params`` are those of the query and of the form together."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    params: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a stand-in answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def in_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=status, body=json.dumps(value).encode(), headers=headers or {})


async def read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def send_response(send: Send, response: Response) -> None:
    headers = {"content-type": "application/json; charset=UTF-8", "content-length": str(len(response.body))}
    headers |= {name.lower(): value for name, value in response.headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": response.body})


@contextmanager
def serving(app: App) -> Iterator[str]:
    """Serve ``app`` in a thread and give its address; connections wait in the socket's queue until it has started."""
    # asyncio switches Nagle's delay off only where the protocol is named; every answer would take 40 ms longer
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def serve(app: App, port: int) -> None:
    """Serve ``app`` on 127.0.0.1:``port`` until interrupted."""
    uvicorn.Server(_config(app, port)).run()


def _config(app: App, port: int = 0) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=120,  # a slow machine must not find its idle connections closed
    )
