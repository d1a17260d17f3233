"""The documented format, read: what each row becomes, and what is said of a row that cannot be right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.backtest.csv_table import HistoryRefused
from bot.backtest.history import History
from handlers.decide import Arrivals
from handlers.model import Measure, Metric, Page

PAGES = "page,home,group,platform,precision\nhunsen,KH,cambodia,facebook,exact\npewdiepie,SE,,youtube,sig3\n"
TOTALS = "ts,page,likes,received_at\n"
COUNTRIES = "ts,page,country,likes,received_at\n"
NINE = datetime(2024, 5, 6, 9, tzinfo=UTC)


def write(folder: Path, *, pages: str = PAGES, totals: str = TOTALS, countries: str | None = None) -> Path:
    for name, text in (("pages", pages), ("totals", totals), ("countries", countries)):
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def batches(folder: Path) -> list[tuple[datetime, Arrivals]]:
    with History(folder) as history:
        found = list(history.batches())
        assert history.faults.first == []
        return found


def faults(folder: Path) -> list[str]:
    with History(folder) as history:
        for _ in history.batches():
            pass
        return history.faults.first


def test_a_row_becomes_a_reading(tmp_path: Path) -> None:
    write(tmp_path, totals=TOTALS + "2024-05-06T09:00:00Z,hunsen,2108800,2024-05-06T09:00:07Z\n")
    ((instant, arrivals),) = batches(tmp_path)
    (reading,) = arrivals.readings
    assert instant == reading.received_at == NINE + timedelta(seconds=7)
    assert (reading.page, reading.observed_at, reading.count) == ("hunsen", NINE, 2_108_800)
    assert (reading.low, reading.high, reading.metric, reading.source) == (
        2_108_800,
        2_108_800,
        Metric.LIKES,
        "facebook",
    )


@pytest.mark.parametrize(
    ("count", "highest"),
    [(0, 0), (999, 999), (1000, 1009), (1230, 1239), (99_900, 99_999), (111_000_000, 111_999_999)],
)
def test_three_digits_stand_for_all_that_they_leave_open(tmp_path: Path, count: int, highest: int) -> None:
    write(tmp_path, totals=TOTALS + f"2024-05-06T09:00:00Z,pewdiepie,{count},2024-05-06T09:00:00Z\n")
    ((_, arrivals),) = batches(tmp_path)
    assert (arrivals.readings[0].low, arrivals.readings[0].high) == (count, highest)


def test_rows_of_one_list_become_one_audience(tmp_path: Path) -> None:
    rows = "".join(
        f"2024-05-06T09:00:00Z,hunsen,{country},{likes},2024-05-06T12:00:00Z\n"
        for country, likes in (("KH", 60), ("in", 30))
    )
    write(tmp_path, countries=COUNTRIES + rows + "2024-05-06T09:00:00Z,hunsen,PH,7,2024-05-07T12:00:00Z\n")
    (_, first), (_, late) = batches(tmp_path)
    (audience,) = first.audiences
    assert (audience.page, audience.as_of, audience.measure) == ("hunsen", NINE, Measure.ALL)
    assert {country: figure.value for country, figure in audience.likes.items()} == {"KH": 60, "IN": 30}
    assert list(late.audiences[0].likes) == ["PH"]


def test_both_files_are_gone_through_together_by_when_they_could_be_known(tmp_path: Path) -> None:
    write(
        tmp_path,
        totals=TOTALS
        + "2024-05-06T10:00:00Z,pewdiepie,1,2024-05-06T11:00:00Z\n"
        + "2024-05-06T10:00:00Z,hunsen,1,2024-05-06T11:00:00Z\n"
        + "2024-05-06T09:00:00Z,pewdiepie,1,2024-05-06T11:00:00Z\n"
        + "2024-05-06T12:00:00Z,hunsen,2,2024-05-06T13:00:00Z\n",
        countries=COUNTRIES
        + "2024-05-05T00:00:00Z,hunsen,KH,1,2024-05-06T11:00:00Z\n"
        + "2024-05-05T00:00:00Z,hunsen,KH,1,2024-05-06T12:00:00Z\n",
    )
    found = batches(tmp_path)
    assert [(instant.hour, len(each.readings), len(each.audiences)) for instant, each in found] == [
        (11, 3, 1),
        (12, 0, 1),
        (13, 1, 0),
    ]
    assert [(one.observed_at.hour, one.page) for one in found[0][1].readings] == [
        (9, "pewdiepie"),
        (10, "hunsen"),
        (10, "pewdiepie"),
    ]


def test_pages_may_lack_a_home_and_groups_or_be_in_several(tmp_path: Path) -> None:
    pages = "page,home,group,platform,precision\na,,,facebook,exact\nb,uk,x;y,facebook,\nc,KH,x y  z; x,youtube,sig3\n"
    with History(write(tmp_path, pages=pages)) as history:
        assert list(history.pages.values()) == [
            Page(slug="a", name="a", platform="facebook"),
            Page(slug="b", name="b", platform="facebook", home="GB", groups=("x", "y")),
            Page(slug="c", name="c", platform="youtube", home="KH", groups=("x", "y", "z")),
        ]


def test_spreadsheets_habits_do_no_harm(tmp_path: Path) -> None:
    """A byte-order mark, other columns in another order, capitals, Windows' line ends, blank rows, another offset."""
    write(
        tmp_path,
        totals="\ufeffReceived_At,note,Likes,Page,TS\r\n"
        "2024-05-06T11:00:00+02:00,x,7.0, hunsen ,2024-05-06T09:00:00Z\r\n\r\n,,,,\r\n",
    )
    ((instant, arrivals),) = batches(tmp_path)
    assert (instant, arrivals.readings[0].page, arrivals.readings[0].count) == (NINE, "hunsen", 7)


