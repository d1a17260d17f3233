from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.workspace.messages import MOST_SUPERSEDED, MessageStore
from bot.workspace.model import Message
from tests.labs.standins.instrumented_workspace import InstrumentedWorkspace

NEWSROOM = "C0NEWSROOM"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "workspace.jsonl"


def texts(workspace: InstrumentedWorkspace) -> list[str]:
    return [message.text for message in workspace.messages("newsroom")]


def test_posts_updates_deletes_and_memberships_survive_a_restart(journal: Path) -> None:
    before = InstrumentedWorkspace(journal=journal)
    before.say("ana", "newsroom", "Good morning")
    kept, gone = (before.api("chat.postMessage", channel=NEWSROOM, text=text)["ts"] for text in ("kept", "gone"))
    before.api("chat.update", channel=NEWSROOM, ts=kept, text="changed", blocks=[{"type": "divider"}])
    before.api("chat.delete", channel=NEWSROOM, ts=gone)
    before.api("chat.postEphemeral", channel=NEWSROOM, user="U0ANA00001", text="for Ana, now")
    before.invite("general")
    after = InstrumentedWorkspace(journal=journal)
    assert texts(after) == ["Good morning", "changed"]
    assert after.messages("newsroom")[1].blocks[0]["type"] == "divider"
    assert after.bot_is_in("C0GENERAL0")
    assert after.api("chat.postMessage", channel=NEWSROOM, text="next")["ts"] > kept


def test_a_torn_last_line_is_left_out(journal: Path) -> None:
    before = InstrumentedWorkspace(journal=journal)
    before.say("ana", "newsroom", "whole")
    before.say("ana", "newsroom", "torn")
    journal.write_bytes(journal.read_bytes()[:-20])
    after = InstrumentedWorkspace(journal=journal)
    assert texts(after) == ["whole"]
    after.say("ana", "newsroom", "next")
    assert texts(InstrumentedWorkspace(journal=journal)) == ["whole", "next"]


def test_a_file_that_is_no_journal_is_left_alone(journal: Path) -> None:
    journal.write_text("page,count\nhunsen,2108800\n")
    with pytest.raises(ConfigError, match=r"Line 1 of .*workspace.jsonl"):
        InstrumentedWorkspace(journal=journal)
    assert journal.read_text().startswith("page,count")


def test_a_journal_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write its journal"):
        InstrumentedWorkspace(journal=tmp_path / "nowhere" / "workspace.jsonl")


def test_it_stays_bounded_however_often_a_message_changes(journal: Path) -> None:
    store = MessageStore(journal)
    for number in range(MOST_SUPERSEDED * 2):
        store.put(Message(channel_id=NEWSROOM, ts="1.000001", user_id="U", text=str(number)))
    assert len(journal.read_text().splitlines()) <= MOST_SUPERSEDED + 2
    assert [message.text for message in MessageStore(journal).everything()] == [str(number)]


@given(st.lists(st.tuples(st.sampled_from(["put", "remove"]), st.integers(1, 5), st.text(max_size=3)), max_size=30))
def test_what_is_read_back_is_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "workspace.jsonl"
    store = MessageStore(path)
    for step, number, text in steps:
        ts = f"1.00000{number}"
        known = store.find(NEWSROOM, ts)
        if step == "put":
            store.put(Message(channel_id=NEWSROOM, ts=ts, user_id="U", text=text))
        elif known is not None:
            store.remove(known)
    assert MessageStore(path).everything() == store.everything()
