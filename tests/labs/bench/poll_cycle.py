"""(a) A poll cycle of 10,000 pages against the least that could do: fetch, parse, one transaction with the counts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bot.app import collect_rarely
from bot.clock import Clock
from bot.evidence.recorder import Recorder
from bot.http.exchange import Exchange
from bot.platforms.facebook.platform import PLATFORM
from bot.polling.cycle import Cycle
from bot.polling.fetcher import Source
from handlers.contract import Comparison
from handlers.discovery import all_comparisons
from handlers.model import Alert, Standing
from storage.evidence import Evidence
from storage.store import Store
from tests.labs.bench.clock import LaterClock
from tests.labs.bench.floor import BATCH, Floor, floor_on
from tests.labs.bench.graph import GraphProcess, Scene, graph_process, number_of, watched
from tests.labs.bench.phases import PHASES, shares
from tests.labs.bench.report import Result, Verdict, milliseconds

PAGES = 10_000
RIVALS = 5
CADENCE = timedelta(minutes=15)  # what a newly tracked page gets
CYCLES, QUICK_CYCLES = 9, 3
TARGETS = {0.0: 1.5, 0.15: 1.25}
"""Seconds of the platform's latency, and the ratio to the floor that the cycle may take."""


def run(folder: Path, *, quick: bool) -> Result:
    with (
        graph_process() as graph,
        floor_on(graph.url, folder / "floor.db", PAGES) as floor,
        bot_on(graph, folder / "bare.db", all_comparisons(), Forgetting) as bot,
        bot_on(graph, folder / "likewatch.db", all_comparisons()) as shipped,
    ):
        hours = Hours(graph, floor, bot, shipped)
        for _ in range(3):  # the first cycles see every page for the first time
            hours.next(latency=0)
            bot.cycle()
            shipped.cycle()
        return _measure(floor, bot, shipped, hours, QUICK_CYCLES if quick else CYCLES)


def _measure(floor: Floor, bot: Bot, shipped: Bot, hours: Hours, cycles: int) -> Result:
    rows: list[tuple[str, ...]] = [
        ("latency", "floor, ms", "cycle, ms", "ratio", *PHASES, "with evidence, ms", "ratio")
    ]
    verdicts = []
    for latency, target in TARGETS.items():
        times: tuple[list[float], list[float], list[float]] = ([], [], [])
        for _ in range(cycles):
            hours.next(latency=latency)
            for taken, work in zip(times, (floor.cycle, bot.cycle, shipped.cycle), strict=True):
                taken.append(seconds(work))
        hours.next(latency=latency)
        spent = shares(bot.cycle)
        shipped.cycle()
        least, ours, whole = map(median, times)
        name = f"{latency * 1000:.0f} ms"
        told = (name, milliseconds(least), milliseconds(ours), f"{ours / least:.2f}")
        phases = (f"{spent[phase]:.0%}" for phase in PHASES)
        rows.append((*told, *phases, milliseconds(whole), f"{whole / least:.2f}"))
        verdicts.append(Verdict(what=f"cycle / floor at {name}", value=ours / least, target=target))
    return Result(
        name="a",
        title=f"Poll cycle of {PAGES:,} pages in groups of {RIVALS}, every count changed",
        rows=rows,
        verdicts=verdicts,
        notes=(
            f"medians of {cycles} cycles, all in turn; {bot.alerts} alerts were raised on the way",
            "evidence has a target of its own, (g): the last two columns are of the bot with it, as it runs",
        ),
    )


class Forgetting(Recorder):
    """Keeps nothing: the cycle without evidence."""

    def of(self, platform: str) -> Callable[[Exchange], None]:  # noqa: ARG002
        return lambda _: None

    def seal_alerts(self, alerts: Sequence[Alert]) -> None:
        pass


class Bot:
    """The real cycle on a store on disk."""

    def __init__(self, cycle: Cycle, clock: LaterClock, store: Store, facebook: Source) -> None:
        self._cycle = cycle
        self._clock = clock
        self._store = store
        self._facebook = facebook
        self.alerts = 0

    def cycle(self) -> None:
        report = self._cycle.run_due()
        assert report is not None
        assert report.added.standings == {Standing.ACCEPTED: PAGES}, (report.added.standings, report.failures[:2])
        self.alerts += len(report.added.alerts)
        self._clock.ahead += 1.5 * CADENCE  # beyond every jitter: all are due again

    def fetch(self) -> None:
        """Ask what the next cycle will ask."""
        due = self._store.pages.due(self._clock.now())
        for start in range(0, PAGES, BATCH):
            PLATFORM.fetch(self._facebook.http, due[start : start + BATCH], self._clock.now())


class Hours:
    """Every page gains 1 to 9 an hour and rivals start 37 apart, so that now and then one passes another."""

    def __init__(self, graph: GraphProcess, *askers: Floor | Bot) -> None:
        self._graph = graph
        self._askers = askers
        self._chance = random.Random(2016)
        self._counts = {number_of(n): 1_000_000 + 37 * n for n in range(PAGES)}

    def next(self, *, latency: float) -> None:
        """Change every count, and ask for each once, so that the stand-in knows its answers by heart."""
        self._counts = {number: count + self._chance.randint(1, 9) for number, count in self._counts.items()}
        self._graph.show(Scene(counts=self._counts))
        for asker in self._askers:
            asker.fetch()
        self._graph.show(Scene(counts={}, latency=latency))


@contextmanager
def bot_on(
    graph: GraphProcess,
    path: Path,
    rules: Sequence[Comparison[Any]],
    keeping: Callable[[Evidence, Clock], Recorder] = Recorder,
) -> Iterator[Bot]:
    """A bot that watches the pages, in groups of five, knows these rules, and keeps its evidence so."""
    collect_rarely()
    clock = LaterClock()
    with closing(Store.open(path)) as store:
        recorder = keeping(store.evidence, clock)
        with store.write():
            for n in range(PAGES):
                page, account = watched(n, group=f"race{n // RIVALS:04}", poll_every=CADENCE)
                store.pages.add(page, account, at=clock.now())
        with graph.source(recorder) as facebook, graph.source() as rehearsing:
            cycle = Cycle(
                store=store,
                clock=clock,
                sources={PLATFORM.name: facebook},
                recorder=recorder,
                comparisons=rules,
                wake=lambda: None,
                chance=random.Random(1),
            )
            with closing(cycle):
                yield Bot(cycle, clock, store, rehearsing)


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
