"""(d) The peak memory of a bot that has started, replayed its example and waits."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.labs.bench.report import Result, Verdict

SECONDS, QUICK_SECONDS = 20, 10
START_WITHIN = 30


def run(folder: Path, *, quick: bool) -> Result:
    seconds = QUICK_SECONDS if quick else SECONDS
    port = _free_port()
    settings = {"LIKEWATCH_DATABASE": str(folder / "likewatch.db"), "LIKEWATCH_WORKSPACE": f"127.0.0.1:{port}"}
    bot = subprocess.Popen(
        [Path(sys.executable).with_name("likewatch"), "run", "--no-browser"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **settings},
        stdout=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + START_WITHIN
        while not _answers(f"http://127.0.0.1:{port}/"):
            assert time.monotonic() < until, "the bot did not start"
            time.sleep(0.1)
        time.sleep(seconds)
        peak, now = (_megabytes(bot.pid, field) for field in ("VmHWM", "VmRSS"))
    finally:
        bot.send_signal(signal.SIGTERM)
        bot.wait()
    return Result(
        name="d",
        title="Memory of the idle bot",
        rows=[("peak, MB", "then, MB"), (f"{peak:.0f}", f"{now:.0f}")],
        verdicts=[Verdict(what="peak", value=peak, unit=" MB")],
        notes=(f"`likewatch run` with an empty database, its local workspace and no tokens, after {seconds} seconds",),
    )


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.ConnectionError:
        return False


def _megabytes(pid: int, field: str) -> float:
    """https://man7.org/linux/man-pages/man5/proc_pid_status.5.html: VmHWM is the peak, VmRSS what it has now."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
