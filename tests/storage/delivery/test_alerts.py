from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from handlers.model import Alert
from storage.schema.sqlite import sqlite3
from storage.store import Store
from storage.values import StoredAlert
from tests.labs.standins.samples import DAY, HOUR, NOON, alert, alerts


@settings(max_examples=50, deadline=None)
@given(told=alerts)
def test_an_alert_comes_back_whole(told: Alert) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "likewatch.db")
        assert store.alerts.add([told], at=NOON, replayed=True) == (told,)
        kept = StoredAlert(alert=told, recorded_at=NOON, replayed=True, historical=False)
        assert store.alerts.get(told.key) == kept
        assert store.alerts.recent() == (kept,)
        store.close()


def test_an_alert_is_kept_once_and_as_it_was_first(cambodia: Store) -> None:
    first, again, other = alert(at=NOON), alert(at=NOON + HOUR), alert("another")
    assert cambodia.alerts.add([first], at=NOON) == (first,)
    assert cambodia.alerts.add([again, other, other], at=NOON + DAY, historical=True) == (other,)
    kept = cambodia.alerts.get(first.key)
    assert kept == StoredAlert(alert=first, recorded_at=NOON, replayed=False, historical=False)
    assert cambodia.alerts.get("never") is None


@pytest.mark.parametrize(
    ("about", "keys"),
    [
        ({}, ["4", "3", "2", "1"]),
        ({"page": "hunsen"}, ["3", "2", "1"]),
        ({"page": "samrainsy"}, ["2"]),
        ({"group": "cambodia"}, ["2", "1"]),
        ({"group": "nowhere"}, []),
        ({"since": NOON + 3 * HOUR}, ["4", "3"]),
        ({"limit": 1}, ["4"]),
        ({"page": "hunsen", "since": NOON + 2 * HOUR, "limit": 2}, ["3", "2"]),
    ],
)
def test_it_tells_the_newest_alerts(cambodia: Store, about: dict[str, object], keys: list[str]) -> None:
    cambodia.alerts.add(
        [
            alert("2", at=NOON + 2 * HOUR, page="samrainsy", rival="hunsen"),
            alert("1", at=NOON + 1 * HOUR, page="hunsen", rival=None),
            alert("4", at=NOON + 4 * HOUR, page="outsider", rival=None),
            alert("3", at=NOON + 3 * HOUR, page="hunsen", rival="outsider"),
        ],
        at=NOON,
    )
    assert [kept.alert.key for kept in cambodia.alerts.recent(**about)] == keys  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("about", "keys"),
    [
        ({"page": "hunsen"}, ["down"]),
        ({"page": "samrainsy"}, []),
        ({"group": "asean"}, ["down"]),
    ],
)
def test_what_happened_to_a_platform_is_told_of_the_pages_it_concerns(
    cambodia: Store, about: dict[str, str], keys: list[str]
) -> None:
    cambodia.alerts.add([replace(alert("down", page="facebook", rival=None), others=("hunsen", "gone"))], at=NOON)
    assert [kept.alert.key for kept in cambodia.alerts.recent(**about)] == keys  # type: ignore[arg-type]


def test_anybody_can_read_the_alerts(cambodia: Store, database: Path) -> None:
    cambodia.alerts.add([alert()], at=NOON + HOUR)
    notebook = sqlite3.connect(database)
    rows = notebook.execute("SELECT instant, kind, page, rival, rule, recorded FROM alerts_all").fetchall()
    notebook.close()
    assert rows == [
        (
            "2016-02-02T12:00:00.000Z",
            "overtake",
            "hunsen",
            "samrainsy",
            "overtake 1",
            "2016-02-02T13:00:00.000Z",
        )
    ]
