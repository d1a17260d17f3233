"""A file that is imported while the bot runs, or while the bot dies."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.store import Store
from tests.e2e.conftest import LIKEWATCH, likewatch
from tests.labs.standins.rude import rude_server

FIGURES = "date,page,likes\n2026-10-01,hunsen,2000000\n2026-10-02,hunsen,2001000\n"
FIRST = datetime(2010, 1, 1, tzinfo=UTC)
MANY = 4_000


def begin_import(folder: Path, text: str) -> subprocess.Popen[str]:
    (folder / "figures.csv").write_text(text, encoding="utf-8")
    environ: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith("LIKEWATCH_")
    }
    return subprocess.Popen(
        [LIKEWATCH, "import", "figures.csv"],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def imported(folder: Path, text: str) -> tuple[int, str]:
    with begin_import(folder, text) as process:
        out, err = process.communicate(timeout=100)
        return process.returncode, out + err


def counts(folder: Path) -> int:
    store = Store.open_reader(folder / "likewatch.db")
    try:
        return sum(1 for _ in store.timeline.as_received(["hunsen"], FIRST, datetime(2026, 11, 1, tzinfo=UTC)))
    finally:
        store.close()


def test_the_bot_imports_where_its_numbers_are_not_served_either(tmp_path: Path) -> None:
    with (
        rude_server(lambda _: None) as taken,
        likewatch(tmp_path, {"LIKEWATCH_METRICS": taken.removeprefix("http://")}, started="Set LIKEWATCH_METRICS"),
    ):
        status, said = imported(tmp_path, FIGURES)
        assert (status, "Kept: 2 counts." in said) == (0, True), said
        status, said = imported(tmp_path, FIGURES.replace("hunsen", "nobody"))
        assert (status, "Nothing was kept" in said) == (1, True), said
    status, said = imported(tmp_path, FIGURES)
    assert (status, "All of it was known already" in said) == (0, True), said


def test_a_bot_that_is_killed_stores_all_of_the_file_or_nothing(tmp_path: Path) -> None:
    days = (f"{FIRST + timedelta(hours=2 * row):%Y-%m-%dT%H:%M},hunsen,{1_000_000 + row}" for row in range(MANY))
    text = "\n".join(["date,page,likes", *days])
    with likewatch(tmp_path, {}, started="Its health is at") as running:
        before = counts(tmp_path)
        evidence = (
            tmp_path / "likewatch.evidence.db-wal"
        ).stat  # the file is sealed just before its figures are stored
        sealed = evidence().st_size
        with begin_import(tmp_path, text) as process:
            assert process.stderr is not None
            while evidence().st_size == sealed and process.poll() is None:
                pass
            running.process.kill()
            said = process.stderr.read()
            assert "Likewatch stores all of a file or nothing" in said
            assert process.wait() == 1
    assert counts(tmp_path) in {before, before + MANY}
    status, said = imported(tmp_path, text)
    assert status == 0, said
    assert counts(tmp_path) == before + MANY
