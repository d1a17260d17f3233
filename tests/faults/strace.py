"""Failing or killing at the Nth system call, with strace: the method that SQLite itself is tested by."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.bots import NotSeen

TRACED = ("pwrite64", "fdatasync", "fsync", "ftruncate")


def at_call(calls: str, what: str, number: int, *files: Path, log: Path) -> tuple[str, ...]:
    """What to start a bot under, so that each thread's ``number``-th of these calls on these files meets ``what``.

    ``what`` is strace's own word: ``signal=KILL`` (before the call is made) or ``error=EIO``.
    """
    if shutil.which("strace") is None:
        raise NotSeen("strace is not installed, so no system call can be made to fail: apt install strace")
    named = [word for file in files for word in ("-P", str(file))]
    return (
        *("strace", "-f", "-qq", "-o", str(log)),
        *named,
        *("-e", f"trace={','.join(TRACED)}", "-e", f"inject={calls}:{what}:when={number}"),
    )


def allowed() -> str:
    """Why strace cannot be used here; empty where it can (containers may forbid ptrace)."""
    if shutil.which("strace") is None:
        return "strace is not installed: apt install strace"
    probe = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 else f"strace may not trace here: {probe.stderr.strip()[:100]}"


@contextmanager
def attached(pid: int, calls: str, what: str, *files: Path, log: Path) -> Iterator[None]:
    """Every such call of a running process meets ``what``, until the end."""
    named = [word for file in files for word in ("-P", str(file))]
    log.unlink(missing_ok=True)
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(log), "-p", str(pid), *named, "-e", f"inject={calls}:{what}"],
        stderr=subprocess.DEVNULL,
    ) as tracer:
        try:
            yield
        finally:
            tracer.terminate()  # it lets go of the process, which lives on


def was_injected(log: Path) -> bool:
    """Whether a call was made to fail."""
    return log.exists() and "INJECTED" in log.read_text(encoding="utf-8", errors="replace")
