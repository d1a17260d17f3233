"""The chance of a passing: a law in closed form, held against paths drawn at random."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.signals.approach import KEPT, SPREAD, TURNS_AWAY, Approach, approach

_STEPS_A_DAY = 20


def _closing(gap: float, pace: float, noise: float) -> Approach:
    return Approach(gap=gap, pace=pace, noise=noise, four_weeks=pace)


def _drawn(known: Approach, days: int, *, paths: int = 1500) -> float:
    """The share of random paths that arrive."""
    chance, arrived = random.Random(7), 0
    for _ in range(paths):
        gap, pace = known.gap, known.pace * KEPT * chance.lognormvariate(0, SPREAD)
        if chance.random() < TURNS_AWAY:
            continue
        for _ in range(days * _STEPS_A_DAY):
            gap -= pace / _STEPS_A_DAY + chance.gauss(0, known.noise) / _STEPS_A_DAY**0.5
            if gap <= 0:
                arrived += 1
                break
    return arrived / paths


@pytest.mark.parametrize(("gap", "noise", "days"), [(1_000, 100, 10), (600, 300, 10), (2_500, 50, 20)])
def test_the_closed_form_is_what_random_paths_say(gap: float, noise: float, days: int) -> None:
    known = _closing(gap, 150, noise)
    assert known.chance(days) == pytest.approx(_drawn(known, days), abs=0.05)


@given(st.floats(1, 1e7), st.floats(1e-3, 1e6), st.floats(1, 1e6), st.floats(0, 400), st.floats(0, 400))
def test_a_chance_grows_with_time(gap: float, pace: float, noise: float, one: float, other: float) -> None:
    sooner, later = (_closing(gap, pace, noise).chance(days) for days in sorted((one, other)))
    assert 0 <= sooner <= later + 1e-9 <= 1 - TURNS_AWAY + 2e-9


@given(st.floats(1, 1e6), st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0.01, 0.9))
def test_days_until_a_chance_is_that_chance_in_days(gap: float, pace: float, noise: float, chance: float) -> None:
    known = _closing(gap, pace, noise)
    days = known.days_until(chance, within=60)
    if days is None:
        assert known.chance(60) < chance
    else:
        assert known.chance(days) == pytest.approx(chance, abs=0.01) or days < 0.01


@given(st.floats(1, 1e5), st.floats(1, 1e5), st.floats(1.01, 5))
def test_a_larger_gap_takes_longer(gap: float, pace: float, times: float) -> None:
    assert _closing(gap * times, pace, 10).chance(30) <= _closing(gap, pace, 10).chance(30) + 1e-9


def _gaps(*closed: float) -> list[float]:
    """29 gaps, of which the last is 1,000."""
    gaps = [1_000.0]
    for day in reversed(closed):
        gaps.insert(0, gaps[0] + day)
    return gaps


STEADY = [90.0 + 7 * (day % 4) for day in range(28)]


@pytest.mark.parametrize(
    ("closed", "is_one"),
    [
        pytest.param(STEADY, True, id="steady"),
        pytest.param([-day for day in STEADY], False, id="moving away"),
        pytest.param([*STEADY[:21], *[-20.0] * 7], False, id="turned away a week ago"),
        pytest.param([*[-300.0] * 14, *STEADY[14:]], False, id="closing for a fortnight, after moving away"),
        pytest.param([*STEADY[:26], 900.0, 95.0], False, id="a surge the day before yesterday"),
        pytest.param([*STEADY[:26], -900.0, 95.0], False, id="a purge the day before yesterday"),
        pytest.param([*STEADY[:15], 900.0, *STEADY[16:]], True, id="a surge two weeks ago"),
    ],
)
def test_only_a_steady_approach_is_one(closed: list[float], is_one: bool) -> None:
    assert (approach(_gaps(*closed), step=0) is not None) is is_one


def test_an_old_day_out_of_line_counts_as_a_usual_one() -> None:
    with_surge = approach(_gaps(*STEADY[:15], 5_000.0, *STEADY[16:]), step=0)
    without = approach(_gaps(*STEADY), step=0)
    assert with_surge is not None
    assert without is not None
    assert with_surge.pace == pytest.approx(without.pace, rel=0.02)
    assert with_surge.four_weeks > 2 * without.four_weeks  # what is told is what was counted
