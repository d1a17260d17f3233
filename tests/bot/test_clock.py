"""The machine's clock as the bot reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.clock import SystemClock

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Wall:
    """A machine's clock that somebody sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def test_it_tells_the_machines_time_in_whole_milliseconds() -> None:
    wall = Wall()
    clock = SystemClock(wall)
    wall.now = NOON + timedelta(microseconds=1_234_567)
    assert clock.now() == NOON + timedelta(milliseconds=1234)


def test_it_follows_a_machine_that_is_set_ahead() -> None:
    wall = Wall()
    clock = SystemClock(wall)
    wall.now = NOON + HOUR
    assert clock.now() == NOON + HOUR


def test_it_goes_on_where_the_machine_is_set_back() -> None:
    wall = Wall()
    clock = SystemClock(wall)
    first = clock.now()
    wall.now = NOON - HOUR
    told = [clock.now() for _ in range(1000)]
    assert told == sorted(told)
    assert first <= told[0]
    assert told[-1] - first < timedelta(minutes=1), "it goes on from where it was"


def test_it_follows_again_once_the_machine_has_caught_up() -> None:
    wall = Wall()
    clock = SystemClock(wall)
    wall.now = NOON - HOUR
    clock.now()
    wall.now = NOON + HOUR
    assert clock.now() == NOON + HOUR
