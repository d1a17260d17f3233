"""The Web API methods that the bot uses, each with its arguments: https://docs.slack.dev/reference/methods.

Stricter than Slack in one thing: an argument that a method does not list is refused by name. Slack ignores it, so that
a misspelt ``thread_ts`` posts into the channel and nobody hears of it. Arguments that Slack knows and we must not use
(``link_names``, ``parse``: they turn words into mentions) are unknown here on purpose.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bot.workspace.arguments import Arguments
from bot.workspace.model import (
    BOT_ID,
    BOT_NAME,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAME,
    Channel,
    Json,
    Member,
    Message,
    Refused,
)
from bot.workspace.pacing import SLOW_PAGE
from bot.workspace.posting import checked
from bot.workspace.workspace import Workspace

MAX_PAGE = 999
_PAGE = 100


class Token(Enum):
    """Which token a method wants."""

    NONE = "none"
    BOT = "bot"
    APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method: the arguments it must and may be given, and what it does."""

    run: Callable[[Workspace, Arguments], Json]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    token: Token = Token.BOT
    open_ended: bool = False


def call(workspace: Workspace, name: str, said: Json, token: str) -> Json:
    """Carry out one call; ``token`` from the header, else the ``token`` argument. Raises ``Refused``."""
    method = METHODS.get(name)
    if method is None:
        raise Refused("unknown_method", f"[ERROR] {name} is not among the methods of the local workspace")
    values = {argument: value for argument, value in said.items() if argument != "token"}
    _check_token(workspace, method, token or str(said.get("token", "")))
    known = method.required | method.optional
    wrong = [f"[ERROR] unknown argument: {argument}" for argument in sorted(set(values) - known)]
    wrong = [] if method.open_ended else wrong
    wrong += [f"[ERROR] missing required field: {argument}" for argument in sorted(method.required - set(values))]
    if wrong:
        raise Refused("invalid_arguments", *wrong)
    return {"ok": True, **method.run(workspace, Arguments(values))}


def _check_token(workspace: Workspace, method: Method, token: str) -> None:
    if method.token is Token.NONE:
        return
    if not token:
        raise Refused("not_authed")
    wanted = {Token.BOT: workspace.bot_token, Token.APP: workspace.app_token}
    if secrets.compare_digest(token.encode(), wanted[method.token].encode()):
        return
    if token in wanted.values():
        raise Refused("not_allowed_token_type")
    raise Refused("invalid_auth")


def _api_test(_workspace: Workspace, arguments: Arguments) -> Json:
    if error := arguments.text("error"):
        raise Refused(error)
    return {}


def _auth_test(_workspace: Workspace, _arguments: Arguments) -> Json:
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": TEAM_NAME,
        "user": BOT_NAME.lower(),
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _connections_open(workspace: Workspace, _arguments: Arguments) -> Json:
    return {"url": workspace.open_connection()}


def _post_message(workspace: Workspace, arguments: Arguments) -> Json:
    message = workspace.posting.post(
        arguments.text("channel"),
        checked(
            text=arguments.text("text"),
            blocks=arguments.document("blocks"),
            metadata=arguments.document("metadata"),
        ),
        thread_ts=arguments.text("thread_ts"),
        broadcast=arguments.flag("reply_broadcast"),
    )
    return _posted(message)


def _post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    message = workspace.posting.post_ephemeral(
        arguments.text("channel"),
        arguments.text("user"),
        checked(text=arguments.text("text"), blocks=arguments.document("blocks")),
        thread_ts=arguments.text("thread_ts"),
    )
    return {"message_ts": message.ts}


def _update(workspace: Workspace, arguments: Arguments) -> Json:
    content = checked(
        text=arguments.text_if_given("text"),
        blocks=arguments.document("blocks"),
        metadata=arguments.document("metadata"),
    )
    message = workspace.posting.update(arguments.text("channel"), arguments.text("ts"), content)
    return {**_posted(message), "text": message.text}


def _posted(message: Message) -> Json:
    return {"channel": message.channel_id, "ts": message.ts, "message": message.as_slack(with_metadata=True)}


