import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import BoltRequest

from bot.clock import SystemClock
from bot.config.editors import EditorList
from bot.errors import AuthRefused, Unreachable
from bot.platforms.contract import Profile, Reference
from bot.slack.app import BotApp
from bot.slack.client import check_tokens, slack_client
from bot.slack.dispatch import Dispatcher
from bot.slack.socket_mode import SocketModeClient
from bot.workspace import SlashCommand
from handlers.model import Metric, Page, Point, Reading, SeriesState, Standing, ValidatedReading
from storage.store import Store
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.slack_faults import refuse
from tests.labs.standins.slacked import Newsroom, newsroom, served

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HUN_SEN = Page(slug="hunsen", name="Hun Sen", platform="facebook", home="KH")
ANA = "U0ANA00001"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path, over_http=True) as running:
        running.store.pages.add(HUN_SEN, None, at=NOW)
        yield running


@pytest.fixture(params=["socket mode", "http"])
def any_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path, over_http=request.param == "http") as running:
        running.store.pages.add(HUN_SEN, None, at=NOW)
        yield running


@pytest.fixture
def server() -> Iterator[InstrumentedServer]:
    with served(InstrumentedWorkspace()) as running:
        yield running


def profile(reference: Reference) -> Profile:
    return Profile(
        platform=reference.platform,
        native_id="1234",
        handle="hunsencambodia",
        name="Samdech Hun Sen",
        url="https://www.facebook.com/hunsencambodia",
        count=14_000_000,
        low=14_000_000,
        high=14_000_000,
        metric=Metric.FOLLOWERS,
    )


def seen(room: Newsroom, text: str, *, channel: str = "newsroom") -> list[str]:
    return [
        message.text
        for message in room.workspace.messages(channel, person="ana")
        if text in f"{message.text} {message.blocks}"
    ]


def test_it_answers_only_the_person_who_asked(any_room: Newsroom) -> None:
    any_room.workspace.say("ana", "newsroom", "/likes hunsen")
    answer = any_room.workspace.wait_for_message("newsroom", "Hun Sen", person="ana")
    assert answer.ephemeral_to == ANA
    assert answer.blocks


def test_it_says_so_in_words_where_something_is_wrong_with_what_was_typed(room: Newsroom) -> None:
    room.workspace.say("ana", "newsroom", "/trends mute")
    room.workspace.wait_for_message("newsroom", "Say which page to mute", person="ana")


def test_it_answers_a_command_that_it_does_not_know(room: Newsroom) -> None:
    room.workspace.commands["/weather"] = SlashCommand(command="/weather", description="another app's")
    room.workspace.say("ana", "newsroom", "/weather tomorrow")
    room.workspace.wait_for_message("newsroom", "I do not know /weather", person="ana")


def test_it_answers_a_mention_in_its_thread(any_room: Newsroom) -> None:
    any_room.workspace.say("dara", "newsroom", "Have you seen this?")
    (asked,) = any_room.workspace.messages("newsroom")
    any_room.workspace.say("ana", "newsroom", "@Likewatch likes hunsen", thread_ts=asked.ts)
    answer = any_room.workspace.wait_for_message("newsroom", "Hun Sen", person="ana")
    assert (answer.ephemeral_to, answer.thread_ts) == (ANA, asked.ts)


def test_it_tells_the_channel_who_changed_what(room: Newsroom) -> None:
    room.workspace.say("ana", "newsroom", "/trends subscribe hunsen")
    room.workspace.wait_for_message("newsroom", "This channel is subscribed", person="ana")
    notice = room.workspace.wait_for_message("newsroom", "subscribed this channel to hunsen", person="dara")
    assert notice.ephemeral_to == ""
    assert f"<@{ANA}>" in notice.text


