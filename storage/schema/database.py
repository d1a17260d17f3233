"""The database file: opening, reading, and writing in transactions.

One connection writes, and only that one checkpoints. All others cannot write. So even a SQLite with the WAL-reset bug
(storage/schema/sqlite.py) has no second writer that could damage the file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar, cast

import sqlite_utils
from filelock import FileLock
from sqlite_utils import Migrations

from storage.errors import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable
from storage.schema.answer_cache import MOST_ANSWERS, AnswerCache
from storage.schema.lock import acquire_lock
from storage.schema.migrations import MIGRATIONS
from storage.schema.rows import Row
from storage.schema.sqlite import sqlite3

T = TypeVar("T")
Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
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
# pysqlite3's backup() raises without a code. https://sqlite.org/c3ref/errcode.html lists SQLite's words for each code.
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

    def __init__(self, path: Path, *, writer: sqlite3.Connection | None, lock: FileLock | None) -> None:
        self.path = path
        self._lock = lock
        self._writer = sqlite_utils.Database(writer, execute_plugins=False) if writer else None
        self._writing = threading.Lock()
        self._next_to_write = threading.Lock()
        self._writing_thread: int | None = None
        self._of_thread = threading.local()
        self._idle_readers: list[sqlite3.Connection] = []
        self._readers: list[sqlite3.Connection] = []
        self._after_rollback: list[Callable[[], None]] = []
        self._after_commit: list[Callable[[], None]] = []
        self._answers = AnswerCache()

    @classmethod
    def open(cls, path: Path, migrations: Migrations = MIGRATIONS) -> Self:
        """Open a file for writing: lock, check, then create or migrate. A file that is not ours is left untouched."""
        check_surroundings(path)
        with ExitStack() as undo:
            lock = acquire_lock(path)
            undo.callback(lock.release)
            with sqlite_errors(path):
                if path.exists() and path.stat().st_size:
                    with closing(connect(path, "ro")) as reader:
                        check_ours(path, reader, migrations)
                        found = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
                    if found != "ok":
                        raise StoreDamaged(_damaged(path, found))
                writer = connect(path, "rwc")
                undo.callback(writer.close)
                if writer.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
                    raise StoreUnavailable(
                        f"{path} must be on a local disk: SQLite cannot share it safely where it is."
                    )
                # Each commit reaches the disk: a power cut must not undo the record of a posted message.
                writer.execute("PRAGMA synchronous=FULL")
                writer.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")
                database = cls(path, writer=writer, lock=lock)
                with database.write() as db:
                    migrations.apply(db)
            undo.pop_all()
        return database

    @classmethod
    def open_reader(cls, path: Path, migrations: Migrations = MIGRATIONS) -> Database:
        """Open an existing, up-to-date database for reading only. A writer may have the file open too."""
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
        """Open a transaction of this thread. Inside an open one, open a part of it that can fail by itself."""
        if self._writer is None:
            raise StoreUnavailable(f"{self.path} is open for reading only.")
        if self._writing_thread == threading.get_ident():
            with self._reporting_rollback(), self._writer.atomic():
                yield self._writer
            return
        # Writers take turns: a thread that waits goes before the thread that wrote last. So a long compaction, which is
        # many short transactions, cannot starve a command.
        with self._next_to_write:
            self._writing.acquire()
        try:
            self._writing_thread = threading.get_ident()
            self._after_commit = []
            with sqlite_errors(self.path), self._reporting_rollback(), _immediate(self._writer, self._answers):
                yield self._writer
            committed = self._after_commit
        finally:
            self._writing_thread = None
            self._writing.release()
        for call in committed:
            call()

    @contextmanager
    def _reporting_rollback(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            for call in self._after_rollback:
                call()
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection with one consistent view: what is committed, or this thread's own open transaction.

        Inside an open ``read`` of this thread the view is the same. Fetch all rows at once and leave.
        """
        if self._writer is not None and self._writing_thread == threading.get_ident():
            yield self._writer.conn
            return
        reading: sqlite3.Connection | None = getattr(self._of_thread, "reader", None)
        if reading is not None:
            yield reading
            return
        with sqlite_errors(self.path):
            reader = self._of_thread.reader = self._idle_reader()
            try:
                state = self._answers.state()
                reader.execute("BEGIN")
                reader.execute("PRAGMA data_version").fetchone()  # BEGIN alone does not yet take the snapshot
                self._of_thread.state = state if state == self._answers.state() else None
                yield reader
            finally:
                self._of_thread.reader = None
                if reader.in_transaction:
                    reader.execute("COMMIT")
                self._idle_readers.append(reader)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows of one SELECT."""
        with self.read() as conn:
            return conn.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Return the first row of one SELECT, or None if there is none."""
        with self.read() as conn:
            row: Row | None = conn.execute(sql, parameters).fetchone()
        return row

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """Return the first column of the first row of one SELECT, or None if there is no row."""
        row = self.row(sql, parameters)
        return None if row is None else row[0]

    def change(self, sql: str, parameters: Parameters = ()) -> int:
        """Execute one statement in a transaction, and return how many rows it changed."""
        with self.write() as db:
            return db.conn.execute(sql, parameters).rowcount

    def cached(self, key: Hashable, ask: Callable[[], T]) -> T:
        """Return what ``ask`` reads, or what it read under this key in the very same state of the database."""
        if self._writer is None or self._writing_thread == threading.get_ident():
            return ask()  # another process commits without notice; a thread's own changes must show at once
        reading = getattr(self._of_thread, "reader", None) is not None
        answers = self._answers.answers_in(self._of_thread.state if reading else self._answers.state())
        known = answers.get(key, _NOTHING)
        if known is not _NOTHING:
            return cast("T", known)
        if not reading:
            with self.read():
                return self.cached(key, ask)
        answer = ask()
        if len(answers) >= MOST_ANSWERS:
            answers.popitem(last=False)
        answers[key] = answer
        return answer

    def _idle_reader(self) -> sqlite3.Connection:
        try:
            return self._idle_readers.pop()
        except IndexError:
            reader = connect(self.path, "ro")
            self._readers.append(reader)
            return reader

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once after this thread's outermost transaction is committed; at once if none is open.

        If the outermost transaction is rolled back, the call is dropped. If only a part is, the call stays.
        """
        if self._writing_thread == threading.get_ident():
            self._after_commit.append(call)
        else:
            call()

    def after_rollback(self, call: Callable[[], None]) -> None:
        """Call this each time a transaction, or a part of one, is rolled back: caches may then be wrong."""
        self._after_rollback.append(call)

    def close(self) -> None:
        """Close every connection and release the lock; a second call does nothing."""
        while self._readers:
            self._readers.pop().close()
        self._idle_readers.clear()
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._lock.release()


@contextmanager
def _immediate(writer: sqlite_utils.Database, answers: AnswerCache) -> Iterator[None]:
    # IMMEDIATE: a transaction that reads first and writes later would fail at once with "database is locked".
    writer.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        with answers.committing():
            writer.conn.execute("COMMIT")
    except BaseException:
        writer.rollback()
        raise


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Return a connection of SQLite's ``mode`` (``ro``, ``rw``, ``rwc``); the caller begins its transactions."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def check_surroundings(path: Path) -> None:
    """Raise StoreError if SQLite is too old, StoreUnavailable if the path cannot be a database's."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"This Python brings SQLite {sqlite3.sqlite_version}; Likewatch needs 3.37 or newer. Use a newer Python."
        )
    if path.is_dir():
        raise StoreUnavailable(f"{path} is a folder. Name a file in it, such as {path / 'likewatch.db'}.")
    if not path.parent.is_dir():
        raise StoreUnavailable(f"The folder {path.parent} does not exist. Create it, or choose another path.")


def check_ours(path: Path, reader: sqlite3.Connection, migrations: Migrations = MIGRATIONS) -> None:
    """Raise unless the file is empty, or a database of these migrations that this version can read."""
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


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into sentences for the operator; errors in our own SQL pass unchanged."""
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
