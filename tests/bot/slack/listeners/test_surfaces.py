"""One file adds a Slack surface: it is found, the manifest asks Slack for it, and Bolt hands its requests over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from slack_bolt import BoltRequest

from bot.clock import SystemClock
from bot.config.editors import EditorList
from bot.slack import listeners
from bot.slack.app import BotApp
from bot.slack.client import slack_client
from bot.slack.dispatch import Dispatcher
from bot.slack.generated_manifest import manifest
from bot.slack.listeners import actions, events, shortcuts, slash_commands, views
from bot.slack.listeners.contract import (
    ActionListener,
    EventListener,
    ShortcutListener,
    SlashCommandListener,
    ViewListener,
)
from bot.slack.listeners.discovery import KINDS, all_listeners
from storage.store import Store
from tests.labs.standins.slacked import nobody
from tests.labs.standins.strict_slack import strict_slack

Json = dict[str, Any]
Plant = Callable[[ModuleType, str], Path]

DECLARED = {
    "actions": ActionListener,
    "slash_commands": SlashCommandListener,
    "events": EventListener,
    "shortcuts": ShortcutListener,
    "views": ViewListener,
}
SAMPLE = """
import re
from pathlib import Path
from bot.slack.listeners.contract import *

def run(request, body, responder):
    seen = Path(__file__).with_suffix(".seen")
    seen.write_text((seen.read_text() if seen.exists() else "") + f"{{request.user_id}} from {{request.origin}};")
    return {{"response_action": "errors", "errors": {{"page": "No such page."}}}} if "view" in body else None

