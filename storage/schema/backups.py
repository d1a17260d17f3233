"""Copies of the database that are whole: made while it is in use, and put in its place."""

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
from storage.schema.lock import WriterLock
from storage.schema.sqlite import sqlite3

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database; a log that outlives its database would be read into the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did. ``aside`` is where the replaced database is now; None if there was none.

    ``unsettled`` deliveries waited in the backup, and are looked for in their channels before they are posted.
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
    """Copy everything committed to ``target``, which must not exist; it appears only when complete and checked."""
    _refuse_existing(target)
    with _whole_copy(path, target.parent, target.name) as partial:
        _refuse_existing(target)
        partial.rename(target)
    _flush_folder(target.parent)


def restore(backup: Path, path: Path, *, now: datetime) -> Restored:
    """Put a copy of ``backup`` in the place of the database at ``path``, and keep that one beside it.

    Nothing is changed until the copy is there and found whole. Raises StoreInUse while a bot runs on ``path``, and
    StoreDamaged, StoreTooNew or StoreUnavailable for a file that is no backup of Likewatch.
    """
    check_surroundings(path)
    if not backup.is_file():
        raise StoreUnavailable(f"There is no backup at {backup}. Check the path.")
    if path.exists() and backup.samefile(path):
        raise StoreUnavailable(f"{backup} is the database itself. Name the backup to restore.")
    lock = WriterLock.acquire(path)
    try:
        with _whole_copy(backup, path.parent, path.name) as partial:
            with sqlite_errors(partial), closing(connect(partial, "rw")) as copy:
                check_ours(backup, copy)
                pages, unsettled = _pages(backup, copy), unsettle_pending(copy)
            _flush(partial)
            if path.exists():
                _give_to_the_owner_of(path, partial)
            aside = _put_aside(path, now)
            partial.replace(path)
        _restore_evidence(evidence_beside(backup), evidence_beside(path), now)
        _flush_folder(path.parent)
    finally:
        lock.release()
    return Restored(aside=aside, pages=pages, unsettled=unsettled)


def _restore_evidence(backup: Path, path: Path, now: datetime) -> None:
    """Put the backup's evidence in place, unless what is there holds all of it: a chain is not cut short by a restore.

    A backup of a time before there was evidence has none, and leaves what is there.
    """
    if not backup.exists() or (path.exists() and _holds(path, backup)):
        return
    with _whole_copy(backup, path.parent, path.name) as partial:
        with sqlite_errors(partial), closing(connect(partial, "rw")) as copy:
            check_ours(backup, copy, EVIDENCE_MIGRATIONS)
        _flush(partial)
        if path.exists():
            _give_to_the_owner_of(path, partial)
        _put_aside(path, now)
        partial.replace(path)


def _holds(path: Path, backup: Path) -> bool:
    """Whether the chain of evidence in a file goes on from the newest link of another."""
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
    """A checked copy of what is committed in ``path``, one file in ``folder``, removed unless it was moved away."""
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


def _give_to_the_owner_of(path: Path, partial: Path) -> None:
    """Who restores as root does not take the database away from who runs the bot."""
    was = path.stat()
    partial.chmod(was.st_mode & 0o777)
    if os.name == "posix" and os.geteuid() == 0:
        os.chown(partial, was.st_uid, was.st_gid)


def _put_aside(path: Path, now: datetime) -> Path | None:
    """Keep what is there under another name: in one file if it is whole, else untouched, with its log.

    A log goes aside also where its database is gone (None, then): it would be read into the next one of that name.
    """
    aside = path.with_name(f"{path.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    was_there = path.exists()
    for file in (aside, *(aside.with_name(aside.name + suffix) for suffix in _BESIDE)):
        _refuse_existing(file)
    if was_there:
        _fold_log(path)
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


def _fold_log(path: Path) -> None:
    """Bring a whole database into one file."""
    with suppress(sqlite3.DatabaseError):  # damaged, then: SQLite is not to mend it, or to delete its log
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
    """A new name in a folder outlives a power cut only once the folder reached the disk; Windows does it by itself."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
