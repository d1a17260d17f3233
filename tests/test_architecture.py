"""The architecture is held by import-linter, and import-linter is seen to hold it: a planted violation fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bot import docs
from bot.licences import EXPLAINED, PERMISSIVE, licence, packages, unexplained
from bot.platforms.registry import platforms

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bot", "storage", "handlers")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("handlers/validation.py", "import storage.store"),
        ("handlers/validation.py", "import sqlite3"),
        ("handlers/wording/guard.py", "import os"),
        ("handlers/comparisons/overtake.py", "import handlers.comparisons.foreign_majority"),
        ("storage/series/readings.py", "import bot.errors"),
        ("storage/series/readings.py", "import requests"),
        ("bot/polling/cycle.py", "import sqlite_utils"),
        ("bot/polling/cycle.py", "import slack_sdk"),
        ("bot/workspace/state.py", "import slack_bolt"),
        ("bot/slack/delivery/deliverer.py", "import requests"),
        ("bot/platforms/bluesky.py", "import bot.platforms.facebook.platform"),
        ("bot/slack/commands/mute.py", "import bot.slack.commands.unmute"),
    ],
)
def test_a_planted_violation_is_found(copy: Path, file: str, line: str) -> None:
    planted = copy / file
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}  # planted\n", encoding="utf-8")
    outcome = lint(copy)
    assert outcome.returncode != 0
    assert "BROKEN" in outcome.stdout


def test_the_rooms_as_they_are_break_nothing(copy: Path) -> None:
    outcome = lint(copy)
    assert outcome.returncode == 0, outcome.stdout


def test_every_platform_is_under_the_contract_of_independence() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = declared["tool"]["importlinter"]["contracts"]
    modules = {module for contract in contracts if contract["type"] == "independence" for module in contract["modules"]}
    assert {f"bot.platforms.{platform.name}" for platform in platforms()} <= modules


def test_the_generated_docs_say_what_the_code_declares() -> None:
    for path, text in docs.generated(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run `make docs`"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_licence_is_permissive_or_explained(lock: str) -> None:
    assert unexplained(packages(ROOT / lock)) == {}


def test_no_explanation_is_of_a_package_that_is_gone_or_permissive() -> None:
    known = set(packages(ROOT / "requirements-dev.lock"))
    assert known >= EXPLAINED.keys()
    assert not [name for name in EXPLAINED if licence(name) in PERMISSIVE]


def test_the_locks_name_versions_and_hashes_and_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "://" in line or line.lstrip().startswith("--index")]
        pinned = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert pinned
        assert all("==" in line and line.endswith("\\") for line in pinned)


def test_every_direct_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = [line for line in text.splitlines() if line.startswith('  "') and ">=" in line.partition("#")[0]]
    assert declared
    assert all("# " in line for line in declared)
