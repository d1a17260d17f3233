"""What a person types becomes what Slack sends: escaped, with names and addresses marked up.

https://docs.slack.dev/messaging/formatting-message-text and, for ``should_escape``,
https://docs.slack.dev/interactivity/implementing-slash-commands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.workspace.model import BOT_NAME, BOT_USER_ID, Channel, Member

_TOKEN = re.compile(
    r"(?P<url>https?://[^\s<>]+)|(?<![\w.])@(?P<user>\w+)|(?<!\w)#(?P<channel>[\w-]+)|(?P<control>[&<>])"
)
_TRAILING = ".,;:!?)'\""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """Plain words as mrkdwn."""
    return "".join(_ESCAPES.get(character, character) for character in text)


class Typed:
    """Turns typed text into mrkdwn, with the workspace's names."""

    def __init__(self, people: Mapping[str, Member], channels: Mapping[str, Channel]) -> None:
        self._users = {person.name: person.id for person in people.values()} | {BOT_NAME.lower(): BOT_USER_ID}
        self._channels = {channel.name: channel.id for channel in channels.values() if not channel.person_id}

    def as_mrkdwn(self, text: str) -> str:
        """A message's text."""
        return _TOKEN.sub(lambda match: self._marked(match, with_name=False), text)

    def as_command_text(self, text: str, *, should_escape: bool) -> str:
        """A slash command's text; ``should_escape`` marks up names and addresses, as the app's manifest chose."""
        return _TOKEN.sub(lambda match: self._marked(match, with_name=True), text) if should_escape else escape(text)

    def _marked(self, match: re.Match[str], *, with_name: bool) -> str:
        if address := match["url"]:
            url = address.rstrip(_TRAILING)
            return f"<{escape(url)}>{escape(address[len(url) :])}"
        if user := self._users.get((match["user"] or "").lower()):
            return f"<@{user}|{match['user'].lower()}>" if with_name else f"<@{user}>"
        if channel := self._channels.get((match["channel"] or "").lower()):
            return f"<#{channel}|{match['channel'].lower()}>"
        return escape(match[0])
