"""The payloads that Slack sends to an app, field by field.

- Slash commands: https://docs.slack.dev/interactivity/implementing-slash-commands
- Block actions: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
- Events: https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import secrets
import uuid

from bot.workspace.model import (
    APP_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    Envelope,
    EnvelopeKind,
    Json,
    Member,
    Message,
)

_VERIFICATION_TOKEN = "local"  # noqa: S105 (deprecated by Slack, checked by nobody)


def slash_command(*, command: str, text: str, person: Member, channel: Channel, response_url: str) -> Envelope:
    """Return the envelope of a typed slash command."""
    return _envelope(
        EnvelopeKind.SLASH_COMMANDS,
        {
            "token": _VERIFICATION_TOKEN,
            "team_id": TEAM_ID,
            "team_domain": TEAM_DOMAIN,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.person_id else channel.name,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": _trigger_id(),
        },
    )


def app_mention(message: Message) -> Envelope:
    """Return the envelope of a message that mentions the bot."""
    event: Json = {
        "type": "app_mention",
        "user": message.user_id,
        "text": message.text,
        "ts": message.ts,
        "team": TEAM_ID,
        "channel": message.channel_id,
        "event_ts": message.ts,
    }
    if message.thread_ts:
        event["thread_ts"] = message.thread_ts
    return event_callback(event)


def bot_joined(channel: Channel, *, inviter: Member | None, event_ts: str) -> Envelope:
    """Return the envelope of the bot's joining (https://docs.slack.dev/reference/events/member_joined_channel)."""
    event: Json = {
        "type": "member_joined_channel",
        "user": BOT_USER_ID,
        "channel": channel.id,
        "channel_type": "C",
        "team": TEAM_ID,
        "event_ts": event_ts,
    }
    if inviter is not None:
        event["inviter"] = inviter.id
    return event_callback(event)


def event_callback(event: Json) -> Envelope:
    """Return the envelope of an event of the Events API."""
    return _envelope(
        EnvelopeKind.EVENTS_API,
        {
            "token": _VERIFICATION_TOKEN,
            "team_id": TEAM_ID,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(float(event["event_ts"])),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM_ID,
                    "user_id": BOT_USER_ID,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": secrets.token_urlsafe(24),
        },
    )


def block_action(
    *,
    message: Message,
    block_id: str,
    element: Json,
    option: Json | None,
    person: Member,
    channel: Channel,
    response_url: str,
    action_ts: str,
) -> Envelope:
    """Return the envelope of a pressed button, or of a chosen ``option`` of a select or an overflow menu."""
    ephemeral = bool(message.ephemeral_to)
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    action = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id, "action_ts": action_ts}
    action |= {name: element[name] for name in ("text", "value", "style", "placeholder") if name in element}
    state: Json = {}
    if option is not None:
        action["selected_option"] = option
        if element["type"] == "static_select":
            chosen = {"type": element["type"], "selected_option": option}
            state = {block_id: {element["action_id"]: chosen}}
    payload: Json = {
        "type": "block_actions",
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": _VERIFICATION_TOKEN,
        "container": container,
        "trigger_id": _trigger_id(),
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": "directmessage" if channel.person_id else channel.name},
        "state": {"values": state},
        "response_url": response_url,
        "actions": [action],
    }
    if not ephemeral:  # Slack leaves out a message that only one person sees
        payload["message"] = message.as_slack()
    return _envelope(EnvelopeKind.INTERACTIVE, payload)


def _envelope(kind: EnvelopeKind, payload: Json) -> Envelope:
    return Envelope(id=str(uuid.uuid4()), kind=kind, payload=payload)


def _trigger_id() -> str:
    return f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