def test_a_threshold_typed_in_slack_arrives_as_it_was_typed(any_room: Newsroom) -> None:
    any_room.workspace.say("ana", "newsroom", "/trends subscribe hunsen overtake surge>5x")
    any_room.workspace.wait_for_message("newsroom", "This channel is subscribed", person="ana")
    notice = any_room.workspace.wait_for_message("newsroom", "subscribed this channel to hunsen", person="dara")
    assert notice.text.endswith("to hunsen: overtake, surge&gt;5x")
    (saved,) = any_room.store.subscriptions.for_channel("T0NEWSROOM", "C0NEWSROOM")
    assert saved.thresholds == {"surge": 5}
    any_room.workspace.say("ana", "newsroom", "@Likewatch trends subscribe hunsen surge>6x")
    any_room.workspace.wait_for_message("newsroom", "surge&gt;6x", person="ana")


def test_it_subscribes_no_channel_that_it_is_not_in(room: Newsroom) -> None:
    room.workspace.say("ana", "general", "/trends subscribe hunsen")
    room.workspace.wait_for_message("general", "/invite @Likewatch", person="ana")
    assert room.store.subscriptions.for_channel("T0NEWSROOM", "C0GENERAL0") == ()
    room.workspace.invite("general")
    room.workspace.say("ana", "general", "/trends subscribe hunsen")
    room.workspace.wait_for_message("general", "This channel is subscribed", person="ana")


def test_subscribing_where_it_was_thrown_out_takes_up_the_other_subscriptions_too(room: Newsroom) -> None:
    room.store.pages.add(Page(slug="other", name="Other", platform="facebook"), None, at=NOW)
    room.workspace.say("ana", "newsroom", "/trends subscribe other")
    room.workspace.wait_for_message("newsroom", "This channel is subscribed", person="ana")
    room.store.subscriptions.pause("T0NEWSROOM", "C0NEWSROOM", "it was thrown out")
    room.workspace.say("ana", "newsroom", "/trends subscribe hunsen")
    room.workspace.wait_for_message("newsroom", "subscribed to Hun Sen", person="ana")
    paused = [one.paused for one in room.store.subscriptions.for_channel("T0NEWSROOM", "C0NEWSROOM")]
    assert paused == [None, None]


def test_it_shares_an_answer_and_says_who_did(any_room: Newsroom) -> None:
    read(any_room.store)
    any_room.workspace.say("ana", "newsroom", "/likes hunsen")
    answer = any_room.workspace.wait_for_message("newsroom", "14,000,000", person="ana")
    any_room.workspace.press("ana", answer, action_id=action(answer.blocks, "Share to channel"))
    shared = any_room.workspace.wait_for_message("newsroom", "Shared by", person="dara")
    assert shared.ephemeral_to == ""
    assert f"<@{ANA}>" in str(shared.blocks)
    assert "Share to channel" not in str(shared.blocks)


def test_what_may_not_be_shared_is_shown_to_nobody_else(room: Newsroom) -> None:
    read(room.store)
    room.workspace.say("ana", "newsroom", "/likes hunsen")
    answer = room.workspace.wait_for_message("newsroom", "14,000,000", person="ana")
    room.store.pages.remove("hunsen", at=NOW)
    room.workspace.press("ana", answer, action_id=action(answer.blocks, "Share to channel"))
    said = room.workspace.wait_for_message("newsroom", "I watch no page", person="ana")
    assert said.ephemeral_to == ANA


def test_a_button_asks_again_for_who_pressed_it(room: Newsroom) -> None:
    room.workspace.say("ana", "newsroom", "/likes hunsne")
    answer = room.workspace.wait_for_message("newsroom", "Did you mean", person="ana")
    room.workspace.press("ana", answer, action_id=action(answer.blocks, "hunsen"))
    room.workspace.wait_for(lambda: any("Hun Sen" in text for text in seen(room, "Hun Sen")))


