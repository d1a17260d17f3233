"""Every kind of reply is shown with the right call of Slack's, and where the person can see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config.editors import EditorList
from bot.slack import commands, discovery
from bot.slack.client import slack_client
from bot.slack.contract import Call, Card, Modal, RequestOrigin, Slash
from bot.slack.dispatch import Dispatcher
from bot.slack.render.block_kit import MAX_VIEW_TITLE, modal_view
from bot.slack.responder import Responder
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.slacked import nobody
from tests.labs.standins.strict_slack import StrictSlack, strict_slack

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SAMPLE = """
from bot.slack.contract import *
from bot.slack.contract import Permission, Slash

def run(call, store, now):
    card = Card(headline="A sample", lines=("It has *lines*.",), buttons=(Button(label="Next", query="likes"),))
    fields = (FormField(name="page", label="Page", value="hunsen"),
              FormField(name="what", label="What", options=(("a", "A"), ("b", "B")), value="b", optional=True))
    shown_as = {
        "card": None,
        "file": ReplyFile(name="hunsen.csv", content="count,1".encode(), title="Hun Sen"),
        "modal": Modal(title="Subscribe this channel to alerts", callback_id="subscribe", submit="Subscribe",
                       form_fields=fields, metadata="C1"),
        "home": HomeView(more=(Card(headline="Also"),)),
    }[call.text]
    return Reply(card=card, shown_as=shown_as, shareable=True)

COMMAND = Command(slash=Slash.TRENDS, verbs=("sample",), usage="/trends sample <kind>", summary="a sample",
                  permission=Permission.ANYONE, run=run, scopes=("files:write",))
"""
IN_CHANNEL = Call(slash=Slash.TRENDS, text="", team_id="T1", user_id="U1", channel_id="C1", trigger_id="1.2.3")
IN_HOME = replace(IN_CHANNEL, channel_id="", origin=RequestOrigin.APP_HOME)


@pytest.fixture(autouse=True)
def _sample_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``/trends sample``, as a file of its own beside the commands."""
    (tmp_path / "sample.py").write_text(SAMPLE, encoding="utf-8")
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    forget: list[Callable[[], None]] = [discovery.commands.cache_clear, discovery._by_verb.cache_clear]  # noqa: SLF001
    for each in forget:
        each()
    yield
    monkeypatch.undo()
    for each in forget:
        each()


@pytest.fixture
def slack() -> Iterator[StrictSlack]:
    with strict_slack() as running:
        yield running


@pytest.fixture
def answer(slack: StrictSlack, store: Store) -> Callable[..., None]:
    """Answers a call, and waits until that is done."""

    def answered(call: Call, kind: str, *, share: bool = False) -> None:
        client, clock = slack_client(token="xoxb-1", api_url=slack.api_url), HandClock(NOW)
        dispatcher = Dispatcher(
            client=client,
            store=store,
            clock=clock,
            look_up=nobody,
            poll_every=timedelta(minutes=15),
            editors=EditorList(everybody=True),
            wake=lambda: None,
        )
        responder = Responder(dispatcher)
        responder.answer_later(replace(call, text=f"sample {kind}"), share=share)
        responder._workers.shutdown(wait=True)  # noqa: SLF001 (close() drops what has not begun)

    return answered


Answered = Callable[..., None]


def test_a_card_is_shown_to_the_person_alone_in_the_channel(slack: StrictSlack, answer: Answered) -> None:
    answer(IN_CHANNEL, "card")
    said = slack.arguments("chat.postEphemeral")
    assert (said["channel"], said["user"], "thread_ts" in said) == ("C1", "U1", False)
    assert said["blocks"][0]["text"]["text"] == "A sample"


def test_a_card_stays_in_the_thread(slack: StrictSlack, answer: Answered) -> None:
    answer(replace(IN_CHANNEL, thread_ts="0.9", origin=RequestOrigin.THREAD), "card")
    assert slack.arguments("chat.postEphemeral")["thread_ts"] == "0.9"


def test_what_is_shared_without_a_response_url_is_posted_in_the_channel(slack: StrictSlack, answer: Answered) -> None:
    answer(IN_CHANNEL, "card", share=True)
    said = slack.arguments("chat.postMessage")
    assert said["channel"] == "C1"
    assert "<@U1>" in str(said["blocks"])


@pytest.mark.parametrize("share", [False, True])
def test_who_asks_from_app_home_is_answered_in_a_direct_message(
    slack: StrictSlack, answer: Answered, share: bool
) -> None:
    answer(IN_HOME, "card", share=share)
    assert slack.arguments("chat.postMessage")["channel"] == "U1"


