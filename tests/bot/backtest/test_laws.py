"""What holds of any history: nobody looks ahead, order and restarts do not matter, live and backtest agree."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backtest.history import History
from bot.backtest.run import alerts_of
from handlers.decide import Arrivals
from handlers.discovery import all_comparisons
from handlers.model import Alert, Page
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.histories import Replay
from tests.labs.standins.newsroom import cycle
from tests.labs.standins.recorded import START, Recorded, recorded

SEEDS = st.integers(0, 10_000)
PARTS = st.floats(0.3, 1)
FEW = settings(max_examples=12, deadline=None)
FEWER = settings(max_examples=4, deadline=None)

Batches = list[tuple[datetime, Arrivals]]


def read(history: Recorded) -> tuple[Sequence[Page], Batches]:
    with TemporaryDirectory() as folder, History(history.write(Path(folder))) as opened:
        batches = list(opened.batches())
        assert not opened.faults.number
        return tuple(opened.pages.values()), batches


def told(history: Recorded) -> list[Alert]:
    pages, batches = read(history)
    return list(alerts_of(pages, batches, all_comparisons()))


def as_rows(alerts: Iterable[Alert]) -> list[tuple[object, ...]]:
    """Without the instants; to the sixth digit, since a sum may be made in another order."""
    return [(alert.kind, alert.page, alert.rival, f"{alert.facts[0].value:.6g}") for alert in alerts]


def test_these_histories_tell_much() -> None:
    kinds = {alert.kind for seed in range(4) for alert in told(recorded(seed))}
    assert kinds >= {"ahead", "overtake", "surge", "purge", "new_foreign_share"}


@FEW
@given(seed=SEEDS, part=PARTS)
def test_what_comes_later_changes_nothing_that_was_told(seed: int, part: float) -> None:
    history = recorded(seed)
    cut = history.counts[int(part * (len(history.counts) - 1))].received_at
    whole = told(history)
    assert told(history.until(cut)) == [alert for alert in whole if alert.at <= cut]


@FEW
@given(seed=SEEDS, part=PARTS)
def test_what_comes_later_may_be_anything(seed: int, part: float) -> None:
    history, other = recorded(seed), recorded(seed + 1)
    cut = history.counts[int(part * (len(history.counts) - 1))].received_at
    mixed = Recorded(
        counts=[*history.until(cut).counts, *(row for row in other.counts if row.received_at > cut)],
        listed=[*history.until(cut).listed, *(row for row in other.listed if row.received_at > cut)],
    )
    assert [one for one in told(mixed) if one.at <= cut] == [one for one in told(history) if one.at <= cut]


@FEW
@given(seed=SEEDS)
def test_the_same_history_tells_the_same(seed: int) -> None:
    assert told(recorded(seed)) == told(recorded(seed))


@FEW
@given(seed=SEEDS)
def test_the_order_of_the_pages_does_not_matter(seed: int) -> None:
    history = recorded(seed)
    turned = replace(history, pages=random.Random(seed).sample(history.pages, len(history.pages)))
    assert told(turned) == told(history)


@FEW
@given(seed=SEEDS, weeks=st.integers(-300, 300))
def test_weeks_earlier_or_later_only_the_instants_differ(seed: int, weeks: int) -> None:
    history, by = recorded(seed), timedelta(weeks=weeks)
    alerts, shifted = told(history), told(history.later(by))
    assert as_rows(shifted) == as_rows(alerts)
    assert [alert.at for alert in shifted] == [alert.at + by for alert in alerts]


@FEW
@given(seed=SEEDS, part=PARTS)
def test_memories_that_went_through_their_text_go_on_as_before(seed: int, part: float) -> None:
    pages, batches = read(recorded(seed))
    replay = Replay(pages)
    for number, (_, arrivals) in enumerate(batches):
        if number == int(part * len(batches)):
            replay.restart()
        replay.arrive(*arrivals.readings, *arrivals.audiences)
    assert by_key(replay.alerts) == by_key(alerts_of(pages, batches, all_comparisons()))


@FEWER
@given(seed=SEEDS, part=PARTS)
def test_the_live_cycle_tells_the_same_also_when_it_is_started_anew(seed: int, part: float) -> None:
    pages, batches = read(recorded(seed))
    split = int(part * len(batches))
    with TemporaryDirectory() as folder:
        database = Path(folder) / "likewatch.db"
        first = added(database, pages, batches[:split])
        rest = added(database, (), batches[split:])
        again = added(database, (), batches[split:])
    assert by_key([*first, *rest]) == by_key(alerts_of(pages, batches, all_comparisons()))
    assert again == ()


def added(database: Path, pages: Iterable[Page], batches: Batches) -> tuple[Alert, ...]:
    """What the live cycle tells of these, in a process of its own as far as the store knows."""
    store = Store.open(database)
    try:
        for page in pages:
            store.pages.add(page, None, at=START)
        live = cycle(store, HandClock(START + timedelta(days=400)), {})
        alerts = live.add_figures(batches, replayed=True).alerts
        live.close()
    finally:
        store.close()
    return alerts


def by_key(alerts: Iterable[Alert]) -> dict[str, tuple[object, ...]]:
    return {alert.key: (alert.at, *as_rows([alert])) for alert in alerts}
