"""Pasts and series are stored as what changed of them, and read back as what they are."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.model import Metric, Reading
from storage.store import Store
from tests.labs.standins.histories import START, Replay, page, reading


@dataclass(frozen=True, kw_only=True)
class Step:
    """Readings so many ``hours`` apart, each with such a gain, or ten times too much; and what happens then."""

    hours: float
    gain: int
    tenfold: bool
    readings: int
    source: str
    then: str


_STEPS = st.builds(
    Step,
    hours=st.sampled_from((0.25, 1.0, 1.5, 7.0, 13.0, 30.0, 24.0 * 31)),
    gain=st.sampled_from((0, 3, 3, 3, 40, 40, -9_000, 60_000)),
    tenfold=st.sampled_from((False, False, False, True)),
    readings=st.sampled_from((1, 1, 1, 2)),
    source=st.sampled_from(("poll", "poll", "poll", "import")),
    then=st.sampled_from(("", "", "", "restart", "fold", "undo")),
)


def _save(store: Store, replay: Replay) -> None:
    store.series_states.put(list(replay.series_states.values()))
    store.history_summaries.put(replay.known.histories)


def _of(step: Step, hours: float, count: int, width: int, metric: Metric) -> Reading:
    told = (count * 10 if step.tenfold else count) // (width + 1) * (width + 1)
    return reading("a", hours, told, width=width, metric=metric, source=step.source)


def _stays_equal(path: Path, history: list[Step], width: int, change: int) -> None:
    replay, store = Replay((page("a", "g"),), ()), Store.open(path)
    store.pages.add(page("a", "g"), None, at=START)
    hours, count = 0.0, 100_000
    for number, step in enumerate(history):
        for _ in range(step.readings):
            hours, count = hours + step.hours, max(count + step.gain, 1)
            metric = Metric.LIKES if number < change else Metric.FOLLOWERS
            replay.arrive(_of(step, hours, count, width, metric))
        if step.then == "undo":
            with suppress(RuntimeError), store.write():
                _save(store, replay)
                raise RuntimeError
            continue
        _save(store, replay)
        if step.then == "fold":
            store.compact(START + timedelta(hours=hours - 48))
        with closing(Store.open_reader(path)) as fresh:
            assert fresh.history_summaries.get(["a"]) == replay.known.histories
            assert fresh.series_states.get(["a"]) == replay.series_states
        if step.then == "restart":
            store.close()
            store = Store.open(path)
            replay.known.histories, replay.known.series_states = (
                store.history_summaries.get(["a"]),
                store.series_states.get(["a"]),
            )
    store.close()


_PLAIN = Step(hours=1.0, gain=3, tenfold=False, readings=1, source="poll", then="")
_UNDONE = [_PLAIN, _PLAIN, _PLAIN, replace(_PLAIN, then="undo"), _PLAIN, _PLAIN]


@example(history=_UNDONE, width=0, change=9)
@given(history=st.lists(_STEPS, min_size=5, max_size=30), width=st.sampled_from((0, 0, 999)), change=st.integers(5, 60))
@settings(max_examples=30, deadline=None)
def test_what_is_stored_in_steps_is_what_was_remembered(history: list[Step], width: int, change: int) -> None:
    with TemporaryDirectory() as folder:
        _stays_equal(Path(folder) / "likewatch.db", history, width, change)
