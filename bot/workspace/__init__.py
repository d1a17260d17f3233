"""The local workspace: a strict stand-in for the Slack APIs that the bot uses, with a page to see and use it.

It shares no code with the bot or with Slack's packages: whatever talks to it cannot tell it from Slack.
"""

from bot.workspace.model import Message, SlashCommand
from bot.workspace.script import DROP_AFTER, DROP_BEFORE, SERVER_ERROR, delay, refuse, throttle
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace

__all__ = [
    "DROP_AFTER",
    "DROP_BEFORE",
    "SERVER_ERROR",
    "Message",
    "SlashCommand",
    "Workspace",
    "WorkspaceServer",
    "delay",
    "refuse",
    "throttle",
]
