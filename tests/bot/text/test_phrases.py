from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.text import durations, phrases
from handlers.model import Dated

AT = datetime(2016, 2, 2, 11, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (phrases.count(2_108_800), "2,108,800"),
        (phrases.count(-14_000), "\u221214,000"),
        (phrases.about(10_687_817, 100_000), "10,700,000"),
        (phrases.about(9_150_000, 100_000), "9,150,000"),
        (phrases.about(-14_049, 200), "\u221214,000"),
        (phrases.about(14_049, 0), "14,049"),
        (phrases.when(AT, Dated.MONTH), "in February 2016"),
        (phrases.when(AT, Dated.DAY), "on 2 February 2016"),
        (phrases.percent(0.576), "57.6%"),
        (phrases.percent(0.5), "50%"),
        (phrases.percent(1), "100%"),
        (phrases.percent(0), "0%"),
        (phrases.percent(0.0004), "0.04%"),
        (phrases.percent(0.5635, digits=2), "56.35%"),
        (phrases.percent_change(-0.0067), "\u22120.7%"),
        (phrases.percent_change(0.0067), "+0.7%"),
        (phrases.several(1, "page"), "1 page"),
        (phrases.several(2, "page"), "2 pages"),
        (phrases.listed(()), ""),
        (phrases.listed(("a",)), "a"),
        (phrases.listed(["a", "b", "c"]), "a, b and c"),
        (phrases.dated(AT, Dated.INSTANT), "2 February 2016, 11:50 UTC"),
        (phrases.dated(AT, Dated.DAY), "2 February 2016"),
        (phrases.dated(AT, Dated.MONTH), "February 2016"),
        (phrases.short_day(AT), "2 Feb"),
        (phrases.short_day(AT, year=True), "2 Feb 2016"),
    ],
)
def test_it_writes_for_print(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (112, "112th")],
)
def test_it_writes_ranks(number: int, expected: str) -> None:
    assert phrases.ordinal(number) == expected


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=42), "42 seconds ago"),
        (timedelta(minutes=4), "4 minutes ago"),
        (timedelta(hours=26), "26 hours ago"),
        (timedelta(days=7), "7 days ago"),
        (timedelta(days=400), "13 months ago"),
        (timedelta(days=3900), "10 years ago"),
    ],
)
def test_it_tells_an_age_as_a_person_would(elapsed: timedelta, expected: str) -> None:
    assert durations.ago(AT, AT + elapsed) == expected


@pytest.mark.parametrize(
    ("day", "precision", "expected"),
    [
        ((2016, 2, 2), Dated.DAY, "today"),
        ((2016, 2, 1), Dated.DAY, "yesterday"),
        ((2016, 1, 28), Dated.DAY, "5 days ago"),
        ((2016, 1, 28), Dated.INSTANT, "5 days ago"),
        ((2015, 2, 2), Dated.DAY, "12 months ago"),
        ((2016, 2, 1), Dated.MONTH, "this month"),
        ((2016, 1, 1), Dated.MONTH, "last month"),
        ((2015, 8, 1), Dated.MONTH, "6 months ago"),
        ((2013, 2, 1), Dated.MONTH, "3 years ago"),
    ],
)
def test_an_age_is_no_more_exact_than_its_date(day: tuple[int, int, int], precision: Dated, expected: str) -> None:
    assert durations.ago_as_dated(datetime(*day, tzinfo=UTC), precision, AT) == expected


@pytest.mark.parametrize(
    ("length", "precision", "expected"),
    [
        (timedelta(days=1), Dated.INSTANT, "24 hours"),
        (timedelta(days=1), Dated.DAY, "1 day"),
        (timedelta(days=45), Dated.DAY, "45 days"),
        (timedelta(days=61), Dated.MONTH, "about 2 months"),
        (timedelta(days=14), Dated.MONTH, "about 1 month"),
    ],
)
def test_a_time_between_figures_is_no_more_exact_than_their_dates(
    length: timedelta, precision: Dated, expected: str
) -> None:
    assert durations.between(length, precision) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", timedelta(hours=1)),
        ("90D", timedelta(days=90)),
        ("2w", timedelta(weeks=2)),
        ("0d", None),
        ("1m", None),
        ("d", None),
        ("hunsen", None),
        ("", None),
    ],
)
def test_it_reads_a_length_of_time(text: str, expected: timedelta | None) -> None:
    assert durations.period(text) == expected


@pytest.mark.parametrize(
    ("hours", "expected"), [(1, "1 hour"), (24, "1 day"), (36, "36 hours"), (168, "1 week"), (240, "10 days")]
)
def test_it_repeats_a_length_as_it_was_asked_for(hours: int, expected: str) -> None:
    assert durations.length(timedelta(hours=hours)) == expected
