from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.comparisons.overtake import COMPARISON
from handlers.contract import Names
from handlers.model import Alert, Metric, Page, Reading
from handlers.wording.sentences import headline, lines
from tests.labs.standins import histories
from tests.labs.standins.histories import START, Replay, page, reading

WORDS = Names(page=str.title, country=str)

counts = partial(histories.counts, comparisons=(COMPARISON,))

# (hours, count of a, count of b); "a" leads at first sight
LEAD = (0.0, 10_000, 9_990)
PASSED = ((1.0, 10_000, 10_010), (2.0, 10_001, 10_020))


def _told(replay: Replay) -> list[tuple[str, str, float]]:
    return [(alert.kind, alert.page, (alert.at - START) / timedelta(hours=1)) for alert in replay.alerts]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([LEAD], [], id="first sight is silent"),
        pytest.param([(0, 9_990, 10_000), (1, 9_991, 10_001)], [], id="whoever leads at first sight"),
        pytest.param([LEAD, (1, 10_000, 10_010)], [], id="ahead on one reading is not told"),
        pytest.param([LEAD, *PASSED], [("ahead", "b", 2)], id="ahead on two readings is told at once"),
        pytest.param([LEAD, (1, 10_000, 10_000), (2, 10_000, 10_000)], [], id="equal counts decide nothing"),
        pytest.param(
            [(0, 10_000, 10_000), (1, 10_000, 10_001), (2, 10_000, 10_002)],
            [],
            id="equal at first sight: no leader yet",
        ),
        pytest.param(
            [(0, 10_000, 10_000), (1, 10_000, 10_005), (2, 10_010, 10_006), (3, 10_020, 10_007)],
            [("ahead", "a", 3)],
            id="the first clear lead after a tie is silent, the next is news",
        ),
        pytest.param(
            [LEAD, (1, 10_000, 10_000), (2, 10_000, 10_001), (3, 10_000, 10_002)],
            [("ahead", "b", 3)],
            id="through a tie",
        ),
        pytest.param([LEAD, *PASSED, (25, 10_030, 10_040)], [("ahead", "b", 2), ("overtake", "b", 25)], id="settled"),
        pytest.param([LEAD, *PASSED, (24, 10_030, 10_040)], [("ahead", "b", 2)], id="23 hours do not settle"),
        pytest.param(
            [LEAD, *PASSED, (12, 10_030, 10_030), (25, 10_030, 10_040)],
            [("ahead", "b", 2)],
            id="ahead at every evaluation, or not settled",
        ),
        pytest.param(
            [LEAD, *PASSED, (3, 10_050, 10_021), (4, 10_051, 10_060), (5, 10_052, 10_070), (6, 10_080, 10_071)],
            [("ahead", "b", 2)],
            id="flips within a contest tell nothing",
        ),
        pytest.param(
            [LEAD, *PASSED, (3, 10_050, 10_021), (30, 10_051, 10_022), (75, 10_052, 10_023)],
            [("ahead", "b", 2), ("held_off", "a", 75)],
            id="held off after 72 hours",
        ),
        pytest.param(
            [LEAD, *PASSED, (3, 10_050, 10_021), (75, 10_052, 10_023), (76, 10_053, 10_060), (77, 10_053, 10_070)],
            [("ahead", "b", 2), ("held_off", "a", 75), ("ahead", "b", 77)],
            id="after a contest that was held off another may open",
        ),
    ],
)
def test_it_tells_at_once_and_settles_once(
    rows: Sequence[tuple[float, int, int]], expected: list[tuple[str, str, float]]
) -> None:
    assert _told(counts(*rows)) == expected


def test_the_alerts_of_one_contest_share_one_story_and_no_key() -> None:
    ahead, settled = counts(LEAD, *PASSED, (25, 10_030, 10_040)).alerts
    assert ahead.story == settled.story
    assert ahead.key != settled.key
    assert settled.key == "overtake:b>a:2024-05-07T10:00:00+00:00"


