"""The arguments of a Web API call: from the query, a form or JSON, each read as the type that its method declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bot.workspace.model import Json, Refused

_TRUE, _FALSE = frozenset({"1", "true"}), frozenset({"0", "false"})


def parse_body(query: str, content_type: str, body: bytes) -> Json:
    """Everything that a request says: Slack takes arguments in the query, in a form and in JSON.

    An empty JSON body is none (slack_sdk's ``auth.test``). Raises ``Refused``.
    """
    said: Json = dict(parse_qsl(query, keep_blank_values=True))
    if content_type.startswith("application/json"):
        return said | (_json_object(body) if body.strip() else {})
    if content_type.startswith("application/x-www-form-urlencoded") or not body:
        try:
            return said | dict(parse_qsl(body.decode(), keep_blank_values=True))
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


class Arguments:
    """One call's arguments. Every reader raises ``Refused`` ``invalid_arguments`` naming the argument."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A string; "" where it was left out."""
        value = self._values.get(name, "")
        if not isinstance(value, str):
            raise _wrong(name, "must be a string")
        return value

    def text_if_given(self, name: str) -> str | None:
        return self.text(name) if name in self._values else None

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if isinstance(value, bool):
            return value
        if str(value).lower() in _TRUE | _FALSE:
            return str(value).lower() in _TRUE
        raise _wrong(name, "must be true or false")

    def number(self, name: str, *, default: int, most: int) -> int:
        try:
            value = int(self._values.get(name, default))
        except (TypeError, ValueError) as error:
            raise _wrong(name, "must be a whole number") from error
        if not 1 <= value <= most:
            raise _wrong(name, f"must be from 1 to {most}")
        return value

    def document(self, name: str) -> object:
        """A JSON document: as itself, or as text in a form; ``None`` where it was left out."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise Refused("invalid_blocks_format" if name == "blocks" else "invalid_json", f"[ERROR] {name}") from error


def _wrong(name: str, what: str) -> Refused:
    return Refused("invalid_arguments", f"[ERROR] {name} {what}")
