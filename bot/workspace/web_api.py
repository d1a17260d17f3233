"""The Web API: which methods there are, their arguments and tokens.

The parameters of a method's function are the method's arguments. An argument without a default is required. The
annotation says how the argument is read.

This Web API is stricter than Slack in one thing: an argument that a method does not have is refused by name. Slack
ignores such an argument, so a misspelt ``thread_ts`` would post into the channel. Arguments that Slack has and the bot
must not use (``link_names``, ``parse``: they turn words into mentions) are refused on purpose.

https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from bot.workspace import chat, conversations
from bot.workspace.model import BOT_ID, BOT_NAME, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID, TEAM_NAME, Json, Refused
from bot.workspace.workspace import Workspace

MAX_LIMIT = 999
"""The most items that a page of a list may have."""
_EVERYWHERE = frozenset({"token", "team_id"})
"""Arguments that every method takes: Bolt adds ``team_id`` to the calls of its own client."""


class Token(Enum):
    """The token that a method needs."""

    NONE = "none"
    BOT = "bot"
    APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method. ``ignored`` are arguments that are accepted and change nothing here.

    A method that ``takes_anything`` accepts arguments that its function does not have.
    """

    run: Callable[..., Json]
    token: Token = Token.BOT
    ignored: frozenset[str] = frozenset()
    takes_anything: bool = False


def call(workspace: Workspace, name: str, arguments: Json, token: str) -> Json:
    """Carry out a call and return its answer. Raises ``Refused``.

    ``token`` comes from the header. If it is empty, the argument ``token`` counts.
    """
    method = METHODS.get(name)
    if method is None:
        raise Refused("unknown_method", f"[ERROR] {name} is not among the methods of the local workspace")
    _check_token(workspace, method, token or str(arguments.get("token", "")))
    parameters = dict(inspect.signature(method.run, eval_str=True).parameters)
    del parameters["workspace"]
    unknown = set(arguments) - set(parameters) - method.ignored - _EVERYWHERE
    wrong = [] if method.takes_anything else [f"[ERROR] unknown argument: {one}" for one in sorted(unknown)]
    wrong += [
        f"[ERROR] missing required field: {one.name}"
        for one in parameters.values()
        if one.default is one.empty and one.name not in arguments
    ]
    if wrong:
        raise Refused("invalid_arguments", *wrong)
    given = {
        name: _READERS[parameter.annotation](name, arguments[name])
        for name, parameter in parameters.items()
        if name in arguments
    }
    return {"ok": True, **method.run(workspace, **given)}


def _check_token(workspace: Workspace, method: Method, token: str) -> None:
    if method.token is Token.NONE:
        return
    if not token:
        raise Refused("not_authed")
    tokens = {Token.BOT: workspace.bot_token, Token.APP: workspace.app_token}
    if not secrets.compare_digest(token.encode(), tokens[method.token].encode()):
        raise Refused("not_allowed_token_type" if token in tokens.values() else "invalid_auth")


def _api_test(workspace: Workspace, *, error: str = "") -> Json:  # noqa: ARG001 (every method has a workspace)
    if error:
        raise Refused(error)
    return {}


def _auth_test(workspace: Workspace) -> Json:  # noqa: ARG001
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": TEAM_NAME,
        "user": BOT_NAME.lower(),
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _open_connection(workspace: Workspace) -> Json:
    return {"url": workspace.open_connection()}


METHODS: dict[str, Method] = {
    "api.test": Method(run=_api_test, token=Token.NONE, takes_anything=True),
    "auth.test": Method(run=_auth_test),
    "apps.connections.open": Method(run=_open_connection, token=Token.APP),
    "chat.postMessage": Method(run=chat.post_message, ignored=frozenset({"mrkdwn", "unfurl_links", "unfurl_media"})),
    "chat.postEphemeral": Method(run=chat.post_ephemeral),
    "chat.update": Method(run=chat.update),
    "chat.delete": Method(run=chat.delete),
    "conversations.history": Method(run=conversations.history),
    "conversations.replies": Method(run=conversations.replies),
    "conversations.info": Method(run=conversations.info),
    "conversations.list": Method(run=conversations.list_channels),
    "conversations.open": Method(run=conversations.open_direct),
    "usergroups.users.list": Method(run=conversations.user_group_members, ignored=frozenset({"include_disabled"})),
    "users.info": Method(run=conversations.user_info),
}


def parse_body(query: str, content_type: str, body: bytes) -> Json:
    """Return the arguments of a request. Slack takes arguments in the query, in a form and in JSON.

    An empty JSON body has none (slack_sdk's ``auth.test``). Raises ``Refused``.
    """
    arguments: Json = dict(parse_qsl(query, keep_blank_values=True))
    if content_type.startswith("application/json"):
        return arguments | (_json_object(body) if body.strip() else {})
    if content_type.startswith("application/x-www-form-urlencoded") or not body:
        try:
            return arguments | dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as error:
            raise Refused("invalid_form_data") from error
    raise Refused("invalid_post_type", f"[ERROR] unsupported Content-Type: {content_type or 'none'}")


def _json_object(body: bytes) -> Json:
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise Refused("invalid_json") from error
    if not isinstance(parsed, dict):
        raise Refused("json_not_object")
    return parsed


def _wrong(name: str, what: str) -> Refused:
    return Refused("invalid_arguments", f"[ERROR] {name} {what}")


def _read_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "must be a string")
    return value


def _read_flag(name: str, value: Any) -> bool:
    word = str(value).lower()
    if word not in {"1", "true", "0", "false"}:
        raise _wrong(name, "must be true or false")
    return word in {"1", "true"}


def _read_limit(name: str, value: Any) -> int:
    try:
        limit = int(value)
    except (TypeError, ValueError) as error:
        raise _wrong(name, "must be a whole number") from error
    if not 1 <= limit <= MAX_LIMIT:
        raise _wrong(name, f"must be from 1 to {MAX_LIMIT}")
    return limit


def _read_document(name: str, value: Any) -> object:
    """Return a JSON document, which a form holds as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise Refused("invalid_blocks_format" if name == "blocks" else "invalid_json", f"[ERROR] {name}") from error


_READERS: dict[Any, Callable[[str, Any], Any]] = {
    str: _read_text,
    str | None: _read_text,
    bool: _read_flag,
    int: _read_limit,
    object: _read_document,
}
