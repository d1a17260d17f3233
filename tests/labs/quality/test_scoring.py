"""Alerts made by hand, and what a fair judge says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.labs.quality.backtest import differences
from tests.labs.quality.events import Duty, Event
from tests.labs.quality.fates import make_world
from tests.labs.quality.histories import record
from tests.labs.quality.intervals import held
from tests.labs.quality.judge import Verdict, judge, judge_cards
from tests.labs.quality.measure import HELD_A_DAY, LAST_VALUES, Order, measure
from tests.labs.quality.naive import HELD, naive_alerts
from tests.labs.quality.rows import Told, read_alerts, read_pages, read_rows, write_alerts
from tests.labs.quality.score import Score, score, tallies
from tests.labs.quality.table import simulated
from tests.labs.quality.true_leads import Pair, overtakes
from tests.labs.quality.truth import true_events
from tests.labs.quality.values import DAY, HOUR, START

LEAD = Pair(first="a", second="b", start=START, lead=[5.0] * 500 + [-5.0] * 400 + [5.0] * 10 + [-5.0] * 400)
"""b passes a after 500 hours, and a is ahead again for 10 hours after 900."""

RIGHT, FALSE, TWICE, NEITHER = Verdict.RIGHT, Verdict.FALSE, Verdict.DUPLICATE, Verdict.NEITHER


def hours(after: float) -> datetime:
    return START + after * HOUR


def overtake(after: float, page: str = "b", rival: str = "a") -> Told:
    return Told(at=hours(after), kind="overtake", page=page, rival=rival, value=5)


def verdicts(alerts: Sequence[Told], events: Sequence[Event]) -> list[Verdict]:
    return [one.verdict for one in judge(alerts, events, {"a": "facebook", "b": "facebook"}).judged]


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        pytest.param([overtake(524)], [RIGHT], id="a day later"),
        pytest.param([overtake(495)], [RIGHT], id="in the flaps of a near tie"),
        pytest.param([overtake(400)], [FALSE], id="too early"),
        pytest.param([overtake(524, "a", "b")], [FALSE], id="the wrong way round"),
        pytest.param([overtake(524), overtake(600)], [RIGHT, TWICE], id="told twice"),
        pytest.param([overtake(524), overtake(905, "a", "b")], [RIGHT, FALSE], id="a flap"),
        pytest.param([overtake(920)], [RIGHT], id="after a flap"),
        pytest.param([overtake(100, "a", "b")], [FALSE], id="of a lead that was never taken"),
        pytest.param([overtake(500 + 31 * 24)], [FALSE], id="a month later"),
    ],
)
def test_an_overtake_is_right_while_the_lead_is_news(alerts: list[Told], expected: list[Verdict]) -> None:
    assert verdicts(alerts, [*overtakes(LEAD)]) == expected


def test_what_may_be_told_is_neither_right_nor_wrong_and_what_must_be_told_is_missed() -> None:
    event = next(overtakes(LEAD))
    assert verdicts([overtake(524)], [replace(event, duty=Duty.EITHER)]) == [NEITHER]
    assert judge([], [event], {}).missed == [event]
    assert judge([], [replace(event, duty=Duty.WELCOME)], {}).missed == []


def test_a_lead_with_flaps_in_it_is_told_once() -> None:
    flapping = Pair(first="a", second="b", start=START, lead=[5.0] * 500 + [-5.0] * 50 + [5.0] * 20 + [-5.0] * 400)
    events = [*overtakes(flapping)]
    assert [(event.page, event.met, event.duty) for event in events] == [("b", hours(500), Duty.REQUIRED)]
    assert verdicts([overtake(526)], events) == [RIGHT]
    assert verdicts([overtake(526), overtake(600)], events) == [RIGHT, TWICE]
    assert verdicts([overtake(526), overtake(560, "a", "b")], events) == [RIGHT, FALSE]


def test_what_is_told_of_a_lead_with_flaps_in_it_is_as_late_as_the_lead_is_old() -> None:
    flapping = Pair(first="a", second="b", start=START, lead=[5.0] * 500 + [-5.0] * 50 + [5.0] * 20 + [-5.0] * 400)
    events = [*overtakes(flapping)]
    assert tallies(judge([overtake(526)], events, {}), events)["overtake"].delays == [26.0]
    assert tallies(judge([overtake(600)], events, {}), events)["overtake"].delays == [100.0]


def test_what_is_led_for_a_month_and_held_no_more_is_no_news() -> None:
    flapping = [-5.0] * 72 + [5.0] * 10
    pair = Pair(first="a", second="b", start=START, lead=[5.0] * 500 + flapping * 15)
    events = [*overtakes(pair)]
    assert verdicts([overtake(500 + 24 * 29)], events) == [RIGHT]
    assert verdicts([overtake(500 + 24 * 31)], events) == [FALSE]


def test_a_lead_that_is_over_is_not_true() -> None:
    lead = Pair(first="a", second="b", start=START, lead=[5.0] * 500 + [-5.0] * 100 + [5.0] * 400)
    assert verdicts([overtake(605), overtake(607)], [*overtakes(lead)][:1]) == [RIGHT, FALSE]


def test_a_lead_of_a_day_or_two_and_the_return_from_it_may_be_told() -> None:
    lead = Pair(first="a", second="b", start=START, lead=[5.0] * 500 + [-5.0] * 50 + [5.0] * 40 + [-5.0] * 400)
    told = judge([overtake(526), overtake(575, "a", "b"), overtake(615)], [*overtakes(lead)], {})
    assert [one.verdict for one in told.judged] == [NEITHER, NEITHER, RIGHT]


def milestone(value: int, after: float) -> Event:
    at = hours(after)
    return Event(
        kind="milestone",
        duty=Duty.REQUIRED,
        page="a",
        opens=at - HOUR,
        seen=at,
        met=at,
        closes=at + 7 * DAY,
        value=value,
    )


@pytest.mark.parametrize(("value", "expected"), [(100_000, RIGHT), (104_321, RIGHT), (90_000, FALSE), (200_000, FALSE)])
def test_a_milestone_is_told_by_its_value_or_by_the_count(value: float, expected: Verdict) -> None:
    told = Told(at=hours(102), kind="milestone", page="a", value=value)
    assert verdicts([told], [milestone(100_000, 100)]) == [expected]


def test_a_purge_is_told_by_its_platforms_event() -> None:
    purge = replace(milestone(0, 100), kind="purge", platform="facebook")
    event = replace(purge, kind="platform_event", page="facebook")
    for page in ("facebook", "b", ""):
        told = Told(at=hours(110), kind="platform_event", page=page)
        judgement = judge([told], [purge, event], {"a": "facebook", "b": "facebook"})
        assert [one.verdict for one in judgement.judged] == [RIGHT]
        assert not judgement.missed
        assert tallies(judgement, [purge, event])["purge"].delays == [10]
    assert judge([], [purge, event], {}).missed == [purge, event]


def test_a_platforms_notice_brought_up_to_date_is_no_second_one_and_tells_of_its_purges() -> None:
    purge = replace(milestone(0, 100), kind="purge", platform="facebook")
    event = replace(purge, kind="platform_event", page="facebook")
    again = replace(purge, page="b", opens=hours(200), seen=hours(200), met=hours(200), closes=hours(270))
    alerts = [
        Told(at=hours(110), kind="platform_event", page="facebook"),
        *(Told(at=hours(after), kind="platform_event_more", page="facebook") for after in (212, 400)),
    ]
    judgement = judge(alerts, [purge, event, again], {"a": "facebook", "b": "facebook"})
    assert [one.verdict for one in judgement.judged] == [RIGHT, NEITHER, FALSE]
    assert not judgement.missed
    assert judge(alerts[:1], [purge, event, again], {}).missed == [again]


def test_cards_are_counted_by_true_overtake() -> None:
    cards = [Told(at=hours(after), kind="ahead", page="b", rival="a") for after in (300, 502, 700)]
    judged = judge_cards(cards, [*overtakes(LEAD)], [LEAD])
    assert (judged.cards, judged.overtakes, judged.carded, len(judged.false), judged.delays) == (3, 1, 1, 1, [2.0])
    before = judge_cards(cards[:1], [*overtakes(LEAD)], [LEAD])
    assert (before.carded, before.delays) == (1, [])
    assert judge_cards(cards[1:], [*overtakes(LEAD)], [LEAD]).delays == [2.0]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(10, 14, [False]), (10, 30, [True]), (22, 30, [False])],
    ids=["too early", "inside", "too late"],
)
def test_an_interval_holds_if_the_passing_falls_into_it(first: float, last: float, expected: list[bool]) -> None:
    told = Told(
        at=hours(200), kind="closing_in", page="b", rival="a", eta_lo=START + first * DAY, eta_hi=START + last * DAY
    )
    assert [inside for _, inside in held([told], [*overtakes(LEAD)], LEAD.end)] == expected


def test_nobody_can_tell_of_an_interval_that_outlasts_the_history() -> None:
    told = Told(
        at=hours(950), kind="closing_in", page="a", rival="b", eta_lo=hours(1000), eta_hi=LEAD.end + timedelta(days=1)
    )
    assert held([told], [*overtakes(LEAD)], LEAD.end) == []


def test_counts_become_figures() -> None:
    event = next(overtakes(LEAD))
    judgement = judge([overtake(530), overtake(540), overtake(300)], [event], {})
    tally = tallies(judgement, [event])["overtake"]
    assert (tally.precision, tally.recall, tally.delay, tally.duplicates) == (0.5, 1.0, 30.0, 1)
    twice = Score()
    for _ in range(2):
        twice.add(Score(page_years=2.0, kinds={"overtake": tally}))
    assert (twice.whole.required, twice.whole.false, twice.page_years) == (2, 2, 4.0)


def test_alerts_are_read_as_they_were_written(tmp_path: Path) -> None:
    forecast = Told(
        at=hours(20),
        kind="closing_in",
        page="b",
        rival="a",
        value=12.0,
        eta_lo=hours(300),
        eta_hi=hours(400),
        note="a, b",
    )
    alerts = [overtake(10), forecast, Told(at=hours(30), kind="surge", page="a")]
    write_alerts(tmp_path / "alerts.csv", reversed(alerts))
    assert read_alerts(tmp_path / "alerts.csv") == alerts


def test_alerts_without_a_column_are_refused(tmp_path: Path) -> None:
    (tmp_path / "alerts.csv").write_text("ts,kind,page\n2024-01-01T00:00:00Z,surge,a\n")
    with pytest.raises(ValueError, match="lacks the columns eta_hi, eta_lo, note, rival, value"):
        read_alerts(tmp_path / "alerts.csv")


def test_looking_ahead_is_counted() -> None:
    whole = [overtake(10), overtake(20), overtake(900)]
    assert differences(whole, whole[:2], hours(500)) == 0
    assert differences(whole, [overtake(10), overtake(21)], hours(500)) == 2


def test_naive_rules_are_judged_in_a_small_world() -> None:
    rules = (LAST_VALUES, HELD_A_DAY)
    measured = measure(Order(seed=5, rules=rules, pages=8, days=60, explained="overtake"))
    last_values, held_a_day = (measured.scores[rule].whole for rule in rules)
    assert last_values.false > 4 * held_a_day.false
    assert last_values.found > 0
    assert simulated([measured], "a small world").rows[0][1:3] == rules


def test_telling_the_truth_at_once_is_all_right(tmp_path: Path) -> None:
    world = make_world(6, pages=8, days=120)
    record(world, tmp_path)
    events = true_events(world)
    alerts = [
        Told(at=max(event.seen, event.opens), kind=event.kind, page=event.page, rival=event.rival, value=event.value)
        for event in events
        if event.duty is not Duty.EITHER
    ]
    whole = score(alerts, world, events, []).whole
    assert (whole.false, whole.duplicates, whole.recall) == (0, 0, 1.0)
    naive = [*naive_alerts(read_pages(tmp_path), read_rows(tmp_path), hold=HELD)]
    assert score(naive, world, events, []).whole.recall != 1.0
