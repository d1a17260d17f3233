"""Time-stamps of a real authority, on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.evidence.records import read_manifest
from bot.evidence.store_audit import StoreAudit
from bot.evidence.timestamps import EVERY, Stamper, read_stamp, roots_in, stamp_fault
from bot.http.client import Http
from bot.imports.job import reread_import
from bot.monitoring.doctor import CheckResult, check_evidence
from tests.labs.standins.evidence_newsroom import EvidenceNewsroom, evidence_newsroom
from tests.labs.standins.timestamp_authority import TimestampAuthority, timestamp_authority

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamping:
    newsroom: EvidenceNewsroom
    authority: TimestampAuthority
    stamper: Stamper


@contextmanager
def stamping(folder: Path, roots: Path | None = None) -> Iterator[Stamping]:
    with (
        timestamp_authority(folder / "authority") as (authority, url),
        evidence_newsroom(folder) as newsroom,
        closing(Http({}, url)) as http,
    ):
        newsroom.count(1_000_000, 2_000_000)
        newsroom.poll()
        stamper = Stamper(
            http,
            evidence=newsroom.store.evidence,
            recorder=newsroom.recorder,
            clock=newsroom.clock,
            roots=roots_in(roots or authority.root),
        )
        yield Stamping(newsroom=newsroom, authority=authority, stamper=stamper)


def faults(newsroom: EvidenceNewsroom) -> list[str]:
    return [str(fault) for fault in StoreAudit(newsroom.store, reread_import).run(lambda _done, _total: None)]


def status_lines(newsroom: EvidenceNewsroom, tsa_url: str = "https://tsa.example") -> list[tuple[CheckResult, str]]:
    checks = check_evidence(newsroom.store, tsa_url=tsa_url, now=newsroom.clock.now())
    return [(one.mark, one.what) for one in checks]


def test_the_newest_link_is_stamped_and_the_chain_notes_the_stamp(tmp_path: Path) -> None:
    with stamping(tmp_path) as made:
        assert made.stamper.stamp_when_due()
        stamp = made.newsroom.store.evidence.newest_stamp()
        assert stamp is not None
        manifest = made.newsroom.store.evidence.manifest(stamp.sequence)
        assert manifest is not None
        assert stamp_fault(stamp, manifest.text) is None
        assert stamp_fault(stamp, manifest.text + b" ") == "it is the stamp of another text than this link's."
        assert read_stamp(stamp).signer == "CN=Small Authority Stamps,O=Small Authority"
        after = made.newsroom.store.evidence.manifest(stamp.sequence + 1)
        assert after is not None
        noted = read_manifest(after.text).stamp
        assert noted is not None
        assert noted.sequence == stamp.sequence
        assert faults(made.newsroom) == []


def test_it_requests_a_stamp_once_an_hour_and_only_of_new_links(tmp_path: Path) -> None:
    with stamping(tmp_path) as made:
        assert made.stamper.stamp_when_due()
        made.newsroom.clock.move(2 * EVERY)
        assert not made.stamper.stamp_when_due()
        made.newsroom.poll()
        assert made.stamper.stamp_when_due()
        made.newsroom.poll()
        made.newsroom.clock.move(-EVERY)
        assert not made.stamper.stamp_when_due()
        assert made.authority.asked == 2


def test_it_tries_again_until_it_succeeds_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with stamping(tmp_path) as made, caplog.at_level(logging.INFO, logger="bot.evidence.timestamps"):
        made.authority.status = 503
        for _ in range(5):
            assert not made.stamper.stamp_when_due()
            made.newsroom.clock.move(2 * EVERY)
        made.authority.status = 200
        assert made.stamper.stamp_when_due()
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        assert made.authority.asked == 6


def test_it_waits_longer_after_each_failure_but_never_more_than_an_hour(tmp_path: Path) -> None:
    with stamping(tmp_path) as made:
        made.authority.status = 503
        asked = []
        for _ in range(300):
            made.stamper.stamp_when_due()
            asked.append(made.authority.asked)
            made.newsroom.clock.move(MINUTE)
        assert asked[:4] == [1, 2, 2, 3]
        assert asked[-1] - asked[-61] == 1


def test_an_authority_that_is_not_trusted_is_not_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = TimestampAuthority(tmp_path / "other", "Another Authority")
    with stamping(tmp_path, roots=other.root) as made:
        assert not made.stamper.stamp_when_due()
        assert made.newsroom.store.evidence.newest_stamp() is None
        assert "LIKEWATCH_TSA_ROOTS" in caplog.text


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"LIKEWATCH_TSA_ROOTS.*roots\.pem"):
        roots_in(tmp_path / "roots.pem")


def test_without_a_file_the_roots_are_those_that_browsers_trust() -> None:
    assert len(roots_in(None)) > 50


def test_the_status_is_one_plain_line(tmp_path: Path) -> None:
    with stamping(tmp_path) as made:
        ((mark, said),) = status_lines(made.newsroom, tsa_url="")
        assert (mark, said) == (
            CheckResult.NOTE,
            "Evidence: 1 link, 1 reply stored; no outside authority has time-stamped it",
        )
        ((mark, said),) = status_lines(made.newsroom)
        assert mark is CheckResult.FAULT
        assert "1 link without a time-stamp" in said
        made.stamper.stamp_when_due()
        ((mark, said),) = status_lines(made.newsroom)
        assert mark is CheckResult.FINE
        assert said.startswith("Evidence: 2 links, 1 reply stored, time-stamped up to ")


def test_an_evidence_file_that_was_lost_is_a_fault(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path / "a") as newsroom, evidence_newsroom(tmp_path / "b") as other:
        newsroom.count(1_000_000, 2_000_000)
        newsroom.poll()
        other.count(1_000_000, 2_000_001)
        other.poll()
        newsroom.store.evidence, other.store.evidence = other.store.evidence, newsroom.store.evidence
        assert (
            CheckResult.FAULT,
            "Evidence: the newest readings rest on a link of the chain that is missing",
        ) in status_lines(newsroom)
        newsroom.store.evidence, other.store.evidence = other.store.evidence, newsroom.store.evidence
