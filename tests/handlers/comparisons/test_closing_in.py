"""A forecast is told of a steady approach, once, with an interval; of anything else nothing is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.comparisons.closing_in import ClosingInState, Forecast
from handlers.contract import Names
from handlers.model import Alert
from handlers.signals.approach import Approach
from handlers.wording.sentences import headline
from tests.labs.standins.histories import START, Replay, hourly, page, reading

WORDS = Names(page=str.title, country=str)


def leader(hour: int) -> float:
    return 500_000 + 20 * hour


def chaser(hour: int) -> float:
    """204 likes a day more than the leader, 7,400 behind at the start: it passes after 36 days."""
    return 492_600 + 28.5 * hour


def told(replay: Replay) -> list[Alert]:
    return [alert for alert in replay.alerts if alert.kind == "closing_in"]


def followed(counted: Callable[[int], float], days: int = 36) -> Replay:
    return hourly(days * 24, {"a": leader, "b": counted}, "g")


def test_a_steady_approach_is_told_once_with_an_interval_that_holds() -> None:
    (alert,) = told(followed(chaser, days=40))
    low, middle, high = (alert.fact(name).at for name in ("eta_low", "eta", "eta_high"))
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low < middle < high <= alert.at + timedelta(days=30)
    assert low <= START + timedelta(hours=7_400 / 8.5) <= high
    assert (alert.page, alert.rival) == ("b", "a")
    assert alert.fact("pace").value == pytest.approx(204)


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        (lambda hour: 470_000 + 28.5 * hour, "it is too far away"),
        (lambda hour: 492_600 + 20 * hour, "it does not come nearer"),
        (lambda hour: chaser(hour) - 60 * max(hour - 25 * 24, 0), "it turned away"),
        (lambda hour: chaser(hour) + 150 * max(hour - 27 * 24, 0) - 2_500, "a surge is no pace"),
        (lambda hour: 498_000 + 28.5 * max(hour - 24 * 24, 0) + 20 * min(hour, 24 * 24), "days are no weeks"),
    ],
)
def test_where_the_pace_is_not_steady_nothing_is_said(counted: Callable[[int], float], why: str) -> None:
    assert told(followed(counted, days=31)) == [], why


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(("told_on", "expected"), [(20, 0), (2, 1)])
def test_a_passing_is_not_announced_again_within_30_days(told_on: int, expected: int, ended: bool) -> None:
    told_at, high = (START + timedelta(days=day) for day in (told_on, told_on + 2))
    before = Forecast(raised=told_at, low=START, high=high, ended=ended)
    replay = Replay((page("a", "g"), page("b", "g")))
    replay.rule_states["closing_in", "g"] = ClosingInState(forecasts={("b", "a"): before})
    for hour in range(36 * 24):
        replay.arrive(reading("a", hour, round(leader(hour))), reading("b", hour, round(chaser(hour))))
    assert len(told(replay)) == expected


def test_pages_known_for_less_than_four_weeks_are_not_forecast() -> None:
    assert told(followed(lambda hour: 496_000 + 28.5 * hour, days=18)) == []


def test_rounded_pages_are_not_forecast_where_rounding_hides_the_gap() -> None:
    replay = Replay((page("a", "g"), page("b", "g")))
    for hour in range(35 * 24):
        counts = {"a": leader(hour), "b": chaser(hour)}
        rows = ((slug, int(count) // 10_000 * 10_000) for slug, count in counts.items())
        replay.arrive(*(reading(slug, hour, count, width=9_999) for slug, count in rows))
    assert told(replay) == []


def test_a_forecast_that_ended_is_counted_in_the_next() -> None:
    def twice(hour: int) -> float:
        first = chaser(hour) if hour < 38 * 24 else leader(hour) + 700
        return first - (9_000 if hour >= 45 * 24 else 0) + 8.5 * max(hour - 50 * 24, 0)

    first, second = told(followed(twice, days=90))
    assert first.facts_named("ended") == ()
    assert (second.fact("held").value, second.fact("ended").value) == (1, 1)
    assert headline(second, WORDS).endswith("Our last forecast held.")


def test_a_forecast_that_ended_is_counted_once_though_the_bot_is_started_anew() -> None:
    before = Forecast(raised=START + timedelta(days=25), low=START, high=START + timedelta(days=26))
    replay = Replay((page("a", "g"), page("b", "g")))
    replay.rule_states["closing_in", "g"] = ClosingInState(forecasts={("b", "a"): before})
    for day in range(45):
        ours = chaser(24 * day) if day < 27 else leader(24 * day) + 500
        replay.arrive(reading("a", 24 * day + 7, round(leader(24 * day))), reading("b", 24 * day + 7, round(ours)))
        replay.restart()
    outlook = replay.rule_states["closing_in", "g"]
    assert isinstance(outlook, ClosingInState)
    assert outlook.record == (False,)
    assert [one.ended for one in outlook.forecasts.values()] == [True]


def test_a_restart_between_any_two_days_changes_nothing() -> None:
    replay = Replay((page("a", "g"), page("b", "g")))
    for hour in range(36 * 24):
        replay.arrive(reading("a", hour, round(leader(hour))), reading("b", hour, round(chaser(hour))))
        if hour % 11 == 0:
            replay.restart()
    assert len(told(replay)) == 1
    assert told(replay) == told(followed(chaser))


approaches = st.builds(
    Approach,
    gap=st.floats(1, 1e6),
    pace=st.floats(1, 1e5),
    noise=st.floats(1, 1e5),
    four_weeks=st.just(1.0),
)


@given(approaches, st.lists(st.floats(0, 400), min_size=2, max_size=2))
def test_a_passing_does_not_become_less_likely_with_time(found: Approach, days: list[float]) -> None:
    early, late = sorted(days)
    assert 0 <= found.chance(early) <= found.chance(late) + 1e-9 <= 1


@given(approaches, st.floats(0.01, 0.9))
def test_the_day_of_a_chance_is_the_day_on_which_it_is_reached(found: Approach, chance: float) -> None:
    days = found.days_until(chance, within=60)
    if days is None:
        assert found.chance(60) < chance
    else:
        assert found.chance(days) >= chance - 1e-6
