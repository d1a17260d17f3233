from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.rules.resample import resample
from handlers.model import Reading
from tests.labs.standins.newsroom import START, reading

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def received(made: Reading, after: timedelta) -> Reading:
    return replace(made, received_at=START + after)


def test_of_an_hour_the_newest_count_is_kept() -> None:
    first, second, next_hour = (reading("hunsen", 100 + n, START + n * 30 * MINUTE) for n in range(3))
    kept = [(at, arrivals.readings) for at, arrivals in resample([first, second, next_hour])]
    assert kept == [(second.received_at, (second,)), (next_hour.received_at, (next_hour,))]


def test_what_comes_late_does_not_take_the_place_of_what_is_current() -> None:
    current = reading("hunsen", 1_000, START + 10 * HOUR + 6 * MINUTE)
    late = received(reading("hunsen", 900, START + 3 * HOUR), 10 * HOUR + 48 * MINUTE)
    [(at, arrivals)] = resample([current, late])
    assert at == late.received_at
    assert set(arrivals.readings) == {current, late}


def test_what_is_older_does_not_take_the_place_of_what_is_newer_in_its_hour() -> None:
    newer = reading("hunsen", 1_000, START + 30 * MINUTE)
    older = received(reading("hunsen", 900, START), 40 * MINUTE)
    assert [arrivals.readings for _, arrivals in resample([newer, older])] == [(newer,)]


def test_every_row_of_a_file_imported_at_once_is_kept() -> None:
    rows = [received(reading("hunsen", 100 + day, START + day * 24 * HOUR), 300 * HOUR) for day in range(10)]
    [(_, arrivals)] = resample(rows)
    assert arrivals.readings == tuple(rows)
