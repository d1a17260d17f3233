"""Discovery: find the commands, one file for each verb, and the command that a typed text calls."""

from __future__ import annotations

import html
import importlib
import pkgutil
import re
from functools import cache

import bot.slack.commands
from bot.slack.contract import Command, Slash

_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|[^>]*)?>")


@cache
def commands() -> tuple[Command, ...]:
    """Return every command, by slash command and official verb. A command without a verb comes first."""
    modules = (
        importlib.import_module(f"bot.slack.commands.{module.name}")
        for module in pkgutil.iter_modules(bot.slack.commands.__path__)
    )
    declared: list[Command] = [module.COMMAND for module in modules]
    return tuple(sorted(declared, key=lambda command: (command.slash, command.verbs)))


@cache
def _by_verb() -> dict[tuple[Slash, str], Command]:
    return {(command.slash, verb): command for command in commands() for verb in command.verbs}


def find_command(slash: Slash, text: str) -> tuple[Command, str]:
    """Return the command that a slash command's text calls, and the text that is left for it.

    If the first word is no verb, all of the text is for the command without a verb.
    """
    text = " ".join(text.split())
    verb, _, rest = text.partition(" ")
    command = _by_verb().get((slash, verb.casefold()))
    if command is not None and verb:
        return command, rest
    return _by_verb()[slash, ""], text


def query(slash: Slash, text: str) -> str:
    """Return a slash command as the text of a mention or a button: ``/likes``, ``"hunsen"`` -> ``"likes hunsen"``."""
    return f"{slash.removeprefix('/')} {' '.join(text.split())}".rstrip()


def parse_query(text: str) -> tuple[Slash, str]:
    """Return the slash command, and the text after it, that a mention or a button's query means.

    | query                                | means              |
    |--------------------------------------|--------------------|
    | "trends list", "list"                | ``/trends list``   |
    | "hunsen", "likes hunsen"             | ``/likes hunsen``  |
    | "", or the mention alone             | ``/trends help``   |

    The mention, Slack's brackets around links and Slack's escapes are taken off.
    """
    text = html.unescape(_LINK.sub(r"\1", _MENTION.sub(" ", text, count=1)))
    first, _, rest = " ".join(text.split()).partition(" ")
    word = first.casefold().removeprefix("/")
    for slash in Slash:
        if word == slash.removeprefix("/"):
            return slash, rest
    if not word:
        return Slash.TRENDS, "help"
    if (Slash.TRENDS, word) in _by_verb():
        return Slash.TRENDS, f"{word} {rest}".rstrip()
    return Slash.LIKES, f"{first} {rest}".rstrip()


def usage_hint(slash: Slash) -> str:
    """Return what Slack's message box shows after the slash command: its verbs, or what may follow ``/likes``."""
    usages = [command.usage.removeprefix(slash).strip() for command in commands() if command.slash is slash]
    return " | ".join(usage if usage.startswith("[") else usage.partition(" ")[0] for usage in usages)
