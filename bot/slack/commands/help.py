"""``/trends help``, and every text that ``/trends`` does not understand."""

from __future__ import annotations

from datetime import datetime

from bot.slack.answers.help import help_reply
from bot.slack.contract import Call, Command, Permission, Reply, Slash
from storage.store import Store


def run(call: Call, _store: Store, _now: datetime) -> Reply:
    """Answer with every command and what it does. A text that was not understood is named first."""
    return help_reply(Slash.TRENDS, misunderstood=call.text)


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("help", ""),
    usage="/trends help",
    summary="this list",
    permission=Permission.ANYONE,
    run=run,
)
