"""Every message there is, by channel and time, kept in the journal where there is one."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from bot.workspace.journal import Journal
from bot.workspace.model import Json, Message

KEPT = 2_000
"""Messages kept in a channel; the oldest go first."""
SUPERSEDED = 2_000
"""Superseded journal lines borne before the journal is rewritten."""


class Ledger:
    """Messages in order of time. Ephemeral ones are seen, answered and forgotten: they are not in the journal."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._channels: dict[str, dict[str, Message]] = defaultdict(dict)
        self._memberships: dict[str, bool] = {}
        self._last_ts = (0, 0)
        if journal is not None:
            for entry in journal.read():
                self._replay(entry)
            self._compact()

    @property
    def memberships(self) -> dict[str, bool]:
        """Channel id -> whether the bot was last added (true) or removed (false), where that ever changed."""
        return dict(self._memberships)

    def new_ts(self, now: datetime) -> str:
        """A timestamp id, unique and rising even where the clock stands still."""
        at = (int(now.timestamp()), now.microsecond)
        if at <= self._last_ts:
            seconds, micros = self._last_ts
            at = (seconds + (micros + 1) // 1_000_000, (micros + 1) % 1_000_000)
        self._last_ts = at
        return f"{at[0]}.{at[1]:06d}"

    def put(self, message: Message) -> None:
        """A new message, or the new state of one with the same ts."""
        self._keep(message)
        if not message.ephemeral_to:
            self._write({"op": "put", "message": message.as_json()})

    def remove(self, message: Message) -> None:
        del self._channels[message.channel_id][message.ts]
        if not message.ephemeral_to:
            self._write({"op": "remove", "channel": message.channel_id, "ts": message.ts})

    def set_membership(self, channel_id: str, *, member: bool) -> None:
        self._memberships[channel_id] = member
        self._write({"op": "membership", "channel": channel_id, "member": member})

    def find(self, channel_id: str, ts: str) -> Message | None:
        return self._channels[channel_id].get(ts)

    def in_channel(self, channel_id: str) -> list[Message]:
        """Everything in a channel, threads and ephemeral messages too, oldest first."""
        return list(self._channels[channel_id].values())

    def everything(self) -> list[Message]:
        return [message for channel in self._channels.values() for message in channel.values()]

    def _keep(self, message: Message) -> None:
        channel = self._channels[message.channel_id]
        channel[message.ts] = message
        seconds, micros = message.ts.split(".")
        self._last_ts = max(self._last_ts, (int(seconds), int(micros)))
        while len(channel) > KEPT:
            del channel[next(iter(channel))]

    def _replay(self, entry: Json) -> None:
        match entry["op"]:
            case "put":
                self._keep(Message.from_json(entry["message"]))
            case "remove":
                self._channels[entry["channel"]].pop(entry["ts"], None)
            case "membership":
                self._memberships[entry["channel"]] = entry["member"]

    def _write(self, entry: Json) -> None:
        if self._journal is None:
            return
        self._journal.append(entry)
        if self._journal.lines > len(self.everything()) + SUPERSEDED:
            self._compact()

    def _compact(self) -> None:
        if self._journal is None:
            return
        entries: list[Json] = [
            {"op": "membership", "channel": channel_id, "member": member}
            for channel_id, member in self._memberships.items()
        ]
        kept = (message for message in self.everything() if not message.ephemeral_to)
        entries += ({"op": "put", "message": message.as_json()} for message in kept)
        self._journal.rewrite(entries)
