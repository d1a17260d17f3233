"""One writer process: a lock of the operating system beside the database, which vanishes with its holder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from storage.errors import StoreInUse, StoreUnavailable


class WriterLock:
    """Held from ``acquire`` to ``release``, or until the process dies, however it dies.

    The lock is the operating system's; the file ``<database>.lock`` stays behind and only says who holds it: the
    process id is its text, the start its modification time.
    """

    def __init__(self, held: FileLock) -> None:
        self._held = held

    @classmethod
    def acquire(cls, database: Path) -> WriterLock:
        """Take it at once or raise StoreInUse, naming the holder; StoreUnavailable where no lock can be had."""
        path = _beside(database)
        # An existence lock would outlive a killed process, so there is no falling back to one.
        lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=_sign)
        try:
            path.open("ab").close()  # a folder that cannot be written is not taken for a lock that is held
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
        return cls(lock)

    def release(self) -> None:
        """Let another process write."""
        self._held.release()


def is_locked(database: Path) -> bool:
    """Whether a process holds the database's lock now."""
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


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))


def _holder(path: Path) -> str:
    try:
        pid = path.read_text(encoding="ascii").strip()
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError):  # Windows does not let others read a locked file
        return "its process could not be named"
    return f"process {pid}, since {since:%Y-%m-%d %H:%M:%S} UTC"
