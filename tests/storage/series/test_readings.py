from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.model import Metric, Page, Point, Reading, SeriesState, Standing, ValidatedReading
from storage.schema.sqlite import sqlite3
from storage.store import Store
from tests.labs.standins.samples import DAY, HOUR, MINUTE, NOON, judged, point, readings, track, tracks


def test_it_stores_each_reading_once(cambodia: Store) -> None:
    rows = [judged(NOON, 5), judged(NOON, 7, page="samrainsy"), judged(NOON, 5, source="Khmer Times")]
    assert cambodia.readings.add(rows) == 3
    assert cambodia.readings.add([*rows, judged(NOON + HOUR, 6)]) == 1
    assert cambodia.readings.stored_count("hunsen", NOON, "Graph API") == 5
    assert cambodia.readings.stored_count("hunsen", NOON, "elsewhere") is None
    assert cambodia.readings.stored_count("nobody", NOON, "Graph API") is None


def test_a_folded_reading_is_still_known(cambodia: Store) -> None:
    cambodia.readings.add([judged(NOON, 5)])
    assert cambodia.readings.move_to_history(NOON + DAY) == 1
    assert cambodia.readings.stored_count("hunsen", NOON, "Graph API") == 5
    assert cambodia.readings.add([judged(NOON, 5)]) == 0
    assert cambodia.readings.move_to_history(NOON + DAY) == 0


def test_it_tells_the_newest_state_of_a_page(cambodia: Store) -> None:
    series = track(point(NOON, 2_108_800))
    cambodia.series_states.put([series])
    latest = cambodia.readings.page_snapshot("hunsen")
    assert latest is not None
    assert latest.page == cambodia.pages.get("hunsen")
    assert latest.series_state == series
    assert latest.polled_at is None
    assert latest.trouble is None
    assert cambodia.readings.page_snapshot("nobody") is None


def test_the_board_has_the_highest_count_first_and_the_uncounted_last(cambodia: Store) -> None:
    for slug in ("uncounted", "another"):
        cambodia.pages.add(Page(slug=slug, name=slug, platform="facebook"), None, at=NOON)
    cambodia.series_states.put([track(point(NOON, 5)), track(point(NOON, 7), page="samrainsy")])
    board = cambodia.readings.page_snapshots(["uncounted", "hunsen", "nobody", "samrainsy", "another"])
    assert [latest.page.slug for latest in board] == ["samrainsy", "hunsen", "another", "uncounted"]


def test_a_page_never_counted_has_no_past(cambodia: Store) -> None:
    assert cambodia.series_states.get(["hunsen", "nobody"]) == {}
    for slug in ("hunsen", "nobody"):
        assert cambodia.readings.point_at(slug, NOON) is None
        assert cambodia.readings.points(slug, NOON - DAY, NOON) == ()
        assert cambodia.readings.daily_points(slug, NOON - DAY, NOON) == ()


@pytest.mark.parametrize(
    ("standing", "counts"),
    [
        (Standing.ACCEPTED, True),
        (Standing.LATE, True),
        (Standing.HELD, False),
        (Standing.DOUBTED, False),
    ],
)
@pytest.mark.parametrize("folded", [False, True])
def test_only_accepted_and_late_readings_make_the_past(
    cambodia: Store, standing: Standing, *, counts: bool, folded: bool
) -> None:
    cambodia.readings.add([judged(NOON, 5, standing=standing)])
    cambodia.series_states.put([track(point(NOON, 5))])
    if folded:
        cambodia.readings.move_to_history(NOON + DAY)
    assert (cambodia.readings.point_at("hunsen", NOON) is not None) is counts
    assert (len(cambodia.readings.points("hunsen", NOON, NOON)) == 1) is counts