def test_the_same_request_twice_has_one_effect(any_room: Newsroom) -> None:
    any_room.workspace.faults.repeat_envelopes(1)
    any_room.workspace.say("ana", "newsroom", "/trends mute hunsen 1d")
    any_room.workspace.wait_for_message("newsroom", "is muted here", person="ana")
    any_room.workspace.say("ana", "newsroom", "/trends unmute hunsen")
    any_room.workspace.wait_for_message("newsroom", "unmuted hunsen")
    assert len(seen(any_room, "muted hunsen here for")) == 1
    assert [entry.action for entry in any_room.store.audit.recent()] == ["unmute", "mute"]


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long"])
def test_an_answer_whose_blocks_slack_refuses_is_given_in_plain_words(any_room: Newsroom, code: str) -> None:
    any_room.workspace.faults.next("response_url", refuse(code))
    any_room.workspace.say("ana", "newsroom", "/trends subscribe hunsen")
    answer = any_room.workspace.wait_for_message("newsroom", "This channel is subscribed", person="ana")
    assert (answer.blocks, answer.ephemeral_to) == ((), ANA)


def test_a_slow_platform_holds_up_nobody_else(tmp_path: Path) -> None:
    let_go = threading.Event()

    def slow(reference: Reference) -> Profile:
        let_go.wait(30)
        return profile(reference)

    with newsroom(tmp_path, look_up=slow) as room:
        room.store.pages.add(HUN_SEN, None, at=NOW)
        for number in range(6):
            room.workspace.say("ana", "newsroom", f"/trends track https://www.facebook.com/page.{number}")
        room.workspace.say("dara", "newsroom", "/likes hunsen")
        room.workspace.wait_for_message("newsroom", "Hun Sen", person="dara")
        room.workspace.wait_for(lambda: len(seen(room, "Looking it up")) == 6)
        assert not seen(room, "Samdech")
        let_go.set()
        room.workspace.wait_for_message("newsroom", "Samdech Hun Sen", person="ana")


def test_what_takes_long_to_work_out_is_answered_when_it_is_there(any_room: Newsroom) -> None:
    read(any_room.store)
    any_room.workspace.say("ana", "newsroom", "/trends backtest hunsen 30d")
    answer = any_room.workspace.wait_for_message("newsroom", "No alert of Hun Sen in the past 30 days", person="ana")
    assert answer.ephemeral_to == ANA


def test_a_lookup_that_fails_is_told_in_words(room: Newsroom) -> None:
    room.workspace.say("ana", "newsroom", "/trends track https://www.facebook.com/nobody.there")
    room.workspace.wait_for_message("newsroom", "There is no nobody.there on facebook.", person="ana")


def test_what_nobody_foresaw_is_logged_and_told_calmly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_reference: Reference) -> Profile:
        raise ZeroDivisionError

    with newsroom(tmp_path, look_up=broken) as room:
        room.workspace.say("ana", "newsroom", "/trends track https://www.facebook.com/page")
        told = room.workspace.wait_for_message("newsroom", "Something went wrong on my side", person="ana")
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    reference = str(record.args[0]) if isinstance(record.args, tuple) else ""
    assert reference
    assert reference in told.text


def test_no_token_or_response_url_is_ever_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with newsroom(tmp_path) as room:
        room.workspace.faults.next("response_url", refuse("used_url"))
        room.workspace.say("ana", "newsroom", "/likes nobody")
        answer = room.workspace.wait_for_message("newsroom", "I watch no", person="ana")
        post(room, "Pick", "trends mute")
        button = room.workspace.wait_for_message("newsroom", "Pick")
        room.workspace.press("ana", button, action_id="ask.0")
        room.workspace.wait_for(lambda: any(call.error == "used_url" for call in room.workspace.calls))
        secrets = [room.server.bot_token, room.server.app_token, f"{room.server.url}response/"]
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith(("bot.", "slack")))
    assert "An answer could not be shown: used_url" in logged
    assert not [secret for secret in [*secrets, answer.text] if secret in logged]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"type": "block_actions", "actions": [{"action_id": "other", "block_id": "b"}]}, id="action"),
        pytest.param({"type": "event_callback", "event": {"type": "message", "user": "U1"}}, id="event"),
        pytest.param({"type": "shortcut", "callback_id": "other"}, id="shortcut"),
        pytest.param({"type": "view_submission", "view": {"type": "modal", "callback_id": "other"}}, id="view"),
        pytest.param({"type": "block_suggestion", "action_id": "other", "block_id": "b", "value": ""}, id="options"),
    ],
)
def test_whatever_else_slack_sends_is_acknowledged(
    server: InstrumentedServer, store: Store, body: dict[str, Any]
) -> None:
    app = bot_app(server, store)
    try:
        addressed = {"team": {"id": "T0"}, "team_id": "T0", "user": {"id": "U1"}, **body}
        assert app.bolt.dispatch(BoltRequest(body=addressed, mode="socket_mode")).status == 200
    finally:
        app.close()


