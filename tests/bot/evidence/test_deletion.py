"""Replies behind an alert stay for ever, other replies for their time, and every hash for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.evidence import deletion
from bot.evidence.bundle import export
from bot.evidence.deletion import delete_old_replies
from bot.evidence.records import ImportRecord
from bot.evidence.reread import ImportedReadings, instant_of
from bot.evidence.store_audit import StoreAudit
from bot.evidence.trace import Trace, replies_behind, trace
from bot.evidence.verification import Verification
from bot.imports.job import reread_import
from handlers.model import Metric
from storage.store import Store
from storage.values import StoredAlert
from tests.labs.standins.evidence_newsroom import HOUR, EvidenceNewsroom, evidence_newsroom
from tests.labs.standins.graph import GraphPage
from tests.labs.standins.newsroom import START

DAY = timedelta(days=1)


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[EvidenceNewsroom]:
    with evidence_newsroom(tmp_path) as made:
        made.recorder.seal_import(
            b"date,page,followers\n",
            lambda body: ImportRecord(at=START, name="a.csv", by="me", pages={}, page=None, dates=None, body=body),
        )
        made.overtaken()
        yield made


def let_go(newsroom: EvidenceNewsroom, keep: timedelta) -> int:
    return delete_old_replies(newsroom.store, newsroom.recorder, keep=keep, now=newsroom.clock.now())


def traced(newsroom: EvidenceNewsroom, alert: StoredAlert) -> Trace:
    return trace(newsroom.store, alert, ImportedReadings(newsroom.store, reread_import))


def faults(newsroom: EvidenceNewsroom) -> list[str]:
    return [str(fault) for fault in StoreAudit(newsroom.store, reread_import).run(lambda _done, _total: None)]


def test_replies_behind_an_alert_stay_and_the_rest_goes_after_its_time(newsroom: EvidenceNewsroom) -> None:
    before = newsroom.store.evidence.row_counts()
    newsroom.clock.move(40 * DAY)
    assert let_go(newsroom, 30 * DAY) > 40
    after = newsroom.store.evidence.row_counts()
    assert after["records"] == before["records"]
    assert after["manifests"] == before["manifests"] + 1
    for alert in newsroom.store.alerts.recent():
        readings = traced(newsroom, alert).readings
        assert readings
        assert all(reading.confirmed for reading in readings)
    assert faults(newsroom) == []


def test_an_imported_file_stays(newsroom: EvidenceNewsroom) -> None:
    newsroom.clock.move(400 * DAY)
    let_go(newsroom, DAY)
    raws = [
        reply.raw for digest, _ in newsroom.store.evidence.replies() if (reply := newsroom.store.evidence.reply(digest))
    ]
    assert b"date,page,followers\n" in raws


def test_nothing_goes_before_its_time(newsroom: EvidenceNewsroom) -> None:
    before = newsroom.store.evidence.row_counts()
    assert let_go(newsroom, 30 * DAY) == 0
    assert newsroom.store.evidence.row_counts() == before


def test_a_reply_that_somebody_removed_is_not_taken_for_a_deleted_one(newsroom: EvidenceNewsroom) -> None:
    newsroom.clock.move(40 * DAY)
    let_go(newsroom, 30 * DAY)
    newsroom.poll()
    newsroom.store.evidence.delete_replies(1000, but=())
    assert any("is missing" in fault for fault in faults(newsroom))


def test_replies_packed_with_a_reply_past_its_time_can_still_be_read(newsroom: EvidenceNewsroom) -> None:
    newsroom.clock.move(40 * DAY)
    for _ in range(3):
        newsroom.poll()
    let_go(newsroom, DAY)
    newest = newsroom.store.evidence.records_at(newsroom.clock.now())
    assert len(newest) == 1
    assert faults(newsroom) == []


def test_replies_behind_an_alert_that_is_raised_meanwhile_stay_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        for hour in range(48):
            newsroom.count(2_090_000 + 200 * hour, 2_100_000 + 10 * hour)
            newsroom.poll()
        hours = iter(range(48, 60))

        def while_the_cycle_goes_on(store: Store, alerts: Iterable[StoredAlert]) -> set[bytes]:
            wanted = replies_behind(store, alerts)
            for hour in hours:
                newsroom.count(2_090_000 + 400 * hour, 2_100_000 + 10 * hour)
                newsroom.poll()
            return wanted

        monkeypatch.setattr(deletion, "replies_behind", while_the_cycle_goes_on)
        assert let_go(newsroom, 20 * HOUR) > 0
        assert newsroom.store.alerts.recent()
        assert faults(newsroom) == []


def test_a_figure_that_a_poll_found_unchanged_leads_to_that_poll(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        for hour in range(60):
            newsroom.count(2_090_000 + 400 * hour, 2_100_000)
            newsroom.poll()
        newsroom.clock.move(40 * DAY)
        newsroom.poll()
        let_go(newsroom, 30 * DAY)
        for alert in newsroom.store.alerts.recent():
            of_alert = traced(newsroom, alert)
            figure = next(one for one in of_alert.figures if one.fact.name == "rival_count")
            behind = [of_alert.readings[place] for place in figure.readings]
            assert [instant_of(one.reading) for one in behind] == [figure.fact.at, START + timedelta(hours=1)]
            assert all(one.confirmed for one in behind)
            checked = Verification(export(newsroom.store, alert, reread_import), reread_import)
            assert list(checked.run()) == []
            assert checked.unproved == []
        assert faults(newsroom) == []


def test_replies_behind_an_alert_stay_when_the_page_begins_to_count_something_else(newsroom: EvidenceNewsroom) -> None:
    alerts = newsroom.store.alerts.recent()
    before = [len(traced(newsroom, alert).drawn) for alert in alerts]
    replies = replies_behind(newsroom.store, alerts)
    newsroom.clock.move(DAY)
    for hour in range(160):
        for number, slug, likes in (("7001", "hunsen", 2_300_000), ("7002", "samrainsy", 2_200_000)):
            page = GraphPage(id=number, username=slug, name=slug.title(), fan_count=likes + hour)
            newsroom.graph.put(replace(page, has_transitioned_to_new_page_experience=False))
        newsroom.clock.move(6 * HOUR)
        newsroom.cycle.run_all()
    assert newsroom.store.series_states.get(["hunsen"])["hunsen"].metric is Metric.LIKES
    let_go(newsroom, 30 * DAY)
    assert [len(traced(newsroom, alert).drawn) for alert in alerts] == before
    assert all(newsroom.store.evidence.reply(digest) for digest in replies)
    assert faults(newsroom) == []
