from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlite_utils

from handlers.comparisons.closing_in import COMPARISON as CLOSING_IN
from handlers.comparisons.closing_in import Forecast
from handlers.comparisons.milestone import COMPARISON as MILESTONE
from handlers.comparisons.overtake import COMPARISON as OVERTAKE
from handlers.comparisons.platform_event import COMPARISON as PLATFORM_EVENT
from handlers.model import Page, Point
from handlers.signals.contests import Streak
from storage.errors import StoreDamaged, StoreError, StoreInUse, StoreTooNew, StoreUnavailable
from storage.schema.database import Database
from storage.schema.migrations import MIGRATIONS
from storage.schema.rows import pack, to_ms
from storage.schema.sqlite import sqlite3
from storage.store import Store
from tests.labs.standins.samples import NOON

ROOT = Path(__file__).parents[3]
PAGE = Page(slug="hunsen", name="Hun Sen", platform="facebook")

HOLD = """
import sys
from pathlib import Path
from storage.store import Store
store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
store.close()
"""
HALF_DONE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from handlers.comparisons.overtake import COMPARISON as OVERTAKE
from handlers.model import Page
from storage.store import Store
store = Store.open(Path(sys.argv[1]))
store.pages.add(Page(slug="kept", name="Kept", platform="facebook"), None, at=datetime.now(UTC))
with store.write():
    store.pages.add(Page(slug="lost", name="Lost", platform="facebook"), None, at=datetime.now(UTC))
    print("open", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def another_process(script: str, database: Path) -> Iterator[subprocess.Popen[str]]:
    """Runs the script up to its word "open"; it goes on when its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, database], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process


def test_a_second_process_is_told_who_writes_and_what_to_do(database: Path) -> None:
    with another_process(HOLD, database) as holder:
        with pytest.raises(StoreInUse) as told:
            Store.open(database)
        assert str(database) in str(told.value)
        assert f"process {holder.pid}, since 2" in str(told.value)
        assert "stop it first" in str(told.value)
        reader = Store.open_reader(database)
        assert reader.is_empty()
        reader.close()
    Store.open(database).close()


def test_a_second_store_in_the_same_process_is_refused_too(fresh_store: Store, database: Path) -> None:
    with pytest.raises(StoreInUse, match=f"process {os.getpid()}"):
        Store.open(database)
    fresh_store.close()
    Store.open(database).close()


def test_a_killed_process_leaves_no_lock_and_nothing_half_done(database: Path) -> None:
    with another_process(HALF_DONE, database) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    store = Store.open(database)
    assert [page.slug for page in store.pages.all()] == ["kept"]
    store.close()


def test_opening_again_finds_everything(database: Path) -> None:
    for expected in (None, PAGE):
        store = Store.open(database)
        assert store.pages.get("hunsen") == expected
        store.pages.add(PAGE, None, at=NOON)
        store.close()
        store.close()


OLD_MIGRATIONS = ("0004_memories", "0005_memories")
"""They rewrote rule states, when they were released; they left the columns as they were."""


def make_old_database(path: Path, applied: Sequence[str]) -> sqlite_utils.Database:
    """Create a database as the version before 0006 left it that had applied these of ``OLD_MIGRATIONS``."""
    old = sqlite_utils.Database(sqlite3.connect(path))
    MIGRATIONS.apply(old, stop_before=OLD_MIGRATIONS[0])
    for name in applied:
        old.table("_sqlite_migrations").insert({"migration_set": "likewatch", "name": name, "applied_at": "2026"})
    return old


@pytest.mark.parametrize("version", [0, 1, 2])
def test_rule_states_of_an_older_database_stay_as_they_are_with_the_version_of_their_form(
    database: Path, version: int
) -> None:
    old = make_old_database(database, OLD_MIGRATIONS[:version])
    for comparison, scope in [("overtake", "cambodia"), ("milestone", "hunsen"), ("surge>5", "hunsen")]:
        old.table("memories").insert({"comparison": comparison, "scope": scope, "memory": f"of {comparison}"})
    old.close()
    with closing(Store.open(database)) as store:
        assert store.rule_states.get("overtake", ["cambodia"]) == {"cambodia": (version, "of overtake")}
        assert store.rule_states.get("milestone", ["hunsen"]) == {"hunsen": (version, "of milestone")}
        assert store.rule_states.get("surge>5", ["hunsen"]) == {"hunsen": (version, "of surge>5")}


def test_leaders_of_a_form_before_0004_stay_and_a_platforms_events_begin_anew(database: Path) -> None:
    at = NOON.isoformat()
    row = ["hunsen", "samrainsy", "samrainsy", "hunsen", at, 2, ["hunsen", at, at, 4, at, at]]
    board = {"orders": {"likes": ["samrainsy", "hunsen"]}, "seats": {"hunsen": [at, at]}, "pairs": [row]}
    event: dict[str, object] = {"fallen": {}, "losses": [], "told": None}
    _store_old_rule_states(database, 0, {"overtake": ("cambodia", board), "platform_event": ("facebook", event)})
    with closing(Store.open(database)) as store:
        (pair,) = OVERTAKE.state.load(*store.rule_states.get("overtake", ["cambodia"])["cambodia"]).pairs.values()
        assert (pair.leader, pair.front, pair.flips, pair.streak) == ("samrainsy", "hunsen", 2, None)
        stored = store.rule_states.get("platform_event", ["facebook"])["facebook"]
        assert PLATFORM_EVENT.state.load(*stored) == PLATFORM_EVENT.state.initial()


def test_streaks_and_forecasts_of_a_form_before_0005_go_on(database: Path) -> None:
    at, later = NOON.isoformat(), (NOON + timedelta(days=9)).isoformat()
    streak = ["hunsen", at, at, 4, later, at, later]
    row = ["hunsen", "samrainsy", "samrainsy", "hunsen", at, 2, streak]
    no_contest = ["hunsen", "other", "other", "hunsen", None, 0, streak]
    board = {"orders": {"likes": ["samrainsy", "hunsen"]}, "seats": {"hunsen": [at, at]}, "pairs": [row, no_contest]}
    milestone = {"metric": "likes", "next": 3_000_000, "waiting": [], "story": 0, "same_until": None}
    outlook = {"day": 1, "forecasts": [["hunsen", "samrainsy", at, at, later]], "record": [True]}
    old = {"overtake": ("cambodia", board), "milestone": ("hunsen", milestone), "closing_in": ("cambodia", outlook)}
    _store_old_rule_states(database, 1, old)
    with closing(Store.open(database)) as store:
        pair, other = OVERTAKE.state.load(*store.rule_states.get("overtake", ["cambodia"])["cambodia"]).pairs.values()
        assert other.streak is None
        assert pair.streak == Streak(
            ahead="hunsen", since=NOON, until=NOON, evaluations=4, read=(NOON, NOON + timedelta(days=9)), before={}
        )
        kept = CLOSING_IN.state.load(*store.rule_states.get("closing_in", ["cambodia"])["cambodia"])
        forecast = Forecast(raised=NOON, low=NOON, high=NOON + timedelta(days=9), ended=False)
        assert kept.forecasts == {("hunsen", "samrainsy"): forecast}
        assert MILESTONE.state.load(*store.rule_states.get("milestone", ["hunsen"])["hunsen"]).next == 3_000_000


def _store_old_rule_states(database: Path, version: int, states: Mapping[str, tuple[str, object]]) -> None:
    old = make_old_database(database, OLD_MIGRATIONS[:version])
    for comparison, (scope, state) in states.items():
        old.table("memories").insert({"comparison": comparison, "scope": scope, "memory": json.dumps(state)})
    old.close()


def test_an_older_database_loses_nothing_when_its_tables_get_their_new_names(database: Path) -> None:
    at, url = to_ms(NOON), "https://example.org"
    old = make_old_database(database, OLD_MIGRATIONS)
    old.table("pages").insert(
        {"id": 1, "slug": "hunsen", "name": "Hun Sen", "platform": "facebook", "url": "", "aliases": "[]"}
    )
    old.table("sources").insert({"id": 1, "source": "a table", "url": url, "metric": "likes"})
    counted = {"page_id": 1, "observed_at": at, "source_id": 1, "count": 2_108_800, "below": 0, "above": 0, "delay": 0}
    old.table("history").insert(counted)
    last = {"last_at": at, "last_count": 2_108_800, "last_below": 0, "last_above": 0, "last_source_id": 1}
    old.table("latest").insert(
        {"page_id": 1, "metric": "likes", "since": at, "gains": pack((7.5,)), "restarted": 0, **last}
    )
    old.table("pasts").insert(
        {"page_id": 1, "times": pack((1.0,)), "counts": pack((10.0,)), "first": 0, "midnights": pack(()), "newest": 1.0}
    )
    old.table("marks").insert({"page_id": 1, "at": 2.0, "count": 20.0})
    owed = {"team_id": "T1", "recipient": "U1", "text": "A line.", "state": "pending", "not_before": at}
    old.table("tellings").insert({"id": 1, **owed, "attempts": 0, "doubtful": 0})
    old.close()
    with closing(Store.open(database)) as store:
        newest = Point(at=NOON, count=2_108_800, low=2_108_800, high=2_108_800, source="a table", url=url)
        state = store.series_states.get(["hunsen"])["hunsen"]
        assert (state.last, state.gains, state.since) == (newest, (7.5,), NOON)
        assert store.readings.point_at("hunsen", NOON) == newest
        summary = store.history_summaries.get(["hunsen"])["hunsen"]
        assert (list(summary.times), list(summary.counts)) == ([1.0, 2.0], [10.0, 20.0])
        notice = store.notices.due(NOON)
        assert notice is not None
        assert (notice.recipient, notice.text) == ("U1", "A line.")
    with closing(sqlite_utils.Database(sqlite3.connect(database))) as opened:
        rows = {view: opened.view(view).count for view in ("readings_all", "audiences_all", "alerts_all")}
    assert rows == {"readings_all": 1, "audiences_all": 0, "alerts_all": 0}


def test_it_refuses_a_database_of_a_newer_version(database: Path) -> None:
    Store.open(database).close()
    newer = sqlite3.connect(database)
    newer.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('likewatch', '0999_mind_reading')")
    newer.commit()
    newer.close()
    before = database.read_bytes()
    for opening in (Store.open, Store.open_reader):
        with pytest.raises(StoreTooNew, match="0999_mind_reading"):
            opening(database)
    assert database.read_bytes() == before


def test_it_refuses_a_file_that_is_no_database(database: Path) -> None:
    database.write_text("page,likes\nhunsen,2108800\n" * 100)
    before = database.read_bytes()
    for opening in (Store.open, Store.open_reader):
        with pytest.raises(StoreDamaged, match="not a database"):
            opening(database)
    assert database.read_bytes() == before


def test_it_refuses_a_damaged_database(database: Path) -> None:
    store = Store.open(database)
    for number in range(200):
        store.pages.add(Page(slug=f"page{number}", name="x" * 200, platform="facebook"), None, at=NOON)
    store.close()
    whole = database.read_bytes()
    half = len(whole) // 2
    database.write_bytes(whole[:half] + b"\xff" * 8192 + whole[half + 8192 :])
    before = database.read_bytes()
    with pytest.raises(StoreDamaged, match="Restore a backup"):
        Store.open(database)
    assert database.read_bytes() == before


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_it_refuses_somebody_elses_database_and_leaves_it_alone(database: Path, journal: str) -> None:
    other = sqlite3.connect(database)
    other.execute(f"PRAGMA journal_mode={journal}")
    other.execute("CREATE TABLE invoices (id INTEGER)")
    other.close()
    before = database.read_bytes()
    for opening in (Store.open, Store.open_reader):
        with pytest.raises(StoreUnavailable, match=r"something else .*invoices"):
            opening(database)
    assert database.read_bytes() == before


def test_an_empty_file_is_a_new_database(database: Path) -> None:
    database.touch()
    with pytest.raises(StoreUnavailable, match="no database"):
        Store.open_reader(database)
    store = Store.open(database)
    assert store.is_empty()
    store.close()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("missing/likewatch.db", r"folder .*missing does not exist"),
        (".", r"is a folder. Name a file in it, such as .*likewatch\.db"),
        ("a file/likewatch.db", r"folder .* does not exist"),
    ],
)
def test_it_says_what_is_wrong_with_the_path(tmp_path: Path, path: str, sentence: str) -> None:
    (tmp_path / "a file").touch()
    for opening in (Store.open, Store.open_reader):
        with pytest.raises(StoreUnavailable, match=sentence):
            opening(tmp_path / path)


def test_it_says_when_no_lock_can_be_had(database: Path) -> None:
    database.with_name("likewatch.db.lock").mkdir()
    with pytest.raises(StoreUnavailable, match="must be able to write beside its database"):
        Store.open(database)
    assert not database.exists()


def test_a_name_with_odd_characters_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "like? watch#1%20é.db"
    Store.open(path).close()
    assert path.exists()


def test_a_reader_cannot_write(fresh_store: Store, database: Path) -> None:
    fresh_store.pages.add(PAGE, None, at=NOON)
    reader = Store.open_reader(database)
    assert reader.pages.get("hunsen") == PAGE
    with pytest.raises(StoreUnavailable, match="reading only"):
        reader.pages.remove("hunsen", at=NOON)
    reader.close()


def test_only_one_copy_of_sqlite_opens_the_file(
    monkeypatch: pytest.MonkeyPatch, database: Path, tmp_path: Path
) -> None:
    python_s_own = importlib.import_module("sqlite3")
    if sqlite3 is python_s_own:
        pytest.skip("pysqlite3 has no wheel for this machine: Python's own SQLite is the only one")

    def a_second_copy(*_: object, **__: object) -> None:
        raise AssertionError("another copy of SQLite opened the file")

    for module in (python_s_own, importlib.import_module("sqlite3.dbapi2")):
        monkeypatch.setattr(module, "connect", a_second_copy)
    store = Store.open(database)
    store.pages.add(PAGE, None, at=NOON)
    store.backup(tmp_path / "copy.db")
    store.close()
    reader = Store.open_reader(tmp_path / "copy.db")
    assert reader.pages.get("hunsen") == PAGE
    reader.close()


def test_readers_and_backups_neither_write_nor_checkpoint(fresh_store: Store, database: Path, tmp_path: Path) -> None:
    fresh_store.pages.add(PAGE, None, at=NOON)
    log = database.with_name("likewatch.db-wal")
    before = (database.read_bytes(), log.read_bytes())
    assert before[1], "there is something to checkpoint"
    reader = Database.open_reader(database)
    with reader.read() as conn, pytest.raises(sqlite3.OperationalError):
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with reader.read() as conn:
        assert conn.execute("SELECT slug FROM pages").fetchall() == [("hunsen",)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            conn.execute("DELETE FROM pages")
    reader.close()
    fresh_store.backup(tmp_path / "copy.db")
    assert (database.read_bytes(), log.read_bytes()) == before


def test_a_full_disk_is_told_and_what_was_there_stays(fresh_store: Store) -> None:
    fresh_store.pages.add(PAGE, None, at=NOON)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        with pytest.raises(StoreError, match="disk"):
            fresh_store.notes.put("big", "x" * 100_000)
        assert fresh_store.pages.get("hunsen") == PAGE
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fresh_store.notes.put("big", "x" * 100_000)
    assert fresh_store.notes.get("big") == "x" * 100_000
