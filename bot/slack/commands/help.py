"""``/trends help``, and every text that ``/trends`` does not understand: the answer names that text first."""

from __future__ import annotations

from bot.slack.answers.help import help_reply
from bot.slack.contract import Command, Permission, Slash

COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("help", ""),
    usage="/trends help",
    summary="this list",
    permission=Permission.ANYONE,
    run=lambda call, _store, _now: help_reply(Slash.TRENDS, misunderstood=call.text),
)
