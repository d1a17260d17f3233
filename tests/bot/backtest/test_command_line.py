"""``likewatch backtest`` as an operator or another program calls it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import sqlite_utils

from tests.labs.standins.recorded import Recorded, recorded

LIKEWATCH: Sequence[str | Path] = (Path(sys.executable).with_name("likewatch"),)
MODULE: Sequence[str | Path] = (sys.executable, "-m", "bot")
ROOT = Path(__file__).parents[3]


def call(
    folder: Path, *arguments: str | Path, program: Sequence[str | Path] = LIKEWATCH
) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LIKEWATCH_"))}
    return subprocess.run(
        [*program, *arguments],
        cwd=folder,
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_both_ways_to_call_it_write_the_same_and_nothing_else(tmp_path: Path) -> None:
    history = recorded(7).write(tmp_path / "history")
    one = call(tmp_path, "backtest", history, "--out", "one.csv")
    other = call(tmp_path, "backtest", history, "--out", "other.csv", program=MODULE)
    assert (one.returncode, one.stderr, other.returncode, other.stderr) == (0, "", 0, "")
    assert "alerts in one.csv: " in one.stdout
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"history", "one.csv", "other.csv"}


def test_thresholds_are_compared(tmp_path: Path) -> None:
    history = recorded(7).write(tmp_path / "history")
    outcome = call(tmp_path, "backtest", history, "--out", "a.csv", "--set", "surge=5", "--set", "purge>1%")
    table = [line.split()[:2] for line in outcome.stdout.splitlines() if line.startswith(("purge ", "surge "))]
    assert table == [["purge", "purge>1"], ["surge", "surge>5"]]


def test_what_is_wrong_is_a_sentence(tmp_path: Path) -> None:
    outcome = call(tmp_path, "backtest", "nowhere", "--out", "alerts.csv")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("Error: nowhere/pages.csv is missing. A history is a folder with pages.csv")
    outcome = call(tmp_path, "backtest", recorded(7).write(tmp_path / "history"), "--out", "no/where.csv")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("Error: --out no/where.csv: the folder no does not exist. Create it")
    (tmp_path / "file").touch()
    outcome = call(tmp_path, "backtest", "file", "--out", "alerts.csv")
    assert outcome.stderr.startswith("Error: file/pages.csv is missing. A history is a folder with pages.csv")


def test_what_is_imported_raises_the_same_alerts(tmp_path: Path) -> None:
    """Counts of one group, as a spreadsheet would give them to ``likewatch import``."""
    whole = recorded(7)
    pages = [(slug, "KH", "rivals", "facebook", "exact") for slug, *_ in whole.pages]
    counts = [row for row in whole.counts if row.likes.isdecimal() and row.likes != "0"]
    counts = sorted({(row.ts, row.page): row for row in reversed(counts)}.values())  # none twice
    history = Recorded(pages=pages, counts=counts).write(tmp_path / "history")
    with (tmp_path / "counts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("date", "page", "likes", "received"))
        writer.writerows((row.ts.isoformat(), row.page, row.likes, row.received_at.isoformat()) for row in counts)
    assert call(tmp_path, "backtest", history, "--out", "alerts.csv").returncode == 0
    imported = call(tmp_path, "import", "counts.csv", "--new-pages", "--home", "KH", "--group", "rivals")
    assert imported.returncode == 0, imported.stderr
    with (tmp_path / "alerts.csv").open(encoding="utf-8", newline="") as file:
        told = [(datetime.fromisoformat(row["ts"]), row["kind"], row["page"]) for row in csv.DictReader(file)]
    database = sqlite_utils.Database(tmp_path / "likewatch.db")
    stored = [(datetime.fromisoformat(row["instant"]), row["kind"], row["page"]) for row in database["alerts_all"].rows]
    database.close()
    assert told
    assert sorted(stored) == sorted(told)
