"""The messages of every channel, and the journal file that brings them back after a restart."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from bot.errors import ConfigError
from bot.workspace.model import Json, Message

MOST_IN_CHANNEL = 2_000
"""Messages that a channel holds. The oldest are dropped first."""
MOST_SUPERSEDED = 2_000
"""Journal lines that later lines have superseded. One more, and the journal is rewritten."""


class MessageStore:
    """Messages in order of time, and the channels that the bot was added to or removed from.

    ``journal`` is a file of JSON objects, one a line. Without a journal, everything is lost at the end. Ephemeral
    messages are not in the journal. Raises ``ConfigError`` if the file cannot be used.
    """

    def __init__(self, journal: Path | None) -> None:
        self.memberships: dict[str, bool] = {}
        """Channel id → whether the bot was last added (true) or removed (false); only channels where that changed."""
        self._journal = journal
        self._journal_lines = 0
        self._channels: dict[str, dict[str, Message]] = defaultdict(dict)
        self._last_ts = (0, 0)
        if journal is not None:
            for entry in _read(journal):
                self._replay(entry)
            self._rewrite(journal)

    def new_ts(self, now: datetime) -> str:
        """Return a timestamp id. It is unique, and greater than every one before, even if the clock stands still."""
        at = (int(now.timestamp()), now.microsecond)
        if at <= self._last_ts:
            seconds, micros = self._last_ts
            at = (seconds + (micros + 1) // 1_000_000, (micros + 1) % 1_000_000)
        self._last_ts = at
        return f"{at[0]}.{at[1]:06d}"

    def put(self, message: Message) -> None:
        """Store a new message, or the new state of the message with the same ts."""
        self._put(message)
        if not message.ephemeral_to:
            self._append({"op": "put", "message": asdict(message)})

    def remove(self, message: Message) -> None:
        del self._channels[message.channel_id][message.ts]
        if not message.ephemeral_to:
            self._append({"op": "remove", "channel": message.channel_id, "ts": message.ts})

    def set_membership(self, channel_id: str, *, member: bool) -> None:
        self.memberships[channel_id] = member
        self._append({"op": "membership", "channel": channel_id, "member": member})

    def find(self, channel_id: str, ts: str) -> Message | None:
        return self._channels[channel_id].get(ts)

    def in_channel(self, channel_id: str) -> list[Message]:
        """Return everything in a channel, oldest first, with thread replies and ephemeral messages."""
        return list(self._channels[channel_id].values())

    def everything(self) -> list[Message]:
        return [message for channel in self._channels.values() for message in channel.values()]

    def _put(self, message: Message) -> None:
        channel = self._channels[message.channel_id]
        channel[message.ts] = message
        seconds, micros = message.ts.split(".")
        self._last_ts = max(self._last_ts, (int(seconds), int(micros)))
        while len(channel) > MOST_IN_CHANNEL:
            del channel[next(iter(channel))]

    def _replay(self, entry: Json) -> None:
        match entry["op"]:
            case "put":
                fields = entry["message"]
                self._put(Message(**{**fields, "blocks": tuple(fields["blocks"])}))
            case "remove":
                self._channels[entry["channel"]].pop(entry["ts"], None)
            case "membership":
                self.memberships[entry["channel"]] = entry["member"]

    def _append(self, entry: Json) -> None:
        if self._journal is None:
            return
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(_line(entry))
        self._journal_lines += 1
        if self._journal_lines > len(self.everything()) + MOST_SUPERSEDED:
            self._rewrite(self._journal)

    def _rewrite(self, journal: Path) -> None:
        """Write the present state only. A crash leaves the old file or the new one, never half of one."""
        entries: list[Json] = [
            {"op": "membership", "channel": channel_id, "member": member}
            for channel_id, member in self.memberships.items()
        ]
        stored = (message for message in self.everything() if not message.ephemeral_to)
        entries += ({"op": "put", "message": asdict(message)} for message in stored)
        draft = journal.with_name(journal.name + ".new")
        try:
            draft.write_text("".join(map(_line, entries)), encoding="utf-8")
            draft.replace(journal)
        except OSError as error:
            raise ConfigError(f"The local workspace cannot write its journal {journal}: {error.strerror}.") from error
        self._journal_lines = len(entries)


def _line(entry: Json) -> str:
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _read(journal: Path) -> list[Json]:
    """Return every entry. A torn last line (the machine stopped while writing) is left out."""
    try:
        lines = journal.read_bytes().split(b"\n") if journal.exists() else []
    except OSError as error:
        raise ConfigError(f"The local workspace cannot read its journal {journal}: {error.strerror}.") from error
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entries += [json.loads(line)] if line else []
        except ValueError as error:
            if number == len(lines):  # no line break after it, so it is torn
                break
            raise ConfigError(
                f"Line {number} of {journal} is not JSON, so the file is not the local workspace's journal. "
                "Move the file away; the workspace begins a new one."
            ) from error
    return entries
