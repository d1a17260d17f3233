"""The press figures that ship with the project."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from bot.imports.examples import press_example
from bot.imports.read import read_import
from handlers.model import AudienceReading, Dated, Figure, Measure, Metric

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SHIPPED = files("bot.imports.examples") / "cambodia.csv"


def audience(page: str, day: str, source: str, measure: Measure = Measure.ALL) -> AudienceReading:
    (found,) = (
        audience
        for audience in press_example().audiences
        if (audience.page, f"{audience.as_of:%Y-%m-%d}", audience.source, audience.measure)
        == (page, day, source, measure)
    )
    return found


def test_it_reads_without_a_fault_and_loses_no_row() -> None:
    read = read_import(SHIPPED.read_bytes(), name="cambodia.csv", now=NOW)
    assert (read.rows, read.faults, read.notes) == (35, (), ())
    totals = sum(audience.measure is Measure.NEW for audience in read.audiences)
    figures = sum(len(audience.likes) + len(audience.shares) for audience in read.audiences)
    assert len(read.readings) + figures + totals == 35


def test_it_is_what_the_newspapers_published() -> None:
    original = Path(__file__).parents[4] / "shared" / "data" / "cambodia-press-figures.csv"
    if not original.exists():
        pytest.skip("The research the figures were carried over from is not beside this checkout.")
    assert SHIPPED.read_bytes() == original.read_bytes()


def test_it_knows_the_pages_of_the_figures() -> None:
    example = press_example()
    homes = {page.slug: (page.name, page.home, page.groups) for page in example.pages}
    assert homes == {
        "hunsen": ("Hun Sen", "KH", ("cambodia",)),
        "samrainsy": ("Sam Rainsy", "KH", ("cambodia",)),
        "davidcameron": ("David Cameron", "GB", ()),
        "donaldtrump": ("Donald Trump", "US", ()),
    }
    assert {reading.page for reading in example.readings} == set(homes)
    assert "samdech hun sen" in example.pages[0].aliases


def test_the_overtake_of_february_2016_is_in_it_with_its_rounding() -> None:
    told = [
        (reading.page, reading.count, reading.low, reading.high, reading.metric, reading.dated)
        for reading in press_example().readings
        if reading.observed_at == datetime(2016, 2, 2, tzinfo=UTC)
    ]
    assert told == [
        ("hunsen", 2_108_800, 2_108_750, 2_108_850, Metric.LIKES, Dated.DAY),
        ("samrainsy", 2_094_800, 2_094_750, 2_094_850, Metric.LIKES, Dated.DAY),
    ]


def test_the_new_likes_of_the_month_before_are_in_it_with_their_denominator() -> None:
    month = audience("hunsen", "2016-03-08", "Phnom Penh Post via BBC Trending", Measure.NEW)
    assert (month.days, month.method) == (30, "published")
    assert month.likes == {"KH": Figure(value=157_331, low=157_331, high=157_331)}
    assert month.total == Figure(value=779_000, low=778_500, high=779_500)


def test_a_share_carries_its_rounding_and_no_total_that_somebody_else_published() -> None:
    share = audience("hunsen", "2016-03-08", "Phnom Penh Post")
    assert share.shares == {"KH": Figure(value=0.576, low=0.5755, high=0.5765)}
    assert (share.likes, share.total) == ({}, None)


def test_likes_by_country_carry_the_total_that_was_published_with_them() -> None:
    likes = audience("samrainsy", "2016-03-08", "Phnom Penh Post via Newsweek")
    assert likes.likes == {"KH": Figure(value=1_830_000, low=1_825_000, high=1_835_000)}
    assert likes.total == Figure(value=2_200_000, low=2_150_000, high=2_250_000)


def test_the_figures_come_in_the_order_they_could_be_known() -> None:
    example = press_example()
    arrivals = [(reading.received_at, reading.page) for reading in example.readings]
    assert arrivals == sorted(arrivals)
    assert [audience.as_of for audience in example.audiences] == sorted(a.as_of for a in example.audiences)
    assert all(reading.received_at == reading.observed_at for reading in example.readings)
