from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from bot.errors import ConfigError
from bot.slack.discovery import commands
from bot.slack.generated_manifest import manifest

# Slack's documented limits (https://docs.slack.dev/reference/app-manifest), written down here from that page.
_URL = {"type": "string", "pattern": "^https://"}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _text(longest: int, shortest: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": shortest, "maxLength": longest}


_BOOLEAN = {"type": "boolean"}
SCHEMA = _object(
    {
        "_metadata": _object({"major_version": {"const": 1}, "minor_version": {"type": "integer"}}),
        "display_information": _object(
            {
                "name": _text(35),
                "description": _text(140),
                "long_description": _text(4000, 175),
                "background_color": {"type": "string", "pattern": "^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"},
            },
            "name",
        ),
        "features": _object(
            {
                "app_home": _object(
                    {
                        "home_tab_enabled": _BOOLEAN,
                        "messages_tab_enabled": _BOOLEAN,
                        "messages_tab_read_only_enabled": _BOOLEAN,
                    }
                ),
                "bot_user": _object({"display_name": _text(80), "always_online": _BOOLEAN}, "display_name"),
                "slash_commands": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 50,
                    "items": _object(
                        {
                            "command": {"type": "string", "maxLength": 32, "pattern": "^/[a-z0-9_-]+$"},
                            "description": _text(2000),
                            "usage_hint": _text(1000),
                            "should_escape": _BOOLEAN,
                            "url": _URL,
                        },
                        "command",
                        "description",
                    ),
                },
            }
        ),
        "oauth_config": _object(
            {
                "scopes": _object(
                    {"bot": {"type": "array", "uniqueItems": True, "maxItems": 255, "items": {"type": "string"}}}
                )
            }
        ),
        "settings": _object(
            {
                "event_subscriptions": _object(
                    {"bot_events": {"type": "array", "uniqueItems": True, "maxItems": 100}, "request_url": _URL}
                ),
                "interactivity": _object({"is_enabled": _BOOLEAN, "request_url": _URL}, "is_enabled"),
                "org_deploy_enabled": _BOOLEAN,
                "socket_mode_enabled": _BOOLEAN,
                "token_rotation_enabled": _BOOLEAN,
            }
        ),
    },
    "display_information",
)
ADDRESS = "https://news.example/slack/events"


@pytest.mark.parametrize(("socket_mode", "request_url"), [(True, None), (False, ADDRESS)])
def test_it_is_valid_against_slacks_documented_limits(socket_mode: bool, request_url: str | None) -> None:
    jsonschema.validate(manifest(socket_mode=socket_mode, request_url=request_url), SCHEMA)


def test_socket_mode_needs_no_address() -> None:
    made = manifest(socket_mode=True, request_url=ADDRESS)
    assert ADDRESS not in str(made)
    assert made["settings"]["socket_mode_enabled"] is True


def test_http_gives_slack_the_address_everywhere_it_asks_for_one() -> None:
    made = manifest(socket_mode=False, request_url=ADDRESS)
    assert str(made).count(ADDRESS) == 4
    assert made["settings"]["socket_mode_enabled"] is False


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "notaurl",
        "http://likewatch.example.org/slack/events",
        "https://likewatch.example.org",
        "https:///slack/events",
        "https://[x/slack/events",
    ],
)
def test_an_address_that_slack_cannot_send_to_is_refused(address: str | None) -> None:
    with pytest.raises(ConfigError, match="begins with https:// and ends in /slack/events"):
        manifest(socket_mode=False, request_url=address)


def test_the_hint_names_every_verb() -> None:
    made = manifest(socket_mode=True)
    hints = {one["command"]: one["usage_hint"] for one in made["features"]["slash_commands"]}
    for command in commands():
        verb = command.usage.removeprefix(command.slash).split()[0]
        assert verb in hints[command.slash]


def test_it_asks_for_the_scopes_that_are_used_and_no_more() -> None:
    assert manifest(socket_mode=True)["oauth_config"]["scopes"]["bot"] == [
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "im:write",
        "usergroups:read",
    ]
