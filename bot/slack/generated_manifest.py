"""Make Slack's app manifest from the declared surfaces and commands. A developer pastes it to create the app.

https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bot.errors import ConfigError
from bot.slack import delivery, permissions
from bot.slack.discovery import commands
from bot.slack.listeners.contract import EventListener, ShortcutListener, SlashCommandListener
from bot.slack.listeners.discovery import all_listeners

NAME = "Likewatch"
_DESCRIPTION = "Says who is gaining an audience, and from where"
_LONG_DESCRIPTION = (
    "Likewatch watches the public like and follower counts of the pages that your newsroom cares about. It posts in "
    "your channels when a page passes its rival, or when its new audience comes from abroad. The command /likes "
    "answers with a figure that can be printed, its age, its source and its uncertainty. The command /trends manages "
    "the pages, and the channels that get alerts."
)
_MAX_HINT = 1000


def manifest(*, socket_mode: bool, request_url: str | None = None) -> dict[str, Any]:
    """Return the manifest of an app for Socket Mode, or for HTTP at ``request_url`` (``https://…/slack/events``).

    Raises ConfigError if the app is for HTTP and Slack cannot send to ``request_url``.
    """
    if not socket_mode and not _is_request_url(request_url or ""):
        raise ConfigError(
            f"“{request_url or ''}” is no address that Slack can send to. The address is public, begins with https:// "
            "and ends in /slack/events: https://likewatch.example.org/slack/events"
        )
    listeners = all_listeners()
    slash_commands = [one for one in listeners if isinstance(one, SlashCommandListener)]
    shortcuts = [one for one in listeners if isinstance(one, ShortcutListener)]
    events = sorted(name for one in listeners if isinstance(one, EventListener) for name in one.names)
    scopes = {scope for one in (*listeners, *commands()) for scope in one.scopes}
    scopes |= {*delivery.SCOPES, *permissions.SCOPES}
    url = {} if socket_mode else {"url": request_url}
    with_url = {} if socket_mode else {"request_url": request_url}
    features: dict[str, Any] = {
        "app_home": {
            "home_tab_enabled": "app_home_opened" in events,
            "messages_tab_enabled": True,  # or Slack refuses our direct messages
            "messages_tab_read_only_enabled": "message.im" not in events,
        },
        "bot_user": {"display_name": NAME, "always_online": True},
        "slash_commands": [
            {
                "command": str(one.name),
                "description": one.description,
                "usage_hint": one.usage_hint[:_MAX_HINT],
                "should_escape": False,
                **url,
            }
            for one in slash_commands
        ],
    }
    if shortcuts:
        features["shortcuts"] = [
            {
                "name": one.name,
                "type": "message" if one.on_message else "global",
                "callback_id": one.callback_id,
                "description": one.description,
            }
            for one in shortcuts
        ]
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": _DESCRIPTION,
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1a3b5c",
        },
        "features": features,
        "oauth_config": {"scopes": {"bot": sorted(scopes)}},
        "settings": {
            "event_subscriptions": {"bot_events": events, **with_url},
            "interactivity": {"is_enabled": True, **with_url},
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
