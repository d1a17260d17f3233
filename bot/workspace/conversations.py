"""The Web API's methods that read: channels, messages, people and user groups.

Every function raises ``Refused`` with Slack's error code. https://docs.slack.dev/reference/methods?family=conversations
"""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

from bot.workspace.chat import readable
from bot.workspace.model import BOT_NAME, BOT_USER_ID, TEAM_ID, Channel, Json, Member, Message, Refused
from bot.workspace.workspace import Workspace

T = TypeVar("T")

LIMIT = 100
"""Items in a page of a list, unless the call asks for another number."""
_END_OF_TIME = 2**40 * 1_000_000


def history(
    workspace: Workspace,
    *,
    channel: str,
    oldest: str = "",
    latest: str = "",
    inclusive: bool = False,
    limit: int = LIMIT,
    cursor: str = "",
    include_all_metadata: bool = False,
) -> Json:
    """Carry out ``conversations.history``: what stands in the channel itself, newest first."""
    readable(workspace, channel)
    everything = _not_ephemeral(workspace, channel)
    found = _between(everything, oldest, latest, inclusive=inclusive)
    page, next_cursor = _page([one for one in reversed(found) if not one.in_thread], limit, cursor)
    return {
        "messages": [
            {**one.as_slack(with_metadata=include_all_metadata), **_replies_of(one, everything)} for one in page
        ],
        "has_more": bool(next_cursor),
        "pin_count": 0,
        "response_metadata": {"next_cursor": next_cursor},
    }


def replies(
    workspace: Workspace,
    *,
    channel: str,
    ts: str,
    oldest: str = "",
    latest: str = "",
    inclusive: bool = False,
    limit: int = LIMIT,
    cursor: str = "",
    include_all_metadata: bool = False,
) -> Json:
    """Carry out ``conversations.replies``: the parent, then its replies, oldest first."""
    readable(workspace, channel)
    everything = _not_ephemeral(workspace, channel)
    if not any(one.ts == ts for one in everything):
        raise Refused("thread_not_found")
    thread = [one for one in everything if ts in {one.ts, one.thread_ts}]
    page, next_cursor = _page(_between(thread, oldest, latest, inclusive=inclusive), limit, cursor)
    return {
        "messages": [one.as_slack(with_metadata=include_all_metadata) for one in page],
        "has_more": bool(next_cursor),
        "response_metadata": {"next_cursor": next_cursor},
    }


def info(workspace: Workspace, *, channel: str) -> Json:
    """Carry out ``conversations.info``."""
    if channel not in workspace.channels:
        raise Refused("channel_not_found")
    return {"channel": _channel(workspace, workspace.channels[channel])}


def list_channels(
    workspace: Workspace,
    *,
    types: str = "",
    exclude_archived: bool = False,
    limit: int = LIMIT,
    cursor: str = "",
) -> Json:
    """Carry out ``conversations.list``."""
    kinds = {kind.strip() for kind in (types or "public_channel").split(",")}
    listed = [
        _channel(workspace, channel)
        for channel in workspace.channels.values()
        if ("im" if channel.person_id else "public_channel") in kinds
        and not (exclude_archived and channel.id in workspace.archived)
    ]
    page, next_cursor = _page(listed, limit, cursor)
    return {"channels": page, "response_metadata": {"next_cursor": next_cursor}}


def open_direct(workspace: Workspace, *, users: str) -> Json:
    """Carry out ``conversations.open`` for one person."""
    for channel in workspace.channels.values():
        if channel.person_id == users:
            return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    raise Refused("user_not_found")


def user_group_members(workspace: Workspace, *, usergroup: str) -> Json:
    """Carry out ``usergroups.users.list``."""
    if usergroup not in workspace.user_groups:
        raise Refused("no_such_subteam")
    return {"users": list(workspace.user_groups[usergroup])}


def user_info(workspace: Workspace, *, user: str) -> Json:
    """Carry out ``users.info``."""
    bot = Member(id=BOT_USER_ID, name=BOT_NAME.lower(), real_name=BOT_NAME, title="")
    person = bot if user == BOT_USER_ID else workspace.people.get(user)
    if person is None:
        raise Refused("user_not_found")
    profile = {"real_name": person.real_name, "display_name": person.real_name, "title": person.title}
    return {
        "user": {
            "id": person.id,
            "team_id": TEAM_ID,
            "name": person.name,
            "real_name": person.real_name,
            "deleted": False,
            "tz": "UTC",
            "tz_offset": 0,
            "profile": profile,
            "is_bot": person is bot,
        }
    }


def _not_ephemeral(workspace: Workspace, channel_id: str) -> list[Message]:
    with workspace.lock:
        return [one for one in workspace.store.in_channel(channel_id) if not one.ephemeral_to]


def _between(messages: list[Message], oldest: str, latest: str, *, inclusive: bool) -> list[Message]:
    first, last = _instant("oldest", oldest, 0), _instant("latest", latest, _END_OF_TIME)

    def is_inside(message: Message) -> bool:
        at = _microseconds(message.ts)
        return first < at < last or (inclusive and at in {first, last})

    return [message for message in messages if is_inside(message)]


def _instant(name: str, ts: str, default: int) -> int:
    try:
        return _microseconds(ts) if ts else default
    except ValueError as error:
        raise Refused(f"invalid_ts_{name}", f"[ERROR] {name} must be a timestamp such as 1700000000.000100") from error


def _microseconds(ts: str) -> int:
    """Return a timestamp in microseconds. A float would lose the last digits."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _replies_of(message: Message, messages: list[Message]) -> Json:
    found = [one for one in messages if one.thread_ts == message.ts != one.ts]
    if not found:
        return {}
    users = sorted({reply.user_id for reply in found})
    counted = {"reply_count": len(found), "reply_users_count": len(users), "reply_users": users}
    return {**counted, "latest_reply": found[-1].ts, "is_locked": False}


def _page(items: list[T], limit: int, cursor: str) -> tuple[list[T], str]:
    """Return one page, and the cursor of the next: "" if this page is the last."""
    try:
        start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:")) if cursor else 0
    except (binascii.Error, ValueError) as error:
        raise Refused("invalid_cursor") from error
    end = start + limit
    return items[start:end], base64.b64encode(f"next:{end}".encode()).decode() if len(items) > end else ""


def _channel(workspace: Workspace, channel: Channel) -> Json:
    shown: Json = {"id": channel.id, "is_archived": channel.id in workspace.archived}
    if channel.person_id:
        return {**shown, "is_im": True, "is_channel": False, "is_member": True, "user": channel.person_id}
    return {
        **shown,
        "name": channel.name,
        "is_channel": True,
        "is_im": False,
        "is_private": False,
        "is_member": workspace.bot_is_in(channel.id),
        "topic": {"value": channel.topic},
        "num_members": len(workspace.people) + workspace.bot_is_in(channel.id),
    }