def test_an_alert_carries_what_it_says() -> None:
    back, on = (3, 10_030, 10_021), (4, 10_031, 10_040)
    _, settled = counts(LEAD, *PASSED, back, on, (9, 10_031, 10_045), (28, 10_032, 10_050)).alerts
    assert (settled.page, settled.rival, settled.feature) == ("b", "a", "overtake")
    assert (settled.fact("count").value, settled.fact("rival_count").value) == (10_050, 10_032)
    assert settled.fact("gap").value == 18
    assert settled.fact("since").at == START + timedelta(hours=4)
    assert settled.fact("flips").value == 2
    assert settled.fact("count").source == "facebook"
    assert settled.fact("count").url == "https://example.org/b"
    assert settled.parameters


def test_it_is_dated_by_when_the_reading_could_be_known() -> None:
    replay = counts(LEAD, PASSED[0])
    replay.arrive(reading("a", 2, 10_001, delay_hours=5), reading("b", 2, 10_020, delay_hours=6))
    assert _told(replay) == [("ahead", "b", 8)]
    assert replay.alerts[0].key == "ahead:b>a:2024-05-06T11:00:00+00:00"


def test_pages_of_different_metrics_are_never_compared() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hours, theirs in ((0, 9_990), (1, 10_010), (2, 10_020), (30, 10_030)):
        replay.arrive(reading("a", hours, 10_000), reading("b", hours, theirs, metric=Metric.FOLLOWERS))
    assert replay.alerts == []


def test_a_series_that_begins_anew_is_seen_anew_silently() -> None:
    replay = counts(LEAD)
    for hours, theirs in ((24 * 40, 30_000), (24 * 40 + 1, 30_001), (24 * 42, 30_002)):
        replay.arrive(reading("a", hours, 10_000), reading("b", hours, theirs))
    assert replay.alerts == []


def test_overlapping_rounding_intervals_decide_nothing() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hours, ours, theirs in ((0, 1_250_000, 1_230_000), (1, 1_250_000, 1_255_000), (2, 1_250_000, 1_255_000)):
        replay.arrive(reading("a", hours, ours, width=9_999), reading("b", hours, theirs, width=9_999))
    assert replay.alerts == []
    for hours in (3, 4):
        replay.arrive(reading("a", hours, 1_250_000, width=9_999), reading("b", hours, 1_260_000, width=9_999))
    assert _told(replay) == [("ahead", "b", 4)]


def test_sparse_readings_settle_at_once() -> None:
    replay = counts((0, 10_000, 9_900), (24 * 9, 10_050, 10_150))
    assert _told(replay) == [("overtake", "b", 24 * 9)]
    assert replay.alerts[0].facts_named("before")[0].value == 9_900


def test_sparse_readings_closer_than_the_rounding_wait() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for day, theirs in ((0, 1_000_000), (9, 1_020_500)):
        replay.arrive(reading("a", 24 * day, 1_010_000, width=9_999), reading("b", 24 * day, theirs, width=9_999))
    assert replay.alerts == []


def test_a_page_not_read_for_days_is_bounded_by_its_rate() -> None:
    daily = [(24.0 * day, 10_000 + 100 * day, 9_000 + 100 * day) for day in range(10)]
    replay = counts(*daily)
    for hours in range(40, 100, 6):  # "a" goes silent at 10,900 and may have gained up to 300 a day
        replay.arrive(reading("b", 24 * 9 + hours, 10_950 + hours))
    assert replay.alerts == []
    for hours, count in ((100, 12_220), (106, 12_400)):
        replay.arrive(reading("b", 24 * 9 + hours, count))
    ahead = replay.alerts[0]
    assert (ahead.kind, ahead.fact("unread").about) == ("ahead", "a")
    assert ahead.rule.startswith("Counts as ahead at 2 readings. One page is not read")
    for hours, count in ((118, 12_550), (131, 12_750)):
        replay.arrive(reading("b", 24 * 9 + hours, count))
    settled = replay.alerts[-1]
    assert (settled.kind, settled.rule.split(" and ")[0]) == ("overtake", "Counts as confirmed after 24 hours ahead")
    assert "not read" in settled.rule
    assert ", ahead at every reading of B since " in headline(settled, WORDS)
    assert any("the difference is to that figure" in line for line in lines(settled, WORDS))


def test_a_frozen_leader_is_not_passed_while_its_rate_says_it_moves() -> None:
    rows = [(6.0 * turn, 50_000 + 250 * turn, 49_500 + 250 * turn) for turn in range(40)]
    frozen_at = rows[-1][1]
    replay = counts(*rows, *((6.0 * turn, frozen_at, 49_500 + 250 * turn) for turn in range(40, 56)))
    assert replay.alerts == []


