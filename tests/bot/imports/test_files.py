"""Whole files as spreadsheets save them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest

from bot.imports.read import read_import
from bot.imports.values import ImportRefused, Layout
from handlers.model import Figure

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TABLE = "date,page,country,share\n2016-03-08,hunsen,Côte d\u2019Ivoire,57.6%\n2016-03-08,hunsen,Österreich,1%\n"
GERMAN = 'Datum;Seite;Land;Anteil\r\n08.03.2016;hunsen;"Österreich";57,6%\r\n'


@pytest.mark.parametrize(
    ("data", "encoding", "delimiter"),
    [
        pytest.param(TABLE.encode(), "utf-8", ",", id="UTF-8"),
        pytest.param(TABLE.encode("utf-8-sig"), "utf-8-sig", ",", id="UTF-8 with a mark"),
        pytest.param(TABLE.encode("utf-16"), "utf-16", ",", id="UTF-16 with a mark"),
        pytest.param(b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16", ",", id="UTF-16 big-endian with a mark"),
        pytest.param(TABLE.encode("utf-16-le"), "utf-16-le", ",", id="UTF-16 without a mark"),
        pytest.param(TABLE.encode("utf-16-be"), "utf-16-be", ",", id="UTF-16 big-endian without a mark"),
        pytest.param(TABLE.encode("utf-32"), "utf-32", ",", id="UTF-32"),
        pytest.param(TABLE.encode("cp1252"), "cp1252", ",", id="Windows"),
        pytest.param(TABLE.replace(",", ";").encode(), "utf-8", ";", id="semicolons"),
        pytest.param(TABLE.replace(",", "\t").encode("utf-16"), "utf-16", "\t", id="Excel's Unicode text"),
        pytest.param(TABLE.replace(",", "|").encode(), "utf-8", "|", id="bars"),
        pytest.param(("sep=;\n" + TABLE.replace(",", ";")).encode(), "utf-8", ";", id="sep line"),
        pytest.param(('"sep=,"\r\n' + TABLE).encode("utf-16"), "utf-16", ",", id="quoted sep line"),
        pytest.param(TABLE.replace("\n", "\r\n").encode(), "utf-8", ",", id="CRLF"),
        pytest.param(TABLE.replace("\n", "\r").encode(), "utf-8", ",", id="old Mac"),
        pytest.param(TABLE.replace("\n", "\n\n,,,\n").encode(), "utf-8", ",", id="blank rows"),
        pytest.param(TABLE.replace("\n", ",,,\n").encode(), "utf-8", ",", id="empty columns at the end"),
        pytest.param(("\n\nAudience of the page\n" + TABLE).encode(), "utf-8", ",", id="a title above"),
        pytest.param(TABLE.rstrip().encode(), "utf-8", ",", id="no last line end"),
        pytest.param(TABLE.replace("date,page", " Date , PAGE ").encode(), "utf-8", ",", id="header in capitals"),
    ],
)
def test_it_reads_the_same_figures_however_they_are_saved(data: bytes, encoding: str, delimiter: str) -> None:
    read = read_import(data, name="figures.csv", now=NOW)
    (audience,) = read.audiences
    assert audience.shares["CI"] == Figure(value=0.576, low=0.5755, high=0.5765)
    assert audience.shares.keys() == {"CI", "AT"}
    assert (read.encoding, read.delimiter, read.faults) == (encoding, delimiter, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_it_reads_a_german_spreadsheet(encoding: str) -> None:
    read = read_import(GERMAN.encode(encoding), name="zahlen.csv", now=NOW)
    (audience,) = read.audiences
    assert (audience.as_of, audience.shares) == (
        datetime(2016, 3, 8, tzinfo=UTC),
        {"AT": Figure(value=0.576, low=0.5755, high=0.5765)},
    )


@pytest.mark.parametrize(
    ("encoding", "names"), [("cp874", "กัมพูชา ไทย อินเดีย ฟิลิปปินส์"), ("cp1251", "Камбоджа Таиланд Индия Филиппины")]
)
def test_it_guesses_other_scripts_and_says_so(encoding: str, names: str) -> None:
    rows = "".join(f"2016-03-{day:02},{name},5\n" for day, name in enumerate(names.split(), start=1))
    read = read_import(f"date,page,likes\n{rows}".encode(encoding), name="figures.csv", now=NOW)
    assert set(read.pages) == set(names.casefold().split())
    assert read.notes == (
        f"The file does not say how its letters are encoded; it was read as {encoding}. Check the names.",
    )


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


SUITE = 'sep=,\n"Facebook follows"\n"Date","Primary"\n"2025-08-01T00:00:00","20"\n'


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "figures.csv is empty.", id="nothing"),
        pytest.param(b" \r\n\t\n", "figures.csv is empty.", id="blank"),
        pytest.param("\ufeff\n".encode("utf-16-le"), "figures.csv is empty.", id="only a mark"),
        pytest.param(b"date,page,likes\n", "has a header but no rows below it", id="header only"),
        pytest.param(b"2016-02-02,hunsen,5\n", "has no header that is understood", id="no header"),
        pytest.param(b"to be or not to be\n", "has no header that is understood", id="prose"),
        pytest.param(b"date,likes\n2016-02-02,5\n", "add a column page, or use --page", id="no page"),
        pytest.param(zipped(), "save the sheet as CSV", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "save the sheet as CSV", id="xls"),
        pytest.param(bytes(range(256)) * 8, "is not a text file", id="binary"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a text file", id="picture"),
        pytest.param(b'date,page,likes\n2016-02-02,"hunsen,5\n2016-02-03,hunsen,6\n', "line 2", id="open quotation"),
        pytest.param(b'date,page,likes\n2016-02-02,"hun"sen,5\n', "quotation mark", id="quotation inside"),
        pytest.param(b"date,day,page,likes\n1,1,a,1\n", 'Both columns "date" and "day"', id="two dates"),
        pytest.param(
            SUITE.encode("utf-16"), 'Meta Business Suite ("Facebook follows"): it holds the new follows', id="Suite"
        ),
    ],
)
def test_it_refuses_a_whole_file_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ImportRefused) as refusal:
        read_import(data, name="/home/somebody/figures.csv", now=NOW)
    assert sentence in str(refusal.value)
    assert str(refusal.value).startswith(("figures.csv", "Both columns"))
    assert "\n" not in str(refusal.value)


def test_it_refuses_a_file_too_large_to_be_one() -> None:
    with pytest.raises(ImportRefused, match="has 200 MB; at most 200 MB are imported at once"):
        read_import(bytes(200_000_001), name="figures.csv", now=NOW)


def test_a_quoted_note_may_run_over_several_lines_and_lines_stay_right() -> None:
    text = 'date,page,likes,note\n2016-02-02,hunsen,5,"two\nlines, ""quoted"""\n2016-02-03,hunsen,none,\n'
    read = read_import(text.encode(), name="figures.csv", now=NOW)
    assert (len(read.readings), [fault.line for fault in read.faults]) == (1, [4])


def test_a_header_may_be_in_the_newsrooms_language() -> None:
    text = "កាលបរិច្ឆេទ,ទំព័រ,ប្រទេស,ចំនួន\n២០១៦-០៣-០៨,hunsen,កម្ពុជា,១៧៣០០០០\n"
    read = read_import(text.encode(), name="figures.csv", now=NOW)
    assert read.layout is Layout.COUNTRIES
    assert read.audiences[0].likes == {"KH": Figure(value=1_730_000, low=1_730_000, high=1_730_000)}
