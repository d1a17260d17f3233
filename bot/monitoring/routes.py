"""Serve the state of the running bot: /healthz and /metrics."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, ProcessCollector, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.monitoring.health import Health
from bot.monitoring.metrics import BotMetrics


def monitoring_routes(check: Callable[[], Health], numbers: BotMetrics) -> tuple[Route, ...]:
    """Return ``GET /healthz`` (200, or 503 with reasons) and ``GET /metrics`` (Prometheus's text format)."""
    registry = CollectorRegistry()
    registry.register(numbers)
    ProcessCollector(registry=registry)  # on Linux, the memory and the time of the process

    def answer_health(_: Request) -> Response:
        found = check()
        answer = {
            "status": "failing" if found.reasons else "ok",
            "reasons": found.reasons,
            "cannot_be_read": [source.platform for source in found.dark],
        }
        return JSONResponse(answer, status_code=503 if found.reasons else 200, headers={"Cache-Control": "no-store"})

    def answer_metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    # Starlette runs functions that are not coroutines in threads: a slow disk does not hold up the server.
    return (Route("/healthz", answer_health), Route("/metrics", answer_metrics))
