"""The product as its user has it: the command line in a process of its own, the workspace in a real browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver

from tests.labs.standins.chromium import chromium
from tests.labs.standins.graph import Graph, GraphPage
from tests.labs.standins.loopback import serving

LIKEWATCH = Path(sys.executable).parent / "likewatch"
STOPS_WITHIN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started Likewatch; ``url`` is its workspace's page."""

    url: str
    process: subprocess.Popen[str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def likewatch(folder: Path, settings: Mapping[str, str], *, started: str = "workspace is open") -> Iterator[Running]:
    """`likewatch run` in an empty folder until it says it has ``started``; stopped with a signal, as Ctrl-C does."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LIKEWATCH_"))}
    environ |= {"LIKEWATCH_WORKSPACE": f"127.0.0.1:{port}", "LIKEWATCH_METRICS": "127.0.0.1:0", **settings}
    with subprocess.Popen(
        [LIKEWATCH, "run", "--no-browser"],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            said = _until(process, started)
            assert started in said, said
            yield Running(url=f"http://127.0.0.1:{port}/", process=process)
            if process.poll() != -signal.SIGKILL:  # a test killed it
                process.send_signal(signal.SIGINT)
                assert process.wait(STOPS_WITHIN) == 0
        finally:
            process.kill()


def _until(process: subprocess.Popen[str], words: str) -> str:
    """Return the output, up to the line with these words or to the end."""
    said = ""
    for line in process.stdout or ():
        said += line
        if words in line:
            break
    return said


@pytest.fixture
def graph() -> Iterator[tuple[Graph, str]]:
    """A Graph API with the two pages of the story, and its address."""
    stand_in = Graph(token="TOKEN", app_secret="SECRET")
    stand_in.put(GraphPage(id="7001", username="hunsen", name="Samdech Hun Sen", fan_count=14_000_000))
    stand_in.put(GraphPage(id="7002", username="samrainsy", name="Sam Rainsy", fan_count=14_020_000))
    with serving(stand_in) as url:
        yield stand_in, url


@pytest.fixture
def running(tmp_path: Path, graph: tuple[Graph, str]) -> Iterator[Running]:
    _, graph_url = graph
    settings = {
        "LIKEWATCH_POLL_EVERY": "1s",
        "FACEBOOK_API_URL": graph_url,
        "FACEBOOK_ACCESS_TOKEN": "TOKEN",
        "FACEBOOK_APP_SECRET": "SECRET",
    }
    with likewatch(tmp_path, settings) as started:
        yield started


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path / "chromium", window="1280,900") as opened:
        yield opened
