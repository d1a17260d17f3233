"""/healthz and /metrics, on an address of their own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import uvicorn
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.config.declaration import Address
from bot.errors import ConfigError
from bot.monitoring.health import Health
from bot.monitoring.metrics import Numbers, exposition


class MonitoringServer:
    """Answers ``GET /healthz`` (200, or 503 with reasons) and ``GET /metrics`` (Prometheus's text format)."""

    def __init__(self, address: Address, *, check: Callable[[], Health], numbers: Numbers) -> None:
        self._wanted = address
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=_routes(check, exposition(numbers))),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="monitoring", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        port = self._socket.getsockname()[1] if self._socket else self._wanted.port
        return f"http://{Address(host=self._wanted.host, port=port)}"

    def start(self) -> None:
        """Listen, and return; ``ConfigError`` where the address cannot be had."""
        try:
            self._socket = socket.create_server((self._wanted.host, self._wanted.port), family=self._family())
        except OSError as error:
            raise ConfigError(
                f"/healthz and /metrics are not served: nothing can listen on {self._wanted}: "
                f"{error.strerror or error}. Set LIKEWATCH_METRICS to another host:port."
            ) from error
        self._thread.start()

    def stop(self) -> None:
        """Close; harmless where it never started."""
        self._uvicorn.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()

    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self._wanted.host else socket.AF_INET

    def _serve(self) -> None:
        assert self._socket is not None  # noqa: S101 (the thread is started after it)
        self._uvicorn.run(sockets=[self._socket])


def _routes(check: Callable[[], Health], metrics: Callable[[], bytes]) -> list[Route]:
    def healthz(_: Request) -> Response:
        found = check()
        said = {
            "status": "failing" if found.reasons else "ok",
            "reasons": found.reasons,
            "cannot_be_read": [source.platform for source in found.dark],
        }
        return JSONResponse(said, status_code=503 if found.reasons else 200, headers={"Cache-Control": "no-store"})

    def numbers(_: Request) -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    # Starlette runs functions that are not coroutines in threads: a slow disk does not hold up the server.
    return [Route("/healthz", healthz), Route("/metrics", numbers)]
