"""``/trends evidence``: from a card to the platform's reply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import LikewatchError
from bot.evidence.records import ImportRecord, ReplyRecord, read_record
from bot.evidence.timestamps import Stamper, read_stamp, roots_in
from bot.evidence.trace import reference
from bot.http.client import Http
from bot.imports.examples import press_example
from bot.imports.replay import replay_example
from bot.slack.contract import Button, Moment
from bot.slack.render import block_kit
from bot.slack.render.alert_card import alert_card
from storage.schema.files import evidence_beside
from storage.schema.sqlite import sqlite3
from tests.labs.standins import blockkit
from tests.labs.standins.asked import ask
from tests.labs.standins.evidence_newsroom import SECRET, TOKEN, EvidenceNewsroom, evidence_newsroom
from tests.labs.standins.newsroom import START
from tests.labs.standins.timestamp_authority import timestamp_authority


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[EvidenceNewsroom]:
    with evidence_newsroom(tmp_path) as made:
        made.overtaken()
        yield made


def lines(kept: EvidenceNewsroom, text: str) -> list[str]:
    reply = ask(kept.store, text)
    assert blockkit.faults(block_kit.reply_blocks(reply, text)) == []
    return [block_kit.plain(line) for line in reply.card.lines]


def test_the_button_of_a_card_asks_for_it(kept: EvidenceNewsroom) -> None:
    newest = kept.store.alerts.recent()[0]
    (button,) = [
        button
        for button in alert_card(newest, kept.store).buttons
        if isinstance(button, Button) and button.label == "Evidence"
    ]
    assert lines(kept, button.query) == lines(kept, f"trends evidence {reference(newest.alert)}")


def test_it_tells_each_figure_with_the_hash_of_the_reply_that_says_it(kept: EvidenceNewsroom) -> None:
    shown = "\n".join(lines(kept, "trends evidence hunsen"))
    (fact,) = kept.store.alerts.recent()[0].alert.facts_named("count")
    assert fact.at is not None
    records = [read_record(one.text) for one in kept.store.evidence.records_at(fact.at)]
    (digest,) = [record.body.sha256 for record in records if isinstance(record, ReplyRecord)]
    assert f"{fact.value:,} followers" in shown
    assert digest in shown
    assert "it does not say this figure" not in shown
    assert TOKEN not in shown
    assert SECRET not in shown


def test_the_answer_names_each_source_with_its_address_and_each_hash_once(
    tmp_path: Path,
) -> None:
    with evidence_newsroom(tmp_path) as kept:
        _sources_are_named_once(kept)


def _sources_are_named_once(kept: EvidenceNewsroom) -> None:
    example = press_example()
    for slug in ("hunsen", "samrainsy"):
        kept.store.pages.remove(slug, at=START)
    pages = {page.slug: page.slug for page in example.pages}
    kept.recorder.seal_import(
        example.data,
        lambda body: ImportRecord(at=START, name=example.name, by="ana", pages=pages, page=None, dates=None, body=body),
    )
    replay_example(kept.store, kept.cycle, example, team_id="T1", channel_id="C1", now=START)
    told = next(one.alert for one in kept.store.alerts.recent() if one.alert.kind == "contradiction")
    reply = ask(kept.store, f"trends evidence {reference(told)}")
    shown = blockkit.words(block_kit.reply_blocks(reply, ""))
    assert f"*Alert* {reference(told)}: Published figures" in shown
    assert shown.count(hashlib.sha256(example.data).hexdigest()) == 1
    assert shown.count("|Phnom Penh Post>") == 1
    assert "*published*: 34,069 likes, 13 March 2016 [1]" in shown
    assert "*implied*: 49,128 likes, worked out by the rule from [1]" in shown


def test_the_reference_in_the_list_of_alerts_finds_the_alert(kept: EvidenceNewsroom) -> None:
    name = reference(kept.store.alerts.recent()[0].alert)
    assert any(line.endswith(f"[{name}]") for line in lines(kept, "trends alerts"))
    assert any(name in line for line in lines(kept, f"trends evidence {name}"))


def test_it_says_how_to_get_the_bundle_and_what_is_not_stamped(kept: EvidenceNewsroom) -> None:
    shown = "\n".join(lines(kept, "trends evidence hunsen"))
    name = reference(kept.store.alerts.recent()[0].alert)
    assert f"likewatch evidence export {name} -o bundle.zip" in shown
    assert "No outside authority has time-stamped it yet" in shown


def test_a_platforms_event_of_many_pages_fits_into_a_message(kept: EvidenceNewsroom) -> None:
    alert = kept.store.alerts.recent()[0].alert
    many = replace(alert, key="many", facts=alert.facts * 60)
    kept.store.outbox.put(many, [], at=kept.clock.now())
    text = f"trends evidence {reference(many)}"
    shown = blockkit.words(block_kit.reply_blocks(ask(kept.store, text), text))
    assert len(lines(kept, text)) > 100
    assert "more: Slack shows no more in one message" in shown
    assert "likewatch evidence export" in shown
    assert "No outside authority has time-stamped it yet" in shown


def test_the_instant_of_a_time_stamp_is_the_authoritys(kept: EvidenceNewsroom, tmp_path: Path) -> None:
    newest = kept.store.alerts.recent()[0]
    with timestamp_authority(tmp_path / "authority") as (authority, url):
        http = Http({}, url)
        roots = roots_in(authority.root)
        stamper = Stamper(http, evidence=kept.store.evidence, recorder=kept.recorder, clock=kept.clock, roots=roots)
        assert stamper.stamp_when_due()
        http.close()
    stamp = kept.store.evidence.newest_stamp()
    assert stamp is not None
    shown = ask(kept.store, f"trends evidence {reference(newest.alert)}").card.lines
    (line,) = [line for line in shown if "Time-stamped by" in block_kit.plain(line)]
    assert Moment(read_stamp(stamp).at) in line
    with closing(sqlite3.connect(evidence_beside(kept.path), isolation_level=None)) as other:
        other.execute("UPDATE manifests SET text = (SELECT text FROM manifests WHERE sequence = 1)")
    assert "is not valid: ask for an audit" in "\n".join(lines(kept, "trends evidence hunsen"))


def test_what_was_let_go_says_so(kept: EvidenceNewsroom) -> None:
    kept.store.evidence.delete_replies(1000, but=())
    assert "the reply was deleted, its hash stays" in "\n".join(lines(kept, "trends evidence hunsen"))


def test_an_alert_that_is_not_there_is_answered_with_those_that_are(kept: EvidenceNewsroom) -> None:
    with pytest.raises(LikewatchError, match=reference(kept.store.alerts.recent()[0].alert)):
        ask(kept.store, "trends evidence nobody")
