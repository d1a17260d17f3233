"""The local workspace: a strict stand-in for the Slack APIs that the bot uses, with a page to see and use it.

It shares no code with the bot or with Slack's packages, so a client cannot tell the workspace from Slack.

- Bot's side: ``web_api.py`` (dispatch), ``chat.py``, ``conversations.py``, ``block_kit.py``, ``socket_mode.py``,
  ``response_urls.py``
- People's side: ``people.py``, ``page_server.py``, ``page/`` (HTML and JavaScript)
- Between the two: ``workspace.py``, ``messages.py``, ``model.py``; ``server.py`` puts everything on the wire
"""

from bot.workspace.model import Message, SlashCommand
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace

__all__ = ["Message", "SlashCommand", "Workspace", "WorkspaceServer"]
