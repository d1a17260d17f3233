"""Failing or killing at the Nth system call, with strace: the method that SQLite itself is tested by."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.labs.faults.bots import NotSeen

WRITES, SYNCS = "pwrite64,write", "fdatasync,fsync"
"""SQLite writes and syncs by one call of these or the other, as it was built."""


def strace() -> str:
    """Where strace is; ``NotSeen`` where there is none, or it may not trace (containers may forbid it)."""
    found = shutil.which("strace")
    if found is None:
        raise NotSeen("strace is not installed, so no system call can be made to fail: apt install strace")
    probe = subprocess.run([found, "-qq", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        raise NotSeen(f"strace may not trace here, so no system call can fail: {probe.stderr.strip()[:100]}")
    return found


def at_call(calls: str, what: str, number: int, *files: Path, log: Path) -> tuple[str, ...]:
    """What to start a bot under, so that each thread's ``number``-th of these calls on these files meets ``what``.

    ``what`` is strace's own word: ``signal=KILL`` (before the call is made) or ``error=EIO``.
    """
    return (*_at(log, files), "-e", f"inject={calls}:{what}:when={number}")


@contextmanager
def attached(pid: int, calls: str, what: str, *files: Path, log: Path) -> Iterator[None]:
    """Every such call of a running process meets ``what``, until the end."""
    log.unlink(missing_ok=True)
    command = [*_at(log, files), "-p", str(pid), "-e", f"inject={calls}:{what}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
        try:
            yield
        finally:
            tracer.terminate()  # it lets go of the process, which lives on


def was_injected(log: Path) -> bool:
    """Whether a call was made to fail."""
    return log.exists() and "INJECTED" in log.read_text(encoding="utf-8", errors="replace")


def _at(log: Path, files: Sequence[Path]) -> tuple[str, ...]:
    named = [word for file in files for word in ("-P", str(file))]
    return (strace(), "-f", "-qq", "-o", str(log), *named, "-e", f"trace={WRITES},{SYNCS}")
