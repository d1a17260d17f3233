"""Replies of platforms are stored as they arrive, before any figure rests on them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.evidence.recorder import Recorder
from bot.evidence.records import ReplyRecord, read_manifest, read_record, sha256
from bot.evidence.store_audit import StoreAudit
from bot.http.exchange import Exchange
from bot.imports.job import reread_import
from storage.evidence import Evidence
from storage.schema.backups import back_up_one
from storage.schema.files import evidence_beside
from storage.schema.sqlite import sqlite3
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.evidence_newsroom import SECRET, TOKEN, EvidenceNewsroom, evidence_newsroom
from tests.labs.standins.loopback import Response
from tests.labs.standins.newsroom import START


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[EvidenceNewsroom]:
    with evidence_newsroom(tmp_path) as made:
        yield made


def exchange(content: bytes, *, form: str = "pages=1", url: str = "https://platform.example/v1/") -> Exchange:
    return Exchange(
        method="POST", url=url, params=(), form=form, status=200, headers={"Date": "today"}, content=content
    )


def faults(store: Store) -> list[str]:
    return [str(fault) for fault in StoreAudit(store, reread_import).run(lambda _done, _total: None)]


def records(store: Store) -> list[ReplyRecord]:
    found = [read_record(one.text) for number in store.evidence.sequences() for one in store.evidence.records(number)]
    assert all(isinstance(record, ReplyRecord) for record in found)
    return [record for record in found if isinstance(record, ReplyRecord)]


def test_a_polls_reply_is_stored_with_its_request_its_status_and_its_instant(newsroom: EvidenceNewsroom) -> None:
    newsroom.count(2_094_800, 2_108_800)
    newsroom.poll()
    (record,) = records(newsroom.store)
    assert (record.platform, record.method, record.status) == ("facebook", "POST", 200)
    assert record.asked_at == newsroom.clock.now()
    assert dict(record.pages) == {"hunsen": "7001", "samrainsy": "7002"}
    assert "Date" in record.headers
    reply = newsroom.store.evidence.reply(bytes.fromhex(record.body.sha256))
    assert reply is not None
    assert sha256(reply.raw) == record.body.sha256
    assert [json.loads(item["body"])["fan_count"] for item in json.loads(reply.raw)] == [2_094_800, 2_108_800]


def test_each_link_names_the_one_before_and_its_own_records(newsroom: EvidenceNewsroom) -> None:
    for hour in range(5):
        newsroom.count(1_000_000 + hour, 2_000_000 + hour)
        newsroom.poll()
    previous = None
    for number in (1, 2, 3, 4, 5):
        manifest = newsroom.store.evidence.manifest(number)
        assert manifest is not None
        link = read_manifest(manifest.text)
        assert (link.sequence, link.previous) == (number, previous)
        assert link.records == tuple(sha256(one.text) for one in newsroom.store.evidence.records(number))
        previous = sha256(manifest.text)


def test_the_same_reply_is_stored_once(newsroom: EvidenceNewsroom) -> None:
    newsroom.count(1_000_000, 2_000_000)
    for _ in range(4):
        newsroom.poll()
    counted = newsroom.store.evidence.row_counts()
    assert (counted["records"], counted["replies"]) == (4, 1)


def test_no_credential_is_stored_anywhere(newsroom: EvidenceNewsroom) -> None:
    newsroom.count(1_000_000, 2_000_000)
    newsroom.poll()
    refusal = {"error": {"message": f"Malformed access token {TOKEN}", "type": "OAuthException", "code": 190}}
    newsroom.graph.faults.append(Response(status=400, body=json.dumps(refusal).encode()))
    newsroom.poll()
    newsroom.recorder.of("facebook")(exchange(b"{}", form=f"key={TOKEN}", url=f"https://me:{SECRET}@platform.example/"))
    newsroom.recorder.seal()
    assert [record.body.withheld for record in records(newsroom.store)] == [False, True, False]
    everything = [newsroom.store.evidence.manifest(number) for number in newsroom.store.evidence.sequences()]
    texts = [one.text for one in everything if one]
    texts += [
        one.text for number in newsroom.store.evidence.sequences() for one in newsroom.store.evidence.records(number)
    ]
    texts += [
        reply.raw for digest, _ in newsroom.store.evidence.replies() if (reply := newsroom.store.evidence.reply(digest))
    ]
    assert len(texts) == 3 + 3 + 2
    assert not [text for text in texts if TOKEN.encode() in text or SECRET.encode() in text]
    assert faults(newsroom.store) == []


def nested(text: str) -> str:
    return json.dumps([{"code": 200, "body": json.dumps({"paging": {"next": text}})}])


@pytest.mark.parametrize(
    "escaped",
    [
        pytest.param(lambda secret: f"?access_token={quote(secret, safe='')}&limit=25", id="percent-encoded"),
        pytest.param(lambda secret: json.dumps(secret).replace("/", "\\/"), id="with PHP's slashes"),
        pytest.param(lambda secret: nested(f"?access_token={quote(secret, safe='')}"), id="nested, percent-encoded"),
        pytest.param(lambda secret: nested(json.dumps(secret).replace("/", "\\/")), id="nested, with PHP's slashes"),
        pytest.param(lambda secret: "".join(f"\\u{ord(letter):04X}" for letter in secret), id="by its codes"),
    ],
)
def test_a_credential_is_found_however_the_platform_escapes_it(tmp_path: Path, escaped: Callable[[str], str]) -> None:
    evidence = Evidence.open(tmp_path / "some.evidence.db")
    secret = "1234567890|AbC/dEf-ghiJKLmnop_qrs"
    recorder = Recorder(evidence, HandClock(START), secrets=(secret,))
    recorder.of("facebook")(exchange(escaped(secret).encode()))
    recorder.of("facebook")(exchange(escaped("nothing/that|is-anybody's").encode()))
    recorder.seal()
    stored = [read_record(one.text) for one in evidence.records(1)]
    assert [one.body.withheld for one in stored if isinstance(one, ReplyRecord)] == [True, False]
    assert evidence.row_counts()["replies"] == 1
    evidence.close()


def test_a_proof_made_from_a_credential_is_not_stored_either(newsroom: EvidenceNewsroom) -> None:
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    newsroom.graph.faults.append(Response(status=400, body=json.dumps({"error": {"message": f"Bad {proof}"}}).encode()))
    newsroom.poll()
    assert [record.body.withheld for record in records(newsroom.store)] == [True]


def test_a_cycle_whose_evidence_cannot_be_written_stores_nothing_and_rests(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        newsroom.count(1_000_000, 2_000_000)
        newsroom.disk.full = True
        report = newsroom.cycle.run_all()
        assert report is not None
        assert report.unrecorded == "The disk is full."
        assert newsroom.store.series_states.get(["hunsen"]) == {}
        newsroom.disk.full = False
        assert newsroom.cycle.run_all() is None, "it rests for a minute"
        newsroom.poll()
        assert newsroom.store.series_states.get(["hunsen"])["hunsen"].last.count == 1_000_000
        assert faults(newsroom.store) == []


def test_replies_sealed_before_a_crash_are_evidence_without_readings_and_no_fault(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        newsroom.count(1_000_000, 2_000_000)
        newsroom.poll()
        newsroom.recorder.of("facebook")(exchange(b'{"asked": "and then the machine stopped"}'))
        newsroom.recorder.seal()
    store = Store.open(tmp_path / "likewatch.db")
    recorder = Recorder(store.evidence, HandClock(START + timedelta(days=1)))
    recorder.of("facebook")(exchange(b'{"asked": "after the restart"}'))
    recorder.seal()
    assert store.evidence.sequences() == (1, 2, 3)
    assert faults(store) == []
    store.close()


@pytest.mark.parametrize("lost", ["all of it", "its end"])
def test_a_lost_file_leaves_a_gap_that_shows_for_ever(tmp_path: Path, lost: str) -> None:
    file = evidence_beside(tmp_path / "likewatch.db")
    older = b""
    with evidence_newsroom(tmp_path) as newsroom:
        for hour in range(4):
            newsroom.count(1_000_000 + hour, 2_000_000)
            newsroom.poll()
            if hour == 1:
                back_up_one(file, tmp_path / "older.db")
                older = (tmp_path / "older.db").read_bytes()
    file.unlink()
    if lost == "its end":
        file.write_bytes(older)
    store = Store.open(tmp_path / "likewatch.db")
    recorder = Recorder(store.evidence, HandClock(START + timedelta(days=1)))
    recorder.of("facebook")(exchange(b"{}"))
    recorder.seal()
    store.save_evidence_anchor()
    found = faults(store)
    missing = "Links 1 to 4" if lost == "all of it" else "Links 3 to 4"
    assert found[0] == f"{missing}: missing from the chain."
    store.close()


def test_a_gap_shows_even_if_nothing_could_be_stored_at_first(tmp_path: Path) -> None:
    file = evidence_beside(tmp_path / "likewatch.db")
    with evidence_newsroom(tmp_path) as newsroom:
        for hour in range(7):
            if hour == 3:
                back_up_one(file, tmp_path / "older.db")
            newsroom.count(1_000_000 + hour, 2_000_000)
            newsroom.poll()
    file.unlink()
    file.write_bytes((tmp_path / "older.db").read_bytes())
    for _ in range(2):  # started twice while the network is down: figures are stored, and nothing is sealed
        store = Store.open(tmp_path / "likewatch.db")
        store.save_evidence_anchor()
        store.close()
    store = Store.open(tmp_path / "likewatch.db")
    recorder = Recorder(store.evidence, HandClock(START + timedelta(days=1)))
    recorder.of("facebook")(exchange(b"{}"))
    recorder.seal()
    store.save_evidence_anchor()
    assert faults(store)[0] == "Links 4 to 7: missing from the chain."
    store.close()


def test_links_that_are_removed_while_likewatch_runs_are_missing_for_ever(newsroom: EvidenceNewsroom) -> None:
    for hour in range(8):
        newsroom.count(2_090_000 + hour, 2_100_000)
        newsroom.poll()
    with closing(sqlite3.connect(evidence_beside(newsroom.path), isolation_level=None)) as other:
        for table in ("records", "manifests"):
            other.execute(f"DELETE FROM {table} WHERE sequence > 4")  # noqa: S608
    newsroom.poll()
    assert faults(newsroom.store)[0] == "Links 5 to 8: missing from the chain."


def test_many_replies_of_one_request_are_small_and_all_come_back(tmp_path: Path) -> None:
    evidence = Evidence.open(tmp_path / "some.evidence.db")
    recorder = Recorder(evidence, HandClock(START))
    contents = [
        json.dumps([{"id": n, "about": 20 * f"page {n}, ", "count": 7 * hour + n} for n in range(50)]).encode()
        for hour in range(200)
    ]
    for content in contents:
        recorder.of("facebook")(exchange(content))
        recorder.seal()
    raws = [reply.raw for digest, _ in evidence.replies() if (reply := evidence.reply(digest))]
    assert raws == contents
    evidence.close()
    assert (tmp_path / "some.evidence.db").stat().st_size < sum(map(len, contents)) / 7
