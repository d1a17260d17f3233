"""Milestones: told once, the highest of several, and never for what was passed before the page was first seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.comparisons.milestone import COMPARISON, MilestoneState, following
from handlers.contract import Names
from handlers.model import Dated, Metric, Reading
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import START, Replay, page, reading, scene

WORDS = Names(page=str.title, country=str)


def _replayed(*readings: Reading) -> Replay:
    replay = Replay((page("a"),), (COMPARISON,))
    for each in readings:
        replay.arrive(each)
        replay.restart()
    return replay


def _told(replay: Replay) -> list[int]:
    return [int(alert.facts[0].value) for alert in replay.alerts]


def _hourly(*counts: int, width: int = 0) -> list[Reading]:
    return [reading("a", hours, count, width=width) for hours, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, 10_000),
        (9_999, 10_000),
        (10_000, 20_000),
        (95_000, 100_000),
        (99_999, 100_000),
        (100_000, 200_000),
        (2_108_800, 3_000_000),
        (999_999_999, 1_000_000_000),
    ],
)
def test_milestones_are_round_numbers(number: int, expected: int) -> None:
    assert following(number) == expected


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        pytest.param((2_108_800, 2_108_900), [], id="what was passed before first sight"),
        pytest.param((20_000, 20_001), [], id="what first sight stands at"),
        pytest.param((19_990, 20_000), [20_000], id="reached exactly"),
        pytest.param((19_990, 20_010, 19_995, 20_005), [20_000], id="once, and not again after a dip"),
        pytest.param((9_950, 9_990, 10_020), [10_000], id="the smallest"),
        pytest.param((5_950, 6_040), [], id="none below 10,000"),
        pytest.param((999_000, 1_000_001), [1_000_000], id="a power of ten"),
        pytest.param((19_990, 200_100, 200_200), [], id="an odd value that the ledger holds"),
        pytest.param((20_010, 19_990, 20_020), [], id="a dip below what first sight stood above"),
    ],
)
def test_it_tells_what_a_page_was_first_seen_to_pass(counts: tuple[int, ...], told: list[int]) -> None:
    assert _told(_replayed(*_hourly(*counts))) == told


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        pytest.param((1_980_000, 1_990_000), [], id="the interval reaches over it"),
        pytest.param((1_980_000, 1_990_000, 2_000_000), [2_000_000], id="the interval lies above it"),
        pytest.param((1_995_000, 2_000_000), [], id="first sight may have been above it"),
    ],
)
def test_a_rounded_count_has_passed_what_its_whole_interval_has(counts: tuple[int, ...], told: list[int]) -> None:
    assert _told(_replayed(*_hourly(*counts, width=19_999))) == told


def test_of_several_passed_at_once_the_highest_is_told() -> None:
    days = (0, 40, 80)
    replay = _replayed(
        *(
            replace(reading("a", 24 * day, count), dated=Dated.DAY)
            for day, count in zip(days, (67_000, 1_000_000, 7_200_000), strict=True)
        )
    )
    assert _told(replay) == [1_000_000, 7_000_000]
    assert [alert.fact("lowest").value for alert in replay.alerts] == [70_000, 2_000_000]


def _climb(a_day: int, *, hours: Iterable[int], start: int = 85_000) -> list[Reading]:
    return [reading("a", hour, start + a_day * hour // 24) for hour in hours]


def test_a_page_that_will_soon_pass_the_next_is_waited_for() -> None:
    replay = _replayed(*_climb(10_000, hours=range(60)))
    assert _told(replay) == [100_000]
    assert replay.alerts[0].at == START + timedelta(hours=36)


def test_steady_growth_is_told_no_later_than_48_hours_after_the_first_it_passes() -> None:
    replay = _replayed(*_climb(330 * 24, hours=range(24 * 8), start=9_000))
    assert _told(replay) == [30_000, 50_000, 70_000]
    for alert in replay.alerts:
        passed_at = alert.fact("lowest").at
        assert passed_at is not None
        assert alert.at - passed_at <= timedelta(hours=48)
    assert lines(replay.alerts[0], WORDS) == (
        "The reading before was 29,790 on 9 May 2024, 00:00 UTC; when between the two it passed is not known.",
        "10,000 was passed on 7 May 2024, 03:00 UTC; of all since, only the highest is told.",
    )


def test_a_page_that_slows_down_is_waited_for_no_longer() -> None:
    fast = _climb(10_000, hours=range(14))
    slow = [reading("a", hour, fast[-1].count + 10 * hour) for hour in range(14, 60)]
    replay = _replayed(*fast, *slow)
    assert _told(replay) == [90_000]
    assert replay.alerts[0].fact("count").value == 90_000
    assert replay.alerts[0].at < START + timedelta(hours=36)


def test_a_higher_one_within_48_hours_of_a_told_one_is_the_same_story() -> None:
    confirmed_after_twelve_hours = [reading("a", hour, 101_000 + hour) for hour in (14, 20, 27)]
    replay = _replayed(*_hourly(89_000, 90_100), *confirmed_after_twelve_hours)
    assert _told(replay) == [90_000, 100_000]
    assert len({alert.story for alert in replay.alerts}) == 1
    assert len({alert.key for alert in replay.alerts}) == 2


def _before_a_jump(hours: int = 60) -> list[Reading]:
    return [reading("a", hour, 98_000 + 10 * hour) for hour in range(hours)]


@pytest.mark.parametrize("lasts", [1, 5, 8])
def test_a_wrong_count_inside_the_gate_passes_nothing_and_the_page_itself_does_later(lasts: int) -> None:
    wrong = [reading("a", 60 + hour, 100_500) for hour in range(lasts)]
    since = 60 + lasts
    replay = _replayed(
        *_before_a_jump(), *wrong, *(reading("a", hour, 98_000 + 10 * hour) for hour in range(since, 300))
    )
    assert [(value, alert.at) for value, alert in zip(_told(replay), replay.alerts, strict=True)] == [
        (100_000, START + timedelta(hours=200))
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        [[reading("a", 60, 100_500), reading("a", 61, 100_500)]],
        [[reading("a", 60 + hour, 99_995 + 10 * hour)] for hour in range(8)],
    ],
    ids=["two at once", "just below it at first"],
)
def test_a_jump_a_few_readings_back_must_stand_too(wrong: list[list[Reading]]) -> None:
    replay = _replayed(*_before_a_jump())
    for together in wrong:
        replay.arrive(*together)
    for hour in range(68, 120):
        replay.arrive(reading("a", hour, 98_000 + 10 * hour))
    assert _told(replay) == []


def test_a_jump_that_stands_for_half_a_day_has_passed_it() -> None:
    replay = _replayed(*_before_a_jump(), *(reading("a", hour, 99_900 + 10 * hour) for hour in range(60, 90)))
    assert [(value, alert.at) for value, alert in zip(_told(replay), replay.alerts, strict=True)] == [
        (100_000, START + timedelta(hours=72))
    ]
    assert replay.alerts[0].fact("count").value > 100_000


def test_a_wrong_count_above_a_milestone_that_waits_spends_no_other() -> None:
    """It climbs by 2,400 a day, so that 90,000 waits for 100,000; one reading is 2.5% too high."""
    climbing = [(hour, 85_000 + 100 * hour) for hour in range(60)]
    fast = [(hour, 91_000 + 20 * (hour - 60)) for hour in range(60, 400)]
    rows = [(hour, round(count * (1.1 if hour == 58 else 1))) for hour, count in climbing] + fast
    replay = _replayed(*(reading("a", hour, count) for hour, count in rows))
    assert _told(replay) == [90_000]


@pytest.mark.parametrize(("first", "told"), [(5_000, []), (500_000, [60_000])])
def test_a_first_reading_that_the_next_ones_contradict_passes_nothing_and_hides_nothing(
    first: int, told: list[int]
) -> None:
    later = 60 * 24 if told else 40
    replay = _replayed(reading("a", 0, first), *(reading("a", hour, 50_500 + 10 * hour) for hour in range(1, later, 3)))
    assert _told(replay) == told


@pytest.mark.parametrize("hours", [1, 24 * 10])
def test_a_page_that_lost_what_it_was_first_seen_to_have_does_not_pass_it_again(hours: int) -> None:
    """It is first seen at 1,000,500 and loses 1%: the first reading is contradicted, but was right."""
    later = [reading("a", hours * step, 990_150 + 500 * step) for step in range(1, 40)]
    assert _told(_replayed(reading("a", 0, 1_000_500), *later)) == []


def test_a_first_reading_contradicted_by_a_backlog_of_days_passes_nothing() -> None:
    replay = _replayed(reading("a", 0, 200_500))
    replay.arrive(*(reading("a", hour, 2_010_000 + 30 * hour) for hour in range(1, 60)))
    assert _told(replay) == []


def test_a_milestone_long_after_another_is_a_story_of_its_own() -> None:
    replay = _replayed(*_climb(400, hours=range(0, 24 * 45, 6)))
    assert _told(replay) == [90_000, 100_000]
    assert len({alert.story for alert in replay.alerts}) == 2


def test_followers_after_likes_are_first_seen_and_silent() -> None:
    likes = _hourly(29_000, 29_100)
    followers = [reading("a", 10 + hour, 41_000 + hour, metric=Metric.FOLLOWERS) for hour in range(24)]
    replay = _replayed(*likes, *followers, reading("a", 60, 41_900, metric=Metric.FOLLOWERS))
    assert replay.series_states["a"].metric is Metric.FOLLOWERS
    assert _told(replay) == []


def test_it_says_the_figure_the_day_and_what_was_not_seen() -> None:
    alert = scene("milestone")
    assert headline(alert, WORDS) == "A has passed 20,000 likes (20,013 on 6 May 2024, 10:00 UTC)."
    assert lines(alert, WORDS) == (
        "The reading before was 19,900 on 6 May 2024, 09:00 UTC; when between the two it passed is not known.",
    )


def test_it_does_not_claim_the_day_where_the_readings_are_years_apart() -> None:
    replay = _replayed(
        *(
            replace(reading("a", 24 * day, count, width=width), dated=Dated.MONTH)
            for day, count, width in ((0, 4_950_000, 99_999), (240, 7_150_000, 99_999))
        )
    )
    (alert,) = replay.alerts
    assert headline(alert, WORDS) == "A has passed 7,000,000 likes (7,150,000 by rounded figures in January 2025)."
    assert lines(alert, WORDS) == (
        "When it passed is not known.",
        "It passed all from 6,000,000 on since it was last read; only the highest is told.",
    )


@given(
    st.sampled_from((9_950, 19_980, 89_700, 99_990)),
    st.lists(st.integers(min_value=-50, max_value=100), min_size=1, max_size=60),
)
def test_each_is_told_once_when_the_count_first_lies_at_or_above_it(first: int, gains: list[int]) -> None:
    counts = list(accumulate(gains, initial=first))
    replay = _replayed(*(reading("a", 24 * day, count) for day, count in enumerate(counts)))
    milestones = (10_000, 20_000, 90_000, 100_000)
    assert _told(replay) == [number for number in milestones if first < number <= max(counts)]
    for alert in replay.alerts:
        day = (alert.at - START).days
        assert max(counts[:day]) < alert.fact("milestone").value <= counts[day]


def test_its_memory_changes_only_when_something_passes() -> None:
    replay = Replay((page("a"),), (COMPARISON,))
    changes = [bool(replay.arrive(each).rule_states) for each in _hourly(19_900, 19_950, 19_990, 20_010, 20_020)]
    assert changes == [True, False, False, True, False]
    assert isinstance(replay.rule_states["milestone", "a"], MilestoneState)
