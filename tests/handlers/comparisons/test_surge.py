"""A surge is told once, soon, and never for noise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handlers.comparisons.surge import COMPARISON
from handlers.contract import Names
from handlers.model import Alert, Metric
from handlers.wording.sentences import headline
from tests.labs.standins.histories import START, Replay, hourly, page, reading

BEGINS = 35 * 24


def surges(replay: Replay) -> list[Alert]:
    return [alert for alert in replay.alerts if alert.kind == "surge"]


def steady(hour: int) -> float:
    return 500_000 + 20 * hour


def with_more(a_day: float, hours: int = 10_000) -> Callable[[int], float]:
    return lambda hour: steady(hour) + a_day / 24 * min(max(hour - BEGINS, 0), hours)


def test_a_day_of_many_times_the_usual_is_told_within_half_a_day() -> None:
    (told,) = surges(hourly(45 * 24, {"a": with_more(9_600)}))
    assert timedelta(0) < told.at - START - timedelta(hours=BEGINS) <= timedelta(hours=12)
    assert told.fact("ratio").value >= 3.2
    assert told.fact("usual").value == pytest.approx(480)


def climbing(likes_an_hour: int) -> Callable[[int], float]:
    return lambda hour: steady(hour) * 0.4 + likes_an_hour * max(hour - BEGINS, 0)


def test_the_steeper_a_surge_the_sooner_it_is_told() -> None:
    """Of 200,000 likes, every hour of the steeper ones is a jump by itself."""
    told_at = [surges(hourly(40 * 24, {"a": climbing(likes)}))[0].at for likes in (700, 900, 2_000)]
    assert told_at == sorted(told_at, reverse=True)


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        (steady, "nothing happens"),
        (with_more(600), "a little more than twice the usual day is no surge"),
        (with_more(24 * 400, hours=1), "it must still be so 6 hours later, or be large enough to"),
        (lambda hour: steady(hour) + 10_000 * (BEGINS <= hour < BEGINS + 8), "a wrong value inside the gate"),
        (lambda hour: 40_000 + hour / 8 + 15 * max(hour - BEGINS, 0), "a small page's 360 are below the floor of 500"),
        (lambda hour: 500_000 + 200 * (hour // 24), "a counter that moves once a day"),
        (lambda hour: steady(hour) if not 820 < hour < 850 else steady(820), "a frozen counter that catches up"),
    ],
)
def test_what_is_no_surge(counted: Callable[[int], float], why: str) -> None:
    assert surges(hourly(45 * 24, {"a": counted})) == [], why


def test_an_outage_that_hides_ordinary_days_is_no_surge() -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(45 * 24):
        if not 30 * 24 < hour < 33 * 24:
            replay.arrive(reading("a", hour, round(steady(hour))))
    assert surges(replay) == []


def test_one_episode_is_one_alert_and_the_next_is_another() -> None:
    def two(hour: int) -> float:
        first, second = min(max(hour - 30 * 24, 0), 48), min(max(hour - 50 * 24, 0), 48)
        return steady(hour) + 400 * (first + second)

    assert len(surges(hourly(60 * 24, {"a": two}))) == 2


def test_a_counter_that_stands_still_for_days_ends_no_episode() -> None:
    surging = with_more(9_600)
    frozen = range(BEGINS + 72, BEGINS + 72 + 110)
    replay = hourly(50 * 24, {"a": lambda hour: surging(frozen[0] if hour in frozen else hour)})
    assert len(surges(replay)) == 1


def test_a_rounded_count_that_moves_every_few_days_ends_no_episode() -> None:
    def counted(hour: int) -> float:
        """960 likes a day, then 25,000 for two days, 3,000 for nine and 25,000 again."""
        fast, slow = min(max(hour - BEGINS, 0), 48), min(max(hour - BEGINS - 48, 0), 9 * 24)
        again = min(max(hour - BEGINS - 11 * 24, 0), 48)
        return 1_100_000 + 40 * hour + 25_000 / 24 * (fast + again) + 3_000 / 24 * slow

    replay = Replay((page("a", "g"),))
    for hour in range(55 * 24):
        replay.arrive(reading("a", hour, int(counted(hour)) // 10_000 * 10_000, width=9_999))
    assert len(surges(replay)) == 1


def test_the_steps_of_a_rounded_counter_are_no_surge() -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(60 * 24):
        count = round(1_230_000 + 4 * hour) // 10_000 * 10_000
        replay.arrive(reading("a", hour, count, width=9_999, metric=Metric.FOLLOWERS))
    assert surges(replay) == []


def test_a_channel_may_set_how_many_times_the_usual_day() -> None:
    tuned = Replay((page("a", "g"),), (COMPARISON, COMPARISON.tuned(8)))
    for hour in range(40 * 24):
        tuned.arrive(reading("a", hour, round(with_more(2_000)(hour))))
    (told,) = surges(tuned)
    assert (told.threshold, told.tuned) == (3.2, False)


def test_a_tuned_rule_tells_for_itself() -> None:
    tuned = Replay((page("a", "g"),), (COMPARISON, COMPARISON.tuned(8)))
    for hour in range(40 * 24):
        tuned.arrive(reading("a", hour, round(with_more(9_600)(hour))))
    default, other = surges(tuned)
    assert (default.threshold, other.threshold, other.tuned) == (3.2, 8, True)
    assert default.key != other.key
    assert other.fact("ratio").value >= 8


def test_a_restart_in_the_middle_of_an_episode_repeats_nothing() -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(45 * 24):
        replay.arrive(reading("a", hour, round(with_more(9_600)(hour))))
        if hour % 7 == 0:
            replay.restart()
    assert len(surges(replay)) == 1


@pytest.mark.parametrize(
    ("more", "assumed", "said_so"),
    [(9_600, "paced", "its unread days were usual ones"), (1_700, "drawn", "it grew evenly while it was not read")],
)
def test_what_was_not_read_just_then_is_said_to_be_assumed(more: float, assumed: str, said_so: str) -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(40 * 24):
        if not BEGINS - 20 < hour < BEGINS + 10:
            replay.arrive(reading("a", hour, round(with_more(more)(hour))))
    (told,) = surges(replay)
    gain, known = told.fact("gain"), told.fact(assumed)
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < gain.value < gain.high
    said = headline(told, Names(page=str.title, country=str))
    assert f"gained {known.value:,.0f} likes since " in said
    assert f"if {said_so}, about {gain.value:,.0f} in the last 24 hours" in said
    assert "The rule assumes" in told.rule


def test_unread_days_of_a_gain_too_small_to_be_news_are_no_surge() -> None:
    """A large page gains 1,000 on each of two days, three times its usual 288; one of them was not read."""
    replay = Replay((page("a", "g"),))
    for day in range(60):
        if day != 40:
            replay.arrive(reading("a", 24 * day, 770_000 + 288 * day + 712 * min(max(day - 39, 0), 2)))
    assert surges(replay) == []


def test_a_rounded_count_that_was_not_read_for_days_is_not_taken_to_have_just_come_to_its_step() -> None:
    """It gains 2,500 a day, and by steps of 10,000; for four days nobody reads it."""
    replay = Replay((page("a", "g"),))
    for hour in range(50 * 24):
        if not 39 * 24 + 2 <= hour < 43 * 24 + 2:
            count = 4_092_000 + 2_500 * hour // 24
            replay.arrive(reading("a", hour, count - count % 10_000, width=9_999))
    assert surges(replay) == []


@pytest.mark.parametrize("every", [8, 12, 24])
def test_a_page_that_is_read_rarely_is_told_by_its_first_readings(every: int) -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(0, 40 * 24, every):
        replay.arrive(reading("a", hour, round(with_more(9_600, hours=24)(hour))))
    (told,) = surges(replay)
    assert told.at - START <= timedelta(hours=BEGINS + 24 + every)


def test_five_usual_days_in_one_are_a_surge_however_much_the_days_differ() -> None:
    days = (1_000, 450, 200)

    def uneven(hour: int) -> float:
        day, part = divmod(START.hour + hour, 24)
        whole = day // 3 * sum(days) + sum(days[: day % 3])
        return 500_000 + whole + days[day % 3] * part / 24 + 130 * max(hour - BEGINS, 0)

    (told,) = surges(hourly(45 * 24, {"a": uneven}))
    assert told.at - START <= timedelta(hours=BEGINS + 36)


@pytest.mark.parametrize(("days_out", "times", "expected"), [(3, 4.2, 1), (3, 2, 0), (4, 4.2, 0)])
def test_a_surge_at_the_end_of_an_outage_is_not_spread_over_it(days_out: int, times: float, expected: int) -> None:
    def counted(hour: int) -> float:
        return steady(hour) + 480 * times / 12 * min(max(hour - BEGINS + 8, 0), 12)

    replay = Replay((page("a", "g"),))
    for hour in range(40 * 24):
        if not BEGINS - 24 * days_out < hour < BEGINS:
            replay.arrive(reading("a", hour, round(counted(hour))))
    told = surges(replay)
    assert len(told) == expected
    for alert in told:
        level, gain, ratio, known = (alert.fact(name) for name in ("level", "gain", "ratio", "paced"))
        for fact in (level, gain, ratio):
            assert fact.low is not None
            assert fact.high is not None
            assert fact.low <= fact.value <= fact.high
        assert known.value == gain.high
        said = headline(alert, Names(page=str.title, country=str))
        assert said.startswith(f"A gained {known.value:,.0f} likes since 7 June 2024, 09:00 UTC: ")
        assert ": if its unread days were usual ones, about " in said
        assert "The rule assumes usual days until then" in alert.rule


@pytest.mark.parametrize(("gain", "expected"), [(25_000, 1), (8_000, 0)])
def test_a_rounded_count_that_rises_twice_in_a_day_is_a_surge(gain: int, expected: int) -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(50 * 24):
        count = round(1_231_000 + 30 * hour + gain / 20 * min(max(hour - BEGINS, 0), 20)) // 10_000 * 10_000
        replay.arrive(reading("a", hour, count, width=9_999, metric=Metric.FOLLOWERS))
    told = surges(replay)
    assert len(told) == expected
    assert all(alert.at - START <= timedelta(hours=BEGINS + 21) for alert in told)
