"""The layouts that are recognised, and what each becomes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.imports.read import read_import
from bot.imports.values import FileContents, Layout
from handlers.model import AudienceReading, Dated, Figure, Measure, Metric, Reading

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = datetime(2016, 2, 2, tzinfo=UTC)


def imported(text: str, page: str | None = None) -> FileContents:
    return read_import(text.encode(), name="figures.csv", now=NOW, page=page)


def exact(likes: int) -> Figure:
    return Figure(value=likes, low=likes, high=likes)


def test_counts_by_date_and_page() -> None:
    read = imported("date,page,followers,source,url\n2016-02-02,@HunSen,2108800,Fresh News,https://example.org/a\n")
    assert read.layout is Layout.COUNTS
    assert read.readings == (
        Reading(
            page="hunsen",
            observed_at=DAY,
            received_at=DAY,
            count=2_108_800,
            low=2_108_800,
            high=2_108_800,
            metric=Metric.FOLLOWERS,
            source="Fresh News",
            url="https://example.org/a",
            dated=Dated.DAY,
        ),
    )


@pytest.mark.parametrize(
    ("header", "metric"),
    [
        ("likes", Metric.LIKES),
        ("Fans", Metric.LIKES),
        ("count", Metric.LIKES),
        ("value", Metric.LIKES),
        ("Follower Count", Metric.FOLLOWERS),
        ("Abonnés", Metric.FOLLOWERS),
        ("seguidores", Metric.FOLLOWERS),
    ],
)
def test_the_header_says_what_is_counted(header: str, metric: Metric) -> None:
    (reading,) = imported(f"{header};page;Date\n5;hunsen;2016-02-02\n").readings
    assert reading.metric is metric


def test_the_page_may_be_named_beside_the_file() -> None:
    read = imported("date,likes\n2016-02-02,5\n", page="hunsen")
    assert read.pages == ("hunsen",)


def test_the_pages_own_column_wins_and_its_gaps_are_filled() -> None:
    read = imported("date,page,likes\n2016-02-02,samrainsy,5\n2016-02-02,,6\n", page="hunsen")
    assert [(reading.page, reading.count) for reading in read.readings] == [("hunsen", 6), ("samrainsy", 5)]


def test_what_names_no_source_is_the_files_own() -> None:
    read = imported("date,page,country,likes\n2016-02-02,hunsen,KH,5\n2016-02-02,hunsen,,9\n")
    assert (read.readings[0].source, read.audiences[0].source) == ("import: figures.csv", "import: figures.csv")
    assert read.audiences[0].method == "import"


def test_rows_of_one_snapshot_make_one_audience() -> None:
    read = imported(
        "date,page,country,count,share,total,source\n"
        '2016-02-02,hunsen,Kampuchea,"1,730,000",57.6%,3003000,Post\n'
        "2016-02-02,hunsen,IN,360791,,3003000,Post\n"
        "2016-02-02,hunsen,uk,,1.2%,,Post\n"
    )
    assert read.audiences == (
        AudienceReading(
            page="hunsen",
            as_of=DAY,
            received_at=DAY,
            measure=Measure.ALL,
            likes={"KH": exact(1_730_000), "IN": exact(360_791)},
            shares={
                "KH": Figure(value=0.576, low=0.5755, high=0.5765),
                "GB": Figure(value=0.012, low=0.0115, high=0.0125),
            },
            total=exact(3_003_000),
            source="Post",
            method="published",
            dated=Dated.DAY,
        ),
    )
    assert read.readings == ()


def test_a_row_without_a_country_is_the_pages_count_and_the_snapshots_denominator() -> None:
    read = imported("date,page,country,likes\n2016-02-02,hunsen,KH,5\n2016-02-02,hunsen,,9\n")
    assert [reading.count for reading in read.readings] == [9]
    assert [audience.total for audience in read.audiences] == [exact(9)]


@pytest.mark.parametrize("figures", [",57%", "9,57%", ","])
def test_a_share_of_no_country_is_a_fault(figures: str) -> None:
    read = imported(f"date,page,country,likes,share\n2016-02-02,hunsen,,{figures}\n")
    assert [(fault.column, fault.problem) for fault in read.faults] == [("country", "figures of which country?")]


def test_snapshots_of_other_dates_pages_and_sources_stay_apart() -> None:
    rows = "2016-02-02,a,KH,5,x\n2016-02-03,a,KH,6,x\n2016-02-02,b,KH,7,x\n2016-02-02,a,KH,8,y\n"
    read = imported("date,page,country,likes,source\n" + rows)
    assert [audience.likes["KH"].value for audience in read.audiences] == [5, 8, 7, 6]


LONG = "observed_at,observed_precision,page,country,metric,value,value_precision,source,url,note\n"


def test_published_figures_keep_their_rounding_their_period_and_their_date() -> None:
    read = imported(
        LONG + "2016-02-02,month,hunsen,,likes,7200000,100000,Daily,,\n"
        "2016-02-02,day,hunsen,KH,share_of_total,0.499,0.001,Daily,,\n"
        "2016-02-02,30 days,hunsen,,new_likes,779000,1000,Post,,\n"
        "2016-02-02,30 days,hunsen,KH,new_likes,157331,1,Post,,\n"
        "2016-02-02T11:50:00Z,,hunsen,,followers,2000105,1,Post,,\n"
    )
    assert read.layout is Layout.LONG
    months, instants = (reading for reading in read.readings)
    assert (months.dated, months.low, months.high) == (Dated.MONTH, 7_150_000, 7_250_000)
    assert (instants.dated, instants.metric) == (Dated.INSTANT, Metric.FOLLOWERS)
    share, new = read.audiences
    assert share.shares == {"KH": Figure(value=0.499, low=0.4985, high=0.4995)}
    assert (new.measure, new.days, new.likes) == (Measure.NEW, 30, {"KH": exact(157_331)})
    assert new.total == Figure(value=779_000, low=778_500, high=779_500)


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("2016-02-02,day,hunsen,KH,new_likes,5,1,,,", "observed_precision", "new likes need the period"),
        ("2016-02-02,30 days,hunsen,,likes,5,1,,,", "observed_precision", "a period belongs to new likes only"),
        ("2016-02-02,roughly,hunsen,,likes,5,1,,,", "observed_precision", "not a precision"),
        ("2016-02-02,0 days,hunsen,,new_likes,5,1,,,", "observed_precision", "not a precision"),
        ("2016-02-02,day,hunsen,,share_of_total,0.5,0.1,,,", "country", "a share of what?"),
        ("2016-02-02,day,hunsen,Congo,likes,5,1,,,", "country", "not a country that is known"),
        ("2016-02-02,day,hunsen,,reach,5,1,,,", "metric", "not a metric"),
        ("2016-02-02,day,hunsen,,likes,5,0,,,", "value", "the precision is 0"),
        ("2016-02-02,day,hunsen,,likes,5,often,,,", "value", "the precision 'often' is not a number"),
        ("2016-02-02,day,,,likes,5,1,,,", "page", "which page?"),
        ("2016-02-02,day,hunsen,,likes,5,1,,javascript:alert(1),", "url", "not a web address"),
    ],
)
def test_a_bad_row_is_named_by_line_column_and_reason(row: str, column: str, problem: str) -> None:
    read = imported(LONG + "2016-02-01,day,hunsen,,likes,5,1,,,\n" + row + "\n")
    (fault,) = read.faults
    assert (fault.line, fault.column) == (3, column)
    assert fault.problem.startswith(problem)
    assert len(read.readings) == 1


def test_a_column_for_each_country() -> None:
    text = 'Date,KH,"United Kingdom",in,Remark\n2016-02-02,1730000,12,,x\n2016-02-03,1730100,,7,\n'
    read = imported(text, page="hunsen")
    assert read.layout is Layout.WIDE
    assert [audience.likes for audience in read.audiences] == [
        {"KH": exact(1_730_000), "GB": exact(12)},
        {"KH": exact(1_730_100), "IN": exact(7)},
    ]


def test_a_bad_cell_of_a_wide_row_costs_only_itself() -> None:
    read = imported("Date,KH,IN\n2016-02-02,5,#N/A\n", page="hunsen")
    assert [(fault.line, fault.column, fault.cell) for fault in read.faults] == [(2, "IN", "#N/A")]
    assert read.audiences[0].likes == {"KH": exact(5)}


CROWDTANGLE = (
    "Page Name,User Name,Facebook Id,Page Category,Page Admin Top Country,Page Description,Page Created,"
    "Likes at Posting,Followers at Posting,Post Created,Post Created Date,Post Created Time,Type,"
    "Total Interactions,Likes,Comments,Shares\n"
    "Samdech Hun Sen,hunsen,12,POLITICIAN,KH,,2010-09-20,2108800,2200000,2016-02-02 18:50:00 EST,"
    "2016-02-02,18:50:00,Photo,999,800,100,99\n"
)


def test_crowdtangles_history_gives_the_pages_likes_when_each_post_was_made() -> None:
    read = imported(CROWDTANGLE)
    assert read.layout is Layout.CROWDTANGLE
    assert [(reading.page, reading.count, reading.metric, reading.observed_at) for reading in read.readings] == [
        ("hunsen", 2_108_800, Metric.LIKES, datetime(2016, 2, 2, 23, 50, tzinfo=UTC))
    ]
    assert read.audiences == ()


def test_crowdtangles_country_of_managers_is_left_out_and_said_to_be() -> None:
    assert 'The column "Page Admin Top Country" was left out' in imported(CROWDTANGLE).summary()


def test_of_likes_and_followers_one_is_taken_and_the_other_named() -> None:
    read = imported("date,page,followers,likes\n2016-02-02,hunsen,6,5\n")
    assert [(reading.count, reading.metric) for reading in read.readings] == [(5, Metric.LIKES)]
    (note,) = read.notes
    assert note.startswith('The column "followers" was left out')
    assert note.endswith('To import it, delete the column "likes".')


def test_the_history_format_says_when_each_figure_could_be_known() -> None:
    later = "2016-02-02T12:00:00Z,hunsen,5,2016-02-04T00:00:00Z\n"
    sooner = "2016-02-03T12:00:00Z,hunsen,6,2016-02-03T12:00:00Z\n"
    read = imported("ts,page,likes,received_at\n" + later + sooner)
    assert [(reading.observed_at.day, reading.received_at.day) for reading in read.readings] == [(3, 3), (2, 4)]


def test_the_history_formats_countries_arrive_when_they_arrived() -> None:
    rows = "2016-02-02T12:00Z,hunsen,KH,5,2016-02-04T00:00Z\n2016-02-02T12:00Z,hunsen,IN,6,2016-02-03T00:00Z\n"
    read = imported("ts,page,country,likes,received_at\n" + rows)
    assert [(audience.received_at.day, dict(audience.likes)) for audience in read.audiences] == [
        (3, {"IN": exact(6)}),
        (4, {"KH": exact(5)}),
    ]


@pytest.mark.parametrize(
    ("received", "problem"),
    [("2016-02-01T00:00:00Z", "before the date of the figure itself"), ("2030-01-01T00:00:00Z", "in the future")],
)
def test_a_figure_cannot_be_known_before_it_was_or_after_now(received: str, problem: str) -> None:
    read = imported(f"ts,page,likes,received_at\n2016-02-02T12:00:00Z,hunsen,5,{received}\n")
    assert [(fault.column, fault.problem) for fault in read.faults] == [("received_at", problem)]


def test_a_number_that_its_commas_tore_apart_is_not_read_as_its_first_part() -> None:
    read = imported("date,page,likes\n2016-02-02,hunsen,3,200,000\n")
    assert read.readings == ()
    assert "more cells (5) than columns (3)" in read.faults[0].problem


def test_columns_that_are_not_used_are_named() -> None:
    read = imported("date,page,likes,mood,comment\n2016-02-02,hunsen,5,good,\n")
    assert read.notes == ("Columns not used: mood.",)
