"""What the options of ``likewatch import`` say of the file's pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.store import Store
from tests.bot.test_cli import FIGURES
from tests.labs.standins.command_line import likewatch


def imported(folder: Path, *options: str) -> str:
    (folder / "figures.csv").write_text(FIGURES, encoding="utf-8")
    outcome = likewatch(folder, "import", "figures.csv", *options)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def home_and_groups(folder: Path) -> tuple[str | None, tuple[str, ...]]:
    store = Store.open_reader(folder / "likewatch.db")
    page = store.pages.get("hunsen")
    store.close()
    assert page is not None
    return page.home, page.groups


@pytest.mark.parametrize("again", [("--new-pages",), ()])
def test_what_was_not_said_of_a_page_at_first_is_filled_in_by_a_later_import(
    tmp_path: Path, again: tuple[str, ...]
) -> None:
    imported(tmp_path, "--new-pages")
    said = imported(tmp_path, *again, "--home", "Cambodia", "--group", "cambodia")
    assert home_and_groups(tmp_path) == ("KH", ("cambodia",))
    assert "hunsen: its home is KH from now on." in said
    assert "hunsen: it is in the group cambodia from now on." in said


def test_what_was_said_of_a_page_stays_and_the_import_says_so(tmp_path: Path) -> None:
    imported(tmp_path, "--new-pages", "--home", "KH", "--group", "cambodia")
    said = imported(tmp_path, "--new-pages", "--home", "GB", "--group", "asia")
    assert home_and_groups(tmp_path) == ("KH", ("cambodia",))
    assert "hunsen keeps its home, KH" in said
    assert "hunsen stays in cambodia alone" in said


def test_a_country_that_nobody_knows_is_refused_where_every_page_is_known_as_well(tmp_path: Path) -> None:
    imported(tmp_path, "--new-pages")
    outcome = likewatch(tmp_path, "import", "figures.csv", "--home", "Narnia")
    assert outcome.returncode == 1
    assert "--home Narnia is no country that I know" in outcome.stderr
