"""A cycle that hangs ends the process, so that a supervisor starts it again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from bot.monitoring.heartbeat import Heartbeat
from bot.monitoring.watchdog import HANGS_AFTER, HUNG, Watchdog, notify
from tests.labs.standins.clock import HandClock

ROOT = Path(__file__).parents[3]

A_CYCLE_THAT_HANGS = """
import logging, sys, threading
from datetime import timedelta
from bot import logs
from bot.clock import SystemClock
from bot.monitoring.heartbeat import Heartbeat
from bot.monitoring.watchdog import Watchdog

def hangs_in_this_function():
    secret = "token-nobody-may-see"
    threading.Event().wait()

logs.start("INFO")
beat = Heartbeat(hangs_in_this_function, SystemClock())
threading.Thread(target=beat.run_due).start()
Watchdog(beat.pulse, SystemClock(), hangs_after=timedelta(seconds=0.2)).run(threading.Event())
"""


def test_the_process_ends_and_says_where_it_hung() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", A_CYCLE_THAT_HANGS], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == HUNG
    assert "hangs_in_this_function" in ended.stderr
    assert "token-nobody-may-see" not in ended.stderr


@pytest.mark.parametrize(("hung_for", "exits"), [(HANGS_AFTER / 2, []), (HANGS_AFTER, [HUNG])])
def test_only_what_takes_too_long_is_ended(clock: HandClock, hung_for: timedelta, exits: list[int]) -> None:
    ended: list[int] = []
    looked: list[bool] = []

    def run_due() -> None:
        clock.move(hung_for)
        looked.append(watchdog.check())

    beat = Heartbeat(run_due, clock)
    watchdog = Watchdog(beat.pulse, clock, end=ended.append)
    assert watchdog.check()
    beat.run_due()
    assert (ended, looked) == (exits, [not exits])


def test_systemd_is_told_as_long_as_all_is_well(
    clock: HandClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert listening.recv(100) == b"READY=1"
        stop = threading.Event()
        watching = threading.Thread(target=Watchdog(Heartbeat(lambda: None, clock).pulse, clock).run, args=(stop,))
        watching.start()
        assert listening.recv(100) == b"WATCHDOG=1"
        stop.set()
        watching.join()


def test_without_systemd_nobody_is_told() -> None:
    assert "NOTIFY_SOCKET" not in os.environ
    notify("READY=1")
