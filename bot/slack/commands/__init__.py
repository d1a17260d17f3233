"""The commands: one file per verb, found by its ``COMMAND``; and how what a person typed finds its command."""

from __future__ import annotations

import html
import importlib
import pkgutil
import re
from functools import cache

from bot.slack.contract import Command, Slash

_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|[^>]*)?>")


@cache
def commands() -> tuple[Command, ...]:
    """Every command, by slash command and official verb; the one without a verb comes first."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    found: list[Command] = [module.COMMAND for module in modules]
    return tuple(sorted(found, key=lambda command: (command.slash, command.verbs)))


@cache
def _by_verb() -> dict[tuple[Slash, str], Command]:
    return {(command.slash, verb): command for command in commands() for verb in command.verbs}


def find_command(slash: Slash, text: str) -> tuple[Command, str]:
    """What a slash command's text calls, and the text that is left for it.

    The first word decides if it is a verb; all else goes to the slash command's own command (verb "").
    """
    text = " ".join(text.split())
    verb, _, rest = text.partition(" ")
    command = _by_verb().get((slash, verb.casefold()))
    if command is not None and verb:
        return command, rest
    return _by_verb()[slash, ""], text


def query(slash: Slash, text: str) -> str:
    """A slash command as the text of a mention or a button: ``/likes``, ``"hunsen"`` -> ``"likes hunsen"``."""
    return f"{slash.removeprefix('/')} {' '.join(text.split())}".rstrip()


def parse_query(text: str) -> tuple[Slash, str]:
    """What was said to the bot, in a mention or by a button, as a slash command and its text.

    ``"trends list"`` and a bare verb of ``/trends`` are ``/trends``; anything else asks: ``"hunsen"`` is
    ``/likes hunsen``; nothing said is ``/trends help``. The mention itself, the brackets that Slack puts around links
    and its escapes are taken off.
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
