"""``/likes help``: every command and what it does."""

from __future__ import annotations

from bot.slack.answers.help import help_reply
from bot.slack.contract import Command, Permission, Slash

COMMAND = Command(
    slash=Slash.LIKES,
    verbs=("help",),
    usage="/likes help",
    summary="this list",
    permission=Permission.ANYONE,
    run=lambda _call, _store, _now: help_reply(Slash.LIKES),
)
