"""What holds of every file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.imports.read import read_import
from bot.imports.values import DateOrder, FileContents, ImportRefused

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAYS = st.dates(date(2005, 1, 1), date(2026, 11, 22))
COUNTS = st.integers(1, 2**63 - 1)
KHMER = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
SPELT_COUNTS = (
    str,
    lambda count: f"{count:,}",
    lambda count: f"{count:,}".replace(",", "."),
    lambda count: f"{count:,}".replace(",", " "),
    lambda count: f"{count:,}".replace(",", "\u202f"),
    lambda count: f"{count:,}".replace(",", "'"),
    lambda count: f"{count:,}.00" if count > 999 else f"{count}.0",
    lambda count: str(count).translate(KHMER),
    lambda count: f" {count} ",
)
SPELT_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%b-%Y", "%B %d, %Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y 00:00")


def imported(data: bytes, dates: DateOrder | None = None) -> FileContents:
    return read_import(data, name="figures.csv", now=NOW, dates=dates)


@given(count=COUNTS, spelling=st.sampled_from(SPELT_COUNTS), delimiter=st.sampled_from(",;\t|"))
def test_a_count_is_read_back_in_every_spelling(count: int, spelling: object, delimiter: str) -> None:
    assert callable(spelling)
    row = delimiter.join(["2016-02-02", "hunsen", f'"{spelling(count)}"'])
    read = imported(f"{delimiter.join(['date', 'page', 'likes'])}\n{row}\n".encode())
    assert [(reading.count, reading.low, reading.high) for reading in read.readings] == [(count, count, count)]


@given(day=DAYS, spelling=st.sampled_from(SPELT_DAYS))
def test_a_day_is_read_back_in_every_spelling(day: date, spelling: str) -> None:
    read = imported(f'date,page,likes\n"{day.strftime(spelling)}",hunsen,5\n'.encode(), DateOrder.DMY)
    assert [reading.observed_at for reading in read.readings] == [datetime(day.year, day.month, day.day, tzinfo=UTC)]


@given(tenths=st.integers(0, 1000), comma=st.booleans(), sign=st.sampled_from(["%", " %", "\u00a0%", "\uff05"]))
def test_a_percentage_is_read_back_with_the_interval_of_its_last_digit(tenths: int, comma: bool, sign: str) -> None:
    cell = f"{tenths // 10}{',' if comma else '.'}{tenths % 10}{sign}"
    (audience,) = imported(f'date;page;country;share\n2016-02-02;hunsen;KH;"{cell}"\n'.encode()).audiences
    share = audience.shares["KH"]
    assert share.value == tenths / 1000
    assert (share.low, share.high) == (max(0, (tenths * 2 - 1) / 2000), min(1, (tenths * 2 + 1) / 2000))


@given(tens=st.integers(1, 999), unit=st.sampled_from([("k", 1_000), ("M", 1_000_000), (" Mio.", 1_000_000)]))
def test_a_rounded_count_lies_within_the_interval_of_its_last_digit(tens: int, unit: tuple[str, int]) -> None:
    suffix, times = unit
    (reading,) = imported(f"date,page,likes\n2016-02-02,hunsen,{tens / 10}{suffix}\n".encode()).readings
    assert reading.count == tens * times // 10
    assert (reading.low, reading.high) == (reading.count - times // 20, reading.count + times // 20)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    try:
        imported(data)
    except ImportRefused as refusal:
        assert str(refusal)


WORDS = ["date", "page", "country", "likes", "share", "total", "metric", "value", "KH", "hunsen", "Congo", "2016-02-02"]
CELLS = st.one_of(
    st.sampled_from([*WORDS, "02/03/2016", "30 days", "3.2M", "57,6%", "", '"', "sep=;"]), st.text(max_size=12)
)
LAYOUTS = st.sampled_from(
    [
        "date,page,likes",
        "date,page,country,count,share,total",
        "date,page,KH,IN",
        "ts,page,likes,received_at",
        "observed_at,observed_precision,page,country,metric,value,value_precision,source,url,note",
    ]
)


@given(LAYOUTS, st.lists(st.lists(CELLS, max_size=10), max_size=6), st.sampled_from(["utf-8", "utf-16", "utf-16-be"]))
def test_no_cells_raise_anything_but_a_refusal(header: str, rows: list[list[str]], encoding: str) -> None:
    text = "\n".join([header, *(",".join(row) for row in rows)])
    try:
        imported(text.encode(encoding, "replace"))
    except ImportRefused as refusal:
        assert str(refusal)


FIGURES = st.lists(st.tuples(DAYS, st.sampled_from(["hunsen", "samrainsy"]), st.sampled_from(["", "KH", "IN"]), COUNTS))


@given(FIGURES.filter(bool))
def test_the_same_bytes_give_equal_values_in_order_of_arrival(figures: list[tuple[date, str, str, int]]) -> None:
    rows = "".join(f"{day},{page},{country},{count}\n" for day, page, country, count in figures)
    data = f"date,page,country,likes\n{rows}".encode()
    read = imported(data)
    assert read == imported(data)
    assert all(one.received_at <= other.received_at for one, other in pairwise(read.readings))
    assert all(one.received_at <= other.received_at for one, other in pairwise(read.audiences))


@given(FIGURES.filter(bool))
def test_every_row_is_kept_or_repeated_or_contradicted(figures: list[tuple[date, str, str, int]]) -> None:
    rows = "".join(f"{day},{page},{country},{count}\n" for day, page, country, count in figures)
    read = imported(f"date,page,country,likes\n{rows}".encode())
    said: dict[tuple[date, str, str], set[int]] = {}
    for day, page, country, count in figures:
        said.setdefault((day, page, country), set()).add(count)
    certain = {key: counts.copy().pop() for key, counts in said.items() if len(counts) == 1}
    kept = {(reading.observed_at.date(), reading.page, ""): reading.count for reading in read.readings} | {
        (audience.as_of.date(), audience.page, country): figure.value
        for audience in read.audiences
        for country, figure in audience.likes.items()
    }
    assert kept == certain
    assert bool(read.faults) == (len(certain) < len(said))
