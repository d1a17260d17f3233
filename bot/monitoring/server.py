"""The local HTTP server of the running bot: /healthz, /metrics, and the imports that come from the command line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import uvicorn
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.config.field_types import Address
from bot.errors import ConfigError
from bot.monitoring.health import Health
from bot.monitoring.metrics import BotMetrics, exposition

LOOPBACK = Address(host="127.0.0.1", port=0)
"""A free port that only this computer reaches."""


def listen(address: Address) -> socket.socket:
    """Return a socket that listens on ``address``; raise ``ConfigError`` if the address is taken or not ours."""
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise ConfigError(
            f"/healthz and /metrics are not served: nothing can listen on {address}: "
            f"{error.strerror or error}. Set LIKEWATCH_METRICS to another host:port."
        ) from error


class LocalServer:
    """Serve routes, in a thread of its own, on every one of the sockets, which already listen."""

    def __init__(self, routes: Sequence[Route], sockets: Sequence[socket.socket]) -> None:
        self._sockets = list(sockets)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=routes),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": self._sockets}, name="local-http", daemon=True
        )

    def start(self) -> None:
        """Serve, and return at once: the sockets hold connections until they are answered."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is open, for one second at most, and close the sockets."""
        self._uvicorn.should_exit = True
        self._thread.join()
        for listening in self._sockets:
            listening.close()


def monitoring_routes(check: Callable[[], Health], numbers: BotMetrics) -> tuple[Route, ...]:
    """Return ``GET /healthz`` (200, or 503 with reasons) and ``GET /metrics`` (Prometheus's text format)."""
    metrics = exposition(numbers)

    def answer_health(_: Request) -> Response:
        found = check()
        answer = {
            "status": "failing" if found.reasons else "ok",
            "reasons": found.reasons,
            "cannot_be_read": [source.platform for source in found.dark],
        }
        return JSONResponse(answer, status_code=503 if found.reasons else 200, headers={"Cache-Control": "no-store"})

    def answer_metrics(_: Request) -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    # Starlette runs functions that are not coroutines in threads: a slow disk does not hold up the server.
    return (Route("/healthz", answer_health), Route("/metrics", answer_metrics))
