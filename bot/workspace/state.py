"""Who is here, which channels there are, what was said: the one place where the workspace changes, and says so."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.clock import Clock
from bot.workspace.ledger import Ledger
from bot.workspace.model import (
    BOT_IS_IN,
    CHANNELS,
    COMMANDS,
    NOT_DELIVERED,
    PEOPLE,
    SLACKBOT,
    USER_GROUPS,
    Change,
    ChangeKind,
    Channel,
    Envelope,
    Member,
    Message,
    Outcome,
    Refused,
    Settled,
    Transport,
    direct_channel,
)
from bot.workspace.script import Script

REMEMBERED = 1000
"""Calls and envelopes that are remembered, for tests; a workspace may run for years."""


class WorkspaceState:
    """Guarded by one lock; every change wakes the listeners and whoever waits for it."""

    def __init__(self, *, clock: Clock, ledger: Ledger, script: Script) -> None:
        self.clock = clock
        self.ledger = ledger
        self.changed = threading.Condition()
        self.people = {person.id: person for person in PEOPLE}
        channels = (*CHANNELS, *map(direct_channel, PEOPLE))
        self.channels = {channel.id: channel for channel in channels}
        self.commands = {command.command: command for command in COMMANDS}
        self.user_groups = dict(USER_GROUPS)
        self.archived: set[str] = set()
        self.envelopes: deque[Envelope] = deque(maxlen=REMEMBERED)
        self.listeners: list[Callable[[Change], None]] = []
        self.connected = False
        self._script = script
        self._transport: Transport | None = None
        self._members = {channel.id for channel in channels if channel.person_id or channel.id in BOT_IS_IN}
        for channel_id, member in ledger.memberships.items():
            (self._members.add if member else self._members.discard)(channel_id)

    def channel(self, name_or_id: str) -> Channel:
        """A channel by id or name; raises ``Refused`` where there is none."""
        for channel in self.channels.values():
            if name_or_id == channel.id or (name_or_id == channel.name and not channel.person_id):
                return channel
        raise Refused("channel_not_found")

    def person(self, name_or_id: str) -> Member:
        """A person by id or name; raises ``Refused`` where there is none."""
        for person in self.people.values():
            if name_or_id in {person.id, person.name}:
                return person
        raise Refused("user_not_found")

    def bot_is_in(self, channel_id: str) -> bool:
        return channel_id in self._members

    def set_membership(self, channel: Channel, *, member: bool) -> None:
        """The bot joins or leaves a channel."""
        with self.changed:
            (self._members.add if member else self._members.discard)(channel.id)
            self.ledger.set_membership(channel.id, member=member)
            self.announce(Change(kind=ChangeKind.CHANNELS))

    def new_message(self, message: Message) -> Message:
        """Store a message under a fresh ts."""
        with self.changed:
            stored = replace(message, ts=self.ledger.new_ts(self.clock.now()))
            self.put(stored)
            return stored

    def put(self, message: Message) -> None:
        with self.changed:
            if message.thread_ts and message.thread_ts != message.ts:
                self._mark_root(message)
            self.ledger.put(message)
            self.announce(Change(kind=ChangeKind.MESSAGE, message=message))

    def remove(self, message: Message) -> None:
        with self.changed:
            self.ledger.remove(message)
            self.announce(Change(kind=ChangeKind.GONE, message=message))

    def note(self, person: Member, channel: Channel, text: str, *, thread_ts: str = "") -> None:
        """A word from the workspace itself, for one person."""
        self.new_message(
            Message(
                channel_id=channel.id,
                ts="",
                user_id=SLACKBOT,
                text=text,
                thread_ts=thread_ts,
                ephemeral_to=person.id,
            )
        )

    def connect(self, transport: Transport | None) -> None:
        """Where envelopes go from now on; ``None``: nowhere."""
        self._transport = transport
        self.set_connected(connected=False)

    def set_connected(self, *, connected: bool) -> None:
        """The bot came or went."""
        with self.changed:
            if self.connected != connected:
                self.connected = connected
                self.announce(Change(kind=ChangeKind.CONNECTION))

    def send(self, envelope: Envelope, settled: Settled) -> None:
        """Send an envelope to the bot; ``settled`` hears what became of it, from any thread."""
        with self.changed:
            self.envelopes.append(envelope)
            self.changed.notify_all()
        if self._transport is None:
            settled(NOT_DELIVERED)
            return
        self._transport(envelope, settled)
        if self._script.take_repeat():
            self._transport(replace(envelope, retry=envelope.retry + 1), _unheard)

    def announce(self, change: Change) -> None:
        for listener in list(self.listeners):
            listener(change)
        self.changed.notify_all()

    def wait_for(self, what: Callable[[], bool], *, timeout: timedelta) -> None:
        """Wait until ``what`` is true, asked again after every change; raises ``TimeoutError``."""
        with self.changed:
            if not self.changed.wait_for(what, timeout.total_seconds()):
                raise TimeoutError(f"It did not happen within {timeout.total_seconds():g} seconds.")

    def seen_by(self, person_id: str) -> list[Message]:
        """Every message that a person may see, oldest first in each channel."""
        with self.changed:
            return [
                message
                for channel in self.channels_of(person_id)
                for message in self.ledger.in_channel(channel.id)
                if message.visible_to(person_id)
            ]

    def channels_of(self, person_id: str) -> list[Channel]:
        """The channels that a person sees: the public ones and their own direct messages."""
        return [channel for channel in self.channels.values() if channel.person_id in {"", person_id}]

    def _mark_root(self, message: Message) -> None:
        root = self.ledger.find(message.channel_id, message.thread_ts)
        if root is not None and not root.thread_ts:
            root = replace(root, thread_ts=root.ts)
            self.ledger.put(root)
            self.announce(Change(kind=ChangeKind.MESSAGE, message=root))


def _unheard(outcome: Outcome) -> None:
    """Nobody waits for what becomes of a repeated envelope."""