def _delete(workspace: Workspace, arguments: Arguments) -> Json:
    channel_id, ts = arguments.text("channel"), arguments.text("ts")
    workspace.posting.delete(channel_id, ts)
    return {"channel": channel_id, "ts": ts}


def _history(workspace: Workspace, arguments: Arguments) -> Json:
    channel_id = arguments.text("channel")
    messages = _within(workspace.posting.history(channel_id), arguments)
    everything = workspace.messages(channel_id)
    most = _most_read(workspace, "conversations.history")
    page, has_more, cursor = _page([_with_replies(message, everything) for message in messages], arguments, most)
    return {"messages": page, "has_more": has_more, "pin_count": 0, "response_metadata": {"next_cursor": cursor}}


def _replies(workspace: Workspace, arguments: Arguments) -> Json:
    thread = _within(workspace.posting.thread(arguments.text("channel"), arguments.text("ts")), arguments)
    most = _most_read(workspace, "conversations.replies")
    page, has_more, cursor = _page([(message, {}) for message in thread], arguments, most)
    return {"messages": page, "has_more": has_more, "response_metadata": {"next_cursor": cursor}}


def _most_read(workspace: Workspace, method: str) -> int:
    """How many messages a call may read now; ``Refused`` where none."""
    if not workspace.script.slow_history:
        return MAX_PAGE
    workspace.reading.spend(method, workspace.state.clock.monotonic())
    return SLOW_PAGE


