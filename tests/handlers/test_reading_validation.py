from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.model import Metric, Reading, Restart, SeriesState, Standing
from handlers.reading_validation import Validation, repeating_since, usual_gain, validate
from tests.labs.standins.histories import START, reading

ACCEPTED, UNCHANGED, HELD = Standing.ACCEPTED, Standing.UNCHANGED, Standing.HELD
LATE, DOUBTED, REPEATED = Standing.LATE, Standing.DOUBTED, Standing.REPEATED


def _received(*readings: Reading) -> list[Validation]:
    rulings: list[Validation] = []
    for each in readings:
        rulings.append(validate(rulings[-1].series_state if rulings else None, each))
    return rulings


def _series(*rows: tuple[float, int]) -> list[Validation]:
    return _received(*(reading("a", hours, count) for hours, count in rows))


def _track(ruling: Validation) -> SeriesState:
    assert ruling.series_state is not None
    return ruling.series_state


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([(0, 10_000)], [ACCEPTED], id="the first reading begins the series"),
        pytest.param([(0, 10_000), (1, 10_000)], [ACCEPTED, UNCHANGED], id="the same count is unchanged"),
        pytest.param([(0, 10_000), (1, 10_300)], [ACCEPTED, ACCEPTED], id="3% up is inside"),
        pytest.param([(0, 10_000), (1, 10_301)], [ACCEPTED, HELD], id="more than 3% up is held"),
        pytest.param([(0, 10_000), (1, 9_940)], [ACCEPTED, ACCEPTED], id="60 down is inside"),
        pytest.param([(0, 10_000), (1, 9_939)], [ACCEPTED, HELD], id="more than 60 down is held"),
        pytest.param([(0, 100_000), (1, 99_600)], [ACCEPTED, ACCEPTED], id="0.4% down is inside"),
        pytest.param([(0, 100_000), (1, 99_599)], [ACCEPTED, HELD], id="more than 0.4% down is held"),
        pytest.param([(0, 100), (1, 200)], [ACCEPTED, ACCEPTED], id="a small page may gain 100"),
        pytest.param([(0, 10_000), (1, 0), (2, 10_001)], [ACCEPTED, HELD, ACCEPTED], id="zero is never a value"),
        pytest.param([(0, 10_000), (1, 100_000), (2, 10_001)], [ACCEPTED, HELD, ACCEPTED], id="tenfold, once"),
        pytest.param([(0, 10_000), (0, 10_000)], [ACCEPTED, REPEATED], id="the same reading twice"),
        pytest.param([(0, 10_000), (0, 10_001)], [ACCEPTED, LATE], id="the first of an instant stays"),
        pytest.param([(0, 10_000), (0, 30_000)], [ACCEPTED, DOUBTED], id="another page's number at the instant"),
        pytest.param([(0, 10_000), (8, 10_100), (4, 10_050)], [ACCEPTED, ACCEPTED, LATE], id="late and in line"),
        pytest.param([(0, 10_000), (8, 10_100), (4, 20_000)], [ACCEPTED, ACCEPTED, DOUBTED], id="late, out of line"),
        pytest.param([(0, 10_000), (-8, 9_990)], [ACCEPTED, LATE], id="before the series began"),
        pytest.param([(0, 10_000), (1, 50_000), (1, 50_000)], [ACCEPTED, HELD, REPEATED], id="held twice"),
    ],
)
def test_it_judges_readings(rows: list[tuple[float, int]], expected: list[Standing]) -> None:
    assert [ruling.standing for ruling in _series(*rows)] == expected


def test_zero_is_never_confirmed_however_often_it_comes() -> None:
    rulings = _series((0, 10_000), *((hours, 0) for hours in range(1, 100)))
    assert {ruling.standing for ruling in rulings[1:]} == {HELD}
    assert _track(rulings[-1]).last.count == 10_000


def test_a_page_that_never_had_a_count_has_no_track() -> None:
    assert validate(None, reading("a", 0, 0)) == Validation(standing=HELD, series_state=None)


