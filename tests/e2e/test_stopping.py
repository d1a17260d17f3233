"""Asked to stop, Likewatch ends within ten seconds, whatever it was waiting for, and loses nothing by it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError

import pytest

from bot.clock import SystemClock
from storage.store import Store
from tests.e2e.conftest import STOPS_WITHIN, free_port, likewatch
from tests.labs.standins.newsroom import track
from tests.labs.standins.rude import Caller, rude_server

ROOT = Path(__file__).parents[2]

NAME_SERVICE_HANGS = """
import socket, threading
real = socket.getaddrinfo
def hangs(host, *arguments, **more):
    if host == "platform.example":
        print("looking it up", flush=True)
        threading.Event().wait()
    return real(host, *arguments, **more)
socket.getaddrinfo = hangs
from bot.cli import main
main(["run", "--no-browser"])
"""


def with_page_due(folder: Path) -> None:
    store = Store.open(folder / "likewatch.db")
    track(store, "hunsen", platform="facebook", native_id="7001", every=timedelta(hours=1), now=SystemClock().now())
    store.close()


def is_still_due(folder: Path) -> bool:
    store = Store.open(folder / "likewatch.db")
    due = [account.page for account in store.pages.due(SystemClock().now())]
    troubled = store.pages.failing()
    store.close()
    return due == ["hunsen"] and not troubled


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_platform_that_hangs_does_not_hold_it_up(tmp_path: Path, signum: signal.Signals) -> None:
    asked = threading.Event()

    def hang(caller: Caller) -> None:
        asked.set()
        caller.drip()

    with_page_due(tmp_path)
    with rude_server(hang) as url:
        settings = {"FACEBOOK_API_URL": url, "FACEBOOK_ACCESS_TOKEN": "TOKEN"}
        with likewatch(tmp_path, settings) as running:
            assert asked.wait(60)
            running.process.send_signal(signum)
            assert running.process.wait(STOPS_WITHIN) == 0
    assert is_still_due(tmp_path)


def test_nor_does_a_name_service_that_hangs(tmp_path: Path) -> None:
    with_page_due(tmp_path)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LIKEWATCH_"))}
    environ |= {
        "LIKEWATCH_WORKSPACE": f"127.0.0.1:{free_port()}",
        "LIKEWATCH_METRICS": "127.0.0.1:0",
        "FACEBOOK_API_URL": "http://platform.example",
        "FACEBOOK_ACCESS_TOKEN": "TOKEN",
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-c", NAME_SERVICE_HANGS], cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert any("looking it up" in line for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOPS_WITHIN) == 0
        finally:
            process.kill()
    assert is_still_due(tmp_path)


def test_its_health_and_numbers_are_served_while_it_runs(tmp_path: Path) -> None:
    port = free_port()
    started = f"Its health is at http://127.0.0.1:{port}/healthz"
    with likewatch(tmp_path, {"LIKEWATCH_METRICS": f"127.0.0.1:{port}"}, started=started):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert json.load(answer)["status"] == "ok"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"likewatch_healthy 1.0" in answer.read()
        with pytest.raises(HTTPError, match="404"):  # imports come in where only this computer reaches the bot
            urllib.request.urlopen(f"http://127.0.0.1:{port}/imports", data=b"")


def test_a_port_in_use_costs_the_numbers_and_not_the_bot(tmp_path: Path) -> None:
    with rude_server(lambda _: None) as taken:
        address = taken.removeprefix("http://")
        with likewatch(tmp_path, {"LIKEWATCH_METRICS": address}, started="Set LIKEWATCH_METRICS to another"):
            pass