def test_pages_read_at_different_instants_are_compared_at_the_earlier_one() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for turn in range(60):  # both gain 10 an hour; "b" is 5 behind and read half an hour later
        replay.arrive(reading("a", turn, 10_000 + 10 * turn))
        replay.arrive(reading("b", turn + 0.5, 10_000 + 10 * turn))
    assert replay.alerts == []


def test_a_page_that_leaves_the_group_takes_its_contests_along() -> None:
    replay = counts(LEAD, *PASSED)
    replay.known.set_pages((page("a"), page("b", "g")))
    replay.arrive(reading("b", 25, 10_050))
    replay.known.set_pages((page("a", "g"), page("b", "g")))
    replay.arrive(reading("a", 26, 10_030), reading("b", 26, 10_060))
    replay.arrive(reading("a", 27, 10_030), reading("b", 27, 10_060))
    assert _told(replay) == [("ahead", "b", 2)]


def test_rivals_that_share_two_groups_are_told_once() -> None:
    replay = Replay((page("a", "g", "h"), page("b", "g", "h")), (COMPARISON,))
    for hours, ours, theirs in (LEAD, *PASSED):
        replay.arrive(reading("a", hours, ours), reading("b", hours, theirs))
    assert _told(replay) == [("ahead", "b", 2)]


def test_what_it_remembers_is_the_same_object_while_nothing_changed_places() -> None:
    replay = counts(LEAD, (1, 10_001, 9_991))
    assert replay.arrive(reading("a", 2, 10_002), reading("b", 2, 9_992)).rule_states == {}


# Laws. A cycle reads the pages (None: not this one) one, seven or 30 hours after the last.
SLUGS = ("a", "b", "c", "d")
_CYCLES = st.lists(
    st.tuples(
        st.sampled_from((1, 7, 30, 60)),
        st.tuples(*(st.one_of(st.none(), st.integers(5_000, 5_012)) for _ in SLUGS)),
    ),
    max_size=30,
)
_FULL_CYCLES = st.lists(
    st.tuples(st.sampled_from((1, 7, 12)), st.tuples(*(st.integers(5_000, 5_008) for _ in SLUGS))), max_size=40
)
Cycles = list[tuple[int, tuple[int | None, ...]]]


def _readings(cycles: Cycles) -> list[list[Reading]]:
    hours, found = 0, []
    for pause, row in cycles:
        hours += pause
        found.append([reading(slug, hours, count) for slug, count in zip(SLUGS, row, strict=True) if count is not None])
    return [cycle for cycle in found if cycle]


def _run(cycles: Sequence[Sequence[Reading]], pages: Sequence[Page] | None = None) -> Replay:
    replay = Replay(pages or [page(slug, "g") for slug in SLUGS], (COMPARISON,))
    for cycle in cycles:
        replay.arrive(*cycle)
    return replay


@settings(deadline=None)  # other work on the machine must not fail it
@given(_CYCLES)
def test_a_group_tells_what_its_pairs_alone_would_tell(cycles: Cycles) -> None:
    rows = _readings(cycles)
    alone: list[Alert] = []
    for index, one in enumerate(SLUGS):
        for other in SLUGS[index + 1 :]:
            pair = [[each for each in row if each.page in (one, other)] for row in rows]
            alone += _run([row for row in pair if row], (page(one, "g"), page(other, "g"))).alerts
    assert {alert.key: alert for alert in _run(rows).alerts} == {alert.key: alert for alert in alone}


@settings(deadline=None)  # other work on the machine must not fail it
@given(_FULL_CYCLES)
def test_a_naive_oracle_over_all_pairs_agrees(cycles: Cycles) -> None:
    rows = _readings(cycles)
    assert sorted(_told(_run(rows))) == sorted(_naive(rows))


