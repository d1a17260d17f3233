"""Finding a credential in what a platform sends back, however it is escaped there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

_DEEPEST = 5  # an address in a text in a JSON text in a JSON text, and one to spare
_CODE = re.compile(rb"\\+u00([0-9a-fA-F]{2})")


def repeats(text: bytes, secrets: Iterable[str]) -> bool:
    """Whether a text has one of these in it: as it is, percent-encoded, or in JSON, once or one inside another."""
    plain = _plain(text)
    return any(secret.encode() in text or _plain(secret.encode()) in plain for secret in secrets)


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
