"""A public or private channel is no longer archived."""

from __future__ import annotations

from bot.slack.contract import SlackRequest
from bot.slack.delivery.unreachable_channels import BY_LIKEWATCH
from bot.slack.listeners.contract import EventListener, Json
from bot.slack.responder import Responder


def run(request: SlackRequest, _body: Json, responder: Responder) -> None:
    """Resume the channel's alerts."""
    responder.resume_channel(request, by=request.user_id or BY_LIKEWATCH)


LISTENER = EventListener(
    names=("channel_unarchive", "group_unarchive"), scopes=("channels:read", "groups:read"), run=run
)
