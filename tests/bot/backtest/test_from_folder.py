"""``likewatch backtest``, from a folder to alerts.csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backtest import parallel
from bot.backtest.alerts_file import COLUMNS, alerts_file
from bot.backtest.csv_table import HistoryRefused
from bot.backtest.from_folder import backtest
from bot.backtest.history import FILES, History
from bot.backtest.run import alerts_of
from bot.errors import LikewatchError
from handlers.discovery import all_comparisons
from handlers.model import Alert, Fact
from tests.labs.standins.histories import SCENES, scene
from tests.labs.standins.recorded import START, recorded


def run(folder: Path, out: Path, *, thresholds: Sequence[str] = (), keep_good: bool = False) -> list[str]:
    return list(backtest(folder, out, thresholds=thresholds, keep_good=keep_good, advance=lambda *_: None))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def told(folder: Path) -> list[Alert]:
    with History(folder) as history:
        return list(alerts_of(history.pages.values(), history.batches(), all_comparisons()))


def test_it_writes_what_the_rules_tell(tmp_path: Path) -> None:
    folder, out = recorded(7).write(tmp_path / "history"), tmp_path / "alerts.csv"
    said = run(folder, out)
    written, alerts = rows(out), told(folder)
    assert tuple(written[0]) == COLUMNS
    assert [(datetime.fromisoformat(row["ts"]), row["kind"], row["page"], row["rival"]) for row in written] == [
        (alert.at, alert.kind, alert.page, alert.rival or "") for alert in alerts
    ]
    assert [float(row["value"]) for row in written] == [alert.facts[0].value for alert in alerts]
    assert all(row["ts"].endswith("Z") and row["note"].endswith(".") for row in written)
    assert re.fullmatch(r"Read 1,\d{3} counts and \d{3} counts by country of 4 pages\.", said[0])
    assert f"{len(alerts)} alerts in {out}: " in said[-1]


def test_what_is_no_number_is_told_and_does_no_harm(tmp_path: Path) -> None:
    said = run(recorded(7).write(tmp_path / "history"), tmp_path / "alerts.csv")
    assert "no count (empty, NaN or negative), taken as if nobody had asked then" in said[1]
    assert said[2].startswith("  totals.csv, line ")


def test_two_processes_write_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = recorded(7).write(tmp_path / "history")
    run(folder, tmp_path / "one.csv", thresholds=["surge>5"])
    monkeypatch.setattr(parallel, "WORTH_SHARING", 0)
    run(folder, tmp_path / "two.csv", thresholds=["surge>5"])
    assert rows(tmp_path / "one.csv") == rows(tmp_path / "two.csv")


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_shares_tell_together_what_all_rules_tell_at_once(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = tmp_path_factory.mktemp("shares")
    folder = recorded(seed).write(kept / "history")
    with History(folder) as history:
        (whole,) = parallel.split_work(folder, history, limits={}, keep_good=False, into=kept)
    parts = [
        replace(whole, pages=frozenset(pages), together=not number, alerts=kept / f"part{number}")
        for number, pages in enumerate((["hunsen"], ["prayut", "samrainsy"], ["duterte"]))
    ]
    for part in parts:
        parallel.run([part], lambda *_: None)
    assert list(parallel.merge_alerts(parts)) == told(folder)


@pytest.mark.parametrize("name", FILES)
def test_it_never_writes_over_the_history(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(HistoryRefused, match="is a file of the history itself"):
        run(tmp_path, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("keep_good", [False, True])
def test_a_bad_row_is_refused_or_left_out(tmp_path: Path, *, keep_good: bool) -> None:
    history, out = recorded(7), tmp_path / "alerts.csv"
    folder = history.write(tmp_path / "history")
    good = rows(out) if run(folder, out) else []
    with (folder / "totals.csv").open("a", encoding="utf-8") as file:
        file.write("2025-03-03T00:00:00,hunsen,5,2025-03-03T00:00:00Z\n")
    out.write_text("as it was", encoding="utf-8")
    if keep_good:
        said = run(folder, out, keep_good=True)
        assert "1 row: left out" in said
        assert rows(out) == good
        return
    with pytest.raises(HistoryRefused, match="has no time zone") as refused:
        run(folder, out)
    assert str(refused.value).endswith("Nothing was written. Mend the files, or leave such rows out with --keep-good.")
    assert out.read_text(encoding="utf-8") == "as it was"
    assert {path.name for path in tmp_path.iterdir()} == {"history", "alerts.csv"}


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alerts_file(tmp_path / "alerts.csv"):
        _ = 1 // 0
    assert list(tmp_path.iterdir()) == []


def test_another_threshold_stands_in_for_the_default_and_is_compared_with_it(tmp_path: Path) -> None:
    folder = recorded(7).write(tmp_path / "history")
    run(folder, tmp_path / "default.csv")
    said = run(folder, tmp_path / "set.csv", thresholds=["surge>40x"])
    default, as_set = rows(tmp_path / "default.csv"), rows(tmp_path / "set.csv")
    surges = [row for row in default if row["kind"] == "surge"]
    assert surges
    assert as_set == [row for row in default if row["kind"] != "surge"]
    assert "They are those with surge>40x in place of the default, surge>3.2x. Beside each other:" in said
    table = next(line for line in said if line.startswith("surge  "))
    assert table.split() == ["surge", "surge>40", "0", str(len(surges)), "0", "0", str(len(surges))]
    assert said[said.index("Raised only by default:") + 1].strip().endswith(surges[0]["note"])


def test_the_same_threshold_makes_no_difference(tmp_path: Path) -> None:
    folder = recorded(7).write(tmp_path / "history")
    run(folder, tmp_path / "default.csv")
    said = run(folder, tmp_path / "set.csv", thresholds=["surge=3.2"])
    assert rows(tmp_path / "set.csv") == rows(tmp_path / "default.csv")
    assert not any(line.startswith("Raised only") for line in said)


@pytest.mark.parametrize(
    ("thresholds", "why"), [(["surge"], "sets no threshold"), (["surge>5", "surge>6"], "surge is set twice")]
)
def test_a_threshold_that_is_none_is_refused(tmp_path: Path, thresholds: list[str], why: str) -> None:
    with pytest.raises(LikewatchError, match=why):
        run(recorded(7).write(tmp_path / "history"), tmp_path / "alerts.csv", thresholds=thresholds)


@pytest.mark.parametrize(
    ("kind", "columns"), [("closing_in", ["2025-03-05T00:00:00Z", "2025-03-26T00:00:00Z"]), ("surge", ["", ""])]
)
def test_an_estimate_has_its_interval_in_columns_of_its_own(tmp_path: Path, kind: str, columns: list[str]) -> None:
    if kind not in SCENES:
        pytest.skip("there is no rule of this kind yet")
    interval = {"eta_low": START + timedelta(days=2), "eta_high": START + timedelta(days=23)}
    known = [fact for fact in scene(kind).facts if fact.name not in interval]
    more = [Fact(name=name, value=0, unit="days", at=at) for name, at in interval.items()]
    with alerts_file(tmp_path / "alerts.csv") as write:
        write(replace(scene(kind), facts=(*known, *more)))
    (row,) = rows(tmp_path / "alerts.csv")
    assert [row["eta_lo"], row["eta_hi"]] == columns


def test_it_says_how_far_it_is(tmp_path: Path) -> None:
    folder, seen = recorded(7).write(tmp_path / "history"), list[tuple[int, int]]()
    list(backtest(folder, tmp_path / "alerts.csv", advance=lambda read, size: seen.append((read, size))))
    size = sum((folder / name).stat().st_size for name in ("totals.csv", "countries.csv"))
    assert [read for read, _ in seen] == sorted(read for read, _ in seen)
    assert {told for _, told in seen} == {size}
    assert len(seen) > 3
    assert 0 < seen[len(seen) // 2][0] <= size
