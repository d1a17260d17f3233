"""What is remembered of a page's past is what the ledger accepted, and nothing of what it did not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.model import Metric
from handlers.signals.history import DAY, HOUR, HistorySummary
from tests.labs.standins.histories import START, Replay, page, reading

BEGAN = START.timestamp()


def past_of(*counts: tuple[float, int], metric: Metric = Metric.LIKES) -> HistorySummary:
    replay = Replay((page("a"),))
    for hours, count in counts:
        replay.arrive(reading("a", hours, count, metric=metric))
    return replay.known.histories["a"]


def steadily(hours: range) -> list[tuple[float, int]]:
    return [(hour, 100_000 + 10 * hour) for hour in hours]


def test_between_marks_a_count_is_on_a_straight_line() -> None:
    past = past_of((0, 1_000), (1, 1_010), (3, 1_050))
    assert [past.at(BEGAN + hours * HOUR) for hours in (0, 0.5, 2, 3)] == [1_000, 1_005, 1_030, 1_050]
    assert past.at(BEGAN - 1) is None
    assert past.at(BEGAN + 3.1 * HOUR) == 1_050


def test_three_days_are_marked_and_every_midnight_of_half_a_year() -> None:
    past = past_of(*steadily(range(0, 24 * 200, 2)))
    assert past.times[-1] - past.times[0] < 78 * HOUR
    assert len(past.midnights) == 180
    assert past.gains(3) == pytest.approx([240, 240, 240])
    assert past.end == int(past.times[-1] // DAY)


def test_readings_minutes_apart_are_marked_once() -> None:
    past = past_of(*((minute / 60, 1_000 + minute) for minute in range(0, 180, 10)))
    assert len(past.times) == 4  # of 18


def test_a_dip_that_is_over_leaves_no_trace() -> None:
    with_dip = [(hour, 60_000 if 100 <= hour < 103 else count) for hour, count in steadily(range(140))]
    assert min(past_of(*with_dip).counts) > 100_000


def test_a_confirmed_level_is_marked_from_where_it_began() -> None:
    fallen = [(hour, count - 5_000 * (hour >= 100)) for hour, count in steadily(range(120))]
    past = past_of(*fallen)
    assert past.at(BEGAN + 100 * HOUR) == 96_000


def test_a_counter_that_stood_still_is_drawn_through() -> None:
    frozen = [(hour, 102_000 if 200 <= hour < 220 else count) for hour, count in steadily(range(240))]
    past = past_of(*frozen)
    assert past.at(BEGAN + 210 * HOUR) == pytest.approx(102_100)


def test_a_counter_that_stood_still_for_longer_than_marks_are_kept_leaves_the_midnights_before() -> None:
    frozen = [(hour, 103_600 if 360 <= hour < 460 else count) for hour, count in steadily(range(480))]
    past = past_of(*frozen)
    assert len(past.midnights) == 20
    assert past.gains(19) == pytest.approx([240] * 19)


def test_where_nobody_saw_a_rounded_count_come_to_its_step_it_is_taken_to_be_in_the_middle() -> None:
    rows = [(0, 100_000), (1, 100_000), (2, 101_000), (3, 101_000), (40, 104_000)]
    replay = Replay((page("a"),))
    for hours, count in rows:
        replay.arrive(reading("a", hours, count, width=999))
    past = replay.known.histories["a"]
    assert past.at(BEGAN + 2 * HOUR) == 101_000
    assert past.at(BEGAN + 40 * HOUR) == 104_499.5


def test_another_metric_begins_a_past_of_its_own() -> None:
    replay = Replay((page("a"),))
    for hour in range(48):
        metric = Metric.LIKES if hour < 24 else Metric.FOLLOWERS
        replay.arrive(reading("a", hour, 1_000 + 8_000 * (hour >= 24), metric=metric))
    assert min(replay.known.histories["a"].counts) == 9_000


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(10_000, 10**9))
def test_midnights_lie_between_the_readings_around_them(gaps: list[int], count: int) -> None:
    tenths, rows = 0, []
    for gap in gaps:
        tenths += gap
        count += 1 + gap % 90  # never the same twice: a counter that stood still is drawn through
        rows.append((tenths / 10, count))
    past = past_of(*rows)
    for index, midnight in enumerate(past.midnights):
        at = ((past.first + index) * DAY - BEGAN) / HOUR
        before = [count for hour, count in rows if hour <= at]
        after = [count for hour, count in rows if hour >= at]
        assert before[-1] <= midnight <= after[0]
