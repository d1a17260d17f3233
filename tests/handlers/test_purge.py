"""A loss is told once it has lasted; many pages that fall together are told as one, of the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handlers.model import Alert
from tests.standins.histories import START, Replay, hourly, page, reading

FALLS = 25 * 24


def told(replay: Replay, kind: str = "purge") -> list[Alert]:
    return [alert for alert in replay.alerts if alert.kind == kind]


def steady(hour: int) -> float:
    return 500_000 + 20 * hour


def fallen(share: float, *, over_hours: int = 1, after: int = FALLS) -> Callable[[int], float]:
    return lambda hour: steady(hour) - 500_000 * share * min(max(hour - after, 0) / over_hours, 1)


@pytest.mark.parametrize(("share", "over_hours"), [(0.03, 1), (0.012, 1), (0.01, 6), (0.02, 24), (0.02, 40)])
def test_a_lasting_loss_is_told_within_a_day_of_its_end(share: float, over_hours: int) -> None:
    (alert,) = told(hourly(32 * 24, {"a": fallen(share, over_hours=over_hours), "b": steady}))
    assert alert.page == "a"
    assert alert.at - START <= timedelta(hours=FALLS + over_hours + 24)
    assert 0.005 < alert.facts[0].value < 1.1 * share  # what was lost by then


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        (steady, "nothing happens"),
        (fallen(0.002), "a loss of 0.2% is no news"),
        (lambda hour: steady(hour) - 15_000 * (FALLS < hour < FALLS + 8), "a dip that is over"),
        (lambda hour: 0 if FALLS < hour < FALLS + 40 else steady(hour), "a page that shows zero"),
        (lambda hour: 20_000 + hour - 200 * (hour > FALLS), "200 are below the floor of 500"),
    ],
)
def test_what_is_no_loss(counted: Callable[[int], float], why: str) -> None:
    assert told(hourly(32 * 24, {"a": counted, "b": steady})) == [], why


def test_after_a_loss_a_page_is_quiet_for_a_week() -> None:
    def twice(hour: int) -> float:
        return steady(hour) - 6_000 * (hour > FALLS) - 6_000 * (hour > FALLS + 72) - 6_000 * (hour > FALLS + 240)

    assert len(told(hourly(40 * 24, {"a": twice, "b": steady}))) == 2


def test_pages_that_fall_together_are_one_notice_about_the_platform() -> None:
    pages = {f"p{number}": fallen(0.01 + number / 500, after=FALLS + number) for number in range(6)}
    replay = hourly(32 * 24, {**pages, **dict.fromkeys(("x", "y"), steady)})
    (event,) = told(replay, "platform_event")
    assert told(replay) == []
    assert (event.page, event.facts[0].value) == ("facebook", 5)  # the sixth, an hour later, folds into it
    assert set(event.others) < set(pages)


def test_pages_of_one_group_alone_are_not_the_platform() -> None:
    replay = hourly(32 * 24, dict.fromkeys(("a", "b", "c", "d", "e"), fallen(0.02)), "one")
    assert told(replay, "platform_event") == []
    assert {alert.page for alert in told(replay)} == {"a", "b", "c", "d", "e"}


def test_a_few_pages_among_many_are_told_each() -> None:
    quiet = {f"q{number}": steady for number in range(20)}
    replay = hourly(28 * 24, {"a": fallen(0.02), "b": fallen(0.02), **quiet})
    assert [alert.page for alert in told(replay)] == ["a", "b"]
    assert told(replay, "platform_event") == []


def test_a_page_that_vanishes_for_weeks_and_returns_has_lost_nothing() -> None:
    replay = Replay((page("hunsen", "g"), page("samrainsy", "g")))
    for hour in range(60 * 24):
        arrived = [reading("samrainsy", hour, 13_000_000 + hour)]
        if not 30 * 24 < hour < 51 * 24:
            arrived.append(reading("hunsen", hour, 14_000_000 + 30 * hour))
        replay.arrive(*arrived)
    assert replay.alerts == []


def test_a_restart_repeats_nothing() -> None:
    replay = Replay((page("a", "g"), page("b", "h")))
    for hour in range(32 * 24):
        replay.arrive(reading("a", hour, round(fallen(0.02)(hour))), reading("b", hour, round(steady(hour))))
        if hour % 5 == 0:
            replay.restart()
    assert len(told(replay)) == 1
