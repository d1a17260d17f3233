"""The slash command ``/trends``."""

from __future__ import annotations

from bot.slack.contract import Slash
from bot.slack.listeners.slash_commands import slash_command

LISTENER = slash_command(Slash.TRENDS, "Manage pages, alerts and subscriptions")
