"""What a file says twice."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.imports.read import read_import
from bot.imports.values import FileContents

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def imported(text: str) -> FileContents:
    return read_import(text.encode(), name="figures.csv", now=NOW)


def test_the_same_count_twice_is_one() -> None:
    read = imported("date,page,likes\n2016-02-02,hunsen,5\n2016-02-02,hunsen,5\n")
    assert (len(read.readings), read.faults) == (1, ())


def test_two_counts_for_one_instant_name_both_lines_and_neither_is_kept() -> None:
    read = imported("date,page,likes\n2016-02-02,hunsen,5000\n2016-02-03,hunsen,7\n2016-02-02,hunsen,6k\n")
    assert [str(fault) for fault in read.faults] == [
        'line 4, likes, "6,000 ± 500": line 2 says 5,000 of the same page, date and source; neither is kept'
    ]
    assert [reading.count for reading in read.readings] == [7]


def test_two_sources_may_disagree() -> None:
    read = imported("date,page,likes,source\n2016-02-02,hunsen,5,Post\n2016-02-02,hunsen,6,Daily\n")
    assert ([reading.count for reading in read.readings], read.faults) == ([6, 5], ())


def test_a_country_given_twice_alike_is_one_and_given_two_figures_is_none() -> None:
    rows = "2016-02-02,hunsen,KH,5\n2016-02-02,hunsen,IN,6\n2016-02-02,hunsen,Cambodia,5\n2016-02-02,hunsen,India,7\n"
    read = imported("date,page,country,likes\n" + rows)
    assert [fault.line for fault in read.faults] == [5]
    assert [sorted(audience.likes) for audience in read.audiences] == [["KH"]]


def test_two_totals_of_one_snapshot_leave_it_without() -> None:
    read = imported("date,page,country,likes,total\n2016-02-02,hunsen,KH,5,10\n2016-02-02,hunsen,IN,2,11\n")
    assert [(fault.line, fault.column) for fault in read.faults] == [(3, "total")]
    assert [audience.total for audience in read.audiences] == [None]


def test_shares_that_add_up_to_more_than_all_are_no_snapshot() -> None:
    read = imported("date,page,country,share\n2016-02-02,hunsen,KH,60%\n2016-02-02,hunsen,IN,43.1%\n")
    assert [fault.problem for fault in read.faults] == ["the shares of hunsen at this date and source add up to 103.1%"]
    assert read.audiences == ()


def test_shares_may_exceed_all_by_their_rounding() -> None:
    read = imported("date,page,country,share\n2016-02-02,hunsen,KH,60%\n2016-02-02,hunsen,IN,43%\n")
    assert (len(read.audiences), read.faults) == (1, ())


def test_it_describes_what_it_read_and_every_fault() -> None:
    rows = "".join(f"2016-02-02,hunsen,{cell}\n" for cell in ["5", *["none"] * 30])
    assert imported("date,page,likes\n" + rows).summary().splitlines() == [
        "figures.csv: 1 count of 1 page, on 2016-02-02, in 31 rows.",
        "Understood as counts by date and page, separated by commas, utf-8.",
        "30 things could not be used:",
        *[f'  line {line}, likes, "none": no number' for line in range(3, 23)],
        "  and 10 more",
    ]


def test_it_says_so_where_nothing_can_be_used() -> None:
    text = imported("date,page,likes\nsoon,hunsen,5\n").summary()
    assert text.startswith("figures.csv: nothing that can be used in 1 row.")
