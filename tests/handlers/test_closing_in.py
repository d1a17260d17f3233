from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.comparisons.closing_in import COMPARISON, RECORD, Outlook
from handlers.contract import Window, Words
from handlers.model import Alert, Metric, Page, Reading
from handlers.wording import headline, lines
from tests.standins.histories import START, Replay, closing_in, page, reading, scene

_WORDS = Words(page=str.upper, country=str)
_PASSED = START + timedelta(days=50)  # 10,000 likes at 200 a day


def _told(replay: Replay) -> list[Alert]:
    return [alert for alert in replay.alerts if alert.kind == "closing_in"]


def _paced(pace: Callable[[float], float], days: int = 60) -> list[Alert]:
    return _told(closing_in(days, pace))


def test_a_steady_approach_is_told_once_with_an_interval_that_holds() -> None:
    told = _told(closing_in(70))
    assert [(alert.page, alert.rival, alert.feature) for alert in told] == [("a", "b", "closing")]
    low, middle, high = (told[0].fact(name) for name in ("eta_low", "eta", "eta_high"))
    assert low.at is not None
    assert middle.at is not None
    assert high.at is not None
    assert told[0].at < low.at < middle.at < high.at <= told[0].at + timedelta(days=30)
    assert low.at < _PASSED < high.at
    assert timedelta(days=1) < _PASSED - told[0].at < timedelta(days=30)


def test_an_alert_carries_what_it_says() -> None:
    alert = scene("closing_in")
    assert alert.key == "closing_in:a>b:2024-06-17"
    assert alert.facts[0].name == "gap"
    assert (
        alert.facts[0].value
        == alert.fact("rival_count").value - alert.fact("count").value
        == pytest.approx(1_600, abs=60)
    )
    assert alert.fact("pace").value == pytest.approx(200, abs=1)
    assert 0.86 <= alert.fact("chance").value < 0.95
    assert alert.fact("count").source == "facebook"
    high = alert.fact("eta_high")
    assert high.at is not None
    assert high.value == pytest.approx((high.at - alert.at) / timedelta(days=1), abs=0.05)
    assert not alert.facts_named("held")


def test_nobody_gets_a_forecast_without_asking_for_it() -> None:
    assert COMPARISON.opt_in


@pytest.mark.parametrize(
    "pace",
    [
        pytest.param(lambda _: 0.0, id="no approach"),
        pytest.param(lambda _: -50.0, id="moving away"),
        pytest.param(lambda day: 400.0 if day < 20 else 5.0, id="an approach that has stopped"),
        pytest.param(lambda day: 400.0 if day % 14 < 7 else -260.0, id="back and forth"),
        pytest.param(lambda _: 20.0, id="months away"),
        pytest.param(lambda day: 9_000.0 if day == 35 else 0.0, id="one day that brings nearly all of it"),
    ],
)
def test_without_a_steady_approach_nothing_is_forecast(pace: Callable[[float], float]) -> None:
    assert _paced(pace) == []


def test_an_approach_of_less_than_four_weeks_is_not_known_well_enough() -> None:
    assert _told(closing_in(29, lambda _: 380.0)) == []  # passes on the 27th day


@pytest.mark.parametrize("surge", [900.0, -900.0])
def test_nothing_is_forecast_while_a_surge_or_a_purge_is_under_way(surge: float) -> None:
    """Without it the approach is told of on the 55th day."""
    calm = _paced(lambda _: 160.0)
    hurt = _paced(lambda day: 160.0 + surge * (53 <= day < 54))
    days = range(54, 59)
    assert [(alert.at - START).days in days for alert in calm] == [True]
    assert [alert for alert in hurt if (alert.at - START).days in days] == []


