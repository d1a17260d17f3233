"""Whatever is changed in what is kept, the audit names it."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from bot.evidence.stamping import Stamper, roots_in
from bot.evidence.store_audit import StoreAudit
from bot.platforms.http import Http
from storage.errors import StoreError
from storage.files import files_of
from storage.store import Store
from tests.standins.kept import kept_in
from tests.standins.tampering import tamper
from tests.standins.tsa import authority_on

CHANGES = int(os.environ.get("LIKEWATCH_CHANGES", "150"))  # `make tamper` makes a thousand


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with two alerts and three time-stamps, closed; an earlier copy of its evidence beside it."""
    folder = tmp_path_factory.mktemp("whole")
    with authority_on(folder / "authority") as (authority, url), kept_in(folder) as kept:
        http = Http({}, url)
        stamper = Stamper(
            http,
            evidence=kept.store.evidence,
            recorder=kept.recorder,
            clock=kept.clock,
            roots=roots_in(authority.root),
        )
        kept.overtaken()
        assert stamper.stamp_when_due()
        kept.store.evidence.backup(folder / "older.db")
        for hour in range(2):
            kept.count(2_120_000 + hour, 2_100_600 + hour)
            kept.poll()
            assert stamper.stamp_when_due()
        http.close()
        assert len(kept.store.alerts.recent()) == 2
    return folder / "likewatch.db"


def audited(database: Path) -> list[str]:
    try:
        store = Store.open_reader(database)
    except StoreError as error:
        return [str(error)]
    try:
        return [str(fault) for fault in StoreAudit(store).run(lambda _done, _total: None)]
    finally:
        store.close()


def test_what_nobody_touched_is_found_as_it_was_kept(whole: Path) -> None:
    assert audited(whole) == []


def test_every_change_is_found_and_located(whole: Path, tmp_path: Path) -> None:
    older = (whole.parent / "older.db").read_bytes()
    for seed in range(CHANGES):
        copy = tmp_path / f"{seed}" / whole.name
        copy.parent.mkdir()
        for file in files_of(whole):
            shutil.copy(file, copy.parent / file.name)
        change = tamper(copy, random.Random(seed), older)
        found = audited(copy)
        assert found, f"{seed}: {change.what}: not found"
        assert any(word in fault for fault in found for word in change.shows), f"{seed}: {change.what}: {found}"
        shutil.rmtree(copy.parent)
