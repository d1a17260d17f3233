"""The workspace's values: people, channels, messages, envelopes, and the refusal that every broken rule becomes.

Slack's own documents (blocks, payloads, metadata) stay JSON here. ``block_kit.py`` checks their shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

TEAM_ID, TEAM_NAME, TEAM_DOMAIN = "T0NEWSROOM", "Newsroom", "newsroom"
APP_ID, BOT_ID, BOT_USER_ID, BOT_NAME = "A0LIKEWATCH", "B0LIKEWATCH", "U0LIKEWATCH", "Likewatch"
SLACKBOT = "USLACKBOT"
MOST_RESPONSES = 5
"""Answers that a response URL takes."""
SCOPES = (
    "app_mentions:read,channels:history,channels:read,chat:write,commands,groups:history,groups:read,im:history,im:write,"
    "usergroups:read,users:read"
)


class Refused(Exception):
    """A refusal of Slack's. ``code`` is Slack's error code; ``messages`` say what is wrong, and where.

    ``status`` is the HTTP status; 0 means the usual one: 200 for the Web API, 400 elsewhere. ``retry_after`` is in
    seconds.
    """

    def __init__(self, code: str, *messages: str, status: int = 0, retry_after: int = 0) -> None:
        super().__init__(": ".join([code, "; ".join(messages)] if messages else [code]))
        self.code = code
        self.messages = messages
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the workspace. A visitor of the page can act as any of them."""

    id: str
    name: str
    real_name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, or (``person_id`` set) the direct messages between one person and the bot."""

    id: str
    name: str
    topic: str = ""
    person_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A registered slash command, as the app's manifest declares it. The page suggests ``example``."""

    command: str
    description: str
    usage_hint: str = ""
    example: str = ""
    should_escape: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``ephemeral_to`` is the only person who sees the message; empty: everybody in the channel does."""

    channel_id: str
    user_id: str
    text: str
    ts: str = ""
    blocks: tuple[Json, ...] = ()
    thread_ts: str = ""
    broadcast: bool = False
    metadata: Json | None = None
    edited_ts: str = ""
    ephemeral_to: str = ""

    @property
    def by_bot(self) -> bool:
        return self.user_id == BOT_USER_ID

    @property
    def in_thread(self) -> bool:
        """Return whether the message is a reply, and so is shown in its thread and not in the channel."""
        return bool(self.thread_ts) and self.thread_ts != self.ts and not self.broadcast

    def visible_to(self, person_id: str) -> bool:
        return self.ephemeral_to in {"", person_id}

    def as_slack(self, *, with_metadata: bool = False) -> Json:
        """Return the message as ``conversations.history`` shows it (https://docs.slack.dev/reference/events/message)."""
        shown: Json = {"type": "message", "user": self.user_id, "ts": self.ts, "text": self.text, "team": TEAM_ID}
        if self.by_bot:
            shown |= {"bot_id": BOT_ID, "app_id": APP_ID, "bot_profile": {"id": BOT_ID, "name": BOT_NAME}}
        if self.blocks:
            shown["blocks"] = list(self.blocks)
        if self.thread_ts:
            shown["thread_ts"] = self.thread_ts
        if self.broadcast:
            shown["subtype"] = "thread_broadcast"
        if self.edited_ts:
            shown["edited"] = {"user": self.user_id, "ts": self.edited_ts}
        if self.metadata and with_metadata:
            shown["metadata"] = self.metadata
        return shown


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """An address that answers a pressed button of ``original``, or a typed ``command_line`` (mrkdwn)."""

    channel_id: str
    person_id: str
    issued_at: datetime
    original: Message | None = None
    command_line: str = ""
    uses_left: int = MOST_RESPONSES


class EnvelopeKind(StrEnum):
    """A kind of payload that Slack sends to an app."""

    SLASH_COMMANDS = "slash_commands"
    EVENTS_API = "events_api"
    INTERACTIVE = "interactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One payload for the bot. ``retry`` is 0 for the first delivery, and counts the repeated ones."""

    id: str
    kind: EnvelopeKind
    payload: Json
    retry: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The bot's answer to an envelope (often empty), or Slack's word for the failure."""

    body: Json | None = None
    failure: str = ""


TIMED_OUT = Outcome(failure="operation_timeout")
NOT_DELIVERED = Outcome(failure="dispatch_failed")

OnOutcome: TypeAlias = Callable[[Outcome], None]
Transport: TypeAlias = Callable[[Envelope, OnOutcome], None]


def ignore_outcome(outcome: Outcome) -> None:
    """Do nothing: Slack reports to nobody that an app missed an event."""


class ChangeKind(StrEnum):
    """A part of the page that must be shown anew."""

    MESSAGE = "message"
    GONE = "gone"
    CHANNELS = "channels"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the workspace. ``message`` is set if the change is about one."""

    kind: ChangeKind
    message: Message | None = None


PEOPLE = (
    Member(id="U0ANA00001", name="ana", real_name="Ana", title="Journalist"),
    Member(id="U0DARA0002", name="dara", real_name="Dara", title="Editor"),
    Member(id="U0SOPHEA03", name="sophea", real_name="Sophea", title="Data journalist"),
)
CHANNELS = (
    Channel(id="C0NEWSROOM", name="newsroom", topic="What we are working on"),
    Channel(id="C0POLITICS", name="politics", topic="Parties, candidates, parliaments"),
    Channel(id="C0GENERAL0", name="general", topic="Everybody. Likewatch is not here until somebody invites it"),
)
DIRECT_CHANNELS = tuple(Channel(id=f"D{person.id[1:]}", name=BOT_NAME, person_id=person.id) for person in PEOPLE)
USER_GROUPS = {"S0EDITORS1": ("U0DARA0002",)}
BOT_IS_IN = frozenset({"C0NEWSROOM", "C0POLITICS", *(channel.id for channel in DIRECT_CHANNELS)})
COMMANDS = (
    SlashCommand(
        command="/likes",
        description="Ask for a page's likes, growth and rank",
        usage_hint="[page] [page] [90d]",
        example="/likes hunsen",
    ),
    SlashCommand(
        command="/trends",
        description="Track pages and subscribe this channel to their alerts",
        usage_hint="track|subscribe|unsubscribe|list|help …",
        example="/trends track <url>",
    ),
)
