"""What single cells mean, as people and spreadsheets write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.imports.read import read_import
from bot.imports.values import DateOrder, FileContents
from handlers.model import Dated, Figure

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BIGGEST = 2**63 - 1


def imported(text: str, dates: DateOrder | None = None) -> FileContents:
    return read_import(text.encode(), name="figures.csv", now=NOW, dates=dates)


def with_count(cell: str) -> FileContents:
    return imported(f'date\tpage\tlikes\n2016-02-02\thunsen\t"{cell}"\n')


def with_share(cell: str, *others: str) -> FileContents:
    rows = "".join(f'2016-02-{day:02}\thunsen\tKH\t"{share}"\n' for day, share in enumerate([cell, *others], start=2))
    return imported(f"date\tpage\tcountry\tshare\n{rows}")


def with_date(cell: str, dates: DateOrder | None = None) -> FileContents:
    return imported(f'date\tpage\tlikes\n"{cell}"\thunsen\t5\n', dates)


@pytest.mark.parametrize(
    ("cell", "count", "low", "high"),
    [
        ("3200000", 3_200_000, 3_200_000, 3_200_000),
        ("3,200,000", 3_200_000, 3_200_000, 3_200_000),
        ("3.200.000", 3_200_000, 3_200_000, 3_200_000),
        ("3'200'000", 3_200_000, 3_200_000, 3_200_000),
        ("3\u2019200\u2019000", 3_200_000, 3_200_000, 3_200_000),
        ("3 200 000", 3_200_000, 3_200_000, 3_200_000),
        ("3\u00a0200\u00a0000", 3_200_000, 3_200_000, 3_200_000),
        ("3\u202f200\u202f000", 3_200_000, 3_200_000, 3_200_000),
        ("32,00,000", 3_200_000, 3_200_000, 3_200_000),
        ("3.200", 3_200, 3_200, 3_200),
        ("3200000.0", 3_200_000, 3_200_000, 3_200_000),
        ("3,200,000.00", 3_200_000, 3_200_000, 3_200_000),
        ("3.200.000,00", 3_200_000, 3_200_000, 3_200_000),
        ("+5", 5, 5, 5),
        ("៣២០០០០០", 3_200_000, 3_200_000, 3_200_000),
        ("\u0663\u066c\u0662\u0660\u0660\u066c\u0660\u0660\u0660", 3_200_000, 3_200_000, 3_200_000),
        ("\uff13\uff12\uff10\uff10", 3_200, 3_200, 3_200),
        ("3.2M", 3_200_000, 3_150_000, 3_250_000),
        ("3,2 Mio.", 3_200_000, 3_150_000, 3_250_000),
        ("1.07 million", 1_070_000, 1_065_000, 1_075_000),
        ("67k", 67_000, 66_500, 67_500),
        ("320万", 3_200_000, 3_195_000, 3_205_000),
        ("32 lakh", 3_200_000, 3_150_000, 3_250_000),
        ("3.2E+06", 3_200_000, 3_150_000, 3_250_000),
        (str(BIGGEST), BIGGEST, BIGGEST, BIGGEST),
    ],
)
def test_it_reads_a_count(cell: str, count: int, low: int, high: int) -> None:
    read = with_count(cell)
    assert [(reading.count, reading.low, reading.high) for reading in read.readings] == [(count, low, high)]
    assert read.faults == ()


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", "empty"),
        ("0", "0 is no count"),
        ("-5", "negative"),
        ("\u22125", "negative"),
        ("NaN", "no number"),
        ("n/a", "no number"),
        ("#REF!", "a spreadsheet's error"),
        ("#N/A", "a spreadsheet's error"),
        ("=SUM(A1:A3)", "a formula"),
        ("1e400", "larger than any count"),
        ("1e-400", "not a whole number"),
        ("1e999999999999", "not a number"),
        (str(2**63), "larger than any count"),
        ("9" * 5000, "too long"),
        ("1,234.5", "not a whole number"),
        ("1234,567", "not a whole number"),
        ("3.200M", "not certain"),
        ("3.2B", "no unit"),
        ("57%", "not a number"),
        ("1,2,3", "not a number"),
        ("about two", "not a number"),
        ("<html>", "not a number"),
        ("5\n6", "runs over several lines"),
    ],
)
def test_it_refuses_what_is_no_count(cell: str, problem: str) -> None:
    read = with_count(cell)
    (fault,) = read.faults
    assert fault.problem.startswith(problem) or problem in fault.problem
    assert (fault.line, fault.column, read.readings) == (2, "likes", ())


@pytest.mark.parametrize(
    ("cell", "value", "low", "high"),
    [
        ("57.6%", 0.576, 0.5755, 0.5765),
        ("57,6 %", 0.576, 0.5755, 0.5765),
        ("57,6\u00a0%", 0.576, 0.5755, 0.5765),
        ("\uff15\uff17\uff0e\uff16\uff05", 0.576, 0.5755, 0.5765),
        ("\u0665\u0667\u066b\u0666\u066a", 0.576, 0.5755, 0.5765),
        ("57 per cent", 0.57, 0.565, 0.575),
        ("0.576", 0.576, 0.5755, 0.5765),
        ("0,576", 0.576, 0.5755, 0.5765),
        ("57.6", 0.576, 0.5755, 0.5765),
        ("0%", 0.0, 0.0, 0.005),
        ("100%", 1.0, 0.995, 1.0),
        ("1", 1.0, 0.995, 1.0),
    ],
)
def test_it_reads_a_share(cell: str, value: float, low: float, high: float) -> None:
    read = with_share(cell)
    assert [audience.shares for audience in read.audiences] == [{"KH": Figure(value=value, low=low, high=high)}]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [("110%", "more than all"), ("101", "more than all"), ("-1%", "negative"), ("much", "not a number")],
)
def test_it_refuses_what_is_no_share(cell: str, problem: str) -> None:
    read = with_share(cell)
    assert [fault.problem.startswith(problem) for fault in read.faults] == [True]
    assert read.audiences == ()


def test_it_does_not_guess_whether_one_share_among_percentages_is_a_fraction() -> None:
    read = with_share("57.6", "0.8", "11%")
    assert [(fault.line, fault.cell) for fault in read.faults] == [(3, "0.8")]
    assert [audience.shares["KH"].value for audience in read.audiences] == [0.576, 0.11]


def test_a_header_that_says_percent_settles_it() -> None:
    read = imported("date;page;country;share %\n2016-02-02;hunsen;KH;57,6\n2016-02-02;hunsen;FR;0,8\n")
    (audience,) = read.audiences
    assert [figure.value for figure in audience.shares.values()] == [0.576, 0.008]


DAY = datetime(2016, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "at", "dated"),
    [
        ("2016-02-03", DAY, Dated.DAY),
        ("2016/2/3", DAY, Dated.DAY),
        ("20160203", DAY, Dated.DAY),
        ("3.2.2016", DAY, Dated.DAY),
        ("3-Feb-2016", DAY, Dated.DAY),
        ("3-Feb-16", DAY, Dated.DAY),
        ("Feb 3, 2016", DAY, Dated.DAY),
        ("3rd February 2016", DAY, Dated.DAY),
        ("3 f\u00e9vrier 2016", DAY, Dated.DAY),
        ("3 de febrero de 2016", DAY, Dated.DAY),
        ("២០១៦-០២-០៣", DAY, Dated.DAY),
        ("2/2/2016", datetime(2016, 2, 2, tzinfo=UTC), Dated.DAY),
        ("13/02/2016", datetime(2016, 2, 13, tzinfo=UTC), Dated.DAY),
        ("02/13/2016", datetime(2016, 2, 13, tzinfo=UTC), Dated.DAY),
        ("2016-02", datetime(2016, 2, 1, tzinfo=UTC), Dated.MONTH),
        ("02/2016", datetime(2016, 2, 1, tzinfo=UTC), Dated.MONTH),
        ("March 2016", datetime(2016, 3, 1, tzinfo=UTC), Dated.MONTH),
        ("2016-02-03 18:50", datetime(2016, 2, 3, 18, 50, tzinfo=UTC), Dated.INSTANT),
        ("2016-02-03T18:50:00Z", datetime(2016, 2, 3, 18, 50, tzinfo=UTC), Dated.INSTANT),
        ("2016-02-03T18:50:00+07:00", datetime(2016, 2, 3, 11, 50, tzinfo=UTC), Dated.INSTANT),
        ("2016-02-03 18:50 +0700", datetime(2016, 2, 3, 11, 50, tzinfo=UTC), Dated.INSTANT),
        ("2016-02-03 18:50:00 EST", datetime(2016, 2, 3, 23, 50, tzinfo=UTC), Dated.INSTANT),
        ("13/2/2016 6:50 PM", datetime(2016, 2, 13, 18, 50, tzinfo=UTC), Dated.INSTANT),
        ("13/2/2016 12:05 am", datetime(2016, 2, 13, 0, 5, tzinfo=UTC), Dated.INSTANT),
    ],
)
def test_it_reads_a_date(cell: str, at: datetime, dated: Dated) -> None:
    read = with_date(cell)
    assert [(reading.observed_at, reading.dated) for reading in read.readings] == [(at, dated)]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", "empty"),
        ("02/03/2016", "day or month first?"),
        ("02/03/16", "four digits"),
        ("Feb-16", "four digits"),
        ("42401", "serial number"),
        ("42401.75", "serial number"),
        ("1456790400", "not a date"),
        ("2016", "not a date"),
        ("yesterday", "not a date"),
        ("=TODAY()", "a formula"),
        ("#VALUE!", "a spreadsheet's error"),
        ("2016-02-30", "no such day"),
        ("2016-02-03 25:00", "no such day or time"),
        ("2016-02-03 18:50 IST", "time zone"),
        ("2026-11-24", "in the future"),
        ("2026-11-23T12:00:01Z", "in the future"),
        ("1916-02-03", "before the year 2000"),
        ("0001-01-01T00:00+14:00", "not a date"),
        ("9999-12-31T23:59-12:00", "not a date"),
    ],
)
def test_it_refuses_what_is_no_date_it_can_be_sure_of(cell: str, problem: str) -> None:
    read = with_date(cell)
    (fault,) = read.faults
    assert problem in fault.problem
    assert (fault.line, fault.column, read.readings) == (2, "date", ())


def test_one_date_of_the_file_decides_how_all_are_meant() -> None:
    read = imported("date,page,likes\n02/03/2016,hunsen,5\n13/03/2016,hunsen,6\n")
    assert [reading.observed_at for reading in read.readings] == [
        datetime(2016, 3, 2, tzinfo=UTC),
        datetime(2016, 3, 13, tzinfo=UTC),
    ]


def test_dates_that_disagree_decide_nothing() -> None:
    read = imported("date,page,likes\n02/03/2016,hunsen,5\n13/03/2016,hunsen,6\n03/14/2016,hunsen,7\n")
    assert [fault.line for fault in read.faults] == [2]
    assert [reading.observed_at.day for reading in read.readings] == [13, 14]


@pytest.mark.parametrize(("order", "month"), [(DateOrder.DMY, 3), (DateOrder.MDY, 2)])
def test_a_person_may_say_how_dates_are_meant(order: DateOrder, month: int) -> None:
    (reading,) = with_date("02/03/2016", order).readings
    assert reading.observed_at.month == month


def test_a_date_against_what_the_person_said_is_a_fault() -> None:
    assert [fault.problem for fault in with_date("13/03/2016", DateOrder.MDY).faults] == ["no such day or time"]
