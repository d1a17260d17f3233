"""The bot is invited to a channel, perhaps again after it was removed."""

from __future__ import annotations

from bot.slack.contract import SlackRequest
from bot.slack.delivery.unreachable_channels import BY_LIKEWATCH
from bot.slack.listeners.contract import EventListener, Json
from bot.slack.responder import Responder


def run(request: SlackRequest, body: Json, responder: Responder) -> None:
    """Resume the channel's alerts. Slack sends this event for every new member, so most are not about the bot."""
    if request.user_id == request.bot_user_id:
        responder.resume_channel(request, by=body["event"].get("inviter", BY_LIKEWATCH))


LISTENER = EventListener(names=("member_joined_channel",), scopes=("channels:read", "groups:read"), run=run)
