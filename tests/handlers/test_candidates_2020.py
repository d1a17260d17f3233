"""Real follower counts of 27 candidates, irregular and with gaps, read from beside the checkout (MIT, not copied)."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from handlers.comparisons.overtake import COMPARISON
from handlers.model import Alert, Metric, Reading, Standing
from tests.labs.standins.histories import Replay, page

COUNTS = Path(__file__).parents[2].parent / "shared" / "data" / "candidates-2020" / "counts.csv"
Series = dict[str, list[tuple[datetime, int]]]


@pytest.fixture(scope="module")
def replay() -> Replay:
    if not COUNTS.exists():
        pytest.skip("The candidates' counts are not beside this checkout (../shared/data/candidates-2020/counts.csv).")
    readings = [_reading(row) for row in csv.DictReader(COUNTS.read_text().splitlines())]
    replay = Replay([page(slug, "candidates") for slug in sorted({each.page for each in readings})], (COMPARISON,))
    for each in sorted(readings, key=lambda each: (each.received_at, each.page)):
        replay.arrive(each)
    return replay


def _reading(row: dict[str, str]) -> Reading:
    at, count = datetime.fromisoformat(row["observed_at"]), int(row["likes"])
    return Reading(
        page=row["page"],
        observed_at=at,
        received_at=at,
        count=count,
        low=count,
        high=count,
        metric=Metric.FOLLOWERS,
        source="the platform",
    )


def _count(rows: list[tuple[datetime, int]], at: datetime) -> float:
    index = bisect_right(rows, at, key=lambda row: row[0])
    if index == len(rows):
        return rows[-1][1]
    (before, low), (after, high) = rows[index - 1], rows[index]
    return low + (high - low) * ((at - before) / (after - before))


def _is_true_a_week_later(alert: Alert, series: Series) -> bool:
    later = alert.at + timedelta(days=7)
    return _count(series[alert.page], later) > _count(series[alert.rival or ""], later)


def test_nearly_every_reading_is_accepted(replay: Replay) -> None:
    assert len(replay.standings) == 24_232
    assert replay.standings.count(Standing.HELD) < 0.005 * len(replay.standings)


@pytest.mark.parametrize(("kind", "at_least"), [("overtake", 0.95), ("ahead", 0.85)])
def test_leads_that_were_told_were_true_a_week_later(replay: Replay, kind: str, at_least: float) -> None:
    series: Series = defaultdict(list)
    for validated in replay.readings:
        series[validated.reading.page].append((validated.reading.observed_at, validated.reading.count))
    told = [alert for alert in replay.alerts if alert.kind == kind]
    assert len(told) > 30
    assert sum(_is_true_a_week_later(alert, series) for alert in told) / len(told) >= at_least


def test_one_contest_is_one_card(replay: Replay) -> None:
    stories = [alert.story for alert in replay.alerts if alert.kind == "ahead"]
    assert len(stories) == len(set(stories))
