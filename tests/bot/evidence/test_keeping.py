"""Replies behind an alert are kept for ever, the others for their time, and every hash for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.evidence.keeping import let_go_of_old
from bot.evidence.store_audit import StoreAudit
from bot.evidence.texts import ImportedFile
from bot.evidence.tracing import trace
from tests.standins.kept import Kept, kept_in
from tests.standins.newsroom import START

DAY = timedelta(days=1)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with kept_in(tmp_path) as made:
        made.recorder.seal_import(
            b"date,page,followers\n",
            lambda body: ImportedFile(at=START, name="a.csv", by="me", pages={}, page=None, dates=None, body=body),
        )
        made.overtaken()
        yield made


def let_go(kept: Kept, keep: timedelta) -> int:
    return let_go_of_old(kept.store, kept.recorder, keep=keep, now=kept.clock.now())


def faults(kept: Kept) -> list[str]:
    return [str(fault) for fault in StoreAudit(kept.store).run(lambda _done, _total: None)]


def test_what_is_behind_an_alert_stays_and_the_rest_goes_after_its_time(kept: Kept) -> None:
    before = kept.store.evidence.counted()
    kept.clock.move(40 * DAY)
    assert let_go(kept, 30 * DAY) > 40
    after = kept.store.evidence.counted()
    assert after["records"] == before["records"]
    assert after["manifests"] == before["manifests"] + 1
    for alert in kept.store.alerts.recent():
        readings = trace(kept.store, alert).readings
        assert readings
        assert all(reading.confirmed for reading in readings)
    assert faults(kept) == []


def test_an_imported_file_stays(kept: Kept) -> None:
    kept.clock.move(400 * DAY)
    let_go(kept, DAY)
    raws = [reply.raw for digest, _ in kept.store.evidence.replies() if (reply := kept.store.evidence.reply(digest))]
    assert b"date,page,followers\n" in raws


def test_nothing_goes_before_its_time(kept: Kept) -> None:
    before = kept.store.evidence.counted()
    assert let_go(kept, 30 * DAY) == 0
    assert kept.store.evidence.counted() == before


def test_a_reply_that_somebody_removed_is_not_taken_for_one_that_was_let_go(kept: Kept) -> None:
    kept.clock.move(40 * DAY)
    let_go(kept, 30 * DAY)
    kept.poll()
    kept.store.evidence.let_go(1000, but=())
    assert any("is missing" in fault for fault in faults(kept))


def test_what_rests_on_a_reply_that_is_past_its_time_can_still_be_read(kept: Kept) -> None:
    kept.clock.move(40 * DAY)
    for _ in range(3):
        kept.poll()
    let_go(kept, DAY)
    newest = kept.store.evidence.asked_at(kept.clock.now())
    assert len(newest) == 1
    assert faults(kept) == []
