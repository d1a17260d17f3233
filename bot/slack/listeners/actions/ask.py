"""A button or menu that asks something, as if the person had typed it. *Share to channel* asks the same again."""

from __future__ import annotations

import re

from bot.slack.contract import SlackRequest
from bot.slack.listeners.contract import ActionListener, Json
from bot.slack.listeners.payloads import call, pressed_query
from bot.slack.render.block_kit import Press
from bot.slack.responder import Responder


def run(request: SlackRequest, body: Json, responder: Responder) -> None:
    """Answer the person who pressed, or everybody in the channel if the button shares."""
    share = body["actions"][0]["action_id"].startswith(Press.SHARE)
    responder.answer_later(call(request, *pressed_query(body)), share=share)


LISTENER = ActionListener(action_id=re.compile(rf"^({Press.ASK}|{Press.SHARE})\.\d+$"), run=run)