LISTENER = {declaration}
"""
SENT_BY_ANA: Json = {"team": {"id": "T1"}, "team_id": "T1", "user": {"id": "U1"}, "trigger_id": "1.2.3"}


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Adds a file to a folder of surfaces; gives the path at which the file says who sent it requests."""

    def planted(package: ModuleType, declaration: str) -> Path:
        file = tmp_path / f"sample_{tmp_path.name}.py"
        file.write_text(SAMPLE.format(declaration=declaration), encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        return file.with_suffix(".seen")

    return planted


@pytest.fixture
def dispatch(store: Store) -> Callable[..., list[str]]:
    """Hands requests to the app; gives the bodies of its acknowledgements."""

    def dispatched(*bodies: Json) -> list[str]:
        with strict_slack() as slack:
            app = BotApp(
                Dispatcher(
                    client=slack_client(token="xoxb-1", api_url=slack.api_url),
                    store=store,
                    clock=SystemClock(),
                    look_up=nobody,
                    poll_every=timedelta(minutes=15),
                    editors=EditorList(everybody=True),
                )
            )
            try:
                answers = [app.bolt.dispatch(BoltRequest(body=body, mode="socket_mode")) for body in bodies]
            finally:
                app.close()
        assert {answer.status for answer in answers} == {200}
        return [answer.body for answer in answers]

    return dispatched


Dispatch = Callable[..., list[str]]


def event(said: Json, event_id: str = "Ev1") -> Json:
    return {"type": "event_callback", "team_id": "T1", "event_id": event_id, "event": said}


def test_every_file_declares_what_its_folder_is_for() -> None:
    folders = {kind: Path(*getattr(listeners, kind).__path__) for kind in KINDS}
    files = [(kind, path.stem) for kind, folder in folders.items() for path in sorted(folder.glob("[!_]*.py"))]
    assert len(files) == len(all_listeners())
    for (kind, _), listener in zip(files, all_listeners(), strict=True):
        assert isinstance(listener, DECLARED[kind])


def test_a_view(plant: Plant, dispatch: Dispatch) -> None:
    before = manifest(socket_mode=True)
    seen = plant(views, 'ViewListener(callback_id="subscribe", run=run, scopes=("users:read",))')
    view = {"type": "modal", "callback_id": "subscribe", "team_id": "T1"}
    (answer,) = dispatch({"type": "view_submission", **SENT_BY_ANA, "view": view})
    assert json.loads(answer) == {"response_action": "errors", "errors": {"page": "No such page."}}
    assert seen.read_text() == "U1 from a form;"
    after = manifest(socket_mode=True)
    assert "users:read" in after["oauth_config"]["scopes"]["bot"]
    assert after["features"] == before["features"]


@pytest.mark.parametrize(
    ("on_message", "sent", "origin"),
    [
        (False, {"type": "shortcut"}, "outside channels"),
        (True, {"type": "message_action", "channel": {"id": "C1"}, "message": {"ts": "1.0"}}, "a channel"),
    ],
)
def test_a_shortcut(plant: Plant, dispatch: Dispatch, on_message: bool, sent: Json, origin: str) -> None:
    assert "shortcuts" not in manifest(socket_mode=True)["features"]
    seen = plant(
        shortcuts,
        f'ShortcutListener(callback_id="likes", name="Likes", description="x", on_message={on_message}, run=run)',
    )
    dispatch({**sent, **SENT_BY_ANA, "callback_id": "likes"})
    assert seen.read_text() == f"U1 from {origin};"
    shortcut = {
        "name": "Likes",
        "type": "message" if on_message else "global",
        "callback_id": "likes",
        "description": "x",
    }
    assert manifest(socket_mode=True)["features"]["shortcuts"] == [shortcut]


def test_app_home(plant: Plant, dispatch: Dispatch) -> None:
    assert manifest(socket_mode=True)["features"]["app_home"]["home_tab_enabled"] is False
    seen = plant(events, 'EventListener(names=("app_home_opened",), scopes=(), run=run)')
    dispatch(event({"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}))
    assert seen.read_text() == "U1 from App Home;"
    made = manifest(socket_mode=True)
    assert made["features"]["app_home"]["home_tab_enabled"] is True
    assert "app_home_opened" in made["settings"]["event_subscriptions"]["bot_events"]


def test_direct_messages(plant: Plant, dispatch: Dispatch) -> None:
    assert manifest(socket_mode=True)["features"]["app_home"]["messages_tab_read_only_enabled"] is True
    seen = plant(events, 'EventListener(names=("message.im",), scopes=("im:history",), run=run)')
    message = {"type": "message", "user": "U1", "text": "hi", "ts": "1.0"}
    dispatch(
        event({**message, "channel": "C1", "channel_type": "channel"}, "Ev1"),
        event({**message, "channel": "D1", "channel_type": "im"}, "Ev2"),
    )
    assert seen.read_text() == "U1 from a direct message;"
    made = manifest(socket_mode=True)
    assert made["features"]["app_home"]["messages_tab_read_only_enabled"] is False
    assert "message.im" in made["settings"]["event_subscriptions"]["bot_events"]
    assert "im:history" in made["oauth_config"]["scopes"]["bot"]


def test_an_action(plant: Plant, dispatch: Dispatch) -> None:
    seen = plant(actions, 'ActionListener(action_id=re.compile("^evidence$"), run=run)')
    pressed = {"type": "block_actions", **SENT_BY_ANA, "channel": {"id": "C1"}}
    dispatch({**pressed, "actions": [{"type": "button", "action_id": "evidence", "block_id": "b", "value": "x"}]})
    assert seen.read_text() == "U1 from a channel;"


def test_a_slash_command(plant: Plant, dispatch: Dispatch) -> None:
    seen = plant(slash_commands, 'SlashCommandListener(name="/sample", description="x", usage_hint="[page]", run=run)')
    typed = {"command": "/sample", "team_id": "T1", "user_id": "U1", "channel_id": "D1", "trigger_id": "1.2.3"}
    dispatch(typed)
    assert seen.read_text() == "U1 from a direct message;"
    names = [one["command"] for one in manifest(socket_mode=True)["features"]["slash_commands"]]
    assert sorted(names) == ["/likes", "/sample", "/trends"]


def test_a_repeated_request_has_one_effect(plant: Plant, dispatch: Dispatch) -> None:
    seen = plant(events, 'EventListener(names=("team_join",), scopes=("users:read",), run=run)')
    dispatch(*[event({"type": "team_join", "user": {"id": "U1"}})] * 3)
    assert seen.read_text() == "U1 from outside channels;"
