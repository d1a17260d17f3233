"""The generator: reproducible, in the documented format, and with every artefact in it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.labs.quality.fates import make_world
from tests.labs.quality.histories import record
from tests.labs.quality.lists import CUT, Flaw, flaws
from tests.labs.quality.polling import Fault, rounded, spells
from tests.labs.quality.rows import COUNTRY_COLUMNS, PAGE_COLUMNS, TOTAL_COLUMNS, cut_history, read_pages, read_rows
from tests.labs.quality.values import DAY, START, World

DAYS, PAGES = 75, 12


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(7, pages=PAGES, days=DAYS)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    record(world, folder)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def test_a_seed_is_a_world(world: World, folder: Path, tmp_path: Path) -> None:
    record(make_world(7, pages=PAGES, days=DAYS), tmp_path)
    for name in ("pages.csv", "totals.csv", "countries.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert make_world(8, pages=PAGES, days=DAYS).latents[0].likes != world.latents[0].likes


@pytest.mark.parametrize(
    ("name", "columns"),
    [("pages.csv", PAGE_COLUMNS), ("totals.csv", TOTAL_COLUMNS), ("countries.csv", COUNTRY_COLUMNS)],
)
def test_files_have_their_columns(folder: Path, name: str, columns: tuple[str, ...]) -> None:
    assert all(tuple(row) == columns and None not in row.values() for row in rows_of(folder / name))


@pytest.mark.parametrize("name", ["totals.csv", "countries.csv"])
def test_rows_are_sorted_by_when_they_could_be_known_and_never_known_before(folder: Path, name: str) -> None:
    rows = rows_of(folder / name)
    assert [row["received_at"] for row in rows] == sorted(row["received_at"] for row in rows)
    assert all(row["ts"] <= row["received_at"] for row in rows)
    assert {row["page"] for row in rows} <= {page.page for page in read_pages(folder)}


def test_some_rows_come_late_out_of_order_and_twice(folder: Path) -> None:
    rows = rows_of(folder / "totals.csv")
    of_page = [row["ts"] for row in rows if row["page"] == "g1p1"]
    assert of_page != sorted(of_page)
    assert len({(row["ts"], row["page"]) for row in rows}) < len(rows)


def test_lists_are_cut_and_late(folder: Path) -> None:
    lists: dict[tuple[str, str], int] = {}
    for row in read_rows(folder):
        if row.is_country:
            lists[row.page, str(row.ts)] = lists.get((row.page, str(row.ts)), 0) + 1
            assert 12 * 3600 <= row.received - row.ts <= 92 * 3600
    assert max(lists.values()) == CUT


def test_every_fault_and_flaw_is_there() -> None:
    world = make_world(3, pages=24, days=365)
    numbers = range(len(world.latents))
    assert {spell.fault for number in numbers for spell in spells(world, number) if spell} == set(Fault)
    assert {flaw for number in numbers for flaw in flaws(world, number).values()} == set(Flaw)


def test_the_truth_has_no_gap_and_adds_up(world: World) -> None:
    for latent in world.latents:
        assert len(latent.likes) == DAYS * 24 + 1
        for day in range(DAYS + 1):
            assert latent.at_home[day] + latent.abroad[day] == pytest.approx(latent.likes[day * 24], abs=1.5)


def test_rounding_keeps_three_digits() -> None:
    counts = (999, 123_999, 1_239_999)
    assert [rounded(count, "sig3") for count in counts] == [999, 123_000, 1_230_000]
    assert [rounded(count, "exact") for count in counts] == [*counts]


def test_a_history_is_cut_at_what_could_be_known(folder: Path, tmp_path: Path) -> None:
    until = START + 30 * DAY
    cut_history(folder, tmp_path, until)
    last = int((until - START).total_seconds())
    assert [*read_rows(tmp_path)] == [row for row in read_rows(folder) if row.received <= last]
