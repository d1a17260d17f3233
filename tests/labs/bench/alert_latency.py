"""(c) From the last byte of a poll's answers to the alert's arrival in Slack."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

from bot.evidence.recorder import Recorder
from bot.polling.cycle import Cycle
from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.workspace.model import TEAM_ID
from handlers.discovery import all_comparisons
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.bench.clock import LaterClock
from tests.labs.bench.graph import GraphProcess, Scene, graph_process, number_of, watched
from tests.labs.bench.report import Result, Verdict, milliseconds, percentile
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.slack_faults import ApiCall

ALERTS, QUICK_ALERTS = 40, 30
CADENCE = timedelta(minutes=5)
TARGET = 100.0


def run(folder: Path, *, quick: bool) -> Result:
    alerts = QUICK_ALERTS if quick else ALERTS
    with graph_process() as graph, _newsroom(graph, folder / "likewatch.db", alerts) as newsroom:
        seconds = [newsroom.flip(pair) for pair in range(alerts)]
    rows = [
        ("alerts", "p50, ms", "p90", "longest"),
        (str(alerts), milliseconds(median(seconds)), milliseconds(percentile(seconds, 90)), milliseconds(max(seconds))),
    ]
    return Result(
        name="c",
        title="Answer received → alert posted",
        rows=rows,
        verdicts=[Verdict(what="p50", value=median(seconds) * 1000, target=TARGET, unit=" ms")],
        notes=(
            f"{2 * alerts} pages in {alerts} groups of two are read together, and one pair flips at a time",
            "Slack is the local workspace in the bot's own process, so its work is counted too",
        ),
    )


class _Slack(InstrumentedWorkspace):
    """The local workspace, noting when messages arrived."""

    def __init__(self, clock: LaterClock) -> None:
        super().__init__(clock=clock)
        self.posted_at: list[float] = []

    def record(self, call: ApiCall) -> None:
        if call.method == "chat.postMessage":
            self.posted_at.append(time.monotonic())
        super().record(call)


class _Newsroom:
    """Pairs of rivals of which one flips at a time."""

    def __init__(self, graph: GraphProcess, slack: _Slack, store: Store, cycle: Cycle, clock: LaterClock) -> None:
        self._graph = graph
        self._store = store
        self._slack = slack
        self._cycle = cycle
        self._clock = clock

    def flip(self, pair: int) -> float:
        """The trailing page of a pair passes its rival; the second reading of both is told. Seconds to the post."""
        self._graph.show(Scene(counts={number_of(2 * pair): 1_010_000}))
        self._read()
        posted = len(self._slack.posted_at)
        self._read()
        self._slack.wait_for(lambda: len(self._slack.posted_at) > posted)
        while self._store.outbox.unsettled():  # or the clock would move on before the post is marked as sent
            time.sleep(0.001)
        return self._slack.posted_at[-1] - self._graph.sent_at()

    def read_all(self, pairs: int) -> None:
        """First sight of every pair, the first page 1,000 behind the second."""
        behind = {number_of(2 * pair): 1_000_000 for pair in range(pairs)}
        ahead = {number_of(2 * pair + 1): 1_001_000 for pair in range(pairs)}
        self._graph.show(Scene(counts=behind | ahead))
        for _ in range(3):
            self._read()

    def _read(self) -> None:
        self._clock.ahead += 2 * CADENCE
        assert self._cycle.run_due() is not None


@contextmanager
def _newsroom(graph: GraphProcess, path: Path, pairs: int) -> Iterator[_Newsroom]:
    clock = LaterClock()
    with ExitStack() as at_end:
        slack = _Slack(clock)
        server = InstrumentedServer(slack)
        server.start()
        at_end.callback(server.stop)
        store = at_end.enter_context(closing(Store.open(path)))
        _watch(store, clock, slack.channel("newsroom").id, pairs)
        deliverer = Deliverer(
            client=slack_client(token=server.bot_token, api_url=server.api_url),
            store=store,
            clock=clock,
            chance=random.Random(1),
        )
        ended = threading.Event()
        sender = threading.Thread(target=deliverer.run, args=(ended,), name="deliver")
        sender.start()
        at_end.callback(sender.join)
        at_end.callback(deliverer.wake)
        at_end.callback(ended.set)
        recorder = Recorder(store.evidence, clock)
        facebook = at_end.enter_context(graph.source(recorder))
        cycle = Cycle(
            store=store,
            clock=clock,
            sources={facebook.platform.name: facebook},
            recorder=recorder,
            comparisons=all_comparisons(),
            wake=deliverer.wake,
            chance=random.Random(1),
        )
        at_end.callback(cycle.close)
        newsroom = _Newsroom(graph, slack, store, cycle, clock)
        newsroom.read_all(pairs)
        yield newsroom


def _watch(store: Store, clock: LaterClock, channel_id: str, pairs: int) -> None:
    with store.write():
        for n in range(2 * pairs):
            page, account = watched(n, group=f"race{n // 2:04}", poll_every=CADENCE)
            store.pages.add(page, account, at=clock.now())
        for pair in range(pairs):
            store.subscriptions.put(
                Subscription(
                    team_id=TEAM_ID,
                    channel_id=channel_id,
                    target=Target.GROUP,
                    slug=f"race{pair:04}",
                    features=("overtake",),
                    by="U0ANA00001",
                    at=clock.now(),
                )
            )
