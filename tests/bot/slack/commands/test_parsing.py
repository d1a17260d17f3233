from __future__ import annotations

import pytest

from bot.slack.contract import Slash
from bot.slack.discovery import commands, find_command, parse_query, query


@pytest.mark.parametrize(
    ("said", "slash", "text"),
    [
        ("<@U0BOT> likes hunsen", Slash.LIKES, "hunsen"),
        ("<@U0BOT> hunsen", Slash.LIKES, "hunsen"),
        ("<@U0BOT|likewatch>   Hun   Sen", Slash.LIKES, "Hun Sen"),
        ("<@U0BOT> trends list", Slash.TRENDS, "list"),
        ("<@U0BOT> /trends list", Slash.TRENDS, "list"),
        ("<@U0BOT> Trends  subscribe hunsen", Slash.TRENDS, "subscribe hunsen"),
        ("<@U0BOT> subscribe hunsen", Slash.TRENDS, "subscribe hunsen"),
        ("<@U0BOT> help", Slash.TRENDS, "help"),
        ("<@U0BOT> likes help", Slash.LIKES, "help"),
        ("<@U0BOT> likes", Slash.LIKES, ""),
        ("<@U0BOT>", Slash.TRENDS, "help"),
        ("", Slash.TRENDS, "help"),
        ("hey <@U0BOT>", Slash.LIKES, "hey"),
        (
            "<@U0BOT> trends track <https://www.facebook.com/hunsen?a=1&amp;b=2|facebook.com/hunsen> as x",
            Slash.TRENDS,
            "track https://www.facebook.com/hunsen?a=1&b=2 as x",
        ),
        ("trends mute hunsen 1d", Slash.TRENDS, "mute hunsen 1d"),
    ],
)
def test_a_mention_is_the_same_as_the_slash_command(said: str, slash: Slash, text: str) -> None:
    assert parse_query(said) == (slash, text)


@pytest.mark.parametrize(
    ("slash", "text", "verb", "rest"),
    [
        (Slash.LIKES, "", "", ""),
        (Slash.LIKES, "hunsen  samrainsy", "", "hunsen samrainsy"),
        (Slash.LIKES, "help", "help", ""),
        (Slash.TRENDS, "", "help", ""),
        (Slash.TRENDS, "HELP", "help", ""),
        (Slash.TRENDS, "mute hunsen 1d", "mute", "hunsen 1d"),
        (Slash.TRENDS, "List features", "list", "features"),
        (Slash.TRENDS, "trak x", "help", "trak x"),
    ],
)
def test_the_first_word_finds_the_command(slash: Slash, text: str, verb: str, rest: str) -> None:
    command, left = find_command(slash, text)
    assert (command.slash, command.verbs[0], left) == (slash, verb, rest)


def test_what_a_button_asks_is_parsed_back() -> None:
    for command in commands():
        text = f"{command.verbs[0]} hunsen".strip()
        assert parse_query(query(command.slash, text)) == (command.slash, text)
