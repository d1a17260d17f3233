"""A mention of the bot: the way to ask in threads, where Slack takes no slash command."""

from __future__ import annotations

from bot.slack.contract import SlackRequest
from bot.slack.discovery import parse_query
from bot.slack.listeners.contract import EventListener, Json
from bot.slack.listeners.payloads import call
from bot.slack.responder import Responder


def run(request: SlackRequest, body: Json, responder: Responder) -> None:
    """Answer a person; other bots get no answer, or two bots could talk for ever."""
    event = body["event"]
    if request.user_id and "bot_id" not in event:
        responder.answer_later(call(request, *parse_query(event.get("text", ""))))


LISTENER = EventListener(names=("app_mention",), scopes=("app_mentions:read",), run=run)
