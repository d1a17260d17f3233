"""The slash command ``/trends``."""

from __future__ import annotations

from bot.slack.contract import SlackRequest, Slash
from bot.slack.discovery import usage_hint
from bot.slack.listeners.contract import Json, SlashCommandListener
from bot.slack.listeners.payloads import call, typed_text
from bot.slack.responder import Responder


def run(request: SlackRequest, body: Json, responder: Responder) -> Json | None:
    """Answer in the acknowledgement, or a moment later if the answer takes long."""
    return responder.answer_at_once(call(request, Slash.TRENDS, typed_text(body)))


LISTENER = SlashCommandListener(
    name=Slash.TRENDS,
    description="Manage pages, alerts and subscriptions",
    usage_hint=usage_hint(Slash.TRENDS),
    run=run,
)
