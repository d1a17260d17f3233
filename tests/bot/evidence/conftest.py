"""One newsroom with evidence, made once: its evidence, two alerts, time-stamps by an authority of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.evidence.timestamps import Stamper, roots_in
from bot.http.client import Http
from bot.imports.job import ImportJob
from bot.imports.run import run_import
from storage.schema.backups import back_up_one as back_up
from storage.schema.files import evidence_beside
from tests.labs.standins.evidence_newsroom import evidence_newsroom
from tests.labs.standins.timestamp_authority import timestamp_authority

_PRESS = b"page,date,likes\nhunsen,2026-10-01,2000000\nhunsen,2026-10-02,2001000\nsamrainsy,2026-10-01,2050000\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A closed installation: its database, an earlier copy of its evidence, the root of the authority it asked."""

    database: Path
    older: bytes
    root: Path


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    with timestamp_authority(folder / "authority") as (authority, url), evidence_newsroom(folder) as newsroom:
        http = Http({}, url)
        stamper = Stamper(
            http,
            evidence=newsroom.store.evidence,
            recorder=newsroom.recorder,
            clock=newsroom.clock,
            roots=roots_in(authority.root),
        )
        newsroom.overtaken()
        assert stamper.stamp_when_due()
        order = ImportJob(name="press.csv", data=_PRESS, by="ana")
        assert "Kept: 3 counts." in list(run_import(order, newsroom.store, newsroom.cycle, newsroom.clock.now()))
        back_up(evidence_beside(folder / "likewatch.db"), folder / "older.db")
        for hour in range(2):
            newsroom.count(2_120_000 + hour, 2_100_600 + hour)
            newsroom.poll()
            assert stamper.stamp_when_due()
        http.close()
        assert len(newsroom.store.alerts.recent()) == 2
    return Whole(database=folder / "likewatch.db", older=(folder / "older.db").read_bytes(), root=authority.root)