@pytest.mark.parametrize("folded", [False, True])
def test_held_readings_count_once_confirmed(cambodia: Store, *, folded: bool) -> None:
    rows = [judged(NOON + hours * HOUR, hours + 1, standing=Standing.HELD) for hours in range(5)]
    doubted = judged(NOON + 90 * MINUTE, 70, standing=Standing.DOUBTED)
    of_another = judged(NOON + HOUR, 80, page="samrainsy", standing=Standing.HELD)
    no_value = judged(NOON + 100 * MINUTE, 0, standing=Standing.HELD)
    cambodia.readings.add([*rows, doubted, of_another, no_value])
    cambodia.series_states.put([track(point(NOON, 1)), track(point(NOON, 1), page="samrainsy")])
    if folded:
        cambodia.readings.move_to_history(NOON + DAY)
    cambodia.readings.confirm("hunsen", NOON + HOUR, NOON + 3 * HOUR)
    assert [at.count for at in cambodia.readings.points("hunsen", NOON, NOON + DAY)] == [2, 3, 4]
    assert cambodia.readings.points("samrainsy", NOON, NOON + DAY) == ()


def test_series_of_two_metrics_are_never_spliced(cambodia: Store) -> None:
    cambodia.readings.add([judged(NOON, 5), judged(NOON + HOUR, 9, metric=Metric.FOLLOWERS)])
    cambodia.series_states.put([track(point(NOON + HOUR, 9), metric=Metric.FOLLOWERS)])
    assert [at.count for at in cambodia.readings.points("hunsen", NOON, NOON + DAY)] == [9]
    assert cambodia.readings.point_at("hunsen", NOON) is None


def test_what_was_before_a_new_series_is_not_part_of_it(cambodia: Store) -> None:
    cambodia.readings.add([judged(NOON, 5), judged(NOON + DAY, 6)])
    cambodia.series_states.put([track(point(NOON + DAY, 6), since=NOON + DAY)])
    assert cambodia.readings.point_at("hunsen", NOON) is None
    assert [at.count for at in cambodia.readings.daily_points("hunsen", NOON, NOON + DAY)] == [6]


QUARTERS = st.integers(-200, 200).map(lambda steps: NOON + steps * timedelta(minutes=7, milliseconds=1))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            QUARTERS,
            st.sampled_from([Standing.ACCEPTED, Standing.HELD, Standing.LATE]),
            st.sampled_from(list(Metric)),
            st.sampled_from(["hunsen", "samrainsy"]),
        ),
        unique_by=lambda row: (row[0], row[3]),
        max_size=30,
    ),
    folds=st.lists(QUARTERS, max_size=2),
    began=QUARTERS,
    since=QUARTERS,
    until=QUARTERS,
)
def test_the_past_is_what_a_plain_list_says_wherever_it_is_kept(
    rows: list[tuple[datetime, Standing, Metric, str]],
    folds: list[datetime],
    began: datetime,
    since: datetime,
    until: datetime,
) -> None:
    judgements = [
        judged(at, number, page=page, standing=standing, metric=metric)
        for number, (at, standing, metric, page) in enumerate(rows)
    ]
    accepted = sorted(
        (at, number)
        for number, (at, standing, metric, page) in enumerate(rows)
        if page == "hunsen" and metric is Metric.LIKES and standing is not Standing.HELD and at >= began
    )
    expected = [point(at, count) for at, count in accepted if since <= at <= until]
    before = [point(at, count) for at, count in accepted if at <= until]
    by_day = itertools.groupby(expected, key=lambda one: one.at.date())
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "likewatch.db")
        for slug in ("hunsen", "samrainsy"):
            store.pages.add(Page(slug=slug, name=slug, platform="facebook"), None, at=NOON)
        store.series_states.put([track(point(NOON, 1), since=began)])
        pieces = len(folds) + 1
        for number, fold in enumerate([*folds, None]):
            store.readings.add(judgements[number::pieces])
            if fold:
                store.readings.move_to_history(fold)
        assert list(store.readings.points("hunsen", since, until)) == expected
        assert store.readings.point_at("hunsen", until) == (before[-1] if before else None)
        assert list(store.readings.daily_points("hunsen", since, until)) == [list(day)[-1] for _, day in by_day]
        store.close()


