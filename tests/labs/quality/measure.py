"""Worlds made, recorded, watched by three rules, and judged; two at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.labs.quality.backtest import backtest, differences
from tests.labs.quality.explain import explanations
from tests.labs.quality.fates import DAYS, PAGES, make_world
from tests.labs.quality.histories import record
from tests.labs.quality.naive import AT_ONCE, HELD, naive_alerts
from tests.labs.quality.rows import Told, cut_history, read_pages, read_rows
from tests.labs.quality.score import Score, score
from tests.labs.quality.true_leads import pairs
from tests.labs.quality.truth import true_events
from tests.labs.quality.values import DAY, START

LAST_VALUES, HELD_A_DAY, OURS = "last two values", "held 24 h, once", "ours"
RULES = (LAST_VALUES, HELD_A_DAY, OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One world to measure. ``explained`` is a kind whose every mistake of ours, or else of the rules, is told."""

    seed: int
    rules: Sequence[str] = RULES
    pages: int = PAGES
    days: int = DAYS
    looks_ahead: bool = False
    explained: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How each rule did in one world.

    ``ahead`` are the alerts that differ where the second half of the history is unknown, None if that was not asked.
    """

    seed: int
    scores: dict[str, Score]
    ahead: int | None = None
    explained: Sequence[str] = ()


def measure_all(orders: Sequence[Order], *, jobs: int) -> Iterator[Measured]:
    """Measure worlds, so many at once, in the order in which they are done."""
    if jobs == 1:
        yield from map(measure, orders)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(measure, order) for order in orders]):
            yield done.result()


def measure(order: Order) -> Measured:
    """Make the world, let each rule watch it, and judge what they tell."""
    world = make_world(order.seed, pages=order.pages, days=order.days)
    leads = [*pairs(world)]
    events = true_events(world, leads)
    with TemporaryDirectory(prefix="likewatch-quality-") as name:
        folder = Path(name)
        record(world, folder)
        told = {rule: _tell(rule, folder) for rule in order.rules}
        ahead = _looks_ahead(folder, told[OURS], order) if order.looks_ahead and OURS in told else None
    explained: Sequence[str] = ()
    if order.explained:
        explained = explanations(told[order.rules[-1]], world, events, leads, order.explained)
    scores = {rule: score(alerts, world, events, leads) for rule, alerts in told.items()}
    return Measured(seed=order.seed, scores=scores, ahead=ahead, explained=explained)


def _tell(rule: str, folder: Path) -> list[Told]:
    if rule == OURS:
        return backtest(folder, folder / "alerts.csv")
    hold = HELD if rule == HELD_A_DAY else AT_ONCE
    return [*naive_alerts(read_pages(folder), read_rows(folder), hold=hold)]


def _looks_ahead(folder: Path, whole: Sequence[Told], order: Order) -> int:
    until = START + order.days // 2 * DAY
    half = folder / "half"
    half.mkdir()
    cut_history(folder, half, until)
    return differences(whole, backtest(half, half / "alerts.csv"), until)
