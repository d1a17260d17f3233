"""``/likes help``."""

from __future__ import annotations

from datetime import datetime

from bot.slack.answers.help import help_reply
from bot.slack.contract import Call, Command, Permission, Reply, Slash
from storage.store import Store


def run(_call: Call, _store: Store, _now: datetime) -> Reply:
    """Answer with every command and what it does."""
    return help_reply(Slash.LIKES)


COMMAND = Command(
    slash=Slash.LIKES,
    verbs=("help",),
    usage="/likes help",
    summary="this list",
    permission=Permission.ANYONE,
    run=run,
)
