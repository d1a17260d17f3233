"""The button *Share to channel*."""

from __future__ import annotations

import re

from bot.slack.contract import SlackRequest
from bot.slack.listeners.contract import ActionListener, Json
from bot.slack.listeners.payloads import call, pressed_query
from bot.slack.render.block_kit import Press
from bot.slack.responder import Responder


def run(request: SlackRequest, body: Json, responder: Responder) -> None:
    """Ask the same again, and show the answer to everybody in the channel."""
    responder.answer_later(call(request, *pressed_query(body)), share=True)


LISTENER = ActionListener(action_id=re.compile(rf"^{Press.SHARE}\.\d+$"), run=run)
