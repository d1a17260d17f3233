"""Finding a credential in what a platform sends back, however it is escaped there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

_DEEPEST = 5  # an address in a text in a JSON text in a JSON text, and one to spare
_UNESCAPED = re.compile(rb"[A-Za-z0-9]+")
_CODE = re.compile(rb"\\+u00([0-9a-fA-F]{2})")


def repeats(text: bytes, secrets: Iterable[str]) -> bool:
    """Whether a text has one of these in it: as it is, percent-encoded, or in JSON, once or one inside another."""
    sought = [secret.encode() for secret in secrets]
    if b"\\u00" not in text and not any(_survivor(secret) in text for secret in sought):
        return False  # taking a text apart takes long
    plain = _plain(text)
    return any(secret in text or _plain(secret) in plain for secret in sought)


def _survivor(secret: bytes) -> bytes:
    """The longest part of a secret that nothing but JSON's codes would write otherwise; it may be empty."""
    return max(_UNESCAPED.findall(secret), key=len, default=b"")


def _plain(text: bytes) -> bytes:
    for _ in range(_DEEPEST):
        before = text
        if b"\\u" in text:
            text = _CODE.sub(lambda found: bytes.fromhex(found[1].decode()), text)
        text = text.replace(b"\\", b"")
        if b"%" in text:
            text = unquote_to_bytes(text)
        if text == before:
            break
    return text
