from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from handlers.model import AudienceReading, Figure, Measure, Page
from storage.schema.sqlite import sqlite3
from storage.store import Store
from tests.labs.standins.samples import DAY, NOON, audiences

SHARE = AudienceReading(
    page="hunsen",
    as_of=NOON,
    received_at=NOON,
    measure=Measure.ALL,
    shares={"KH": Figure(value=0.576, low=0.5755, high=0.5765)},
    source="Socialbakers",
    method="published share",
)


@settings(max_examples=50, deadline=None)
@given(reading=audiences)
def test_an_audience_comes_back_as_it_was_read(reading: AudienceReading) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "likewatch.db")
        store.pages.add(Page(slug="hunsen", name="Hun Sen", platform="facebook"), None, at=NOON)
        assert store.audiences.add(reading)
        assert not store.audiences.add(reading)
        assert store.audiences.recent("hunsen", reading.as_of) == (reading,)
        store.close()


def test_the_same_figures_received_later_are_the_same_reading(cambodia: Store) -> None:
    assert cambodia.audiences.add(SHARE)
    assert not cambodia.audiences.add(replace(SHARE, received_at=NOON + DAY))
    assert cambodia.audiences.add(replace(SHARE, source="The Phnom Penh Post"))
    assert cambodia.audiences.add(replace(SHARE, shares={"KH": Figure(value=0.57, low=0.565, high=0.575)}))


def test_it_tells_the_recent_ones_and_always_the_12_newest_of_each_measure(cambodia: Store) -> None:
    days = [replace(SHARE, as_of=NOON + day * DAY) for day in reversed(range(20))]
    new = [replace(SHARE, as_of=NOON - 300 * DAY, measure=Measure.NEW, days=28)]
    for reading in days + new:
        cambodia.audiences.add(reading)
    assert cambodia.audiences.recent("hunsen", NOON + 100 * DAY) == (*new, *days[11::-1])
    assert cambodia.audiences.recent("hunsen", NOON + 5 * DAY) == (*new, *days[14::-1])
    assert cambodia.audiences.recent("samrainsy", NOON) == ()


def test_anybody_can_read_the_audiences_by_country(cambodia: Store, database: Path) -> None:
    reading = replace(
        SHARE,
        measure=Measure.NEW,
        days=28,
        likes={"KH": Figure(value=157_331, low=157_331, high=157_331), "IN": Figure(value=255_692, low=0, high=1)},
        shares={"KH": Figure(value=0.2, low=0.19, high=0.21), "PH": Figure(value=0.1, low=0.1, high=0.1)},
        total=Figure(value=779_000, low=778_500, high=779_499),
    )
    cambodia.audiences.add(reading)
    notebook = sqlite3.connect(database)
    rows = notebook.execute(
        "SELECT page, instant, measure, days, country, likes, share, total FROM audiences_all ORDER BY country"
    ).fetchall()
    notebook.close()
    when = ("hunsen", "2016-02-02T12:00:00.000Z", "new", 28)
    assert rows == [
        (*when, "IN", 255_692, None, 779_000),
        (*when, "KH", 157_331, 0.2, 779_000),
        (*when, "PH", None, 0.1, 779_000),
    ]
