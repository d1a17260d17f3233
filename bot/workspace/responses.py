"""Response URLs: five answers within thirty minutes of a command or a pressed button.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.workspace.model import Message, Refused

USES = 5
LIFE = timedelta(minutes=30)
REMEMBERED = 10_000


@dataclass(slots=True, kw_only=True)
class Response:
    """What a response URL answers to: a pressed button of ``original``, or a typed ``command_line``."""

    channel_id: str
    person_id: str
    issued_at: datetime
    original: Message | None = None
    command_line: str = ""
    uses_left: int = USES


class ResponseUrls:
    """Every response URL given out, by its secret."""

    def __init__(self) -> None:
        self._responses: dict[str, Response] = {}

    def issue(self, response: Response) -> str:
        """The secret of a new response URL."""
        secret = secrets.token_urlsafe(18)
        self._responses[secret] = response
        while len(self._responses) > REMEMBERED:
            del self._responses[next(iter(self._responses))]
        return secret

    def use(self, secret: str, now: datetime) -> Response:
        """What this URL answers to, one use fewer; raises ``Refused`` as Slack answers: 404 with the reason."""
        response = self._responses.get(secret)
        if response is None:
            raise Refused("invalid_url", status=404)
        if now - response.issued_at > LIFE:
            raise Refused("expired_url", status=404)
        if response.uses_left == 0:
            raise Refused("used_url", status=404)
        response.uses_left -= 1
        return response
