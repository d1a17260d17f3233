"""What the page shows, as it happens: one stream of server-sent events for each open page.

A stream begins with everything (``snapshot``), so that a page that lost its connection needs nothing but a new one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from bot.workspace.model import BOT_NAME, BOT_USER_ID, TEAM_NAME, Change, ChangeKind, Json, Message
from bot.workspace.state import WorkspaceState

HEARTBEAT = 15.0
"""Seconds between comments that keep an idle stream open, and find out that its page is gone."""


@dataclass(slots=True, eq=False)
class _FeedReader:
    person_id: str
    events: asyncio.Queue[Json | None] = field(default_factory=asyncio.Queue)


class Feed:
    """Spreads the state's changes over the open pages, each as its person may see it."""

    def __init__(self, state: WorkspaceState) -> None:
        self._state = state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: list[_FeedReader] = []

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._state.listeners.append(self._heard)

    def stop(self) -> None:
        """End every stream; called on the loop."""
        self._state.listeners.remove(self._heard)
        for reader in self._readers:
            reader.events.put_nowait(None)

    async def stream(self, person_id: str) -> AsyncIterator[str]:
        """The lines of one page's stream."""
        reader = _FeedReader(person_id)
        with self._state.changed:
            self._readers.append(reader)
            snapshot = self._snapshot(person_id)
        try:
            yield _event(snapshot)
            while True:
                try:
                    event = await asyncio.wait_for(reader.events.get(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                yield _event(event)
        finally:
            self._readers.remove(reader)

    def _heard(self, change: Change) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._spread, change)

    def _spread(self, change: Change) -> None:
        for reader in self._readers:
            event = self._event_for(change, reader.person_id)
            if event is not None:
                reader.events.put_nowait(event)

    def _event_for(self, change: Change, person_id: str) -> Json | None:
        match change.kind, change.message:
            case ChangeKind.CONNECTION, _:
                return {"type": "connection", "connected": self._state.connected}
            case ChangeKind.CHANNELS, _:
                return {"type": "channels", "channels": self._channels(person_id)}
            case kind, Message() as message if self._may_see(message, person_id):
                if kind is ChangeKind.GONE:
                    return {"type": "gone", "channel": message.channel_id, "ts": message.ts}
                return {"type": "message", "message": _shown(message)}
        return None

    def _may_see(self, message: Message, person_id: str) -> bool:
        return message.visible_to(person_id) and self._state.channels[message.channel_id].person_id in {"", person_id}

    def _snapshot(self, person_id: str) -> Json:
        people = {person.id: asdict(person) for person in self._state.people.values()}
        return {
            "type": "snapshot",
            "team": TEAM_NAME,
            "me": person_id,
            "bot": {"id": BOT_USER_ID, "name": BOT_NAME},
            "people": people,
            "channels": self._channels(person_id),
            "commands": [asdict(command) for command in self._state.commands.values()],
            "connected": self._state.connected,
            "messages": [_shown(message) for message in self._state.seen_by(person_id)],
        }

    def _channels(self, person_id: str) -> list[Json]:
        return [
            {
                **asdict(channel),
                "bot_is_in": self._state.bot_is_in(channel.id),
                "archived": channel.id in self._state.archived,
            }
            for channel in self._state.channels_of(person_id)
        ]


def _shown(message: Message) -> Json:
    return {**message.as_slack(), "channel": message.channel_id, "ephemeral": bool(message.ephemeral_to)}


def _event(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"
