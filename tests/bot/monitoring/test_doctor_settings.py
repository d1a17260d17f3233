"""What the doctor says of settings that would not do what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs.standins.command_line import likewatch


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
