"""The Graph stand-in in a process of its own, so that it shares no interpreter with what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bot.evidence.recorder import Recorder
from bot.http.client import Http
from bot.http.exchange import record_nothing
from bot.platforms.facebook.platform import PLATFORM
from bot.polling.fetcher import Source
from handlers.model import Account, Page
from tests.labs.standins.graph import Graph, GraphPage
from tests.labs.standins.loopback import Message, Receive, Send, read_body, serving

TOKEN, SECRET = "TOKEN", "SECRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the stand-in answers from now on: the pages' counts by id, and after how many seconds."""

    counts: Mapping[str, int]
    latency: float = 0.0


class _Remembering:
    """The stand-in, answering a request that it has answered before from memory, so that it never is the slow side.

    Notes when it has handed over the last byte of its latest answer (CLOCK_MONOTONIC, the same in every process).
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._answers: dict[bytes, list[Message]] = {}
        self._latency = 0.0
        self.sent_at = 0.0

    def show(self, scene: Scene) -> None:
        self._latency = scene.latency
        for number, count in scene.counts.items():
            self._graph.put(GraphPage(id=number, username=handle_of(number), name=number, fan_count=count))
        if scene.counts:
            self._answers.clear()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if self._latency:
            await asyncio.sleep(self._latency)
        if body not in self._answers:
            self._answers[body] = await self._asked(scope, body)
        for message in self._answers[body]:
            await send(message)
        self.sent_at = time.monotonic()

    async def _asked(self, scope: Message, body: bytes) -> list[Message]:
        answer: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def send(message: Message) -> None:
            answer.append(message)

        await self._graph(scope, receive, send)
        return answer


class GraphProcess:
    """The door to the stand-in's process."""

    def __init__(self, url: str, pipe: Connection) -> None:
        self.url = url
        self.settings = {"FACEBOOK_API_URL": url, "FACEBOOK_ACCESS_TOKEN": TOKEN, "FACEBOOK_APP_SECRET": SECRET}
        self._pipe = pipe

    def show(self, scene: Scene) -> None:
        self._pipe.send(scene)
        self._pipe.recv()

    def sent_at(self) -> float:
        self._pipe.send(None)
        answer: float = self._pipe.recv()
        return answer

    @contextmanager
    def source(self, recorder: Recorder | None = None) -> Iterator[Source]:
        """Facebook, connected to the stand-in as the bot connects it to Meta's address."""
        record = recorder.of(PLATFORM.name) if recorder else record_nothing
        http = Http(self.settings, PLATFORM.base_url(self.settings), record=record)
        try:
            yield Source(platform=PLATFORM, http=http, missing=PLATFORM.missing_setting(self.settings))
        finally:
            http.close()


@contextmanager
def graph_process() -> Iterator[GraphProcess]:
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(there,), name="graph")
    process.start()
    there.close()
    try:
        yield GraphProcess(here.recv(), here)
    finally:
        here.close()
        process.join()


def _serve(pipe: Connection) -> None:
    app = _Remembering(Graph(token=TOKEN, app_secret=SECRET))
    with serving(app) as url:
        pipe.send(url)
        for scene in _asked(pipe):
            if scene is not None:
                app.show(scene)
            pipe.send(app.sent_at)


def _asked(pipe: Connection) -> Iterable[Scene | None]:
    while True:
        try:
            yield pipe.recv()
        except EOFError:
            return


def number_of(n: int) -> str:
    """The id of the n-th page."""
    return str(100_000_000_000 + n)


def handle_of(number: str) -> str:
    return f"page.{number}"


def watched(n: int, *, group: str, poll_every: timedelta, slug: str | None = None) -> tuple[Page, Account]:
    """The n-th page as the bot watches it."""
    number = number_of(n)
    slug, url = slug or f"page{n:05}", f"https://www.facebook.com/{handle_of(number)}"
    page = Page(slug=slug, name=f"Page {n}", platform=PLATFORM.name, url=url, home="KH", groups=(group,))
    account = Account(
        page=slug,
        platform=PLATFORM.name,
        native_id=number,
        handle=handle_of(number),
        url=url,
        poll_every=poll_every,
    )
    return page, account
