"""Slash commands. Each file declares one ``SlashCommandListener``; their verbs are in ``bot/slack/commands/``."""

from __future__ import annotations

from bot.slack.contract import SlackRequest, Slash
from bot.slack.discovery import usage_hint
from bot.slack.listeners.contract import Json, SlashCommandListener
from bot.slack.listeners.payloads import call, typed_text
from bot.slack.responder import Responder


def slash_command(slash: Slash, description: str) -> SlashCommandListener:
    """Return a listener that answers in the acknowledgement, or a moment later if the answer takes long."""

    def run(request: SlackRequest, body: Json, responder: Responder) -> Json | None:
        return responder.answer_at_once(call(request, slash, typed_text(body)))

    return SlashCommandListener(name=slash, description=description, usage_hint=usage_hint(slash), run=run)
