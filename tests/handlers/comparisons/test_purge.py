"""A loss is told once it has lasted; many pages that fall together are told as one, of the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handlers.model import Alert
from tests.labs.standins.histories import START, Replay, hourly, page, reading

FALLS = 25 * 24


def told(replay: Replay, kind: str = "purge") -> list[Alert]:
    return [alert for alert in replay.alerts if alert.kind == kind]


def steady(hour: int) -> float:
    return 500_000 + 20 * hour


def stale(hour: int) -> float:
    """A counter that stands still, shows the true count for some hours, and then for a day what it had shown before."""
    is_stale = FALLS <= hour < FALLS + 84 and not FALLS + 54 <= hour < FALLS + 60
    return steady(FALLS) if is_stale else steady(hour) + 9_000 * (hour >= FALLS)


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
        (stale, "a stale copy is what it was before, to the last like"),
        (lambda hour: 0 if FALLS < hour < FALLS + 40 else steady(hour), "a page that shows zero"),
        (lambda hour: 20_000 + hour - 200 * (hour > FALLS), "200 are below the floor of 500"),
    ],
)
def test_what_is_no_loss(counted: Callable[[int], float], why: str) -> None:
    assert told(hourly(32 * 24, {"a": counted, "b": steady})) == [], why


def test_a_rounded_count_that_does_not_move_after_its_loss_is_told_of_once() -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(45 * 24):
        count = 1_400_000 + 20 * min(hour, FALLS) - 60_000 * (hour > FALLS)
        replay.arrive(reading("a", hour, count // 10_000 * 10_000, width=9_999))
    assert len(told(replay)) == 1


def test_a_count_that_stands_still_after_its_loss_is_no_stale_copy() -> None:
    """A page of 80,000 that does not move loses 550 in two steps; the reading 13 hours later is missed."""
    replay = Replay((page("a", "g"),))
    for hour in range(32 * 24):
        if hour != FALLS + 13:
            replay.arrive(reading("a", hour, 80_000 - 300 * (hour >= FALLS) - 250 * (hour >= FALLS + 1)))
    assert len(told(replay)) == 1


def test_after_a_loss_a_page_is_quiet_for_a_week() -> None:
    def twice(hour: int) -> float:
        return steady(hour) - 6_000 * (hour > FALLS) - 6_000 * (hour > FALLS + 72) - 6_000 * (hour > FALLS + 240)

    assert len(told(hourly(40 * 24, {"a": twice, "b": steady}))) == 2


def test_pages_that_fall_together_are_one_notice_about_the_platform() -> None:
    pages = {f"p{number}": fallen(0.01 + number / 500, after=FALLS + number) for number in range(6)}
    replay = hourly(32 * 24, {**pages, **dict.fromkeys(("x", "y"), steady)})
    (event,), (more,) = told(replay, "platform_event"), told(replay, "platform_event_more")
    assert told(replay) == []
    assert (event.page, event.facts[0].value) == ("facebook", 5)
    assert set(event.others) < set(more.others) == set(pages)  # the sixth, an hour later, is added to it
    assert more.fact("more").value == 1


def rounds(days: int, *, second: int = 6) -> Replay:
    """Six pages fall, and so many others ``days`` later; two more do not."""
    first = {f"p{number}": fallen(0.02) for number in range(6)}
    others = {f"q{number}": fallen(0.02, after=FALLS + days * 24) for number in range(second)}
    return hourly(40 * 24, {**first, **others, **dict.fromkeys(("x", "y"), steady)})


def test_a_second_round_within_a_week_brings_the_notice_up_to_date() -> None:
    replay = rounds(4)
    (event,), (more,) = told(replay, "platform_event"), told(replay, "platform_event_more")
    assert told(replay) == []
    assert (more.story, more.key != event.key) == (event.story, True)
    assert set(event.others) == {"p0", "p1", "p2", "p3", "p4", "p5"}
    assert {fact.about for fact in more.facts_named("loss")} == {"q0", "q1", "q2", "q3", "q4", "q5"}
    assert (more.fact("fallen").value, more.fact("more").value) == (12, 6)
    assert more.at - event.at == timedelta(days=4)


def test_a_round_more_than_a_week_later_is_another_notice() -> None:
    replay = rounds(9)
    assert [len(told(replay, kind)) for kind in ("platform_event", "platform_event_more", "purge")] == [2, 0, 0]


@pytest.mark.parametrize("days", [*range(1, 12)])
@pytest.mark.parametrize("second", [1, 6])
def test_the_loss_of_no_page_is_told_to_nobody(days: int, second: int) -> None:
    """Whether another round comes within 48 hours, a week, or later, and of few pages or many."""
    replay = rounds(days, second=second)
    named = [
        *(alert.page for alert in told(replay)),
        *(
            fact.about
            for kind in ("platform_event", "platform_event_more")
            for alert in told(replay, kind)
            for fact in alert.facts_named("loss")
        ),
    ]
    assert sorted(named) == sorted(
        [*(f"p{number}" for number in range(6)), *(f"q{number}" for number in range(second))]
    )


def test_pages_that_fall_together_again_weeks_later_are_another_notice() -> None:
    replay = many(lambda _, hour: 0.02 * (hour > 15 * 24) + 0.02 * (hour > 30 * 24), 32 * 24)
    assert [alert.kind for alert in replay.alerts] == ["platform_event", "platform_event"]


def test_a_restart_between_two_rounds_changes_nothing() -> None:
    replay = Replay([page(slug, f"of-{slug}") for slug in ("a", "b", "c", "d", "e", "f", "v", "w", "x", "y", "z")])
    for hour in range(32 * 24):
        replay.arrive(
            *(
                reading(slug, hour, round(fallen(0.02, after=FALLS + (72 if slug > "f" else 0))(hour)))
                for slug in replay.known.pages
            )
        )
        if hour % 7 == 0:
            replay.restart()
    assert [alert.kind for alert in replay.alerts] == ["platform_event", "platform_event_more"]


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


def test_a_page_polled_once_a_day_is_told_a_day_later() -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(0, 40 * 24, 24):
        replay.arrive(reading("a", hour, round(fallen(0.03)(hour))))
    (alert,) = told(replay)
    assert alert.at - START <= timedelta(hours=FALLS + 48)


def test_a_steady_decline_is_what_the_page_usually_does() -> None:
    assert told(hourly(90 * 24, {"a": lambda hour: 500_000 * 0.9965 ** (hour / 24), "b": steady})) == []


def many(fall: Callable[[int, int], float], hours: int, *, pages: int = 10) -> Replay:
    """Pages of a platform; ``fall`` says what part each, by number, has lost by an hour."""
    return hourly(
        hours,
        {f"p{number}": lambda hour, n=number: steady(hour) * (1 - fall(n, hour)) for number in range(pages)},  # type: ignore[misc]
    )


def test_a_page_that_is_untracked_after_it_fell_is_forgotten() -> None:
    replay = many(lambda number, hour: 0.02 * (number < 5 and hour > FALLS), FALLS + 15)
    left = [known for slug, known in replay.known.pages.items() if slug != "p0"]
    replay.known.set_pages(left)
    for hour in range(FALLS + 15, FALLS + 90):
        low = {"p1", "p2", "p3", "p4"}
        replay.arrive(
            *(reading(one.slug, hour, round(steady(hour) * (0.98 if one.slug in low else 1))) for one in left)
        )
    assert len(told(replay, "platform_event")) == 1


def test_a_second_platform_event_is_told_although_single_pages_fall_in_between() -> None:
    def fall(number: int, hour: int) -> float:
        first = 0.02 * (number < 10 and hour > 20 * 24)
        alone = 0.02 * (10 <= number < 30 and hour > 22 * 24 + (number - 10) * 36)
        return first + alone + 0.02 * (number >= 30 and hour > 50 * 24)

    events = told(many(fall, 53 * 24, pages=40), "platform_event")
    assert [round((alert.at - START) / timedelta(days=1)) for alert in events] == [21, 51]


def test_pages_that_are_not_read_any_more_hold_up_nothing() -> None:
    replay = Replay([page(f"p{number}", f"of-p{number}") for number in range(20)])
    for hour in range(40 * 24):
        alive = range(20) if hour <= 20 * 24 else range(4, 20)
        low = dict.fromkeys(range(4), 0.9) if hour == 20 * 24 else {10: 0.97} if hour > 30 * 24 else {}
        replay.arrive(*(reading(f"p{n}", hour, round(steady(hour) * low.get(n, 1))) for n in alive))
    assert [alert.page for alert in told(replay)] == ["p10"]


def test_history_that_is_imported_makes_no_event_of_the_falls_of_today() -> None:
    replay = many(lambda number, hour: 0.02 * (number < 4 and hour > FALLS), FALLS + 20)
    newcomer = page("old", "of-old")
    replay.known.set_pages([*replay.known.pages.values(), newcomer])
    for hour in range(32 * 24):
        replay.arrive(reading("old", hour - 900 * 24, round(fallen(0.03)(hour))))
    assert told(replay, "platform_event") == []


def test_a_loss_just_before_an_outage_is_told_after_it() -> None:
    replay = Replay((page("a", "g"),))
    for hour in range(32 * 24):
        if not FALLS + 8 < hour < FALLS + 50:
            replay.arrive(reading("a", hour, round(fallen(0.02, over_hours=6)(hour))))
    (alert,) = told(replay)
    assert alert.at - START <= timedelta(hours=FALLS + 50 + 14)
    assert alert.fact("loss").value == pytest.approx(0.02, abs=0.004)
