"""(f) Comparing: one group of 100,000 pages against sorting it, and 10,000 pages against the cycle that reads them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from handlers.comparisons import overtake
from handlers.contract import Comparison, Window
from handlers.discovery import all_comparisons
from handlers.model import Metric, Page, Point, SeriesState
from handlers.signals.contests import OvertakeState
from tests.labs.bench.graph import Scene, graph_process, number_of
from tests.labs.bench.poll_cycle import CADENCE, PAGES, bot_on
from tests.labs.bench.report import Result, Verdict, milliseconds

IN_ONE_GROUP, QUICK_IN_ONE_GROUP = 100_000, 20_000
CHANGED = 100
"""One page in so many has a new count."""

LATENCY = 0.15
ROUNDS, QUICK_ROUNDS = 9, 3

_START = datetime(2026, 11, 1, 9, tzinfo=UTC)
_APART = 40  # likes between two pages of the large group


def run(folder: Path, *, quick: bool) -> Result:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    pages = QUICK_IN_ONE_GROUP if quick else IN_ONE_GROUP
    comparing, sorting, moved = _one_group(pages, rounds)
    rules, cycle = _cycles(folder / "likewatch.db", rounds)
    return Result(
        name="f",
        title="Comparing",
        rows=[
            ("what", "ms", "against", "ms", "ratio"),
            _row(f"leads in one group of {pages:,}, 1% changed", comparing, "one list.sort of the group", sorting),
            _row(f"every rule, {PAGES:,} pages read", rules, "their cycle at 150 ms", cycle),
        ],
        verdicts=[
            Verdict(what="leads in one group / one list.sort of it", value=comparing / sorting, target=2),
            Verdict(what="every rule / the cycle at 150 ms", value=rules / cycle, target=0.05),
        ],
        notes=(
            f"medians of {rounds}; {moved:,} places in its order changed hands on the way",
            "list.sort: the pages, in the order of the cycle before, by their new counts",
            "every rule: the time inside them, in the very cycle; judging and storing what was read is part of (a)",
        ),
    )


def _row(what: str, ours: float, against: str, other: float) -> tuple[str, ...]:
    return what, milliseconds(ours), against, milliseconds(other), f"{ours / other:.2f}"


# One large group


def _one_group(number: int, rounds: int) -> tuple[float, float, int]:
    """Seconds of comparing it and of sorting it, and how many places in its order changed hands."""
    chance = random.Random(2016)
    slugs = [f"page{place:06}" for place in range(number)]
    pages = {slug: Page(slug=slug, name=slug, platform="facebook", groups=("all",)) for slug in slugs}
    tracks = {slug: _track(slug, 1_000_000 + _APART * place) for place, slug in enumerate(slugs)}
    board = OvertakeState()
    comparing, sorting, moved = [], [], 0
    for hour in range(rounds + 2):  # in the first two every page is seen for the first time, and again
        came = tuple(sorted(chance.sample(slugs, number // CHANGED))) if hour > 1 else tuple(slugs)
        at = _START + hour * CADENCE
        tracks |= {slug: _read_again(tracks[slug], at, chance.randrange(2 * _APART) * (hour > 1)) for slug in came}
        before = board.orders.get(Metric.LIKES, ())
        window = Window(
            scope="all", now=at, pages=pages, series_states=tracks, histories=MappingProxyType({}), changed=came
        )
        began = time.perf_counter()
        verdict = overtake.compare(window, board, overtake.OvertakeParameters())
        comparing.append(time.perf_counter() - began)
        board = board if verdict is None else verdict.state
        order = list(before)
        began = time.perf_counter()
        order.sort(key=lambda slug: tracks[slug].last.count)
        sorting.append(time.perf_counter() - began)
        moved += sum(one != other for one, other in zip(before, board.orders[Metric.LIKES], strict=False))
    return median(comparing[2:]), median(sorting[2:]), moved


def _track(slug: str, count: int) -> SeriesState:
    point = Point(at=_START, count=count, low=count, high=count, source="facebook")
    return SeriesState(page=slug, metric=Metric.LIKES, since=_START, last=point, day=point, gap=CADENCE.total_seconds())


def _read_again(track: SeriesState, at: datetime, gain: int) -> SeriesState:
    count = track.last.count + gain
    return replace(track, last=replace(track.last, at=at, count=count, low=count, high=count), previous=track.last)


# The cycle of many small groups


class _Timed:
    """The rules, and the seconds spent inside them."""

    def __init__(self, rules: Sequence[Comparison[Any]]) -> None:
        self.rules = tuple(replace(rule, compare=self._timed(rule.compare)) for rule in rules)
        self.seconds = 0.0

    def _timed(self, compare: Callable[[Window, Any, Any], Any]) -> Callable[[Window, Any, Any], Any]:
        def timed(window: Window, state: object, parameters: object) -> object:
            began = time.perf_counter()
            try:
                return compare(window, state, parameters)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def _cycles(database: Path, rounds: int) -> tuple[float, float]:
    """Seconds inside the rules, and of the cycle around them."""
    timed = _Timed(all_comparisons())
    inside, whole = [], []
    with graph_process() as graph, bot_on(graph, database, timed.rules) as bot:
        chance, counts = random.Random(2016), {number_of(n): 1_000_000 + 37 * n for n in range(PAGES)}
        for number in range(rounds + 3):
            counts = {page: count + chance.randint(1, 9) for page, count in counts.items()}
            graph.show(Scene(counts=counts, latency=LATENCY if number > 2 else 0))
            timed.seconds = 0.0
            began = time.perf_counter()
            bot.cycle()
            whole.append(time.perf_counter() - began)
            inside.append(timed.seconds)
    return median(inside[3:]), median(whole[3:])
