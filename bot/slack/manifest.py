"""Slack's app manifest, generated from the declared commands: paste it, and the app is what this program expects.

https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from bot.errors import ConfigError
from bot.slack.contract import Command, Slash

NAME = "Likewatch"
_DESCRIPTION = "Says who is gaining an audience, and from where"
_LONG_DESCRIPTION = (
    "Likewatch watches the public like and follower counts of the pages your newsroom cares about, and says so in "
    "your channels when a page passes its rival or its new audience comes from abroad. /likes answers with a figure "
    "that can be printed: its count, its age, its source and its uncertainty. /trends manages what is watched and "
    "who is told."
)
_ABOUT = {Slash.LIKES: "Ask for a page's likes or followers", Slash.TRENDS: "Manage pages, alerts and subscriptions"}
_BOT_SCOPES = (
    "app_mentions:read",  # @Likewatch in threads, where Slack takes no slash command
    "channels:history",  # whether an alert arrived before the connection broke
    "channels:read",  # whether the bot is in the channel that subscribes
    "chat:write",  # alerts
    "commands",  # /likes and /trends
    "groups:history",  # the same two in private channels
    "groups:read",
    "im:write",  # telling who subscribed that their channel can no longer be posted in
    "usergroups:read",  # who is an editor, where LIKEWATCH_EDITORS names a user group
)
_BOT_EVENTS = (
    "app_mention",  # @Likewatch in threads
    "channel_unarchive",  # a channel that nothing could be posted in goes on …
    "group_unarchive",
    "member_joined_channel",  # … or the bot is invited again
)
_HINT_LIMIT = 1000


def manifest(commands: Iterable[Command], *, socket_mode: bool, request_url: str | None = None) -> dict[str, Any]:
    """The manifest of an app for Socket Mode, or for HTTP at ``request_url`` (``https://…/slack/events``).

    Raises ConfigError where it is for HTTP and that is no such address.
    """
    if not socket_mode and not _is_request_url(request_url or ""):
        raise ConfigError(
            f"“{request_url or ''}” is no address that Slack can send to. It is public, begins with https:// "
            "and ends in /slack/events: https://likewatch.example.org/slack/events"
        )
    url = {} if socket_mode else {"url": request_url}
    reached = {} if socket_mode else {"request_url": request_url}
    listed = tuple(commands)
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": _DESCRIPTION,
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1a3b5c",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,  # or Slack refuses our direct messages
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "slash_commands": [
                {
                    "command": slash.value,
                    "description": _ABOUT[slash],
                    "usage_hint": _hint(slash, listed),
                    "should_escape": False,
                    **url,
                }
                for slash in Slash
            ],
        },
        "oauth_config": {"scopes": {"bot": list(_BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(_BOT_EVENTS), **reached},
            "interactivity": {"is_enabled": True, **reached},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }


def _is_request_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.path.endswith("/slack/events")


def _hint(slash: Slash, commands: Iterable[Command]) -> str:
    """The verbs, or for ``/likes`` what may follow it, as the message box hints them."""
    usages = [command.usage.removeprefix(slash).strip() for command in commands if command.slash is slash]
    first_words = [usage if usage.startswith("[") else usage.partition(" ")[0] for usage in usages]
    return " | ".join(first_words)[:_HINT_LIMIT]
