"""The workspace: one newsroom's Slack in memory. Everything that changes in it changes here."""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.clock import Clock, SystemClock
from bot.workspace.messages import MessageStore
from bot.workspace.model import (
    BOT_IS_IN,
    CHANNELS,
    COMMANDS,
    DIRECT_CHANNELS,
    NOT_DELIVERED,
    PEOPLE,
    SLACKBOT,
    USER_GROUPS,
    Change,
    ChangeKind,
    Channel,
    Envelope,
    Json,
    Member,
    Message,
    OnOutcome,
    Refused,
    ResponseUrl,
    SlashCommand,
    Transport,
)

POSTS_PER_SECOND = 1.0
BURST = 5.0
"""Posts that a channel takes at once. Slack does not publish the number; this one is small, to be strict."""


class Workspace:
    """People, channels and messages, without a network. ``WorkspaceServer`` serves a workspace.

    ``people.py`` is what people do here, ``web_api.py`` what the bot does.

    - ``journal``: a file that saves the channels over a restart. Raises ``ConfigError`` if it cannot be used.
    - ``commands``: the registered slash commands by name ("/likes").
    - ``lock``: hold it around steps that belong together.
    - ``listeners``: functions that are called with each change, under the lock.
    """

    def __init__(self, *, clock: Clock | None = None, journal: Path | None = None) -> None:
        self.clock = clock or SystemClock()
        self.lock = threading.RLock()
        self.store = MessageStore(journal)
        self.people = {person.id: person for person in PEOPLE}
        self.channels = {channel.id: channel for channel in (*CHANNELS, *DIRECT_CHANNELS)}
        self.commands = {command.command: command for command in COMMANDS}
        self.user_groups = dict(USER_GROUPS)
        self.archived: set[str] = set()
        self.listeners: list[Callable[[Change], None]] = []
        self.connected = False
        self.bot_token = f"xoxb-local-{secrets.token_hex(12)}"
        self.app_token = f"xapp-local-{secrets.token_hex(12)}"
        self.response_urls: dict[str, ResponseUrl] = {}
        self.base_url = "http://127.0.0.1/"
        self.open_connection: Callable[[], str] = _not_served
        self._transport: Transport | None = None
        self._post_allowances: dict[str, tuple[float, float]] = {}

    def install(self, manifest: Json) -> None:
        """Register the slash commands of an app's manifest, as installing the app does. Their examples stay."""
        for declared in manifest["features"]["slash_commands"]:
            before = self.commands.get(declared["command"])
            self.commands[declared["command"]] = SlashCommand(
                command=declared["command"],
                description=declared["description"],
                usage_hint=declared["usage_hint"],
                should_escape=declared["should_escape"],
                example=before.example if before else "",
            )

    def channel(self, name_or_id: str) -> Channel:
        """Return a channel by id or name. Raises ``Refused`` if there is none."""
        for channel in self.channels.values():
            if name_or_id == channel.id or (name_or_id == channel.name and not channel.person_id):
                return channel
        raise Refused("channel_not_found")

    def person(self, name_or_id: str) -> Member:
        """Return a person by id or name. Raises ``Refused`` if there is none."""
        for person in self.people.values():
            if name_or_id in {person.id, person.name}:
                return person
        raise Refused("user_not_found")

    def bot_is_in(self, channel_id: str) -> bool:
        return self.store.memberships.get(channel_id, channel_id in BOT_IS_IN)

    def channels_of(self, person_id: str) -> list[Channel]:
        """Return the channels that a person sees: the public ones and their own direct messages."""
        return [channel for channel in self.channels.values() if channel.person_id in {"", person_id}]

    def seen_by(self, person_id: str) -> list[Message]:
        """Return every message that a person may see, oldest first in each channel."""
        with self.lock:
            return [
                message
                for channel in self.channels_of(person_id)
                for message in self.store.in_channel(channel.id)
                if message.visible_to(person_id)
            ]

    def new_ts(self) -> str:
        return self.store.new_ts(self.clock.now())

    def post(self, message: Message) -> Message:
        """Store a message under a new ts, and return it."""
        with self.lock:
            stored = replace(message, ts=self.new_ts())
            root = self.store.find(message.channel_id, message.thread_ts)
            if root is not None and not root.thread_ts:  # the first reply: the root becomes a thread
                self.put(replace(root, thread_ts=root.ts))
            self.put(stored)
            return stored

    def put(self, message: Message) -> None:
        """Store the new state of a message."""
        with self.lock:
            self.store.put(message)
            self.announce(Change(kind=ChangeKind.MESSAGE, message=message))

    def delete(self, message: Message) -> None:
        with self.lock:
            self.store.remove(message)
            self.announce(Change(kind=ChangeKind.GONE, message=message))

    def notify(self, person: Member, channel: Channel, text: str, *, thread_ts: str = "") -> None:
        """Post a sentence from the workspace itself, which only one person sees."""
        self.post(
            Message(channel_id=channel.id, user_id=SLACKBOT, text=text, thread_ts=thread_ts, ephemeral_to=person.id)
        )

    def set_membership(self, channel: Channel, *, member: bool) -> None:
        """Let the bot join or leave a channel."""
        with self.lock:
            self.store.set_membership(channel.id, member=member)
            self.announce(Change(kind=ChangeKind.CHANNELS))

    def spend_post(self, channel_id: str) -> None:
        """Count one post against the channel's limit: one a second, after a burst. Raises ``Refused`` 429 above it.

        https://docs.slack.dev/apis/web-api/rate-limits
        """
        now = self.clock.monotonic()
        left, at = self._post_allowances.get(channel_id, (BURST, now))
        left = min(BURST, left + (now - at) * POSTS_PER_SECOND)
        if left < 1:
            raise Refused("ratelimited", status=429, retry_after=math.ceil((1 - left) / POSTS_PER_SECOND))
        self._post_allowances[channel_id] = (left - 1, now)

    def connect(self, transport: Transport | None) -> None:
        """Send envelopes this way from now on; ``None``: they go nowhere."""
        self._transport = transport
        self.set_connected(connected=False)

    def set_connected(self, *, connected: bool) -> None:
        """Record that the bot connected or disconnected."""
        with self.lock:
            if self.connected != connected:
                self.connected = connected
                self.announce(Change(kind=ChangeKind.CONNECTION))

    def send(self, envelope: Envelope, on_outcome: OnOutcome) -> None:
        """Send an envelope to the bot. ``on_outcome`` is called with what became of it, from any thread."""
        if self._transport is None:
            on_outcome(NOT_DELIVERED)
        else:
            self._transport(envelope, on_outcome)

    def announce(self, change: Change) -> None:
        """Call every listener with a change."""
        for listener in list(self.listeners):
            listener(change)


def _not_served() -> str:
    raise Refused("internal_error", "[ERROR] this workspace is not served, so there is no Socket Mode address")
