"""An HTTP server in a thread of its own: uvicorn, on sockets that already listen."""

from __future__ import annotations

import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from bot.config.field_types import Address
from bot.errors import ConfigError

FREE_PORT = Address(host="127.0.0.1", port=0)
"""A free port that only this computer reaches."""

_BACKLOG = 2048
_STEP = 10
"""From a taken port to the proposed one. The next ports may belong to Likewatch too."""


def listen(address: Address = FREE_PORT, setting: str = "") -> socket.socket:
    """Return a socket that listens on ``address``, which ``setting`` holds.

    Raise ``ConfigError`` if another program uses the port, or if the host is not this computer.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # IPPROTO_TCP: without it asyncio leaves Nagle's delay on, and every answer takes 40 ms longer
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:  # [::] is every IPv6 address of this computer, and no IPv4 address
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address.host, address.port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"Nothing can listen on {address}: {error.strerror or error}. Perhaps Likewatch is already running: stop "
            f"the program that uses port {address.port}. Set {setting} to another host:port otherwise, for example "
            f"{setting}={Address(host=address.host, port=address.port + _STEP)}."
        ) from error
    return listening


class HttpServer:
    """Serves ``app``. ``stop_within`` are the seconds that open requests get; ``options`` are uvicorn's."""

    def __init__(self, app: ASGIApp, *, name: str, stop_within: int = 1, **options: Any) -> None:
        usual = {"ws": "none", "lifespan": "off", "log_config": None, "access_log": False, "server_header": False}
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(app, timeout_graceful_shutdown=stop_within, **{**usual, **options})
        )
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._uvicorn.run, args=(self._sockets,), name=name, daemon=True)

    def start(self, *sockets: socket.socket) -> None:
        """Serve on every one of the sockets, and return at once: a socket holds connections until they are answered."""
        self._sockets += sockets
        self._thread.start()

    def stop(self) -> None:
        """Answer what is open, and close the sockets. Do nothing before the start."""
        self._uvicorn.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        for listening in self._sockets:
            listening.close()
