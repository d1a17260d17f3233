"""systemd accepts the unit that `likewatch unit` prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LIKEWATCH = Path(sys.executable).parent / "likewatch"


@pytest.mark.parametrize("folder", ["newsroom", "the news room at 100%"])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, folder: str) -> None:
    systemd_analyze = shutil.which("systemd-analyze")
    if systemd_analyze is None:
        pytest.skip("systemd-analyze is not here: it is in the Debian package systemd")
    where = tmp_path / folder
    where.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LIKEWATCH_"))}
    printed = subprocess.run([LIKEWATCH, "unit"], cwd=where, env=environ, capture_output=True, text=True, check=True)
    unit = tmp_path / "likewatch.service"
    unit.write_text(printed.stdout, encoding="utf-8")
    verified = subprocess.run([systemd_analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_it_runs_this_installation_with_its_database(tmp_path: Path) -> None:
    database = tmp_path / "data" / "counts.db"
    printed = subprocess.run(
        [LIKEWATCH, "unit"],
        cwd=tmp_path,
        env=os.environ | {"LIKEWATCH_DATABASE": "data/counts.db"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert f"ExecStart={LIKEWATCH} run --no-browser" in printed
    assert f"WorkingDirectory={tmp_path}" in printed
    assert f"Environment=LIKEWATCH_DATABASE={database}" in printed
    assert f"ReadWritePaths={database.parent}" in printed
