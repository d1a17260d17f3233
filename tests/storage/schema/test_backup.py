from __future__ import annotations

import resource
import threading
from pathlib import Path

import pytest

from storage.errors import StoreUnavailable
from storage.schema.backups import restore
from storage.schema.files import evidence_beside
from storage.schema.sqlite import sqlite3
from storage.store import Store
from tests.labs.standins.evidence_newsroom import evidence_newsroom
from tests.labs.standins.samples import MINUTE, NOON, judged, point, track


def test_a_backup_opens_as_the_same_store(cambodia: Store, tmp_path: Path) -> None:
    cambodia.readings.add([judged(NOON, 5)])
    cambodia.series_states.put([track(point(NOON, 5))])
    target = tmp_path / "backups" / "monday.db"
    target.parent.mkdir()
    cambodia.backup(target)
    written = sorted(path.name for path in target.parent.iterdir())
    assert written == ["monday.db", "monday.evidence.db"], "each whole by itself"
    copy = Store.open(target)
    assert copy.pages.all() == cambodia.pages.all()
    assert copy.readings.page_snapshot("hunsen") == cambodia.readings.page_snapshot("hunsen")
    copy.close()


def test_a_backup_made_while_writing_is_one_moment(cambodia: Store, database: Path, tmp_path: Path) -> None:
    enough = threading.Event()

    def write_in_pairs() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            at = NOON + number * MINUTE
            with cambodia.write():
                cambodia.readings.add([judged(at, number), judged(at, number, page="samrainsy")])

    writer = threading.Thread(target=write_in_pairs)
    writer.start()
    reader = Store.open_reader(database)
    for number in range(5):
        reader.backup(tmp_path / f"{number}.db")
    reader.close()
    enough.set()
    writer.join()
    for number in range(5):
        copy = sqlite3.connect(tmp_path / f"{number}.db")
        by_page = dict(copy.execute("SELECT page, count(*) FROM readings_all GROUP BY page").fetchall())
        assert by_page.get("hunsen") == by_page.get("samrainsy")
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        copy.close()


def test_a_backup_never_overwrites(cambodia: Store, tmp_path: Path) -> None:
    target = tmp_path / "precious.txt"
    target.write_text("precious")
    with pytest.raises(StoreUnavailable, match="never overwrites"):
        cambodia.backup(target)
    assert target.read_text() == "precious"


def test_a_backup_needs_a_folder(cambodia: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"folder .*missing does not exist"):
        cambodia.backup(tmp_path / "missing" / "monday.db")


def test_a_backup_that_does_not_fit_is_told_and_not_left_half_done(cambodia: Store, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(StoreUnavailable, match="disk"):
            cambodia.backup(tmp_path / "backups" / "monday.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_restore_brings_the_evidence_back_but_never_cuts_a_longer_chain_short(tmp_path: Path) -> None:
    target = tmp_path / "monday.db"
    with evidence_newsroom(tmp_path / "here") as kept:
        kept.count(1_000_000, 2_000_000)
        kept.poll()
        kept.store.backup(target)
        kept.count(1_000_001, 2_000_001)
        kept.poll()
        path = kept.path
    restore(target, path, now=NOON)
    store = Store.open(path)
    assert store.evidence.sequences() == (1, 2)
    store.close()
    evidence_beside(path).unlink()
    restore(target, path, now=NOON + MINUTE)
    store = Store.open(path)
    assert store.evidence.sequences() == (1,)
    store.close()
