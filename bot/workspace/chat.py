"""What the bot writes: the Web API's ``chat.*`` methods, and answers to response URLs.

Every function raises ``Refused`` with Slack's error code. https://docs.slack.dev/reference/methods?family=chat
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.workspace.block_kit import check_blocks, check_length, check_metadata, with_ids
from bot.workspace.model import BOT_USER_ID, Channel, Json, Message, Refused
from bot.workspace.response_urls import ResponseUrl
from bot.workspace.workspace import Workspace

MAX_TEXT = 40_000
RESPONSE_FIELDS = frozenset(
    {
        "text",
        "blocks",
        "thread_ts",
        "unfurl_links",
        "unfurl_media",
        "response_type",
        "replace_original",
        "delete_original",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says, checked. ``None``: the bot left the field out."""

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
        return _posted(workspace.post(_by_bot(channel, content, thread_ts=thread_ts, broadcast=broadcast)))


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
        return {"message_ts": workspace.post(_by_bot(channel, content, thread_ts=thread_ts, ephemeral_to=user)).ts}


def update(
    workspace: Workspace,
    *,
    channel: str,
    ts: str,
    text: str | None = None,
    blocks: object = None,
    metadata: object = None,
) -> Json:
    """Carry out ``chat.update``. What is left out stays; an empty list takes the blocks away."""
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


def respond(workspace: Workspace, secret: str, body: Json) -> None:
    """Carry out a post to the response URL with this ``secret``."""
    with workspace.lock:
        answer(workspace, workspace.response_urls.use(secret, workspace.clock.now()), body)


def answer(workspace: Workspace, response: ResponseUrl, body: Json) -> None:
    """Carry out an answer: by response URL, or in the acknowledgement of a slash command."""
    if unknown := sorted(set(body) - RESPONSE_FIELDS):
        # Slack ignores an unknown field. We refuse it, so that a misspelt name is noticed.
        raise Refused("invalid_arguments", *(f"[ERROR] unknown argument: {name}" for name in unknown))
    if body.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
        raise Refused("invalid_arguments", "[ERROR] response_type must be ephemeral or in_channel")
    content = checked(text=body.get("text"), blocks=body.get("blocks"))
    original = response.original and workspace.store.find(response.channel_id, response.original.ts)
    if body.get("delete_original"):
        if original is not None:
            workspace.delete(original)
        if content.empty:
            return
    elif content.empty:
        raise Refused("no_text")
    elif body.get("replace_original") and original is not None:
        edited_ts = "" if original.ephemeral_to else workspace.new_ts()
        workspace.put(replace(original, text=content.text or "", blocks=content.blocks or (), edited_ts=edited_ts))
        return
    _answer_anew(workspace, response, content, body)


def _answer_anew(workspace: Workspace, response: ResponseUrl, content: Content, body: Json) -> None:
    if response.channel_id in workspace.archived:
        raise Refused("is_archived", status=404)
    in_channel = body.get("response_type") == "in_channel"
    if in_channel and response.command_line:  # the channel sees the command itself, once
        workspace.post(Message(channel_id=response.channel_id, user_id=response.person_id, text=response.command_line))
        response.command_line = ""
    posted = workspace.post(
        _by_bot(
            response.channel_id,
            content,
            thread_ts=body.get("thread_ts", ""),
            ephemeral_to="" if in_channel else response.person_id,
        )
    )
    response.original = response.original or posted  # a command's later answer may replace its first


def _by_bot(
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
