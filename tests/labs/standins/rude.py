"""A server on loopback that speaks raw bytes, for everything that a well-behaved server cannot be made to do."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Caller:
    """The other end of one connection, whose first request has been read."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self._connection = connection
        self._over = over
        self.request = self.next_request()

    def next_request(self) -> bytes:
        """The next request, whole; empty when the caller has hung up."""
        request, missing = b"", 1
        while missing > 0 and (more := self._connection.recv(65536)):
            request += more
            head, end, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)^content-length: *([0-9]+)", head, re.MULTILINE)
            missing = int(length[1]) - len(body) if end and length else int(not end)
        return request

    def send(self, answer: bytes) -> None:
        self._connection.sendall(answer)

    def drip(self) -> None:
        """One byte every 20 ms until the caller or the test gives up: no single read ever takes long."""
        while not self._over.wait(0.02):
            self.send(b"a")

    def reset(self) -> None:
        """Break the connection off when the talk is over, instead of closing it."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Talk = Callable[[Caller], None]


@contextmanager
def rude_server(talk: Talk) -> Iterator[str]:
    """Call ``talk(caller)`` for each connection, and hang up when it returns."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    open_now: list[tuple[socket.socket, threading.Thread]] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talk(Caller(connection, over))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_now.append((connection, threading.Thread(target=serve, args=(connection,))))
                open_now[-1][1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection, thread in open_now:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def says(head: str, body: bytes = b"", *, length: int | None = None) -> Talk:
    """Answer ``head`` (status line and headers) and ``body``, announced as ``length`` bytes, to every request."""
    announced = len(body) if length is None else length

    def talk(caller: Caller) -> None:
        while caller.request:
            caller.send(f"HTTP/1.1 {head}\r\nContent-Length: {announced}\r\n\r\n".encode() + body)
            caller.request = caller.next_request() if length is None else b""

    return talk
