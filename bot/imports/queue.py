"""Imports that wait for the running bot: they come in over HTTP, and the polling thread runs them one by one.

Only one process may write the database. So ``likewatch import`` posts its file to the bot that holds the database
(``bot.imports.request``). An import is stored whole or not at all, so a bot that stops in the middle stores nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import LikewatchError
from bot.imports.files import refuse_too_large
from bot.imports.job import ImportJob
from storage.errors import StoreError

log = logging.getLogger(__name__)

PATH = "/imports"

TAKEN_WITHIN = 120.0
"""Seconds that an import waits for the polling thread at most: a poll of many pages may take a minute."""

_SENT_WITHIN = 60.0
"""Seconds for the bytes of a file, which come from the same computer."""

_FAILED = "Likewatch failed on this file and stored nothing of it. Likewatch's log says more."


class ImportQueue:
    """Imports that wait. Any thread may call ``put``; the polling thread calls ``run_waiting``."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[ImportJob, Future[list[str]]]] = SimpleQueue()
        self._is_closed = False

    def put(self, job: ImportJob) -> Future[list[str]]:
        """Add an import. The future gives the lines that describe its result; cancel it to take the import back."""
        answer: Future[list[str]] = Future()
        self._waiting.put((job, answer))
        if self._is_closed:
            answer.cancel()
        return answer

    def run_waiting(self, run: Callable[[ImportJob], Iterable[str]]) -> None:
        """Run every import that waits, the oldest first. Raise an error that nobody foresaw, once it is answered."""
        while not self._waiting.empty():
            job, answer = self._waiting.get()
            if not answer.set_running_or_notify_cancel():
                continue  # taken back
            try:
                lines = list(run(job))
            except (LikewatchError, StoreError) as error:
                answer.set_exception(error)
            except BaseException:
                answer.set_exception(LikewatchError(_FAILED))
                raise
            else:
                log.info("Imported %s for %s", job.name, job.by)
                answer.set_result(lines)

    def close(self) -> None:
        """Take back every import that waits, because the bot stops. The sender gets the answer 503 at once."""
        self._is_closed = True
        while not self._waiting.empty():
            self._waiting.get()[1].cancel()


def import_route(queue: ImportQueue, token: str, *, taken_within: float = TAKEN_WITHIN) -> Route:
    """Return the route ``POST /imports``, for requests that show ``token``.

    The query's ``job`` holds the options of an ``ImportJob`` as JSON; the body holds the bytes of the file. An answer
    200 holds ``lines``, and ``refused`` if nothing was stored. An answer 503 means that the import was not begun.
    """
    secret = f"Bearer {token}".encode()
    one_at_a_time = asyncio.Lock()  # a file may be large: the next one is not even read

    async def post(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), secret):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        async with one_at_a_time:
            try:
                job = await _job(request)
            except LikewatchError as error:
                return _refused(error)
            except (KeyError, TypeError, ValueError):
                return Response(status_code=HTTPStatus.BAD_REQUEST)
            except (ClientDisconnect, TimeoutError):
                return Response(status_code=HTTPStatus.REQUEST_TIMEOUT)
            return await _answer(queue.put(job), request, taken_within)

    return Route(PATH, post, methods=["POST"])


async def _job(request: Request) -> ImportJob:
    options = json.loads(request.query_params["job"])
    refuse_too_large(int(request.headers["content-length"]), options["name"])
    async with asyncio.timeout(_SENT_WITHIN):
        job = ImportJob(**options, data=await request.body())
    if await request.is_disconnected():
        raise ClientDisconnect
    return job


async def _answer(answer: Future[list[str]], request: Request, taken_within: float) -> Response:
    """Wait for the import. Take it back if it is not begun in time, or if the sender waits no longer."""
    done = asyncio.wrap_future(answer)
    gone = asyncio.ensure_future(request.receive())  # after the body comes nothing but the end of the connection
    either: set[asyncio.Future[Any]] = {done, gone}
    await asyncio.wait(either, timeout=taken_within, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if answer.cancel():
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    try:
        return JSONResponse({"refused": False, "lines": await done})
    except (LikewatchError, StoreError) as error:
        return _refused(error)


def _refused(error: Exception) -> Response:
    return JSONResponse({"refused": True, "lines": [str(error)]})