@settings(max_examples=50, deadline=None)
@given(reading=readings)
def test_a_reading_comes_back_as_it_was_counted(reading: Reading) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "likewatch.db")
        store.pages.add(Page(slug="hunsen", name="Hun Sen", platform="facebook"), None, at=NOON)
        at = reading.observed_at
        whole = Point(
            at=at, count=reading.count, low=reading.low, high=reading.high,
            source=reading.source, url=reading.url, dated=reading.dated,
        )  # fmt: skip
        store.readings.add([ValidatedReading(reading=reading, standing=Standing.ACCEPTED)])
        store.series_states.put([track(whole, since=at, metric=reading.metric)])
        assert store.readings.point_at("hunsen", at) == whole
        assert store.readings.stored_count("hunsen", at, reading.source) == reading.count
        store.close()


@settings(max_examples=50, deadline=None)
@given(series=tracks)
def test_a_track_comes_back_as_it_was_saved(series: SeriesState) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "likewatch.db"
        store = Store.open(path)
        store.pages.add(Page(slug="hunsen", name="Hun Sen", platform="facebook"), None, at=NOON)
        store.series_states.put([series])
        assert store.series_states.get(["hunsen"]) == {"hunsen": series}
        reader = Store.open_reader(path)
        assert reader.series_states.get(["hunsen"]) == {"hunsen": series}
        reader.close()
        store.close()


def test_what_is_finer_than_a_millisecond_is_cut(cambodia: Store) -> None:
    fine = NOON + timedelta(microseconds=1_999)
    cambodia.readings.add([judged(fine, 5)])
    cambodia.series_states.put([track(point(fine, 5))])
    cut = NOON + timedelta(milliseconds=1)
    assert cambodia.series_states.get(["hunsen"])["hunsen"].last.at == cut
    assert cambodia.readings.point_at("hunsen", NOON + MINUTE) == point(cut, 5)
    assert cambodia.readings.stored_count("hunsen", fine, "Graph API") == 5


def test_an_instant_without_a_time_zone_is_refused(cambodia: Store) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        cambodia.readings.add([judged(NOON.replace(tzinfo=None), 5)])


def test_anybody_can_read_the_readings_with_sqlite_utils(cambodia: Store, database: Path) -> None:
    rounded = Reading(
        page="hunsen",
        observed_at=NOON,
        received_at=NOON + DAY,
        count=2_100_000,
        low=2_095_000,
        high=2_104_999,
        metric=Metric.LIKES,
        source="Post",
        url="u",
    )
    cambodia.readings.add([ValidatedReading(reading=rounded, standing=Standing.HELD)])
    cambodia.readings.move_to_history(NOON + DAY)
    cambodia.readings.add([judged(NOON + DAY, 5, page="samrainsy")])
    shown = subprocess.run(
        [Path(sys.executable).with_name("sqlite-utils"), "rows", database, "readings_all", "--csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    header, *rows = shown.stdout.splitlines()
    assert header == "page,instant,count,low,high,standing,source,url,metric,dated,received"
    assert rows == [
        "hunsen,2016-02-02T12:00:00.000Z,2100000,2095000,2104999,held,Post,u,likes,instant,2016-02-03T12:00:00.000Z",
        "samrainsy,2016-02-03T12:00:00.000Z,5,5,5,accepted,Graph API,,likes,instant,2016-02-03T12:00:00.000Z",
    ]


def test_every_table_is_strict(cambodia: Store, database: Path) -> None:
    cambodia.readings.add([judged(NOON, 5)])
    notebook = sqlite3.connect(database)
    tables = {
        name: strict
        for _, name, kind, _, _, strict in notebook.execute("PRAGMA table_list").fetchall()
        if kind == "table" and not name.startswith(("sqlite_", "_sqlite_"))
    }
    assert {"readings", "history", "series_states", "alerts", "deliveries"} <= tables.keys()
    assert set(tables.values()) == {1}
    with pytest.raises(sqlite3.IntegrityError):
        notebook.execute("UPDATE readings SET count = '1,234'")
    notebook.close()
