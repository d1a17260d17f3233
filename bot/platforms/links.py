"""Links as people paste them from browsers, phones and Slack, with the characters around them."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

_SLACK_LINK = re.compile(r"<(?P<target>[^<>|\s@#!][^<>|\s]*)(?:\|(?P<label>[^<>|]*))?>")
_ADDRESS = re.compile(r"(?:https?://|//)?(?P<rest>[^\s/?#@:]+\.[^\s/?#@:]+(?::\d*)?(?:[/?#]\S*)?)", re.IGNORECASE)
_AROUND = " \t\r\n\u00a0\u200b\u200e\u200f\u2060\ufeff\"'`*“”„\u2018\u2019«»,;"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedLink:
    """The parts of an address. ``host`` is in small letters; ``path`` holds the segments, percent-decoded."""

    host: str
    path: tuple[str, ...]
    query: Mapping[str, str]


def cleaned(text: str) -> str:
    """Return ``text`` without the quotes, blanks and Slack marks around it.

    >>> cleaned("“<http://example.org|example.org>”")
    'example.org'
    """
    text = text.strip(_AROUND)
    if found := _SLACK_LINK.search(text):
        target, label = found["target"], found["label"] or ""
        typed = label if label and re.fullmatch(f"(?:https?://|mailto:)?{re.escape(label)}/?", target) else target
        text = text[: found.start()] + typed + text[found.end() :]
    return html.unescape(text).strip(_AROUND)


def link_in(text: str) -> PastedLink | None:
    """Return the address that ``text`` is, with or without ``https://``, or None if it is none."""
    if not (found := _ADDRESS.fullmatch(text)):
        return None
    try:
        parts = urlsplit(f"https://{found['rest']}")
        host = parts.hostname or ""
    except ValueError:
        return None
    return PastedLink(
        host=host.rstrip("."),
        path=tuple(segment for segment in map(unquote, parts.path.split("/")) if segment),
        query=dict(parse_qsl(parts.query)),
    )
