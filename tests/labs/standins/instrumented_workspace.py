"""The local workspace with what tests need: wait for what happens, see what was sent, plan faults, act as people."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from bot.clock import Clock
from bot.workspace import Message, Workspace, WorkspaceServer, payloads, people, web_api
from bot.workspace.model import Change, Envelope, Json, OnOutcome, ignore_outcome
from bot.workspace.server import ACK_WITHIN
from bot.workspace.socket_mode import DEBUG_INFO
from tests.labs.standins.request_url import RequestUrl
from tests.labs.standins.slack_faults import ApiCall, FaultyApi, PlannedFaults

PATIENCE = timedelta(seconds=10)
REMEMBERED = 1000


class InstrumentedWorkspace(Workspace):
    """``faults`` says what the next calls meet; ``calls`` are the calls so far, ``envelopes`` what the bot was sent."""

    def __init__(self, *, clock: Clock | None = None, journal: Path | None = None) -> None:
        super().__init__(clock=clock, journal=journal)
        self.faults = PlannedFaults()
        self.calls: deque[ApiCall] = deque(maxlen=REMEMBERED)
        self._envelopes: deque[Envelope] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition(self.lock)
        self.listeners.append(self._wake)

    @property
    def envelopes(self) -> list[Envelope]:
        return list(self._envelopes)

    def send(self, envelope: Envelope, on_outcome: OnOutcome) -> None:
        with self._changed:
            self._envelopes.append(envelope)
            self._changed.notify_all()
        super().send(envelope, on_outcome)
        if self.faults.take_repeat():
            super().send(replace(envelope, retry=envelope.retry + 1), ignore_outcome)

    def record(self, call: ApiCall) -> None:
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()

    def messages(self, channel: str, *, person: str = "") -> list[Message]:
        """Everything in a channel, oldest first, with thread replies.

        With ``person``: what they see, their own ephemeral messages included; without: everybody's.
        """
        with self.lock:
            messages = self.store.in_channel(self.channel(channel).id)
        return [one for one in messages if not person or one.visible_to(self.person(person).id)]

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
        with self._changed:
            if not self._changed.wait_for(what, timeout.total_seconds()):
                raise TimeoutError(f"It did not happen within {timeout.total_seconds():g} seconds.")

    def wait_for_bot(self, *, timeout: timedelta = PATIENCE) -> None:
        """Wait until a bot is connected; raises ``TimeoutError``."""
        self.wait_for(lambda: self.connected, timeout=timeout)

    def api(self, method: str, **arguments: Any) -> Json:
        """Call the Web API as the bot, without a network; raises ``Refused``."""
        return web_api.call(self, method, arguments, self.bot_token)

    def say(self, person: str, channel: str, text: str, *, thread_ts: str = "") -> None:
        """Somebody types ``text`` in a channel and presses Enter. "/likes …" is a slash command."""
        people.say(self, person, channel, text, thread_ts=thread_ts)

    def press(self, person: str, message: Message, *, action_id: str, value: str = "") -> None:
        """Somebody presses a button of a message, or chooses the option ``value`` of a select."""
        people.press(self, person, message.channel_id, message.ts, action_id=action_id, value=value)

    def invite(self, channel: str) -> None:
        """The bot becomes a member of a channel, and hears of it."""
        people.add_bot(self, self.channel(channel), inviter=None)

    def remove(self, channel: str) -> None:
        """The bot is removed from a channel."""
        self.set_membership(self.channel(channel), member=False)

    def archive(self, channel: str) -> None:
        """Archive a channel: nobody can write there any more."""
        self.archived.add(self.channel(channel).id)

    def unarchive(self, person: str, channel: str) -> None:
        """Somebody opens an archived channel again; the bot hears of it.

        https://docs.slack.dev/reference/events/channel_unarchive
        """
        place, user = self.channel(channel).id, self.person(person).id
        self.archived.discard(place)
        event = {"type": "channel_unarchive", "channel": place, "user": user, "event_ts": self.new_ts()}
        self.send(payloads.event_callback(event), ignore_outcome)

    def _wake(self, _change: Change) -> None:
        self._changed.notify_all()

    def _answers(self, channel: str, containing: str, person: str) -> list[Message]:
        return [
            message
            for message in self.messages(channel, person=person)
            if message.user_id not in self.people and containing in f"{message.text} {message.blocks}"
        ]


class InstrumentedServer(WorkspaceServer):
    """Serves an instrumented workspace on a free port, with its planned faults."""

    workspace: InstrumentedWorkspace

    def __init__(self, workspace: InstrumentedWorkspace | None = None, *, ack_within: timedelta = ACK_WITHIN) -> None:
        super().__init__(workspace or InstrumentedWorkspace(), ack_within=ack_within)
        self.signing_secret = secrets.token_hex(16)
        self._ack_within = ack_within
        self._request_url: RequestUrl | None = None

    def stop(self) -> None:
        super().stop()
        if self._request_url is not None:
            self._request_url.close()

    def deliver_to(self, url: str, signing_secret: str) -> None:
        """From now on post commands, events and actions to this Request URL instead of Socket Mode."""
        if self._request_url is not None:
            self._request_url.close()
        self._request_url = RequestUrl(
            url, signing_secret=signing_secret, clock=self.workspace.clock, ack_within=self._ack_within
        )
        self.workspace.connect(self._request_url.send)
        self.workspace.set_connected(connected=True)

    def app(self) -> ASGIApp:
        return FaultyApi(super().app(), self.workspace.faults, self.workspace.clock, self.workspace.record)

    def refresh_connections(self) -> None:
        """Ask every Socket Mode connection to reconnect, as Slack does every few hours."""
        self._on_loop(self._ask_to_reconnect)

    def drop_connections(self) -> None:
        """Cut every Socket Mode connection, as a broken network does."""
        self._on_loop(self._close_all)

    def _on_loop(self, make: Callable[[], Coroutine[None, None, None]]) -> None:
        assert self.socket_mode.loop is not None
        asyncio.run_coroutine_threadsafe(make(), self.socket_mode.loop).result(timeout=5)

    async def _ask_to_reconnect(self) -> None:
        for link in list(self.socket_mode.links):
            self.socket_mode.forget(link)  # a new connection takes over; the client closes this one
            await link.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": DEBUG_INFO})

    async def _close_all(self) -> None:
        for link in list(self.socket_mode.links):
            self.socket_mode.forget(link)
            await link.close()