def _naive(rows: Sequence[Sequence[Reading]]) -> list[tuple[str, str, float]]:
    told: list[tuple[str, str, float]] = []
    for index, one in enumerate(SLUGS):
        for other in SLUGS[index + 1 :]:
            leader, contest, streak, since, evaluations = "", False, "", 0.0, 0
            for row in rows:
                count = {each.page: each.count for each in row}
                at = (row[0].observed_at - START) / timedelta(hours=1)
                ahead = "" if count[one] == count[other] else max(one, other, key=count.__getitem__)
                leader = leader or ahead
                since, evaluations = (since, evaluations + 1) if ahead == streak else (at, 1)
                streak = ahead
                if not ahead:
                    continue
                if ahead == leader:
                    if contest and at - since >= 72:
                        told.append(("held_off", ahead, at))
                        contest = False
                elif contest and evaluations >= 3 and at - since >= 24:
                    told.append(("overtake", ahead, at))
                    leader, contest, streak = ahead, False, ""
                elif not contest and evaluations >= 2:
                    told.append(("ahead", ahead, at))
                    contest = True
    return told


@settings(deadline=None)  # other work on the machine must not fail it
@given(_CYCLES, st.permutations(SLUGS))
def test_the_order_of_the_pages_does_not_matter(cycles: Cycles, order: list[str]) -> None:
    rows = _readings(cycles)
    shuffled = [sorted(row, key=lambda each: order.index(each.page)) for row in rows]
    other = _run(shuffled, [page(slug, "g") for slug in order])
    assert {alert.key: alert for alert in _run(rows).alerts} == {alert.key: alert for alert in other.alerts}


@settings(deadline=None)  # other work on the machine must not fail it
@given(_CYCLES)
def test_everything_again_tells_nothing_again(cycles: Cycles) -> None:
    rows = _readings(cycles)
    replay = _run(rows)
    told = list(replay.alerts)
    for row in rows:
        replay.arrive(*row)
    assert replay.alerts == told


@settings(deadline=None)  # other work on the machine must not fail it
@given(_CYCLES)
def test_a_restart_at_any_moment_changes_nothing(cycles: Cycles) -> None:
    rows = _readings(cycles)
    replay = Replay([page(slug, "g") for slug in SLUGS], (COMPARISON,))
    for row in rows:
        replay.arrive(*row)
        replay.restart()
    assert replay.alerts == _run(rows).alerts


@settings(deadline=None)  # other work on the machine must not fail it
@given(_CYCLES, st.timedeltas(timedelta(days=-900), timedelta(days=900)))
def test_shifting_every_instant_shifts_only_the_instants(cycles: Cycles, by: timedelta) -> None:
    rows = _readings(cycles)
    shifted = [
        [replace(each, observed_at=each.observed_at + by, received_at=each.received_at + by) for each in row]
        for row in rows
    ]
    expected = [(alert.kind, alert.page, alert.rival, alert.at + by) for alert in _run(rows).alerts]
    assert [(alert.kind, alert.page, alert.rival, alert.at) for alert in _run(shifted).alerts] == expected


@settings(deadline=None)  # other work on the machine must not fail it
@given(_CYCLES)
def test_equal_counts_never_alert(cycles: Cycles) -> None:
    level = [[replace(each, count=6_000, low=6_000, high=6_000) for each in row] for row in _readings(cycles)]
    assert _run(level).alerts == []


def test_nothing_is_settled_while_a_loss_of_the_page_ahead_waits_to_be_confirmed() -> None:
    """b is ahead by 1.5%, and loses 2% from the 48th hour on: a is read 36 hours after b was last accepted."""
    lost = {48: 4_000, 54: 9_300, 60: 13_200, 66: 13_100, 72: 13_000}
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hour in range(0, 79, 6):
        ahead = 678_000 if hour >= 24 else 667_900
        replay.arrive(reading("a", hour + 0.1 * (hour > 42), 668_000 + 20 * hour))
        if hour < 78:
            replay.arrive(reading("b", hour + 0.1 * (hour == 60), ahead + 5 * hour - lost.get(hour, 0)))
    assert [kind for kind, _, _ in _told(replay)] == ["ahead"]


def test_rounded_counts_that_stay_for_days_are_told_of_by_the_readings_that_repeat_them() -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hour in range(24 * 9):
        for slug, past, count in (("a", 0.0, 1_250_000), ("b", 0.4, 1_240_000 + 20_000 * (hour >= 24 * 7))):
            replay.arrive(reading(slug, hour + past, count, width=9_999))
    assert _told(replay) == [("ahead", "b", 24 * 7 + 2), ("overtake", "b", 24 * 8 + 1)]


