"""The Web API's ``chat.*`` methods: the bot posts, changes and deletes messages.

Every method raises ``Refused`` with Slack's error code. https://docs.slack.dev/reference/methods?family=chat
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.workspace.block_kit import check_blocks, check_length, check_metadata, with_ids
from bot.workspace.model import BOT_USER_ID, Channel, Json, Message, Refused
from bot.workspace.workspace import Workspace

MAX_TEXT = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a message, checked. ``None``: the bot left the field out."""

    text: str | None
    blocks: tuple[Json, ...] | None
    metadata: Json | None

    @property
    def empty(self) -> bool:
        return not self.text and not self.blocks


def checked(*, text: str | None = None, blocks: object = None, metadata: object = None) -> Content:
    """Return the content of a message. Raises ``Refused`` that names every fault."""
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


def readable(workspace: Workspace, channel_id: str) -> Channel:
    """Return a channel that the bot is a member of. Slack accepts some names too; here only ids work: names change."""
    channel = workspace.channels.get(channel_id)
    if channel is None:
        raise Refused("channel_not_found")
    if not workspace.bot_is_in(channel.id):
        raise Refused("not_in_channel")
    return channel


def post_message(
    workspace: Workspace,
    *,
    channel: str,
    text: str = "",
    blocks: object = None,
    metadata: object = None,
    thread_ts: str = "",
    reply_broadcast: bool = False,
) -> Json:
    """Carry out ``chat.postMessage``."""
    content = checked(text=text, blocks=blocks, metadata=metadata)
    with workspace.lock:
        _check_post(workspace, channel, content, thread_ts)
        workspace.spend_post(channel)
        broadcast = reply_broadcast and bool(thread_ts)
        return _posted(workspace.post(by_bot(channel, content, thread_ts=thread_ts, broadcast=broadcast)))


def post_ephemeral(
    workspace: Workspace, *, channel: str, user: str, text: str = "", blocks: object = None, thread_ts: str = ""
) -> Json:
    """Carry out ``chat.postEphemeral``."""
    content = checked(text=text, blocks=blocks)
    with workspace.lock:
        person_id = _writable(workspace, channel).person_id
        if user not in workspace.people or person_id not in {"", user}:
            raise Refused("user_not_in_channel")
        _check_post(workspace, channel, content, thread_ts)
        return {"message_ts": workspace.post(by_bot(channel, content, thread_ts=thread_ts, ephemeral_to=user)).ts}


def update(
    workspace: Workspace,
    *,
    channel: str,
    ts: str,
    text: str | None = None,
    blocks: object = None,
    metadata: object = None,
) -> Json:
    """Carry out ``chat.update``. A field that is left out stays; an empty list takes the blocks away."""
    content = checked(text=text, blocks=blocks, metadata=metadata)
    with workspace.lock:
        message = _own(workspace, channel, ts, refusal="cant_update_message")
        changed = replace(
            message,
            text=message.text if content.text is None else content.text,
            blocks=message.blocks if content.blocks is None else content.blocks,
            metadata=message.metadata if content.metadata is None else content.metadata,
            edited_ts=workspace.new_ts(),
        )
        if not changed.text and not changed.blocks:
            raise Refused("no_text")
        workspace.put(changed)
        return {**_posted(changed), "text": changed.text}


def delete(workspace: Workspace, *, channel: str, ts: str) -> Json:
    """Carry out ``chat.delete``."""
    with workspace.lock:
        workspace.delete(_own(workspace, channel, ts, refusal="cant_delete_message"))
        return {"channel": channel, "ts": ts}


def by_bot(
    channel_id: str, content: Content, *, thread_ts: str, broadcast: bool = False, ephemeral_to: str = ""
) -> Message:
    return Message(
        channel_id=channel_id,
        user_id=BOT_USER_ID,
        text=content.text or "",
        blocks=content.blocks or (),
        metadata=content.metadata,
        thread_ts=thread_ts,
        broadcast=broadcast,
        ephemeral_to=ephemeral_to,
    )


def _posted(message: Message) -> Json:
    return {"channel": message.channel_id, "ts": message.ts, "message": message.as_slack(with_metadata=True)}


def _writable(workspace: Workspace, channel_id: str) -> Channel:
    channel = readable(workspace, channel_id)
    if channel.id in workspace.archived:
        raise Refused("is_archived")
    return channel


def _check_post(workspace: Workspace, channel_id: str, content: Content, thread_ts: str) -> None:
    _writable(workspace, channel_id)
    if content.empty:
        raise Refused("no_text")
    if not thread_ts:
        return
    root = workspace.store.find(channel_id, thread_ts)
    if root is None or root.ephemeral_to:
        raise Refused("thread_not_found")
    if root.thread_ts not in {"", root.ts}:
        raise Refused("cannot_reply_to_message", "[ERROR] thread_ts must be the parent's ts, not a reply's")


def _own(workspace: Workspace, channel_id: str, ts: str, *, refusal: str) -> Message:
    message = workspace.store.find(_writable(workspace, channel_id).id, ts)
    if message is None or message.ephemeral_to:  # the Web API cannot reach ephemeral messages
        raise Refused("message_not_found")
    if not message.by_bot:
        raise Refused(refusal)
    return message
