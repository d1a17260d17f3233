"""The bot as a newsroom runs it, in a process of its own, against a Slack that is not its own embedded one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import LIKEWATCH, free_port, likewatch
from tests.labs.standins.instrumented_workspace import InstrumentedServer

PATIENCE = timedelta(seconds=30)


@pytest.fixture
def slack() -> Iterator[InstrumentedServer]:
    server = InstrumentedServer()
    server.start()
    yield server
    server.stop()


def test_it_answers_by_socket_mode(tmp_path: Path, slack: InstrumentedServer) -> None:
    settings = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }
    with likewatch(tmp_path, settings, started="is running"):
        slack.workspace.wait_for_bot(timeout=PATIENCE)
        slack.workspace.say("ana", "newsroom", "/likes hunsen")
        answer = slack.workspace.wait_for_message("newsroom", "Nothing is watched yet", person="ana", timeout=PATIENCE)
    assert answer.ephemeral_to


def test_it_answers_over_http(tmp_path: Path, slack: InstrumentedServer) -> None:
    port = free_port()
    settings = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "LIKEWATCH_HTTP": f"127.0.0.1:{port}",
    }
    with likewatch(tmp_path, settings, started="is running"):
        slack.deliver_to(f"http://127.0.0.1:{port}/slack/events", slack.signing_secret)
        slack.workspace.say("ana", "newsroom", "/trends help")
        slack.workspace.wait_for_message("newsroom", "/trends subscribe", person="ana", timeout=PATIENCE)
        slack.deliver_to(f"http://127.0.0.1:{port}/slack/events", "not the secret")
        slack.workspace.say("ana", "newsroom", "/trends help")
        slack.workspace.wait_for_message("newsroom", "failed", person="ana", timeout=PATIENCE)


def test_with_tokens_the_example_is_not_replayed(tmp_path: Path, slack: InstrumentedServer) -> None:
    settings = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }
    with likewatch(tmp_path, settings, started="is running"):
        slack.workspace.wait_for_bot(timeout=PATIENCE)
        slack.workspace.say("ana", "newsroom", "/trends groups")
        slack.workspace.wait_for_message("newsroom", person="ana", timeout=PATIENCE)
    assert not [call for call in slack.workspace.calls if call.method == "chat.postMessage"]


def test_the_doctor_says_where_it_runs_and_the_page_hints_every_verb(tmp_path: Path) -> None:
    with likewatch(tmp_path, {}) as running:
        command: list[str | Path] = [LIKEWATCH, "doctor"]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
        assert f"Likewatch is running ({running.url}) on" in said
        with requests.get(f"{running.url}live?person=ana", stream=True, timeout=30) as live:
            snapshot = next(line for line in live.iter_lines(decode_unicode=True) if line.startswith("data:"))
    assert "subscribe | track | unmute" in snapshot


def test_a_file_is_imported_while_it_runs(tmp_path: Path, slack: InstrumentedServer) -> None:
    (tmp_path / "figures.csv").write_text("date,page,followers\n2026-11-01,hunsen,1000\n", encoding="utf-8")
    settings = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }

    def imported(*options: str) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [LIKEWATCH, "import", "figures.csv", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    with likewatch(tmp_path, settings, started="is running"):
        slack.workspace.wait_for_bot(timeout=PATIENCE)
        refused, kept, again = imported(), imported("--new-pages", "--home", "KH"), imported()
        slack.workspace.say("ana", "newsroom", "/likes hunsen")
        slack.workspace.wait_for_message("newsroom", "1,000 followers", person="ana", timeout=PATIENCE)
    assert (refused.returncode, "The file names pages that are not tracked" in refused.stderr) == (1, True)
    assert (kept.returncode, kept.stderr) == (0, "")
    assert "Kept: 1 count." in kept.stdout
    assert "All of it was known already: nothing has changed." in again.stdout


def test_a_wrong_token_ends_it_with_a_sentence(tmp_path: Path, slack: InstrumentedServer) -> None:
    settings = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_APP_TOKEN": slack.app_token}
    with pytest.raises(AssertionError, match="SLACK_BOT_TOKEN"), likewatch(tmp_path, settings, started="is running"):
        pass
