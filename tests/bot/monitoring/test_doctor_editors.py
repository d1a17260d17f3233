"""The doctor says who may change what all channels share."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config.settings import load
from bot.monitoring.doctor import CheckResult, examine

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ON_SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


@pytest.mark.parametrize(
    ("environ", "mark", "says"),
    [
        (ON_SLACK, CheckResult.FAULT, "Nobody may track"),
        (
            {**ON_SLACK, "LIKEWATCH_EDITORS": "everybody"},
            CheckResult.NOTE,
            "everybody who can reach the bot, guests too",
        ),
        ({**ON_SLACK, "LIKEWATCH_EDITORS": "U012AB3CD"}, CheckResult.FINE, "1 person"),
        ({}, CheckResult.NOTE, "everybody who can reach the bot, guests too"),
    ],
)
def test_the_doctor_says_who_may_do_what(tmp_path: Path, environ: dict[str, str], mark: CheckResult, says: str) -> None:
    settings = load({**environ, "LIKEWATCH_DATABASE": str(tmp_path / "none.db")}, None, [])
    findings = [one for one in examine(settings, [], lambda _: "connected", NOW) if "track" in one.what]
    assert [(one.mark, says in one.what) for one in findings] == [(mark, True)]
