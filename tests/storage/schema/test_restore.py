from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.model import Page
from storage.errors import StoreDamaged, StoreError, StoreInUse, StoreTooNew, StoreUnavailable
from storage.schema.backups import restore
from storage.schema.files import files_of
from storage.schema.sqlite import sqlite3
from storage.store import Store
from storage.values import DeliveryState
from tests.labs.standins.newsroom import subscribe
from tests.labs.standins.samples import NOON, alert

PAGE = Page(slug="hunsen", name="Hun Sen", platform="facebook")
LATER = NOON + timedelta(days=1)


def stored(path: Path, *slugs: str) -> Path:
    store = Store.open(path)
    for slug in slugs:
        store.pages.add(Page(slug=slug, name=slug, platform="facebook"), None, at=NOON)
    store.close()
    return path


def slugs(path: Path) -> list[str]:
    """The pages in a file, also where there is no evidence beside it."""
    with closing(sqlite3.connect(path)) as connection:
        return [slug for (slug,) in connection.execute("SELECT slug FROM pages ORDER BY slug")]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return stored(tmp_path / "backups" / "monday.db", "hunsen")


def test_the_backup_takes_the_place_and_the_replaced_database_is_kept(backup: Path, database: Path) -> None:
    stored(database, "hunsen", "samrainsy")
    restored = restore(backup, database, now=LATER)
    assert (slugs(database), restored.pages) == (["hunsen"], 1)
    assert restored.aside is not None
    assert restored.aside.name == f"likewatch.db.replaced-{LATER:%Y%m%dT%H%M%SZ}"
    assert slugs(restored.aside) == ["hunsen", "samrainsy"]
    assert not [path for path in database.parent.iterdir() if path.suffix == ".partial"]


def test_whoever_owned_the_database_owns_the_restored_one(backup: Path, database: Path) -> None:
    stored(database, "samrainsy")
    database.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(database, 12345, 12345)
    before = database.stat()
    restore(backup, database, now=LATER)
    after = database.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_the_replaced_database_keeps_what_was_only_in_its_log(database: Path, tmp_path: Path) -> None:
    store = Store.open(database)
    store.pages.add(PAGE, None, at=NOON)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    empty = stored(tmp_path / "empty.db")
    for suffix in ("", "-wal"):
        (crashed / f"likewatch.db{suffix}").write_bytes(database.with_name(f"likewatch.db{suffix}").read_bytes())
    store.close()
    restored = restore(empty, crashed / "likewatch.db", now=LATER)
    assert restored.aside is not None
    assert slugs(restored.aside) == ["hunsen"]
    assert slugs(crashed / "likewatch.db") == []


def test_a_damaged_database_is_replaced_and_kept_with_its_log(backup: Path, database: Path) -> None:
    database.write_bytes(b"nothing that SQLite knows" * 1000)
    log = database.with_name("likewatch.db-wal")
    log.write_bytes(b"a log")
    restored = restore(backup, database, now=LATER)
    assert slugs(database) == ["hunsen"]
    assert restored.aside is not None
    assert restored.aside.read_bytes().startswith(b"nothing that SQLite knows")
    assert restored.aside.with_name(restored.aside.name + "-wal").read_bytes() == b"a log"


@pytest.mark.parametrize("which", [0, 1], ids=["main", "evidence"])
def test_a_log_whose_database_is_gone_is_not_read_into_the_restored_one(
    backup: Path, database: Path, which: int
) -> None:
    file = files_of(database)[which]
    logs = {suffix: file.with_name(file.name + suffix) for suffix in ("-wal", "-shm")}
    for log in logs.values():
        log.write_bytes(b"of a database that somebody cleared away")
    assert restore(backup, database, now=LATER).aside is None
    for suffix, log in logs.items():
        assert not log.exists()
        kept = log.with_name(f"{file.name}.replaced-{LATER:%Y%m%dT%H%M%SZ}{suffix}")
        assert kept.read_bytes() == b"of a database that somebody cleared away"


def test_where_there_was_no_database_there_is_one(backup: Path, database: Path) -> None:
    assert restore(backup, database, now=LATER).aside is None
    assert slugs(database) == ["hunsen"]


def test_a_running_bot_is_not_robbed_of_its_database(backup: Path, fresh_store: Store, database: Path) -> None:
    with pytest.raises(StoreInUse):
        restore(backup, database, now=LATER)
    assert fresh_store.is_empty()


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('likewatch', '0999_mind_reading')"
        )
    connection.close()


def damaged(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 8192 + whole[len(whole) // 2 + 8192 :])


def somebody_elses(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (newer, StoreTooNew),
        (damaged, StoreDamaged),
        (somebody_elses, StoreUnavailable),
        (lambda path: path.write_bytes(b""), StoreUnavailable),
        (lambda path: path.write_text("page,likes\n" * 500), StoreDamaged),
        (lambda path: path.unlink(), StoreUnavailable),
    ],
)
def test_what_is_no_good_backup_changes_nothing(
    backup: Path, database: Path, spoil: object, error: type[StoreError]
) -> None:
    stored(database, "samrainsy")
    before = database.read_bytes()
    assert callable(spoil)
    spoil(backup)
    with pytest.raises(error):
        restore(backup, database, now=LATER)
    assert database.read_bytes() == before
    names = {path.name for path in database.parent.iterdir()}
    ours = {name for file in files_of(database) for name in (file.name, f"{file.name}.lock")}
    assert names == {"backups", *ours}


def test_the_database_is_no_backup_of_itself(database: Path) -> None:
    stored(database, "hunsen")
    with pytest.raises(StoreUnavailable, match="the database itself"):
        restore(database, database, now=LATER)
    assert slugs(database) == ["hunsen"]


def test_what_waited_in_the_backup_is_looked_for_before_it_is_posted(tmp_path: Path, database: Path) -> None:
    backup = tmp_path / "backup.db"
    store = Store.open(backup)
    store.pages.add(PAGE, None, at=NOON)
    subscribe(store, "hunsen")
    raised = alert()
    store.outbox.put(raised, store.subscriptions.for_channel("T1", "C1"), at=NOON)
    store.close()
    assert restore(backup, database, now=LATER).unsettled == 1
    store = Store.open(database)
    assert store.outbox.claim(LATER) is None, "nothing is posted before it was looked for"
    found = [(one.state, one.claimed_at, one.alert.key) for one in store.outbox.unsettled()]
    store.close()
    assert found == [(DeliveryState.SENDING, NOON, raised.key)]
