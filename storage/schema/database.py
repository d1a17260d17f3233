"""The file: opening it, reading it and writing it in transactions.

One connection writes, and it alone checkpoints; everybody else reads through connections that cannot write. So even
a SQLite with the WAL-reset bug (storage/schema/sqlite.py) has no second writer to be hurt by.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Self, TypeVar, cast

import sqlite_utils
from sqlite_utils import Migrations

from storage.errors import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable
from storage.schema.answer_cache import AnswerCache, keep
from storage.schema.lock import WriterLock
from storage.schema.migrations import MIGRATIONS
from storage.schema.sqlite import sqlite3

T = TypeVar("T")
_NOTHING = object()

_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables: https://sqlite.org/stricttables.html
_BUSY_MS = 10_000
_WRITER_CACHE_KIB = 16_384

_WHAT_IT_MEANS = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and it goes on",
    sqlite3.SQLITE_IOERR: "the disk could not be read or written; look at the disk",
    sqlite3.SQLITE_READONLY: "it may not be written; give the user that runs Likewatch the right to",
    sqlite3.SQLITE_PERM: "it may not be opened; give the user that runs Likewatch the right to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path, and the rights of the user that runs Likewatch",
    sqlite3.SQLITE_BUSY: "another program keeps it locked; close what else has it open for writing",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked; close what else has it open for writing",
}
# pysqlite3's backup() raises without a code: https://sqlite.org/c3ref/errcode.html has SQLite's words for each.
_WORDS = {
    "database or disk is full": sqlite3.SQLITE_FULL,
    "disk I/O error": sqlite3.SQLITE_IOERR,
    "attempt to write a readonly database": sqlite3.SQLITE_READONLY,
    "unable to open database file": sqlite3.SQLITE_CANTOPEN,
    "database is locked": sqlite3.SQLITE_BUSY,
    "database disk image is malformed": sqlite3.SQLITE_CORRUPT,
    "file is not a database": sqlite3.SQLITE_NOTADB,
}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Database:
    """An open database. Without a ``writer`` it only reads."""

    def __init__(self, path: Path, *, writer: sqlite3.Connection | None, lock: WriterLock | None) -> None:
        self.path = path
        self._lock = lock
        self._writer = sqlite_utils.Database(writer, execute_plugins=False) if writer else None
        self._writing = threading.Lock()
        self._next_to_write = threading.Lock()
        self._writing_thread: int | None = None
        self._here = threading.local()
        self._idle_readers: list[sqlite3.Connection] = []
        self._readers: list[sqlite3.Connection] = []
        self._forget: list[Callable[[], None]] = []
        self._once_committed: list[Callable[[], None]] = []
        self._answers = AnswerCache()

    @classmethod
    def open(cls, path: Path, migrations: Migrations = MIGRATIONS) -> Self:
        """Open for writing: lock, look, create or migrate. The file is untouched unless it is a Likewatch database."""
        check_surroundings(path)
        with ExitStack() as undo:
            lock = WriterLock.acquire(path)
            undo.callback(lock.release)
            with sqlite_errors(path):
                if path.exists() and path.stat().st_size:
                    with closing(connect(path, "ro")) as reader:
                        check_ours(path, reader, migrations)
                        _check_whole(path, reader)
                writer = connect(path, "rwc")
                undo.callback(writer.close)
                if writer.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
                    raise StoreUnavailable(
                        f"{path} must be on a local disk: SQLite cannot share it safely where it is."
                    )
                # Each commit reaches the disk: a message that was posted must not be forgotten in a power cut.
                writer.execute("PRAGMA synchronous=FULL")
                writer.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")
                database = cls(path, writer=writer, lock=lock)
                with database.write() as db:
                    migrations.apply(db)
            undo.pop_all()
        return database

    @classmethod
    def open_reader(cls, path: Path, migrations: Migrations = MIGRATIONS) -> Database:
        """Open an existing, up-to-date database for reading only, beside a writer or without one."""
        check_surroundings(path)
        if not path.exists() or not path.stat().st_size:
            raise StoreUnavailable(f"There is no database at {path} yet. Start Likewatch once, or check the path.")
        with sqlite_errors(path), closing(connect(path, "ro")) as reader:
            check_ours(path, reader, migrations)
            if migrations.pending(sqlite_utils.Database(reader, recursive_triggers=False, execute_plugins=False)):
                raise StoreUnavailable(
                    f"{path} was written by an older Likewatch. Start this version once; it brings it up to date."
                )
        return cls(path, writer=None, lock=None)

    @contextmanager
    def write(self) -> Iterator[sqlite_utils.Database]:
        """One transaction of this thread; inside one already open, a part of it that can fail by itself."""
        if self._writer is None:
            raise StoreUnavailable(f"{self.path} is open for reading only.")
        if self._writing_thread == threading.get_ident():
            with self._forgetting_on_failure(), self._writer.atomic():
                yield self._writer
            return
        # Taking turns: who waits goes before who has just written, so that a long fold cannot starve a command.
        with self._next_to_write:
            self._writing.acquire()
        try:
            self._writing_thread = threading.get_ident()
            self._once_committed = []
            with sqlite_errors(self.path), self._forgetting_on_failure(), _immediate(self._writer, self._answers):
                yield self._writer
            committed = self._once_committed
        finally:
            self._writing_thread = None
            self._writing.release()
        for call in committed:
            call()

    @contextmanager
    def _forgetting_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            for forget in self._forget:
                forget()
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of what is committed, or of this thread's own open transaction. Fetch, do not linger.

        Inside one already open in this thread: the same view.
        """
        if self._writer is not None and self._writing_thread == threading.get_ident():
            yield self._writer.conn
            return
        reading: sqlite3.Connection | None = getattr(self._here, "reader", None)
        if reading is not None:
            yield reading
            return
        with sqlite_errors(self.path):
            reader = self._here.reader = self._take_reader()
            try:
                state = self._answers.state()
                reader.execute("BEGIN")
                reader.execute("PRAGMA data_version").fetchone()  # BEGIN alone does not yet take the snapshot
                self._here.state = state if state == self._answers.state() else None
                yield reader
            finally:
                self._here.reader = None
                if reader.in_transaction:
                    reader.execute("COMMIT")
                self._idle_readers.append(reader)

    def cached(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What ``ask`` finds by reading, or what it found under this key in the very same state of the database."""
        if self._writer is None or self._writing_thread == threading.get_ident():
            return ask()  # another process commits without telling us, and one's own changes show at once
        reading = getattr(self._here, "reader", None) is not None
        found = self._answers.found_in(self._here.state if reading else self._answers.state())
        known = found.get(key, _NOTHING)
        if known is not _NOTHING:
            return cast("T", known)
        if not reading:
            with self.read():
                return self.cached(key, ask)
        answer = ask()
        keep(found, key, answer)
        return answer

    def _take_reader(self) -> sqlite3.Connection:
        try:
            return self._idle_readers.pop()
        except IndexError:
            reader = connect(self.path, "ro")
            self._readers.append(reader)
            return reader

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once what this thread's outermost transaction writes is seen by all; at once if none is open.

        Not at all where that is undone. A part of it that is undone by itself does not take back what it asked for.
        """
        if self._writing_thread == threading.get_ident():
            self._once_committed.append(call)
        else:
            call()

    def after_rollback(self, forget: Callable[[], None]) -> None:
        """Call this whenever a transaction, or a part of one, is undone: what was remembered of it is not true."""
        self._forget.append(forget)

    def close(self) -> None:
        """Close every connection and release the lock; harmless when done twice."""
        while self._readers:
            self._readers.pop().close()
        self._idle_readers.clear()
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._lock.release()


@contextmanager
def _immediate(writer: sqlite_utils.Database, remembered: AnswerCache) -> Iterator[None]:
    # IMMEDIATE: a transaction that reads first and writes later would fail at once with "database is locked".
    writer.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        with remembered.committing():
            writer.conn.execute("COMMIT")
    except BaseException:
        writer.rollback()
        raise


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection of SQLite's ``mode`` (``ro``, ``rw``, ``rwc``); transactions are begun by who uses it."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def check_surroundings(path: Path) -> None:
    """Raise what is wrong before the file is even looked at."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"This Python brings SQLite {sqlite3.sqlite_version}; Likewatch needs 3.37 or newer. Use a newer Python."
        )
    if path.is_dir():
        raise StoreUnavailable(f"{path} is a folder. Name a file in it, such as {path / 'likewatch.db'}.")
    if not path.parent.is_dir():
        raise StoreUnavailable(f"The folder {path.parent} does not exist. Create it, or choose another path.")


def check_ours(path: Path, reader: sqlite3.Connection, migrations: Migrations = MIGRATIONS) -> None:
    """Raise unless the file is empty, or a database of these migrations that this version can use."""
    tables = {name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db = sqlite_utils.Database(reader, recursive_triggers=False, execute_plugins=False)
    applied = {migration.name for migration in migrations.applied(db)} if tables else set()
    if tables and not applied:
        named = ", ".join(sorted(tables)[:3])
        raise StoreUnavailable(f"{path} is the database of something else (its tables: {named}). Choose another path.")
    if unknown := applied - _known(migrations):
        raise StoreTooNew(
            f"{path} was written by a newer Likewatch ({', '.join(sorted(unknown))}). Use that version, or a backup "
            "from before the upgrade. Nothing was changed."
        )


def _known(migrations: Migrations) -> set[str]:
    with closing(sqlite_utils.Database(memory=True, execute_plugins=False)) as nothing_applied:
        return {migration.name for migration in migrations.pending(nothing_applied)}


def _check_whole(path: Path, reader: sqlite3.Connection) -> None:
    found = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreDamaged(_damaged(path, found))


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into sentences; errors in our own SQL stay what they are."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", _WORDS.get(str(error), 0)) & 0xFF
        if code in _DAMAGE:
            raise StoreDamaged(_damaged(path, str(error))) from error
        if code in _WHAT_IT_MEANS:
            raise StoreUnavailable(f"{path}: {_WHAT_IT_MEANS[code]} ({error}).") from error
        raise


def _damaged(path: Path, found: str) -> str:
    return f"{path} is not a database, or it is damaged ({found}). Restore a backup; nothing was changed."
