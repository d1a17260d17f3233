"""The architecture is held by import-linter, and import-linter is seen to hold it: a planted violation fails."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot import docs
from bot.docs import EXPLAINED, is_permissive, packages, unexplained

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
    ("file", "line", "broken"),
    [
        ("handlers/reading_validation.py", "import storage.store", "One direction"),
        ("handlers/reading_validation.py", "import sqlite3", "Handlers are pure"),
        ("handlers/wording/guard.py", "import os", "Handlers are pure"),
        ("handlers/comparisons/overtake.py", "import handlers.comparisons.foreign_majority", "A comparison knows"),
        ("storage/series/readings.py", "import bot.errors", "One direction"),
        ("storage/series/readings.py", "import requests", "requests stays"),
        ("bot/polling/cycle.py", "import sqlite_utils", "SQL stays"),
        ("bot/polling/cycle.py", "import slack_sdk", "Slack's packages"),
        ("bot/workspace/workspace.py", "import slack_bolt", "Slack's packages"),
        ("bot/slack/delivery/deliverer.py", "import requests", "requests stays"),
        ("bot/platforms/bluesky.py", "import bot.platforms.facebook.platform", "A platform knows"),
        ("bot/slack/commands/mute.py", "import bot.slack.commands.unmute", "A command knows"),
        (
            "bot/slack/listeners/actions/ask.py",
            "import bot.slack.listeners.events.app_mention",
            "A Slack surface knows",
        ),
        ("bot/imports/files.py", "import bot.imports.read", "Imports go one way"),
        # files that nobody has named in pyproject.toml
        ("bot/platforms/example.py", "import bot.platforms.bluesky", "A platform knows"),
        ("bot/platforms/example.py", "import bot.polling.cycle", "Layers inside bot"),
        ("bot/slack/commands/example.py", "import bot.slack.commands.mute", "A command knows"),
        ("handlers/comparisons/example.py", "import handlers.comparisons.surge", "A comparison knows"),
        ("bot/example/deep/one.py", "import bot.errors", "Layers inside bot"),
        ("bot/example.py", "import slack_sdk", "Slack's packages"),
        ("bot/monitoring/deep/example.py", "import requests", "requests stays"),
    ],
)
def test_a_planted_violation_is_found(copy: Path, file: str, line: str, broken: str) -> None:
    planted = copy / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    for folder in planted.parents:
        if folder.is_relative_to(copy) and folder != copy:
            (folder / "__init__.py").touch()
    with planted.open("a", encoding="utf-8") as module:
        module.write(f"\n{line}  # planted\n")
    outcome = lint(copy)
    assert outcome.returncode != 0
    assert [row for row in outcome.stdout.splitlines() if row.startswith(broken) and " BROKEN" in row]


def test_a_new_platform_needs_no_line_in_any_contract(copy: Path) -> None:
    text = (copy / "bot" / "platforms" / "bluesky.py").read_text(encoding="utf-8")
    (copy / "bot" / "platforms" / "example.py").write_text(text, encoding="utf-8")
    outcome = lint(copy)
    assert outcome.returncode == 0, outcome.stdout


def test_handlers_import_pure_modules_only() -> None:
    # the contract forbids a list of modules; this list of allowed ones also stops a library that nobody has listed
    allowed = {
        "__future__", "array", "bisect", "collections", "dataclasses", "datetime", "enum", "functools", "handlers",
        "importlib", "itertools", "json", "math", "operator", "pkgutil", "re", "statistics", "types", "typing",
        "weakref",
    }  # fmt: skip
    imported: set[str] = set()
    for path in (ROOT / "handlers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    assert imported <= allowed


def test_the_rooms_as_they_are_break_nothing(copy: Path) -> None:
    outcome = lint(copy)
    assert outcome.returncode == 0, outcome.stdout


def test_the_generated_docs_say_what_the_code_declares() -> None:
    for path, text in docs.generated(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run `make docs`"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_licence_is_permissive_or_explained(lock: str) -> None:
    assert unexplained(packages(ROOT / lock)) == {}


def test_no_explanation_is_of_a_package_that_is_gone_or_permissive() -> None:
    known = set(packages(ROOT / "requirements-dev.lock"))
    assert known >= EXPLAINED.keys()
    assert not [name for name in EXPLAINED if is_permissive(name)]


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