@pytest.mark.parametrize(
    ("likes", "said"),
    [
        ("", "there is no count"),
        *((text, f"“{text}” is no count") for text in ("nan", "NaN", "-5", "-0.5", "n/a", "None")),
    ],
)
def test_where_there_is_no_count_is_a_gap(tmp_path: Path, likes: str, said: str) -> None:
    row = f'2024-05-06T09:00:00Z,hunsen,"{likes}",2024-05-06T09:00:00Z\n'
    country = f'2024-05-06T09:00:00Z,hunsen,KH,"{likes}",2024-05-06T09:00:00Z\n'
    write(tmp_path, totals=TOTALS + row, countries=COUNTRIES + country)
    with History(tmp_path) as history:
        assert list(history.batches()) == []
        assert (history.faults.number, history.gaps.number) == (0, 2)
        assert history.gaps.first == [f"totals.csv, line 2: {said}", f"countries.csv, line 2: {said}"]


@pytest.mark.parametrize("likes", ["1,234", "12.5", "3.2M", "inf", "true", str(2**63), "9" * 5000, "1e300", "<html>"])
def test_a_count_that_nobody_can_read_is_a_bad_row(tmp_path: Path, likes: str) -> None:
    row = f'2024-05-06T09:00:00Z,hunsen,"{likes}",2024-05-06T09:00:00Z\n'
    country = f'2024-05-06T09:00:00Z,hunsen,KH,"{likes}",2024-05-06T09:00:00Z\n'
    for fault in faults(write(tmp_path, totals=TOTALS + row, countries=COUNTRIES + country)):
        assert ".csv, line 2: “" in fault
        assert "is no number of likes. Write a whole number below 2⁶³ in digits alone, or leave the cell empty" in fault
        assert len(fault) < 250


def test_the_largest_count_is_one(tmp_path: Path) -> None:
    write(tmp_path, totals=TOTALS + f"2024-05-06T09:00:00Z,hunsen,{2**63 - 1},2024-05-06T09:00:00Z\n")
    ((_, arrivals),) = batches(tmp_path)
    assert arrivals.readings[0].count == 2**63 - 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2024-05-06T09:00:00,hunsen,1,2024-05-06T09:00:00Z", "ts “2024-05-06T09:00:00” has no time zone"),
        ("2024-05-06T09:00:00Z,hunsen,1,2024-05-06T09:00:00", "received_at “2024-05-06T09:00:00” has no time zone"),
        ("2024-05-06,hunsen,1,2024-05-06T09:00:00Z", "ts “2024-05-06” has no time zone"),
        ("06/05/2024 9:00,hunsen,1,2024-05-06T09:00:00Z", "ts “06/05/2024 9:00” is no ISO 8601 instant"),
        (",hunsen,1,2024-05-06T09:00:00Z", "ts “” is no ISO 8601 instant"),
        ("2024-05-06T09:00:00Z,hunsen,1", "received_at “” is no ISO 8601 instant"),
        ("2024-02-30T09:00:00Z,hunsen,1,2024-05-06T09:00:00Z", "ts “2024-02-30T09:00:00Z” is no ISO 8601 instant"),
        ("0001-01-01T00:00:00+01:00,hunsen,1,2024-05-06T09:00:00Z", "is no ISO 8601 instant"),
        ("2024-05-06T09:00:00Z,hunsne,1,2024-05-06T09:00:00Z", "the page “hunsne” is not in pages.csv"),
        ("2024-05-06T09:00:00Z,hunsen,1,2024-05-06T08:59:59Z", "received_at is earlier than that of a row above"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: str, said: str) -> None:
    good = "2024-05-06T09:00:00Z,pewdiepie,1,2024-05-06T09:00:00Z\n"
    (fault,) = faults(write(tmp_path, totals=f"{TOTALS}{good}{row}\n{good}"))
    assert fault.startswith("totals.csv, line 3: ")
    assert said in fault
    day, _, rest = row.partition(",")
    page, _, likes = rest.partition(",")
    country = f"{day},{page},KH,{likes}\n"
    (fault,) = faults(write(tmp_path, countries=COUNTRIES + good.replace("pie,", "pie,SE,") + country))
    assert fault.startswith("countries.csv, line 3: ")


