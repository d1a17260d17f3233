"""The workspace: one newsroom's Slack, in memory, with the doors that tests and the server use."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.clock import Clock, SystemClock
from bot.workspace.acting import Acting
from bot.workspace.journal import Journal
from bot.workspace.ledger import Ledger
from bot.workspace.model import ApiCall, Envelope, Json, Message, Refused, SlashCommand
from bot.workspace.pacing import SlowReading
from bot.workspace.posting import Posting
from bot.workspace.script import Script
from bot.workspace.state import REMEMBERED, WorkspaceState

PATIENCE = timedelta(seconds=10)


class Workspace:
    """State and rules, without a network. ``WorkspaceServer`` puts it on the wire.

    >>> workspace = Workspace()
    >>> workspace.say("ana", "newsroom", "Good morning")
    >>> [message.text for message in workspace.messages("newsroom")]
    ['Good morning']

    ``commands`` are the registered slash commands by name ("/likes"): add to it or replace what is there.
    ``script`` says what the next Web API calls meet; ``calls`` are the calls so far, ``envelopes`` what was sent to the
    bot. ``journal`` is a file that keeps the channels over a restart. Raises ``ConfigError`` for a file that is none.
    """

    def __init__(self, *, clock: Clock | None = None, journal: Path | None = None) -> None:
        ledger = Ledger(Journal(journal) if journal else None)
        self.script = Script()
        self.state = WorkspaceState(clock=clock or SystemClock(), ledger=ledger, script=self.script)
        self.posting = Posting(self.state)
        self.acting = Acting(self.state)
        self.reading = SlowReading()
        self.calls: deque[ApiCall] = deque(maxlen=REMEMBERED)
        self.bot_token = f"xoxb-local-{secrets.token_hex(12)}"
        self.app_token = f"xapp-local-{secrets.token_hex(12)}"
        self.signing_secret = secrets.token_hex(16)
        self.open_connection: Callable[[], str] = _not_served

    @property
    def commands(self) -> dict[str, SlashCommand]:
        return self.state.commands

    def install(self, manifest: Json) -> None:
        """Register the slash commands of an app's manifest, as installing the app does; their examples stay."""
        for one in manifest["features"]["slash_commands"]:
            known = self.commands.get(one["command"])
            self.commands[one["command"]] = SlashCommand(
                command=one["command"],
                description=one["description"],
                usage_hint=one["usage_hint"],
                should_escape=one["should_escape"],
                example=known.example if known else "",
            )

    @property
    def envelopes(self) -> list[Envelope]:
        return list(self.state.envelopes)

    @property
    def connected(self) -> bool:
        """Whether a bot is connected."""
        return self.state.connected

    def say(self, person: str, channel: str, text: str, *, thread_ts: str = "") -> None:
        """Somebody types ``text`` in a channel (by name or id) and presses Enter. "/likes …" is a slash command."""
        self.acting.say(self.state.person(person), self.state.channel(channel), text, thread_ts=thread_ts)

    def press(self, person: str, message: Message, *, action_id: str, value: str = "") -> None:
        """Somebody presses a button of a message, or chooses the option ``value`` of a select."""
        channel = self.state.channel(message.channel_id)
        self.acting.press(self.state.person(person), channel, message.ts, action_id=action_id, value=value)

    def messages(self, channel: str, *, person: str = "") -> list[Message]:
        """Everything in a channel, oldest first, with thread replies.

        With ``person``: what they see, their own ephemeral messages included; without: everybody's.
        """
        with self.state.changed:
            messages = self.state.ledger.in_channel(self.state.channel(channel).id)
        return [one for one in messages if not person or one.visible_to(self.state.person(person).id)]

    def wait_for_message(
        self,
        channel: str,
        containing: str = "",
        *,
        person: str = "",
        timeout: timedelta = PATIENCE,
    ) -> Message:
        """The newest message of the bot's or the workspace's that contains this, as soon as there is one.

        Text and blocks are searched. Raises ``TimeoutError``.
        """
        self.wait_for(lambda: bool(self._answers(channel, containing, person)), timeout=timeout)
        return self._answers(channel, containing, person)[-1]

    def wait_for(self, what: Callable[[], bool], *, timeout: timedelta = PATIENCE) -> None:
        """Wait until ``what()`` is true, asked again after every change and call; raises ``TimeoutError``."""
        self.state.wait_for(what, timeout=timeout)

    def wait_for_bot(self, *, timeout: timedelta = PATIENCE) -> None:
        """Wait until a bot is connected; raises ``TimeoutError``."""
        self.wait_for(lambda: self.state.connected, timeout=timeout)

    def invite(self, channel: str) -> None:
        """The bot becomes a member of a channel, and hears of it."""
        self.acting.admit(self.state.channel(channel), inviter=None)

    def remove(self, channel: str) -> None:
        """The bot is removed from a channel."""
        self.state.set_membership(self.state.channel(channel), member=False)

    def archive(self, channel: str) -> None:
        """Nobody can write in a channel any more."""
        self.state.archived.add(self.state.channel(channel).id)

    def unarchive(self, person: str, channel: str) -> None:
        """Somebody opens an archived channel again; the bot hears of it."""
        self.acting.unarchive(self.state.person(person), self.state.channel(channel))

    def record(self, call: ApiCall) -> None:
        with self.state.changed:
            self.calls.append(call)
            self.state.changed.notify_all()

    def _answers(self, channel: str, containing: str, person: str) -> list[Message]:
        return [
            message
            for message in self.messages(channel, person=person)
            if message.user_id not in self.state.people and containing in f"{message.text} {message.blocks}"
        ]


def _not_served() -> str:
    raise Refused("internal_error", "[ERROR] this workspace is not served, so there is no Socket Mode address")
