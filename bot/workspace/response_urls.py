"""Response URLs: five answers within thirty minutes of a slash command or a pressed button.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.workspace.model import Message, Refused

MOST_USES = 5
VALID_FOR = timedelta(minutes=30)
MOST_STORED = 10_000


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """What a response URL answers: a pressed button of ``original``, or a typed ``command_line`` (mrkdwn)."""

    channel_id: str
    person_id: str
    issued_at: datetime
    original: Message | None = None
    command_line: str = ""
    uses_left: int = MOST_USES


class ResponseUrls:
    """Every response URL that was issued, by the secret in its path."""

    def __init__(self) -> None:
        self._by_secret: dict[str, ResponseUrl] = {}

    def issue(self, response: ResponseUrl) -> str:
        """Return the secret of a new response URL."""
        secret = secrets.token_urlsafe(18)
        self._by_secret[secret] = response
        while len(self._by_secret) > MOST_STORED:
            del self._by_secret[next(iter(self._by_secret))]
        return secret

    def use(self, secret: str, now: datetime) -> ResponseUrl:
        """Return what this URL answers, and count the use. Raises ``Refused`` as Slack answers: 404 with the reason."""
        response = self._by_secret.get(secret)
        if response is None:
            raise Refused("invalid_url", status=404)
        if now - response.issued_at > VALID_FOR:
            raise Refused("expired_url", status=404)
        if response.uses_left == 0:
            raise Refused("used_url", status=404)
        response.uses_left -= 1
        return response