def test_three_consistent_readings_over_12_hours_confirm_a_new_level_and_all_of_them_count() -> None:
    rulings = _series((0, 10_000), (1, 10_001), (2, 12_000), (8, 12_010), (13, 12_015), (14, 12_020))
    assert [ruling.standing for ruling in rulings[2:]] == [HELD, HELD, HELD, ACCEPTED]
    assert rulings[-1].confirmed == (START + timedelta(hours=2), START + timedelta(hours=13))
    track = _track(rulings[-1])
    assert (track.last.count, track.previous and track.previous.count, track.held) == (12_020, 12_015, ())
    assert track.gains == ()  # the step itself is no daily gain


def test_two_readings_do_where_a_page_is_polled_less_often_than_every_10_hours() -> None:
    rulings = _series((0, 10_000), (24, 10_001), (48, 12_000), (72, 12_010))
    assert [ruling.standing for ruling in rulings[2:]] == [HELD, ACCEPTED]


def test_readings_that_do_not_agree_with_each_other_confirm_nothing() -> None:
    rulings = _series((0, 10_000), (1, 10_001), (2, 12_000), (8, 40_000), (16, 12_000), (24, 70_000))
    assert {ruling.standing for ruling in rulings[2:]} == {HELD}


def test_a_reading_inside_the_gate_drops_what_was_held() -> None:
    assert _track(_series((0, 10_000), (1, 50_000), (2, 10_001))[-1]).held == ()


def test_a_change_of_metric_starts_a_new_series_once_it_is_confirmed() -> None:
    followers = [reading("a", hours, 25_000 + hours, metric=Metric.FOLLOWERS) for hours in (1, 7, 13)]
    rulings = _received(reading("a", 0, 10_000), *followers)
    assert [ruling.standing for ruling in rulings[1:]] == [HELD, HELD, ACCEPTED]
    assert [_track(ruling).metric for ruling in rulings[1:]] == [Metric.LIKES, Metric.LIKES, Metric.FOLLOWERS]
    track = _track(rulings[-1])
    assert (track.since, track.last.count, track.gains) == (START + timedelta(hours=1), 25_013, ())
    assert rulings[-1].confirmed == (START + timedelta(hours=1), START + timedelta(hours=7))