def test_a_file_goes_to_direct_messages_because_no_file_is_for_one_person_in_a_channel(
    slack: StrictSlack, answer: Answered
) -> None:
    answer(IN_CHANNEL, "file")
    assert slack.arguments("conversations.open") == {"users": "U1"}
    assert slack.arguments("files.getUploadURLExternal") == {"filename": "hunsen.csv", "length": "7"}
    assert slack.uploads == [b"count,1"]
    done = slack.arguments("files.completeUploadExternal")
    assert (done["channel_id"], done["files"][0]["id"], done["files"][0]["title"]) == ("D0OPENED", "F1", "Hun Sen")
    assert slack.arguments("chat.postEphemeral")["channel"] == "C1", "the card says where it was asked"


def test_a_shared_file_goes_to_the_channel_and_the_thread(slack: StrictSlack, answer: Answered) -> None:
    answer(replace(IN_CHANNEL, thread_ts="0.9"), "file", share=True)
    done = slack.arguments("files.completeUploadExternal")
    assert (done["channel_id"], done["thread_ts"]) == ("C1", "0.9")
    assert "conversations.open" not in slack.methods()


def test_a_file_asked_for_in_direct_messages_stays_there(slack: StrictSlack, answer: Answered) -> None:
    answer(replace(IN_CHANNEL, channel_id="D1"), "file")
    assert slack.arguments("files.completeUploadExternal")["channel_id"] == "D1"


def test_a_file_that_slack_does_not_take_is_not_passed_over_in_silence(slack: StrictSlack, answer: Answered) -> None:
    slack.errors["files.completeUploadExternal"] = "access_denied"
    answer(IN_CHANNEL, "file")
    assert "Slack did not take the file" in slack.arguments("chat.postEphemeral")["text"]


def test_a_modal_is_opened_with_the_requests_trigger(slack: StrictSlack, answer: Answered) -> None:
    answer(IN_HOME, "modal")
    said = slack.arguments("views.open")
    view = said["view"]
    assert slack.methods() == ["views.open"]
    assert (said["trigger_id"], view["type"], view["callback_id"]) == ("1.2.3", "modal", "subscribe")
    assert (view["submit"]["text"], view["private_metadata"]) == ("Subscribe", "C1")
    assert len(view["title"]["text"]) <= MAX_VIEW_TITLE
    page, what = (block for block in view["blocks"] if block["type"] == "input")
    assert (page["block_id"], page["element"]["initial_value"], page["optional"]) == ("page", "hunsen", False)
    assert [option["value"] for option in what["element"]["options"]] == ["a", "b"]
    assert (what["element"]["initial_option"]["value"], what["optional"]) == ("b", True)


@pytest.mark.parametrize("error", ["", "expired_trigger_id"], ids=["no trigger", "too late"])
def test_where_no_modal_can_be_opened_its_card_is_shown(slack: StrictSlack, answer: Answered, error: str) -> None:
    if error:
        slack.errors["views.open"] = error
    answer(IN_CHANNEL if error else replace(IN_CHANNEL, trigger_id=""), "modal")
    assert "A sample" in slack.arguments("chat.postEphemeral")["text"]


def test_app_home_is_published_for_the_person(slack: StrictSlack, answer: Answered) -> None:
    answer(IN_HOME, "home")
    said = slack.arguments("views.publish")
    assert slack.methods() == ["views.publish"]
    assert (said["user_id"], said["view"]["type"]) == ("U1", "home")
    assert [block["text"]["text"] for block in said["view"]["blocks"] if block["type"] == "header"] == [
        "A sample",
        "Also",
    ]


def test_an_acknowledgement_holds_a_card_and_nothing_that_needs_a_call(slack: StrictSlack, store: Store) -> None:
    client, clock = slack_client(token="xoxb-1", api_url=slack.api_url), HandClock(NOW)
    settings: dict[str, Any] = {"store": store, "clock": clock, "wake": lambda: None, "client": client}
    dispatcher = Dispatcher(
        look_up=nobody, poll_every=timedelta(minutes=15), editors=EditorList(everybody=True), **settings
    )
    responder = Responder(dispatcher)
    said = responder.answer_at_once(replace(IN_CHANNEL, text="sample card"))
    assert said is not None
    assert (said["text"][:8], said["response_type"]) == ("A sample", "ephemeral")
    assert responder.answer_at_once(replace(IN_CHANNEL, text="sample modal")) is None
    responder._workers.shutdown(wait=True)  # noqa: SLF001 (close() drops what has not begun)
    assert slack.methods() == ["views.open"]


def test_metadata_that_slack_would_refuse_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match=re.escape("3001 characters")):
        modal_view(Card(headline="x"), Modal(title="x", metadata="x" * 3001))