def test_a_country_that_nobody_knows_is_named(tmp_path: Path) -> None:
    row = "2024-05-06T09:00:00Z,hunsen,Atlantis,5,2024-05-06T09:00:00Z\n"
    assert faults(write(tmp_path, countries=COUNTRIES + row)) == [
        "countries.csv, line 2: “Atlantis” is no country that I know. Give its two letters: KH"
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("hunsen,KH,,facebook,exact", "hunsen is listed a second time"),
        (",KH,,facebook,exact", "the page is not said"),
        ("b,KH,,,exact", "the platform is not said"),
        ("b,Atlantis,,facebook,exact", "“Atlantis” is no country that I know"),
        ("b,KH,,facebook,sig4", "the precision “sig4” is not known"),
    ],
)
def test_a_bad_page_is_named(tmp_path: Path, row: str, said: str) -> None:
    (fault,) = faults(write(tmp_path, pages=f"{PAGES}{row}\n"))
    assert fault.startswith(f"pages.csv, line 4: {said}")


@pytest.mark.parametrize("name", ["pages", "totals"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / f"{name}.csv").unlink()
    with pytest.raises(HistoryRefused, match=rf"{name}\.csv is missing\. A history is a folder with pages\.csv"):
        History(tmp_path)


def test_countries_may_be_missing(tmp_path: Path) -> None:
    assert batches(write(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "header", "column"),
    [
        ("pages", "page,home,group,platform", "precision"),
        ("totals", "ts,page,count,received_at", "likes"),
        ("countries", "ts,page,likes,received_at", "country"),
        ("totals", "", "ts"),
    ],
)
def test_a_column_that_is_missing_is_named(tmp_path: Path, name: str, header: str, column: str) -> None:
    (write(tmp_path) / f"{name}.csv").write_text(header, encoding="utf-8")
    with pytest.raises(HistoryRefused, match=rf"{name}\.csv, line 1: the column {column} is missing"):
        History(tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b'2024-05-06T09:00:00Z,"hunsen,1,2024-05-06T09:00:00Z\n2024', "this is no CSV"),
        (b"2024-05-06T09:00:00Z,hunsen,\xff,2024-05-06T09:00:00Z\n", "this is no UTF-8"),
    ],
)
@pytest.mark.parametrize("before", [0, 5000])
def test_what_is_no_table_is_refused(tmp_path: Path, row: bytes, said: str, before: int) -> None:
    good = b"2024-05-06T09:00:00Z,hunsen,1,2024-05-06T09:00:00Z\n"
    (write(tmp_path) / "totals.csv").write_bytes(TOTALS.encode() + good * before + row)
    with pytest.raises(HistoryRefused, match=f"totals.csv, line {before + 2}: {said}"), History(tmp_path) as history:
        list(history.batches())


def test_of_many_faults_the_first_are_told_and_all_are_counted(tmp_path: Path) -> None:
    write(tmp_path, totals=TOTALS + "2024-05-06T09:00:00Z,nobody,1,2024-05-06T09:00:00Z\n" * 100)
    with History(tmp_path) as history:
        assert list(history.batches()) == []
        assert (len(history.faults.first), history.faults.number) == (20, 100)
