"""Every command obeys the contract: declared, in the help, never rude, and no page's name comes alive in it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.errors import LikewatchError
from bot.platforms.contract import Profile
from bot.slack.contract import Command, Reply, Slash
from bot.slack.discovery import commands, find_command, parse_query, query
from bot.slack.names import UnknownName
from bot.slack.render import block_kit
from handlers.model import Metric
from storage.store import Store
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, ask, call, daily, overtake, watch

ABOUT_ONE_CHANNEL = {"list", "mute", "subscribe", "unmute", "unsubscribe"}
EACH = pytest.mark.parametrize("command", commands(), ids=lambda command: query(command.slash, command.verbs[0]))
HOSTILE = [
    "<!channel>",
    "<@U012AB3CD> <#C012AB3CD|general>",
    "<https://evil.example|Hun Sen>",
    "*Hun* _Sen_ `~`",
    "Hun\nSen\u202e\x00 &lt;!here&gt;",
    "H" * 4000,
]
_ALLOWED = re.compile(
    r"<(!date\^\d+\^\{date_short_pretty\} \{time\}\|[^>]*|https://english\.cambodiadaily\.com/[^>]*)>"
)


def run(command: Command, text: str, store: Store, *, channel: str = "C0NEWSROOM") -> Reply | str:
    """The command's answer, or the sentence of its refusal."""
    asked = call(query(command.slash, f"{command.verbs[0]} {text}"), channel=channel)
    if command.lookup is not None:
        found = Profile(
            platform="facebook",
            native_id="77",
            handle="somebody",
            name=text or "Somebody",
            url="https://www.facebook.com/somebody",
            count=1_000,
            low=1_000,
            high=1_000,
            metric=Metric.LIKES,
        )
        asked = replace(asked, text=f"@somebody {text and 'as hunsen2'}".strip(), profile=found)
    try:
        return command.run(asked, store, NOW)
    except UnknownName as error:
        return error.reply
    except LikewatchError as error:
        return str(error)


@EACH
def test_it_declares_how_it_is_called(command: Command) -> None:
    assert command.usage.startswith(f"{command.slash} {command.verbs[0]}".rstrip())
    assert command.summary
    assert len(command.usage) + len(command.summary) < 250
    assert not command.summary.endswith(".")
    for verb in command.verbs:
        assert verb == verb.casefold()
        assert find_command(command.slash, verb)[0] is command


def test_no_two_commands_share_a_verb() -> None:
    verbs = [(command.slash, verb) for command in commands() for verb in command.verbs]
    assert len(set(verbs)) == len(verbs)
    assert {(slash, "") for slash in Slash} <= set(verbs)


@pytest.mark.parametrize("slash", list(Slash))
def test_help_lists_every_command(slash: Slash, store: Store) -> None:
    shown = blockkit.words(block_kit.blocks(ask(store, query(slash, "help")).card))
    for command in commands():
        assert block_kit.escape(command.usage) in shown
        assert block_kit.escape(command.summary) in shown


@EACH
@pytest.mark.parametrize(
    "text", ["", "hunsen", "hunsen samrainsy", "hunsen overtake", "a b c d e f g h i j k", "{} {0}", "<!here>"]
)
def test_on_an_empty_store_it_answers_or_refuses_in_a_sentence(command: Command, text: str, store: Store) -> None:
    answer = run(command, text, store)
    if isinstance(answer, str):
        assert answer[0].isupper() or answer[0] == "“"
    else:
        assert _faults(answer) == []


@EACH
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_page_name_stays_words(command: Command, name: str, store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000), name=name, held=[(NOW, 9)])
    watch(store, "samrainsy", daily(2_094_800, 100), name=name)
    store.alerts.add([overtake()], at=NOW)
    ask(store, "trends subscribe cambodia")
    ask(store, "trends subscribe hunsen")
    for text in ("", "hunsen", "hunsen samrainsy", "cambodia", name):
        answer = run(command, text, store)
        if isinstance(answer, str):
            continue
        assert _faults(answer) == []
        shown = block_kit.reply_blocks(answer, query(command.slash, text))
        texts = "\n".join([*blockkit.mrkdwn_texts(shown), block_kit.fallback_text(answer.card)])
        assert not blockkit.LIVE.search(_ALLOWED.sub("", texts))
        if answer.notice:
            assert blockkit.LIVE.findall(block_kit.mrkdwn(answer.notice)) == ["@"]


@EACH
def test_every_button_asks_what_a_command_understands(command: Command, store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    for text in ("", "hunsen", "hunsne", "cambodia"):
        answer = run(command, text, store)
        if isinstance(answer, str):
            continue
        for block in block_kit.reply_blocks(answer, query(command.slash, f"{command.verbs[0]} {text}")):
            for element in block.get("elements", []) if block["type"] == "actions" else []:
                for option in element.get("options", [element]):
                    found, _ = find_command(*parse_query(option["value"]))
                    assert found.verbs[0] in option["value"]


@EACH
def test_from_app_home_what_is_about_one_channel_is_refused_in_a_sentence(command: Command, store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    verb = command.verbs[0]
    answer = run(command, "" if verb == "list" else "hunsen", store, channel="")
    refused = isinstance(answer, str) and "Type the command in that channel" in answer
    assert refused == (verb in ABOUT_ONE_CHANNEL)
    assert store.subscriptions.for_channel("T0PAPER", "") == ()
    assert store.subscriptions.muted("T0PAPER", "", "hunsen", NOW) is None


@EACH
def test_every_figure_stands_beside_its_age(command: Command, store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    watch(store, "samrainsy", daily(2_094_800, 100))
    ask(store, "trends subscribe cambodia")
    for text in ("", "hunsen", "hunsen samrainsy", "cambodia"):
        answer = run(command, text, store)
        if isinstance(answer, str):
            continue
        for block in block_kit.blocks(answer.card):
            for line in blockkit.words([block]).split("\n") if block["type"] == "section" else []:
                if "2,108,800" in line or "2,094,800" in line:
                    assert "read 4 minutes ago" in line or " UTC*: " in line, "its age, or when it was news"


@EACH
def test_a_change_is_told_to_the_channel_by_name_and_noted(command: Command, store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    ask(store, "trends subscribe hunsen")
    ask(store, "trends mute hunsen")
    before = len(store.audit.recent())
    answer = run(command, "hunsen", store)
    noted = len(store.audit.recent()) - before
    if isinstance(answer, str) or answer.notice is None:
        assert noted == 0
    else:
        assert noted == 1
        assert block_kit.mrkdwn(answer.notice).startswith("<@U0EDITOR> ")


def _faults(reply: Reply) -> list[str]:
    return blockkit.faults(block_kit.reply_blocks(reply, "likes hunsen"))