def _within(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = _instant(arguments, "oldest", 0), _instant(arguments, "latest", 2**40 * 1_000_000)
    inclusive = arguments.flag("inclusive")

    def inside(message: Message) -> bool:
        at = _micros(message.ts)
        return oldest < at < latest or (inclusive and at in {oldest, latest})

    return [message for message in messages if inside(message)]


def _instant(arguments: Arguments, name: str, default: int) -> int:
    text = arguments.text(name)
    try:
        return _micros(text) if text else default
    except ValueError as error:
        raise Refused(f"invalid_ts_{name}", f"[ERROR] {name} must be a timestamp such as 1700000000.000100") from error


def _micros(ts: str) -> int:
    """Whole microseconds: a float would lose the last digits of a timestamp."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _with_replies(message: Message, messages: list[Message]) -> tuple[Message, Json]:
    replies = [one for one in messages if one.thread_ts == message.ts != one.ts and not one.ephemeral_to]
    if not replies:
        return message, {}
    users = sorted({reply.user_id for reply in replies})
    counted = {"reply_count": len(replies), "reply_users_count": len(users), "reply_users": users}
    return message, {**counted, "latest_reply": replies[-1].ts, "is_locked": False}


def _page(messages: list[tuple[Message, Json]], arguments: Arguments, most: int) -> tuple[list[Json], bool, str]:
    limit = min(most, arguments.number("limit", default=_PAGE, most=MAX_PAGE))
    start, with_metadata = _cursor(arguments), arguments.flag("include_all_metadata")
    page = messages[start : start + limit]
    has_more = len(messages) > start + limit
    cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if has_more else ""
    return [{**message.as_slack(with_metadata=with_metadata), **more} for message, more in page], has_more, cursor


def _cursor(arguments: Arguments) -> int:
    cursor = arguments.text("cursor")
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:")) if cursor else 0
    except (binascii.Error, ValueError) as error:
        raise Refused("invalid_cursor") from error


def _channel_info(workspace: Workspace, arguments: Arguments) -> Json:
    channel = workspace.state.channels.get(arguments.text("channel"))
    if channel is None:
        raise Refused("channel_not_found")
    return {"channel": _as_slack(workspace, channel)}


def _channel_list(workspace: Workspace, arguments: Arguments) -> Json:
    kinds = {kind.strip() for kind in (arguments.text("types") or "public_channel").split(",")}
    listed = [
        _as_slack(workspace, channel)
        for channel in workspace.state.channels.values()
        if ("im" if channel.person_id else "public_channel") in kinds
        and not (arguments.flag("exclude_archived") and channel.id in workspace.state.archived)
    ]
    start, limit = _cursor(arguments), arguments.number("limit", default=_PAGE, most=MAX_PAGE)
    more = len(listed) > start + limit
    cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
    return {"channels": listed[start : start + limit], "response_metadata": {"next_cursor": cursor}}


def _as_slack(workspace: Workspace, channel: Channel) -> Json:
    shown: Json = {"id": channel.id, "is_archived": channel.id in workspace.state.archived}
    if channel.person_id:
        return {**shown, "is_im": True, "is_channel": False, "is_member": True, "user": channel.person_id}
    return {
        **shown,
        "name": channel.name,
        "is_channel": True,
        "is_im": False,
        "is_private": False,
        "is_member": workspace.state.bot_is_in(channel.id),
        "topic": {"value": channel.topic},
        "num_members": len(workspace.state.people) + workspace.state.bot_is_in(channel.id),
    }


def _open(workspace: Workspace, arguments: Arguments) -> Json:
    person_id = arguments.text("users")
    for channel in workspace.state.channels.values():
        if channel.person_id == person_id:
            return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    raise Refused("user_not_found")


def _user_group(workspace: Workspace, arguments: Arguments) -> Json:
    members = workspace.state.user_groups.get(arguments.text("usergroup"))
    if members is None:
        raise Refused("no_such_subteam")
    return {"users": list(members)}


def _user_info(workspace: Workspace, arguments: Arguments) -> Json:
    user_id = arguments.text("user")
    if user_id == BOT_USER_ID:
        bot = Member(id=BOT_USER_ID, name=BOT_NAME.lower(), real_name=BOT_NAME, title="")
        return {"user": {**_person(bot), "is_bot": True}}
    person = workspace.state.people.get(user_id)
    if person is None:
        raise Refused("user_not_found")
    return {"user": {**_person(person), "is_bot": False}}


def _person(person: Member) -> Json:
    profile = {"real_name": person.real_name, "display_name": person.real_name, "title": person.title}
    return {
        "id": person.id,
        "team_id": TEAM_ID,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": False,
        "tz": "UTC",
        "tz_offset": 0,
        "profile": profile,
    }


_CONTENT = frozenset({"text", "blocks", "metadata", "mrkdwn", "unfurl_links", "unfurl_media"})
_TEAM = frozenset({"team_id"})  # Bolt adds it to calls of its own client
_WINDOW = frozenset({"cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"})

METHODS: dict[str, Method] = {
    "api.test": Method(run=_api_test, token=Token.NONE, open_ended=True),
    "auth.test": Method(run=_auth_test),
    "apps.connections.open": Method(run=_connections_open, token=Token.APP),
    "chat.postMessage": Method(
        run=_post_message,
        required=frozenset({"channel"}),
        optional=_CONTENT | _TEAM | {"thread_ts", "reply_broadcast"},
    ),
    "chat.postEphemeral": Method(
        run=_post_ephemeral,
        required=frozenset({"channel", "user"}),
        optional=frozenset({"text", "blocks", "thread_ts"}) | _TEAM,
    ),
    "chat.update": Method(
        run=_update, required=frozenset({"channel", "ts"}), optional=frozenset({"text", "blocks", "metadata"}) | _TEAM
    ),
    "chat.delete": Method(run=_delete, required=frozenset({"channel", "ts"}), optional=_TEAM),
    "conversations.history": Method(run=_history, required=frozenset({"channel"}), optional=_WINDOW | _TEAM),
    "conversations.replies": Method(run=_replies, required=frozenset({"channel", "ts"}), optional=_WINDOW | _TEAM),
    "conversations.info": Method(run=_channel_info, required=frozenset({"channel"}), optional=_TEAM),
    "conversations.list": Method(
        run=_channel_list, optional=frozenset({"cursor", "exclude_archived", "limit", "types"}) | _TEAM
    ),
    "conversations.open": Method(run=_open, required=frozenset({"users"}), optional=_TEAM),
    "usergroups.users.list": Method(
        run=_user_group, required=frozenset({"usergroup"}), optional=frozenset({"include_disabled"}) | _TEAM
    ),
    "users.info": Method(run=_user_info, required=frozenset({"user"}), optional=_TEAM),
}
