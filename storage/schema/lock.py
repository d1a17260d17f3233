"""The lock that allows one writer process: a lock of the operating system, which ends with the process."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from storage.errors import StoreInUse, StoreUnavailable


def acquire_lock(database: Path) -> FileLock:
    """Return the lock of a database, without waiting. It is held until ``release``, or until the process ends.

    The file ``<database>.lock`` stays behind and only names the holder. Its text is the process id, its modification
    time is when the process started.

    Raise StoreInUse, which names the holder, or StoreUnavailable if the file system gives no lock.
    """
    path = _beside(database)
    # A lock that is only a file's existence would outlive a killed process, so it is no fallback.
    lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=_write_process_id)
    try:
        path.open("ab").close()  # a folder that cannot be written must not look like a lock that is held
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreInUse(
            f"{database} is in use by another Likewatch ({_holder(path)}). Only one may write at a time: "
            "stop it first, or let this one use another database."
        ) from None
    except OSError as error:
        raise StoreUnavailable(
            f"The lock {path} cannot be taken: {error.strerror or error}. Likewatch must be able to write "
            "beside its database, on a local disk."
        ) from error
    return lock


def is_locked(database: Path) -> bool:
    """Return whether a process holds the database's lock now."""
    path = _beside(database)
    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _beside(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


def _write_process_id(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))


def _holder(path: Path) -> str:
    try:
        pid = path.read_text(encoding="ascii").strip()
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError):  # Windows lets nobody else read a locked file
        return "its process could not be named"
    return f"process {pid}, since {since:%Y-%m-%d %H:%M:%S} UTC"
