"""The doctor's findings, each a sentence for the operator."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.settings import load
from bot.monitoring.doctor import CheckResult, examine, sqlite
from bot.platforms.contract import Reason
from bot.platforms.discovery import platform_settings
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.command_line import likewatch
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, track


def findings(folder: Path, platform: ToldPlatform, after: timedelta) -> list[str]:
    settings = load(
        {
            "LIKEWATCH_DATABASE": str(folder / "likewatch.db"),
            "LIKEWATCH_WORKSPACE": "127.0.0.1:0",
            "LIKEWATCH_METRICS": "127.0.0.1:0",
        },
        None,
        platform_settings(),
    )
    return [str(one) for one in examine(settings, [platform.declared], lambda _: "", START + after)]


def polled(folder: Path, platform: ToldPlatform) -> None:
    store, clock = Store.open(folder / "likewatch.db"), HandClock(START)
    for slug in platform.counts:
        track(store, slug, every=timedelta(minutes=15), now=START)
    polling = cycle(store, clock, {"told": platform.source()})
    polling.run_due()
    polling.close()
    store.close()


def platform_with(pages: int, *, failing: int, reason: Reason = Reason.UNREACHABLE) -> ToldPlatform:
    platform = ToldPlatform()
    platform.counts = {f"page-{n:02}": 5 for n in range(pages)}
    platform.failures = {f"page-{n:02}": reason for n in range(failing)}
    return platform


def test_a_platform_that_is_down_is_one_finding_not_one_a_page(tmp_path: Path) -> None:
    platform = platform_with(40, failing=40)
    polled(tmp_path, platform)
    faults = [one for one in findings(tmp_path, platform, timedelta(hours=2)) if one.startswith("[!!]")]
    assert faults == ["[!!] Told: none of its pages can be read (40 pages)\n     -> It was told to fail."]


def test_of_many_pages_in_trouble_some_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    platform = platform_with(40, failing=30, reason=Reason.PAGE_GONE)
    polled(tmp_path, platform)
    faults = [one for one in findings(tmp_path, platform, timedelta(hours=2)) if one.startswith("[!!]")]
    assert len(faults) == 21
    assert faults[0].startswith("[!!] Told: page-00 has not been readable for 2 hours")
    assert faults[-1] == "[!!] Told: 10 more pages cannot be read"


def test_where_all_is_well_nothing_is_a_fault(tmp_path: Path) -> None:
    platform = platform_with(3, failing=0)
    polled(tmp_path, platform)
    assert not [one for one in findings(tmp_path, platform, timedelta(minutes=1)) if one.startswith("[!!]")]


@pytest.mark.parametrize(("version", "mark"), [((3, 40, 1), CheckResult.NOTE), ((3, 53, 4), CheckResult.FINE)])
def test_a_sqlite_with_the_wal_reset_bug_is_named_with_what_to_do(
    version: tuple[int, int, int], mark: CheckResult
) -> None:
    finding = sqlite(version)
    assert finding.mark is mark
    assert bool(finding.todo) is (mark is CheckResult.NOTE)
    assert "3.40.1" in finding.what or "3.53.4" in finding.what


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
    findings = [one for one in examine(settings, [], lambda _: "connected", START) if "track" in one.what]
    assert [(one.mark, says in one.what) for one in findings] == [(mark, True)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LIKEWATCH_DATABASE": "absent/x.db"}, "The folder of the database, absent, does not exist"),
        ({"LIKEWATCH_DATABASE": "."}, ". is a folder, not a database"),
        ({"LIKEWATCH_TSA_ROOTS": "absent.pem"}, "LIKEWATCH_TSA_ROOTS: absent.pem cannot be read"),
        ({"LIKEWATCH_EDITOR": "everybody"}, "LIKEWATCH_EDITOR is no setting of Likewatch, and is not read"),
    ],
)
def test_a_setting_that_would_not_do_what_was_meant_is_a_fault(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    outcome = likewatch(tmp_path, "doctor", **settings)
    assert outcome.returncode == 1
    assert said in outcome.stdout
    assert "restore" not in outcome.stdout


def test_a_misspelt_setting_in_the_file_is_named_with_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LIKEWATCH_EDITOR=everybody\n", encoding="utf-8")
    assert "did you mean LIKEWATCH_EDITORS?" in likewatch(tmp_path, "doctor").stdout


def test_a_file_of_settings_that_is_not_there_is_a_fault_unless_nobody_named_it(tmp_path: Path) -> None:
    assert "so no setting is read" not in likewatch(tmp_path, "doctor").stdout
    named = likewatch(tmp_path, "--env-file", "mine.env", "doctor")
    assert named.returncode == 1
    assert "mine.env does not exist, so no setting is read from it" in named.stdout