def test_it_does_not_answer_other_bots(server: InstrumentedServer, store: Store) -> None:
    app = bot_app(server, store)
    try:
        event = {
            "type": "app_mention",
            "bot_id": "B9",
            "user": "U9",
            "text": "likes",
            "channel": "C0NEWSROOM",
            "ts": "1.0",
        }
        body = {"type": "event_callback", "event_id": "Ev1", "team_id": "T0", "event": event}
        assert app.bolt.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200
    finally:
        app.close()
    assert [call.method for call in server.workspace.calls] == ["auth.test"]


def test_a_client_id_in_the_environment_changes_nothing(
    server: InstrumentedServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "of another app")
    app = bot_app(server, store)
    app.close()
    assert app.bolt.oauth_flow is None
    assert app.bolt.client.token == server.bot_token


def test_a_wrong_bot_token_names_the_setting(server: InstrumentedServer, store: Store) -> None:
    with pytest.raises(AuthRefused, match=r"SLACK_BOT_TOKEN .*OAuth & Permissions"):
        bot_app(server, store, token="xoxb-wrong")


def test_a_wrong_app_token_names_the_setting(server: InstrumentedServer, store: Store) -> None:
    app = bot_app(server, store)
    with pytest.raises(AuthRefused, match=r"SLACK_APP_TOKEN .*connections:write"):
        SocketModeClient(app.bolt, app_token="xapp-wrong").start()
    app.close()


def test_an_address_where_nobody_answers_is_named() -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9/api/.*SLACK_API_URL"):
        check_tokens(api_url="http://127.0.0.1:9/api/", bot_token="xoxb-any")


def test_the_doctor_hears_who_we_are(server: InstrumentedServer) -> None:
    said = check_tokens(api_url=server.api_url, bot_token=server.bot_token, app_token=server.app_token)
    assert said == "connected to Newsroom as @likewatch"


def bot_app(server: InstrumentedServer, store: Store, *, token: str = "") -> BotApp:
    return BotApp(
        Dispatcher(
            client=slack_client(token=token or server.bot_token, api_url=server.api_url),
            store=store,
            clock=SystemClock(),
            look_up=profile,
            poll_every=timedelta(minutes=15),
            editors=EditorList(everybody=True),
        )
    )


def read(store: Store) -> None:
    """Hun Sen's page was read: 14 million followers."""
    at = datetime.now(UTC) - timedelta(hours=1)
    reading = Reading(
        page="hunsen",
        observed_at=at,
        received_at=at,
        count=14_000_000,
        low=14_000_000,
        high=14_000_000,
        metric=Metric.FOLLOWERS,
        source="facebook",
    )
    point = Point(at=at, count=14_000_000, low=14_000_000, high=14_000_000, source="facebook")
    store.readings.add([ValidatedReading(reading=reading, standing=Standing.ACCEPTED)])
    store.series_states.put([SeriesState(page="hunsen", metric=Metric.FOLLOWERS, since=at, last=point)])


def action(blocks: Any, label: str) -> str:
    """The action_id of the button with this label."""
    for block in blocks:
        for element in block.get("elements", ()):
            if element.get("text", {}) and isinstance(element["text"], dict) and element["text"]["text"] == label:
                return str(element["action_id"])
    raise AssertionError(f"no button {label!r} in {blocks}")


def post(room: Newsroom, text: str, query: str) -> None:
    """A message of the bot's with one button."""
    button = {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": "ask.0", "value": query}
    blocks = [{"type": "actions", "elements": [button]}]
    room.app.bolt.client.chat_postMessage(channel="C0NEWSROOM", text=text, blocks=blocks)
