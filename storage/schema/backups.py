"""Backups: checked copies of the database, made while it is in use, and put in its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.delivery.outbox import unsettle_pending
from storage.errors import StoreDamaged, StoreUnavailable
from storage.evidence.schema import EVIDENCE_MIGRATIONS
from storage.schema.database import check_ours, check_surroundings, connect, sqlite_errors
from storage.schema.files import evidence_beside, files_of
from storage.schema.lock import acquire_lock
from storage.schema.sqlite import sqlite3

_BESIDE = ("-wal", "-shm")
"""The endings of SQLite's files beside a database. SQLite would read a leftover log into the next database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The outcome of a restore. ``aside`` is where the replaced database is now, or None if there was none.

    ``unsettled`` deliveries waited in the backup. Reconciliation searches their channels before it posts them.
    """

    aside: Path | None
    pages: int
    unsettled: int


def back_up(path: Path, target: Path) -> None:
    """Copy the database to ``target``, and its evidence beside it; neither may exist. See ``back_up_one``."""
    for copy in files_of(target):
        _refuse_existing(copy)
    for file, copy in zip(files_of(path), files_of(target), strict=True):
        back_up_one(file, copy)


def back_up_one(path: Path, target: Path) -> None:
    """Copy everything committed to ``target``, which must not exist and appears only when complete and checked."""
    _refuse_existing(target)
    with _whole_copy(path, target.parent, target.name) as partial:
        _refuse_existing(target)
        partial.rename(target)
    _flush_folder(target.parent)


def restore(backup: Path, path: Path, *, now: datetime) -> Restored:
    """Put a copy of ``backup`` in the place of the database at ``path``, and rename the old one beside it.

    Nothing changes until the copy is complete and checked. Raise StoreInUse while a bot runs on ``path``, and
    StoreDamaged, StoreTooNew or StoreUnavailable for a file that is no backup of Likewatch.
    """
    check_surroundings(path)
    if not backup.is_file():
        raise StoreUnavailable(f"There is no backup at {backup}. Check the path.")
    if path.exists() and backup.samefile(path):
        raise StoreUnavailable(f"{backup} is the database itself. Name the backup to restore.")
    lock = acquire_lock(path)
    try:
        with _whole_copy(backup, path.parent, path.name) as partial:
            with sqlite_errors(partial), closing(connect(partial, "rw")) as copy:
                check_ours(backup, copy)
                pages, unsettled = _pages(backup, copy), unsettle_pending(copy)
            aside = _put_in_place(partial, path, now)
        _restore_evidence(evidence_beside(backup), evidence_beside(path), now)
        _flush_folder(path.parent)
    finally:
        lock.release()
    return Restored(aside=aside, pages=pages, unsettled=unsettled)


def _restore_evidence(backup: Path, path: Path, now: datetime) -> None:
    """Put the backup's evidence in place, unless the present evidence contains it: a restore cuts no chain short.

    A backup from before there was evidence has none; the present evidence then stays.
    """
    if not backup.exists() or (path.exists() and _holds(path, backup)):
        return
    with _whole_copy(backup, path.parent, path.name) as partial:
        with sqlite_errors(partial), closing(connect(partial, "rw")) as copy:
            check_ours(backup, copy, EVIDENCE_MIGRATIONS)
        _put_in_place(partial, path, now)


def _holds(path: Path, backup: Path) -> bool:
    """Return whether the chain of evidence at ``path`` contains the newest link of the backup."""
    newest = "SELECT sequence, digest FROM manifests ORDER BY sequence DESC LIMIT 1"
    try:
        with closing(connect(backup, "ro")) as older, closing(connect(path, "ro")) as newer:
            head = older.execute(newest).fetchone()
            there = "SELECT 1 FROM manifests WHERE (sequence, digest) = (?, ?)"
            return head is None or newer.execute(there, tuple(head)).fetchone() is not None
    except sqlite3.DatabaseError:
        return False


@contextmanager
def _whole_copy(path: Path, folder: Path, name: str) -> Iterator[Path]:
    """Make a checked copy of ``path``, one file in ``folder``, and remove it at the end unless it was renamed."""
    if not folder.is_dir():
        raise StoreUnavailable(f"The folder {folder} does not exist. Create it, or choose another place.")
    try:
        handle, partial_name = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".partial")
    except OSError as error:
        raise StoreUnavailable(f"The copy cannot be written to {folder}: {error.strerror}.") from error
    os.close(handle)
    partial = Path(partial_name)
    try:
        with sqlite_errors(path), closing(connect(path, "ro")) as source, closing(connect(partial, "rw")) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, whole by itself
            found = [row[0] for row in copy.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise StoreDamaged(f"The copy of {path} is damaged ({found[0]}), so it was not kept.")
        _flush(partial)
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _pages(backup: Path, copy: sqlite3.Connection) -> int:
    if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'pages'").fetchone() is None:
        raise StoreUnavailable(f"{backup} is empty: it is no backup of Likewatch.")
    count: int = copy.execute("SELECT count(*) FROM pages WHERE removed_at IS NULL").fetchone()[0]
    return count


def _put_in_place(partial: Path, path: Path, now: datetime) -> Path | None:
    """Rename ``partial`` to ``path``, and return where the replaced file is now.

    Owner and permissions are copied, so that a restore by root leaves the file to the bot's user.
    """
    _flush(partial)
    if path.exists():
        was = path.stat()
        partial.chmod(was.st_mode & 0o777)
        if os.name == "posix" and os.geteuid() == 0:
            os.chown(partial, was.st_uid, was.st_gid)
    aside = _put_aside(path, now)
    partial.replace(path)
    return aside


def _put_aside(path: Path, now: datetime) -> Path | None:
    """Rename the old database and return its new path: one file if it is whole, else untouched, with its log.

    Without a database, rename its log alone and return None: SQLite would read the log into the next database.
    """
    aside = path.with_name(f"{path.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    was_there = path.exists()
    for file in (aside, *(aside.with_name(aside.name + suffix) for suffix in _BESIDE)):
        _refuse_existing(file)
    if was_there:
        _merge_log(path)
    for suffix in _BESIDE:
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.replace(aside.with_name(aside.name + suffix))
    if not was_there:
        return None
    try:
        os.link(path, aside)  # so that at no instant the path names no database
    except OSError:
        path.replace(aside)
    return aside


def _merge_log(path: Path) -> None:
    """Merge the log of an undamaged database into its file."""
    with suppress(sqlite3.DatabaseError):  # it is damaged: SQLite must neither repair it nor delete its log
        with closing(connect(path, "ro")) as old:
            whole = old.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if whole:
            with closing(connect(path, "rw")) as old:
                old.execute("PRAGMA journal_mode=DELETE")


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise StoreUnavailable(f"{target} exists already, and a backup never overwrites. Choose another name.")


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Write a folder to the disk, so that a new name in it outlives a power cut. Windows does so by itself."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
