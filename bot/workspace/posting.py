"""The bot's side: post, update, delete and read messages, under Slack's rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.workspace.block_kit import check_blocks, check_length, check_metadata, with_ids
from bot.workspace.model import BOT_USER_ID, Channel, Json, Message, Refused
from bot.workspace.pacing import Pace
from bot.workspace.state import WorkspaceState

MAX_TEXT = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says, checked: ``None`` where the bot left it out."""

    text: str | None = None
    blocks: tuple[Json, ...] | None = None
    metadata: Json | None = None

    @property
    def empty(self) -> bool:
        return not self.text and not self.blocks


def checked(*, text: str | None = None, blocks: object = None, metadata: object = None) -> Content:
    """The content of a message, or ``Refused`` with every fault named."""
    if text is not None and len(text) > MAX_TEXT:
        raise Refused("msg_too_long", f"[ERROR] text must be less than {MAX_TEXT + 1} characters")
    if blocks is not None and (faults := check_blocks(blocks)):
        raise Refused("msg_blocks_too_long" if faults == check_length(blocks) else "invalid_blocks", *faults)
    if metadata is not None and (faults := check_metadata(metadata)):
        raise Refused("invalid_metadata_format", *faults)
    return Content(
        text=text,
        blocks=None if blocks is None else with_ids(blocks),  # type: ignore[arg-type]  # checked above
        metadata=metadata,  # type: ignore[arg-type]  # checked above
    )


class Posting:
    """What the bot's token may do. Every method raises ``Refused`` with Slack's own error code."""

    def __init__(self, state: WorkspaceState) -> None:
        self._state = state
        self._pace = Pace()

    def readable(self, channel_id: str) -> Channel:
        """A channel that the bot is a member of. Ids only: names are accepted by Slack in places, and change."""
        channel = self._state.channels.get(channel_id)
        if channel is None:
            raise Refused("channel_not_found")
        if not self._state.bot_is_in(channel.id):
            raise Refused("not_in_channel")
        return channel

    def writable(self, channel_id: str) -> Channel:
        """A channel that the bot may post to."""
        channel = self.readable(channel_id)
        if channel.id in self._state.archived:
            raise Refused("is_archived")
        return channel

    def post(self, channel_id: str, content: Content, *, thread_ts: str = "", broadcast: bool = False) -> Message:
        with self._state.changed:
            channel = self.writable(channel_id)
            if content.empty:
                raise Refused("no_text")
            self._check_thread(channel, thread_ts)
            self._pace.spend(channel.id, self._state.clock.monotonic())
            return self._state.new_message(
                Message(
                    channel_id=channel.id,
                    ts="",
                    user_id=BOT_USER_ID,
                    text=content.text or "",
                    blocks=content.blocks or (),
                    metadata=content.metadata,
                    thread_ts=thread_ts,
                    broadcast=broadcast and bool(thread_ts),
                )
            )

    def post_ephemeral(self, channel_id: str, person_id: str, content: Content, *, thread_ts: str = "") -> Message:
        with self._state.changed:
            channel = self.writable(channel_id)
            if person_id not in self._state.people or channel.person_id not in {"", person_id}:
                raise Refused("user_not_in_channel")
            if content.empty:
                raise Refused("no_text")
            self._check_thread(channel, thread_ts)
            return self._state.new_message(
                Message(
                    channel_id=channel.id,
                    ts="",
                    user_id=BOT_USER_ID,
                    text=content.text or "",
                    blocks=content.blocks or (),
                    thread_ts=thread_ts,
                    ephemeral_to=person_id,
                )
            )

    def update(self, channel_id: str, ts: str, content: Content) -> Message:
        """Change the bot's own message. What is left out stays; an empty list takes the blocks away."""
        with self._state.changed:
            message = self._own(channel_id, ts, refusal="cant_update_message")
            changed = replace(
                message,
                text=message.text if content.text is None else content.text,
                blocks=message.blocks if content.blocks is None else content.blocks,
                metadata=message.metadata if content.metadata is None else content.metadata,
                edited_ts=self._state.ledger.new_ts(self._state.clock.now()),
            )
            if not changed.text and not changed.blocks:
                raise Refused("no_text")
            self._state.put(changed)
            return changed

    def delete(self, channel_id: str, ts: str) -> None:
        with self._state.changed:
            self._state.remove(self._own(channel_id, ts, refusal="cant_delete_message"))

    def history(self, channel_id: str) -> list[Message]:
        """What stands in the channel itself, newest first: no thread replies, nothing ephemeral."""
        with self._state.changed:
            channel = self.readable(channel_id)
            messages = self._state.ledger.in_channel(channel.id)
            return [one for one in reversed(messages) if not one.in_thread and not one.ephemeral_to]

    def thread(self, channel_id: str, thread_ts: str) -> list[Message]:
        """The parent, then its replies, oldest first."""
        with self._state.changed:
            channel = self.readable(channel_id)
            messages = [one for one in self._state.ledger.in_channel(channel.id) if not one.ephemeral_to]
            if not any(one.ts == thread_ts for one in messages):
                raise Refused("thread_not_found")
            return [one for one in messages if thread_ts in {one.ts, one.thread_ts}]

    def _own(self, channel_id: str, ts: str, *, refusal: str) -> Message:
        channel = self.writable(channel_id)
        message = self._state.ledger.find(channel.id, ts)
        if message is None or message.ephemeral_to:  # the Web API cannot reach ephemeral messages
            raise Refused("message_not_found")
        if not message.by_bot:
            raise Refused(refusal)
        return message

    def _check_thread(self, channel: Channel, thread_ts: str) -> None:
        if not thread_ts:
            return
        root = self._state.ledger.find(channel.id, thread_ts)
        if root is None or root.ephemeral_to:
            raise Refused("thread_not_found")
        if root.thread_ts not in {"", root.ts}:
            raise Refused("cannot_reply_to_message", "[ERROR] thread_ts must be the parent's ts, not a reply's")