def _rounded(step: int, *, days: int = 50) -> list[Alert]:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hours in range(0, days * 24, 6):
        rival = 500_000 + 60 * hours
        own = rival - (10_000 - round(200 / 24 * hours))
        replay.arrive(
            *(reading(slug, hours, count // step * step, width=step - 1) for slug, count in (("a", own), ("b", rival)))
        )
    return _told(replay)


def test_rounded_pages_are_forecast_while_their_gap_is_more_than_a_step() -> None:
    assert len(_rounded(100)) == 1
    assert _rounded(5_000) == []


def _swapping(days: int, gap: Callable[[float], float]) -> Replay:
    """Page "a" is behind "b" by ``gap`` likes, which may be below zero."""
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hours in range(0, days * 24, 6):
        ahead = 500_000 + 40 * hours
        replay.arrive(reading("a", hours, round(ahead - gap(hours / 24))), reading("b", hours, ahead))
    return replay


def test_a_page_that_was_ahead_within_three_weeks_is_not_forecast() -> None:
    def gap(day: float) -> float:
        return -500.0 if day < 30 else 3_000.0 - 150 * (day - 30)

    told = _swapping(50, gap).alerts
    assert told == []


def test_likes_and_followers_are_never_compared() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hours in range(0, 50 * 24, 6):
        ahead = 500_000 + 20 * hours
        replay.arrive(
            reading("a", hours, ahead - 10_000 + round(200 / 24 * hours)),
            reading("b", hours, ahead, metric=Metric.FOLLOWERS),
        )
    assert replay.alerts == []


def test_a_page_is_not_forecast_to_pass_one_that_is_no_longer_read() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hours in range(0, 50 * 24, 6):
        ahead = 500_000 + 20 * hours
        replay.arrive(reading("a", hours, ahead - 10_000 + round(200 / 24 * hours)))
        if hours < 34 * 24:
            replay.arrive(reading("b", hours, ahead))
    assert replay.alerts == []


def _stalled(day: float) -> float:
    """Nearly there on day 42; then no nearer for four months; then on it comes."""
    if day < 42:
        return 10_000 - 200 * day
    return 1_600 - 2 * (day - 42) if day < 160 else 1_364 + 6_000 - 200 * max(day - 190, 0) if day >= 190 else 7_364


def test_a_forecast_that_did_not_come_true_is_counted_and_the_pair_is_told_of_again() -> None:
    first, second = _swapping(240, _stalled).alerts
    assert not first.facts_named("held")
    assert (second.fact("held").value, second.fact("ended").value) == (0, 1)
    assert headline(second, _WORDS).endswith("Our last forecast did not hold.")
    assert second.at - first.at > timedelta(days=100)


def _to_and_fro(day: float) -> float:
    """The two pass each other every 80 days, at 150 likes a day."""
    return 150 * (abs((day % 160) - 80) - 40)


def test_every_forecast_says_how_the_last_ones_did() -> None:
    told = _swapping(160 * 5, _to_and_fro).alerts
    assert {(alert.page, alert.rival) for alert in told} == {("a", "b"), ("b", "a")}
    assert [len(alert.facts_named("held")) for alert in told] == [0, *[1] * (len(told) - 1)]
    assert [alert.fact("ended").value for alert in told[1:]] == [*range(1, len(told))][:RECORD]
    last = told[-1]
    assert f"{last.fact('held').value:.0f} of our last {last.fact('ended').value:.0f} forecasts held." in headline(
        last, _WORDS
    )


def test_it_is_said_with_its_interval_its_pace_and_what_it_is_worth() -> None:
    alert = scene("closing_in")
    low, high = alert.fact("eta_low").at, alert.fact("eta_high").at
    assert low is not None
    assert high is not None
    assert headline(alert, _WORDS) == (
        f"Going by the last four weeks, A passes B between {low.day} June and {high.day} July 2024, "
        "as likely before 29 June as after."
    )
    said = " ".join(lines(alert, _WORDS))
    assert "likes behind B" in said
    assert "closed by 200 a day" in said
    assert "about eight should hold" in said
    assert "No forecast in this group has ended yet." in said


@pytest.mark.parametrize(
    ("low", "middle", "high", "said"),
    [
        ("2024-12-02", "2024-12-09", "2024-12-23", "between 2 and 23 December 2024, as likely before the 9th as after"),
        (
            "2024-11-28",
            "2024-12-01",
            "2024-12-23",
            "between 28 November and 23 December 2024, as likely before the 1st",
        ),
        (
            "2024-12-28",
            "2024-12-30",
            "2025-01-11",
            "between 28 December 2024 and 11 January 2025, as likely before 30 De",
        ),
        (
            "2024-12-12",
            "2024-12-13",
            "2024-12-22",
            "between 12 and 22 December 2024, as likely before the 13th as after",
        ),
        ("2024-12-12", "2024-12-12", "2024-12-12", "around 12 December 2024"),
    ],
)
def test_its_days_are_said_as_people_say_them(low: str, middle: str, high: str, said: str) -> None:
    alert, days = scene("closing_in"), {"eta_low": low, "eta": middle, "eta_high": high}
    facts = tuple(
        replace(fact, at=START.fromisoformat(f"{days[fact.name]}T12:00+00:00")) if fact.name in days else fact
        for fact in alert.facts
    )
    assert said in headline(replace(alert, facts=facts), _WORDS)


def test_a_group_is_looked_at_once_a_day() -> None:
    replay = closing_in(40)
    world = replay.world
    outlook: Outlook = world.memories["closing_in", "g"]
    newest = max(track.last.at for track in world.tracks.values())

    def look(hours: float) -> Any:
        at = newest.replace(hour=0) + timedelta(hours=hours)
        window = Window(scope="g", now=at, pages=world.pages, tracks=world.tracks, pasts=world.pasts, came=("a", "b"))
        return COMPARISON.compare(window, outlook)

    assert look(5) is None
    assert look(7) is not None


SLUGS = ("a", "b", "c", "d")


def _history(seed: int, days: int = 60) -> list[list[Reading]]:
    """Four pages of which some near each other, noisily."""
    chance = random.Random(seed)
    paces = {slug: chance.uniform(100, 600) for slug in SLUGS}
    counts = {slug: 500_000.0 - paces[slug] * chance.uniform(40, 55) for slug in SLUGS}
    cycles = []
    for hours in range(0, days * 24, 12):
        for slug in SLUGS:
            counts[slug] += chance.gauss(paces[slug], 40) / 2
        cycles.append([reading(slug, hours, round(counts[slug])) for slug in SLUGS])
    return cycles


def _run(cycles: Sequence[Sequence[Reading]], pages: Sequence[Page] | None = None, *, restarts: bool = False) -> Replay:
    replay = Replay(pages or [page(slug, "g") for slug in SLUGS], (COMPARISON,))
    for cycle in cycles:
        replay.arrive(*cycle)
        if restarts:
            replay.restart()
    return replay


def test_the_histories_of_the_laws_raise_forecasts() -> None:
    assert sum(len(_run(_history(seed)).alerts) for seed in range(20)) > 10


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.permutations(SLUGS))
def test_the_order_of_the_pages_does_not_matter(seed: int, order: list[str]) -> None:
    cycles = _history(seed)
    shuffled = [sorted(cycle, key=lambda each: order.index(each.page)) for cycle in cycles]
    assert _run(shuffled, [page(slug, "g") for slug in order]).alerts == _run(cycles).alerts


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_a_restart_at_any_moment_changes_nothing(seed: int) -> None:
    cycles = _history(seed)
    assert _run(cycles, restarts=True).alerts == _run(cycles).alerts


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(-900, 900))
def test_shifting_every_day_shifts_only_the_days(seed: int, days: int) -> None:
    cycles, by = _history(seed), timedelta(days=days)
    shifted = [
        [replace(each, observed_at=each.observed_at + by, received_at=each.received_at + by) for each in cycle]
        for cycle in cycles
    ]
    expected = [(alert.page, alert.rival, alert.at + by) for alert in _run(cycles).alerts]
    assert [(alert.page, alert.rival, alert.at) for alert in _run(shifted).alerts] == expected


def test_two_pages_that_share_two_groups_are_forecast_once() -> None:
    pages = [page(slug, "g", "h") for slug in SLUGS]
    for seed in range(10):
        once = _run(_history(seed)).alerts
        twice = _run(_history(seed), pages).alerts
        assert [alert.key for alert in twice] == [alert.key for alert in once]
