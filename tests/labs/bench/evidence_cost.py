"""(g) Evidence: what keeping every reply costs beside the cycle of 10,000 pages, in time and in bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bot.evidence.recorder import Recorder
from bot.http.exchange import Exchange
from handlers.discovery import all_comparisons
from handlers.model import Account
from storage.evidence import Evidence
from tests.labs.bench.graph import graph_process
from tests.labs.bench.poll_cycle import CYCLES, PAGES, QUICK_CYCLES, Bot, Forgetting, Hours, bot_on, seconds
from tests.labs.bench.report import Result, Verdict, milliseconds
from tests.labs.standins.clock import HandClock

LATENCIES = (0.0, 0.15)
MORE = 1.10
"""The cycle with evidence over the same without, at most."""

BYTES = 40.0
"""A reading, at most, all told."""

BATCH, BATCHES, POLLS = 50, 20, 192
START = datetime(2026, 11, 2, tzinfo=UTC)
EVERY = timedelta(minutes=15)
_NAMES = ("សម្តេច Hun Sen", "Ministry of Health", "Народ", "Partido del Pueblo", "พรรค")


def run(folder: Path, *, quick: bool) -> Result:
    rows: list[tuple[str, ...]] = [("latency", "without, ms", "with, ms", "ratio")]
    verdicts = []
    with (
        graph_process() as graph,
        bot_on(graph, folder / "without.db", all_comparisons(), Forgetting) as without,
        bot_on(graph, folder / "with.db", all_comparisons()) as keeping,
    ):
        hours = Hours(graph, without, keeping)
        for _ in range(3):  # the first cycles see every page for the first time
            hours.next(latency=0)
            without.cycle()
            keeping.cycle()
        for latency in LATENCIES:
            times = _in_turn(hours, without, keeping, latency, QUICK_CYCLES if quick else CYCLES)
            before, after = median(times[0]), median(times[1])
            name = f"{latency * 1000:.0f} ms"
            rows.append((name, milliseconds(before), milliseconds(after), f"{after / before:.2f}"))
            verdicts.append(Verdict(what=f"cycle with / without at {name}", value=after / before, target=MORE))
    kept = _bytes_a_reading(folder / "realistic.evidence.db", POLLS // 4 if quick else POLLS)
    verdicts.append(Verdict(what="kept for each reading", value=kept, target=BYTES, unit=" bytes"))
    return Result(
        name="g",
        title=f"Evidence: the cycle of {PAGES:,} pages with every reply kept, and without",
        rows=rows,
        verdicts=verdicts,
        notes=(
            "medians, the two bots in turn, each on a store of its own",
            f"bytes: the whole file, indexes and chain too, after {POLLS} polls of {BATCH * BATCHES:,} pages",
        ),
    )


def _in_turn(hours: Hours, without: Bot, keeping: Bot, latency: float, cycles: int) -> tuple[list[float], list[float]]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * cycles):
        hours.next(latency=latency)
        for bot in (0, 1) if number % 2 else (1, 0):
            times[bot].append(seconds((without, keeping)[bot].cycle))
    return times


def _bytes_a_reading(path: Path, polls: int) -> float:
    """What the evidence of two days takes: replies as Facebook sends them, each with its own trace in the headers."""
    clock, chance = HandClock(START), random.Random(2016)
    with closing(Evidence.open(path)) as evidence:
        recorder = Recorder(evidence, clock)
        counts = [chance.randrange(1_000, 20_000_000) for _ in range(BATCH * BATCHES)]
        for _ in range(polls):
            clock.move(EVERY)
            for first in range(0, len(counts), BATCH):
                numbers = range(first, first + BATCH)
                with recorder.asking([_account(number) for number in numbers], clock.now()):
                    recorder.of("facebook")(_exchange(numbers, counts, chance))
            recorder.seal()
            counts = [count + int(chance.expovariate(1 / (1 + count / 1e5))) for count in counts]
    return path.stat().st_size / (polls * len(counts))


def _account(number: int) -> Account:
    return Account(
        page=f"page{number}", platform="facebook", native_id=_id(number), handle="", url="", poll_every=EVERY
    )


def _id(number: int) -> str:
    return str(100_044_000_000_000 + 7_919 * number)


def _exchange(numbers: range, counts: Sequence[int], chance: random.Random) -> Exchange:
    asked = ",".join(f"%7B%22method%22%3A+%22GET%22%2C+%22relative_url%22%3A+%22{_id(one)}%22%7D" for one in numbers)
    return Exchange(
        method="POST",
        url="https://graph.facebook.com/v26.0/",
        params=(),
        form=f"batch=%5B{asked}%5D&include_headers=false",
        status=200,
        headers={
            "Content-Type": "application/json; charset=UTF-8",
            "Date": "Mon, 02 Nov 2026 09:00:00 GMT",
            "Facebook-API-Version": "v26.0",
            "X-FB-Debug": chance.randbytes(48).hex(),
            "X-FB-Request-ID": chance.randbytes(16).hex(),
            "X-FB-Rev": "1029384756",
            "X-FB-Trace-ID": chance.randbytes(8).hex(),
        },
        content=f"[{','.join(_items(numbers, counts))}]".encode(),
    )


def _items(numbers: range, counts: Sequence[int]) -> Iterator[str]:
    for number in numbers:
        name = f"page.{number}"
        body = {
            "id": _id(number),
            "name": f"{_NAMES[number % len(_NAMES)]} {number}",
            "username": name,
            "link": f"https://www.facebook.com/{name}",
            "fan_count": counts[number],
            "followers_count": counts[number] + number % 7,
            "has_transitioned_to_new_page_experience": True,
        }
        yield json.dumps({"code": 200, "body": json.dumps(body)})
