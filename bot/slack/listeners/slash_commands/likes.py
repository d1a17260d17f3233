"""The slash command ``/likes``."""

from __future__ import annotations

from bot.slack.contract import Slash
from bot.slack.listeners.slash_commands import slash_command

LISTENER = slash_command(Slash.LIKES, "Ask for a page's likes or followers")
