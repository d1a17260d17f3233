"""Editors over the wire: named one by one or as a user group, asked of Slack, remembered for a while."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config.editors import EditorList, parse_editors
from bot.errors import LikewatchError
from bot.slack.client import slack_client
from bot.slack.contract import Call, Slash
from bot.slack.discovery import find_command
from bot.slack.permissions import FRESH, PermissionChecker, check_groups
from tests.labs.standins.clock import HandClock
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.slack_faults import DROP_BEFORE, SERVER_ERROR, PlannedFault, refuse, throttle
from tests.labs.standins.slacked import Newsroom, newsroom, served

ANA, DARA = "U0ANA00001", "U0DARA0002"
GROUP = "S0EDITORS1"
UNTRACK, _ = find_command(Slash.TRENDS, "untrack hunsen")


def room(folder: Path, editors: EditorList, *, over_http: bool = False) -> AbstractContextManager[Newsroom]:
    return newsroom(folder, over_http=over_http, editors=editors)


@pytest.mark.parametrize(
    ("text", "editors"),
    [
        ("everybody", EditorList(everybody=True)),
        ("U012AB3CD", EditorList(people=frozenset({"U012AB3CD"}))),
        ("U012AB3CD, W34 S0614TZR7", EditorList(people=frozenset({"U012AB3CD", "W34"}), groups=("S0614TZR7",))),
    ],
)
def test_editors_are_named_by_their_ids(text: str, editors: EditorList) -> None:
    assert parse_editors(text) == editors


@pytest.mark.parametrize("text", ["ana", "@ana", "U012AB3CD, dara", "everybody U012AB3CD", "u012ab3cd", ","])
def test_what_is_no_id_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="Copy member ID"):
        parse_editors(text)


@pytest.mark.parametrize("over_http", [False, True], ids=["socket mode", "http"])
def test_an_outsider_untracks_nothing_by_command_mention_or_button(tmp_path: Path, over_http: bool) -> None:
    with room(tmp_path, EditorList(people=frozenset({DARA})), over_http=over_http) as here:
        here.track("hunsen")
        here.workspace.say("ana", "newsroom", "/trends untrack hunsen")
        refusal = here.workspace.wait_for_message("newsroom", "Only editors may use /trends untrack", person="ana")
        assert refusal.ephemeral_to == ANA
        here.workspace.say("ana", "newsroom", "@Likewatch trends untrack hunsen")
        here.workspace.wait_for(lambda: len(refused(here)) == 2)
        button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "ask.0"}
        blocks = [{"type": "actions", "elements": [{**button, "value": "trends untrack hunsen"}]}]
        here.app.bolt.client.chat_postMessage(channel="C0NEWSROOM", text="a button", blocks=blocks)
        message = here.workspace.wait_for_message("newsroom", "a button")
        here.workspace.press("ana", message, action_id="ask.0")
        here.workspace.wait_for(lambda: len(refused(here)) == 3)
        assert here.store.pages.get("hunsen") is not None
        here.workspace.press("dara", message, action_id="ask.0")
        here.workspace.wait_for_message("newsroom", f"<@{DARA}> stopped watching hunsen", person="ana")
        assert [entry.action for entry in here.store.audit.recent()] == ["untrack", "refused", "refused", "refused"]


def refused(here: Newsroom) -> list[str]:
    return [
        message.text
        for message in here.workspace.messages("newsroom", person="ana")
        if message.text.startswith("Only editors")
    ]


def test_anyone_may_ask_and_subscribe_their_own_channel(tmp_path: Path) -> None:
    with room(tmp_path, EditorList()) as here:
        here.track("hunsen")
        here.workspace.say("ana", "newsroom", "/likes hunsen")
        here.workspace.wait_for_message("newsroom", "Hunsen", person="ana")
        here.workspace.say("ana", "newsroom", "/trends subscribe hunsen")
        here.workspace.wait_for_message("newsroom", f"<@{ANA}> subscribed this channel", person="dara")


def test_where_nobody_is_named_the_refusal_says_what_to_set_and_to_what(tmp_path: Path) -> None:
    with room(tmp_path, EditorList()) as here:
        here.track("hunsen")
        here.workspace.say("ana", "newsroom", "/trends mute hunsen")
        here.workspace.wait_for_message(
            "newsroom", f"sets LIKEWATCH_EDITORS to the ids of the editors (yours is {ANA})"
        )


def test_a_member_of_the_user_group_is_an_editor(tmp_path: Path) -> None:
    with room(tmp_path, EditorList(groups=(GROUP,))) as here:
        here.track("hunsen")
        here.workspace.say("ana", "newsroom", "/trends mute hunsen")
        here.workspace.wait_for_message("newsroom", "Only editors may use /trends mute in a channel", person="ana")
        here.workspace.say("dara", "newsroom", "/trends mute hunsen")
        here.workspace.wait_for_message("newsroom", f"<@{DARA}> muted hunsen here", person="ana")
        assert len([call for call in here.workspace.calls if call.method == "usergroups.users.list"]) == 1


class Asked:
    """The permission of one person, by a clock of our own."""

    def __init__(self, server: InstrumentedServer) -> None:
        self.clock = HandClock(datetime(2026, 11, 24, tzinfo=UTC))
        self.workspace = server.workspace
        client = slack_client(token=server.bot_token, api_url=server.api_url)
        self._permission = PermissionChecker(client=client, editors=EditorList(groups=(GROUP,)), clock=self.clock)

    def refusal(self, person: str) -> str:
        call = Call(slash=Slash.TRENDS, text="hunsen", team_id="T", channel_id="C", user_id=person)
        return self._permission.refusal(UNTRACK, call)

    def takes_long(self, person: str) -> bool:
        call = Call(slash=Slash.TRENDS, text="hunsen", team_id="T", channel_id="C", user_id=person)
        return self._permission.must_ask_slack(UNTRACK, call)


def test_who_joins_or_leaves_the_group_is_known_within_five_minutes() -> None:
    with served(InstrumentedWorkspace()) as server:
        asked = Asked(server)
        assert asked.takes_long(DARA)
        assert (asked.refusal(DARA), bool(asked.refusal(ANA))) == ("", True)
        assert not asked.takes_long(DARA)
        asked.workspace.user_groups[GROUP] = (ANA,)
        assert asked.refusal(DARA) == ""
        asked.clock.move(FRESH)
        assert (bool(asked.refusal(DARA)), asked.refusal(ANA)) == (True, "")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refuse("missing_scope"), "lacks a permission"),
        (refuse("no_such_subteam"), "Slack knows no user group S0EDITORS1"),
        (refuse("plan_upgrade_required"), "Slack knows no user group S0EDITORS1"),
        (throttle(30), "wait 30 s"),
        (SERVER_ERROR, "Slack did not answer"),
    ],
)
def test_while_the_group_cannot_be_read_nobody_of_it_is_let_in(fault: PlannedFault, says: str) -> None:
    with served(InstrumentedWorkspace()) as server:
        asked = Asked(server)
        asked.workspace.faults.next("usergroups.users.list", fault)
        refusal = asked.refusal(DARA)
        assert says in refusal
        assert "nothing was changed" in refusal
        assert asked.refusal(DARA) == "", "and once it can be read, they are"


@pytest.mark.parametrize("fault", [throttle(30), SERVER_ERROR, DROP_BEFORE])
def test_while_slack_does_not_answer_the_members_of_the_last_time_are_let_in(fault: PlannedFault) -> None:
    with served(InstrumentedWorkspace()) as server:
        asked = Asked(server)
        assert asked.refusal(DARA) == ""
        asked.clock.move(FRESH + timedelta(seconds=1))
        asked.workspace.faults.next("usergroups.users.list", fault, fault)
        assert asked.refusal(DARA) == ""
        assert asked.refusal(ANA)


def test_a_group_that_is_gone_lets_nobody_in_any_more() -> None:
    with served(InstrumentedWorkspace()) as server:
        asked = Asked(server)
        assert asked.refusal(DARA) == ""
        asked.clock.move(FRESH)
        del asked.workspace.user_groups[GROUP]
        assert "knows no user group" in asked.refusal(DARA)


def test_the_doctor_hears_of_a_group_that_cannot_be_read() -> None:
    with served(InstrumentedWorkspace()) as server:
        client = slack_client(token=server.bot_token, api_url=server.api_url)
        check_groups(client, EditorList(groups=(GROUP,)))
        with pytest.raises(LikewatchError, match="S0NOBODY"):
            check_groups(client, EditorList(groups=(GROUP, "S0NOBODY")))