def test_a_rounded_count_that_repeats_itself_opens_the_gate_no_wider() -> None:
    """It stands at each step for three days, as it gains 3,400 a day; another page's number is 5.5% higher."""
    rows = [reading("a", hour, 1_200_000 + 10_000 * (hour // 72), width=9_999) for hour in range(30 * 24)]
    wrong = reading("a", 30 * 24, 1_370_000, width=9_999)
    assert _received(*rows, wrong)[-1].standing is HELD


def test_one_reading_of_another_metric_costs_nothing() -> None:
    stray = reading("a", 1, 25_000, metric=Metric.FOLLOWERS)
    ruling = _received(reading("a", 0, 10_000), stray, reading("a", 2, 10_001))[-1]
    assert (ruling.standing, _track(ruling).metric, _track(ruling).held) == (ACCEPTED, Metric.LIKES, ())


def test_a_late_reading_of_another_metric_changes_nothing() -> None:
    rulings = _received(reading("a", 1, 10_000), reading("a", 0, 99, metric=Metric.FOLLOWERS))
    assert (rulings[1].standing, rulings[1].series_state) == (LATE, rulings[0].series_state)


def test_after_more_than_30_days_of_silence_a_reading_outside_the_gate_starts_a_new_level() -> None:
    ruling = _series((0, 10_000), (24 * 31, 41_000))[-1]
    assert (ruling.standing, _track(ruling).restarted) == (ACCEPTED, Restart.AFTER_SILENCE)
    assert usual_gain(_track(ruling)) == pytest.approx(1_000)  # the pace across the silence is all that is known


def test_after_a_long_silence_a_reading_inside_the_gate_continues_the_series() -> None:
    ruling = _series((0, 10_000), (24 * 400, 10_200))[-1]
    assert (ruling.standing, _track(ruling).restarted) == (ACCEPTED, None)
    assert _track(ruling).since == START


def test_a_rounded_figure_whose_interval_reaches_the_gate_is_accepted() -> None:
    rulings = _received(reading("a", 0, 3_003_000), reading("a", 6, 3_150_000, width=100_000))
    assert rulings[1].standing is HELD
    rulings = _received(reading("a", 0, 3_003_000), reading("a", 6, 3_090_000, width=100_000))
    assert rulings[1].standing is ACCEPTED


def test_another_source_with_the_same_count_is_a_reading_of_its_own() -> None:
    ruling = _received(reading("a", 0, 10_000), reading("a", 1, 10_000, source="a newspaper"))[-1]
    assert ruling.standing is ACCEPTED


def test_a_fast_page_may_gain_12_usual_days_at_once() -> None:
    daily = [(24 * day, 100_000 + 500 * day) for day in range(10)]
    assert usual_gain(_track(_series(*daily)[-1])) == pytest.approx(500)
    assert _series(*daily, (24 * 9 + 1, 104_500 + 6_000))[-1].standing is ACCEPTED
    assert _series(*daily, (24 * 9 + 1, 104_500 + 6_001))[-1].standing is HELD


def test_at_most_14_daily_gains_are_kept() -> None:
    track = _track(_series(*((24 * day, 10_000 + day * day) for day in range(40)))[-1])
    assert len(track.gains) == 14
    assert track.gains[-1] == pytest.approx(39**2 - 38**2)


def test_one_burst_does_not_move_the_usual_rate() -> None:
    rows = [(24.0 * day, 100_000 + 100 * day + (2_500 if day > 5 else 0)) for day in range(12)]
    assert usual_gain(_track(_series(*rows)[-1])) == pytest.approx(100)


def test_a_frozen_counter_catches_up_over_its_frozen_time() -> None:
    moving = [(24.0 * day, 10_000 + 200 * day) for day in range(8)]
    frozen = [(24.0 * 7 + hours, 11_400) for hours in range(1, 97)]
    caught_up = (24.0 * 11 + 1, 12_200)
    track = _track(_series(*moving, *frozen)[-1])
    assert repeating_since(track) == START + timedelta(days=7)
    after = _track(_series(*moving, *frozen, caught_up)[-1])
    assert after.gains[-1] == pytest.approx(800 / (97 / 24))
    assert repeating_since(after) is None


def test_an_outage_is_no_habit_but_a_quicker_pace_is_followed() -> None:
    hourly = [(float(hour), 10_000 + hour) for hour in range(50)]
    assert (_track(_series(*hourly, (24.0 * 20, 10_100))[-1]).gap or 0) < 2 * 3600
    seldom = [(24.0 * 30 * month, 10_000 + month) for month in range(5)]
    often = [(24.0 * 120 + quarter / 4, 10_004) for quarter in range(1, 12)]
    assert (_track(_series(*seldom, *often)[-1]).gap or 0) < 3600


_ROWS = st.lists(st.tuples(st.integers(-40, 400), st.integers(0, 30_000)), max_size=30)


@example([(-1, 1), (0, 102), (1, 102), (12, 102)])
@given(_ROWS)
def test_receiving_everything_again_changes_no_accepted_value(rows: list[tuple[int, int]]) -> None:
    rulings = _series(*rows)
    before = rulings[-1].series_state if rulings else None
    accepted = [row for row, ruling in zip(rows, rulings, strict=True) if ruling.standing in {ACCEPTED, UNCHANGED}]
    after = before
    for hours, count in accepted:
        after = validate(after, reading("a", hours, count)).series_state
    assert after == before


@given(_ROWS, st.integers(-10_000, 10_000))
def test_shifting_every_instant_shifts_nothing_else(rows: list[tuple[int, int]], by: int) -> None:
    shifted = _series(*((hours + by, count) for hours, count in rows))
    assert [ruling.standing for ruling in shifted] == [ruling.standing for ruling in _series(*rows)]


@given(_ROWS)
def test_the_newest_accepted_point_only_moves_forward_and_is_never_zero(rows: list[tuple[int, int]]) -> None:
    last = None
    for ruling in _series(*rows):
        if ruling.series_state is not None:
            assert ruling.series_state.last.count > 0
            assert last is None or ruling.series_state.last.at >= last
            last = ruling.series_state.last.at