def test_a_page_that_is_read_seldom_is_told_of_once_it_was_read_twice() -> None:
    """a is read every hour, b every six: it passed between its readings at 6 and 12, and is still ahead at 18."""
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hour in range(22):
        replay.arrive(reading("a", hour, 10_000 + hour))
        if hour % 6 == 0:
            replay.arrive(reading("b", hour + 0.5, 9_990 + 2 * hour))
    assert _told(replay) == [("ahead", "b", 18.5)]


@pytest.mark.parametrize(("jump", "told"), [(0, 97), (400, 102.5)])
def test_until_a_page_is_read_again_its_pace_stands_in_for_its_one_reading(jump: int, told: float) -> None:
    """b is read every six hours and passes a by its pace, or by a jump, between its readings at 90.5 and 96.5."""
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hour in range(105):
        replay.arrive(reading("a", hour, 10_000 + 10 * hour))
        if hour % 6 == 0:
            count = 9_080 + 20 * hour if not jump else 9_900 + 10 * hour + jump * (hour >= 96)
            replay.arrive(reading("b", hour + 0.5, count))
    assert _told(replay)[:1] == [("ahead", "b", told)]


def test_ahead_at_every_reading_is_said_of_none_that_fell_back_while_its_rival_was_not_read() -> None:
    """a is read for 100 hours; then b alone, which every sixth hour has more than a had, and less in between."""
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hour in range(100):
        replay.arrive(reading("a", hour, 1_000_000 + 4 * hour), reading("b", hour, 998_000 + 4 * hour))
    for hour in range(100, 141):
        replay.arrive(reading("b", hour, 998_000 + 4 * hour))
    for hour in range(141, 190):
        replay.arrive(reading("b", hour, 1_002_396 if hour % 6 == 3 else 999_396))
    assert [kind for kind, *_ in _told(replay) if kind == "overtake"] == []


@pytest.mark.parametrize("minutes", [-30, 30])
def test_a_jump_of_a_page_that_is_read_hourly_settles_nothing_against_one_read_every_three_days(minutes: int) -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    rows = [(24.0 * day, "a", 1_000_000 + 50 * day) for day in range(0, 30, 3)]
    bad = 21 * 24 + minutes / 60
    for hour in range(30 * 24):
        count = 990_000 + 2 * hour
        rows.append((hour + 0.5, "b", round(count * 1.02) if hour + 0.5 == bad else count))
    for at, slug, count in sorted(rows):
        replay.arrive(reading(slug, at, count))
    assert _told(replay) == []


POLLS = st.sampled_from((1, 2, 3, 4, 5, 6, 12, 24))  # hours


@settings(deadline=None)  # other work on the machine must not fail it
@given(
    polls=st.tuples(POLLS, POLLS),
    minutes=st.integers(0, 59),
    growth=st.integers(0, 200),
    wrong=st.tuples(st.sampled_from("ab"), st.integers(50, 120), st.floats(-0.0039, 0.0039)),
)
def test_one_bad_reading_within_the_gate_decides_nothing(
    polls: tuple[int, int], minutes: int, growth: int, wrong: tuple[str, int, float]
) -> None:
    """b is an hour's growth and more behind a; one reading is wrong, by less than what is held as unconfirmed."""
    rows, (wrong_page, since, by) = [], wrong
    for slug, every, offset, ahead in (("a", polls[0], 0.0, 60 + growth), ("b", polls[1], minutes / 60, 0)):
        instants = [hour + offset for hour in range(0, 9 * 24, every)]
        bad = next(instant for instant in instants if instant >= since)
        rows += [
            (instant, slug, (100_000 + ahead + growth * instant) * (1 + by * (slug == wrong_page and instant == bad)))
            for instant in instants
        ]
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for instant, slug, count in sorted(rows):
        replay.arrive(reading(slug, instant, round(count)))
    assert replay.alerts == []


@pytest.mark.parametrize("wrong", [10.0, 0.1])
def test_a_first_reading_that_the_next_ones_contradict_sets_no_leader(wrong: float) -> None:
    replay = Replay((page("a", "g"), page("b", "g")), (COMPARISON,))
    for hour in range(5 * 24):
        replay.arrive(reading("a", hour, round((wrong if hour == 0 else 1) * (50_000 + hour))))
        replay.arrive(reading("b", hour, 50_500 + hour if wrong > 1 else 49_500 + hour))
    assert replay.alerts == []
