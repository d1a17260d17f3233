"""The wire between the bot and a stand-in: a proxy on loopback that does to a request whatever a case wants."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DRIP_EVERY = 0.05
FORWARDED_WITHIN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a stand-in answered, or what is answered instead of it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: the last part of its path, its fields, and when it came (CLOCK_MONOTONIC, seconds)."""

    method: str
    fields: Mapping[str, Any]
    at: float


class Line:
    """One request in the hands of a rule."""

    def __init__(self, handler: _Handler, asked: Asked, body: bytes, behind: str) -> None:
        self.asked = asked
        self._handler = handler
        self._body = body
        self._behind = urlsplit(behind)

    def forward(self) -> Answer:
        """The stand-in's own answer; from now on it has taken the request."""
        connection = http.client.HTTPConnection(self._behind.netloc, timeout=FORWARDED_WITHIN)
        headers = {name: value for name, value in self._handler.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            connection.request(self._handler.command, self._handler.path, self._body or None, headers)
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
            return Answer(status=response.status, body=response.read(), headers=kept)
        finally:
            connection.close()

    def send(self, answer: Answer, *, announced: int | None = None) -> None:
        """Answer; ``announced`` is a Content-Length that is not true."""
        self._handler.send_response(answer.status)
        for name, value in answer.headers.items():
            self._handler.send_header(name, value)
        self._handler.send_header("Content-Length", str(len(answer.body) if announced is None else announced))
        self._handler.end_headers()
        self._handler.wfile.write(answer.body)
        self._handler.wfile.flush()

    def drip(self, until: Callable[[], bool]) -> float:
        """One byte now and then until the bot hangs up or ``until``; returns after how many seconds it hung up."""
        start = time.monotonic()
        self._handler.send_response(200)
        self._handler.send_header("Content-Length", "1000000")
        self._handler.end_headers()
        with suppress(OSError):
            while not until():
                self._handler.wfile.write(b" ")
                time.sleep(DRIP_EVERY)
        return time.monotonic() - start

    def hang_up(self) -> None:
        """Close without a word."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """Break the connection off."""
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True
        self._handler.connection.close()


Rule = Callable[[Line], None]

_HOP_BY_HOP = {"content-length", "connection", "transfer-encoding", "keep-alive", "server", "date", "host"}


def honest(line: Line) -> None:
    line.send(line.forward())


def drop_before(line: Line) -> None:
    """The connection closes, and the stand-in never hears of it."""
    line.hang_up()


def drop_after(line: Line) -> None:
    """The stand-in takes the request, and its answer is lost."""
    line.forward()
    line.hang_up()


def stumble_after(line: Line) -> None:
    """The stand-in takes the request, and says 500."""
    line.forward()
    line.send(Answer(status=500, body=b'{"ok":false,"error":"internal_error"}', headers=_JSON))


def stumble(line: Line) -> None:
    """500, and nothing was taken."""
    line.send(
        Answer(status=500, body=b"<html>Sorry, something went wrong.</html>", headers={"Content-Type": "text/html"})
    )


def cut(line: Line) -> None:
    """The answer breaks off in the middle by a reset."""
    answer = line.forward()
    half = answer.body[: len(answer.body) // 2]
    line.send(replace(answer, body=half), announced=len(answer.body))
    line.reset()


def truncated(line: Line) -> None:
    """Half of the JSON, told as if it were all."""
    answer = line.forward()
    line.send(replace(answer, body=answer.body[: len(answer.body) // 2]))


def in_html(line: Line) -> None:
    """A login page with status 200."""
    line.send(Answer(body=b"<!doctype html><title>Log in</title>", headers={"Content-Type": "text/html"}))


def throttled(seconds: int) -> Rule:
    def rule(line: Line) -> None:
        headers = {**_JSON, "Retry-After": str(seconds)}
        line.send(Answer(status=429, body=b'{"ok":false,"error":"ratelimited"}', headers=headers))

    return rule


def refused(code: str) -> Rule:
    """Slack's own word for a refusal."""

    def rule(line: Line) -> None:
        line.send(Answer(body=json.dumps({"ok": False, "error": code}).encode(), headers=_JSON))

    return rule


_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Wire:
    """A proxy before one stand-in. ``rule`` decides about every request; ``asked`` are the newest that came."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.rule: Rule = honest
        self.asked: deque[Asked] = deque(maxlen=200_000)
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, method: str = "", *, since: float = 0.0) -> int:
        """How many requests came (of this method) since an instant."""
        return sum(one.at >= since and method in {"", one.method} for one in list(self.asked))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, wire: Wire) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wire = wire

    def handle_error(self, request: object, client_address: object) -> None:
        """A bot that was killed breaks its connections off."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        wire = self.server.wire
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(
            method=urlsplit(self.path).path.rstrip("/").rpartition("/")[2],
            fields=_fields(self.path, self.headers.get("Content-Type", ""), body),
            at=time.monotonic(),
        )
        wire.asked.append(asked)
        with suppress(OSError):
            wire.rule(Line(self, asked, body, wire.behind))

    do_GET = do_POST  # noqa: N815 (the base class's name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Nothing: the table says what came."""


def _fields(path: str, kind: str, body: bytes) -> Mapping[str, Any]:
    if "json" in kind and body:
        said = json.loads(body)
        return said if isinstance(said, dict) else {}
    return dict(parse_qsl(urlsplit(path).query)) | dict(parse_qsl(body.decode()))


@contextmanager
def wired(behind: str) -> Iterator[Wire]:
    """A wire before the stand-in at this address."""
    wire = Wire(behind)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()
