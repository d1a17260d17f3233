"""Packing: a reply is stored as its difference from an earlier reply to the same request, its *key*.

The format is deflate with a preset dictionary (RFC 1951, ``zlib``'s ``zdict``). A key unpacks by itself, so two steps
unpack any reply. A reply that is no key can be deleted without breaking another one.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass

from storage.errors import StoreError

RENEWED_AFTER = 64
"""The number of replies that one key serves. Counts drift away from their key, digit by digit."""

SHAPES = 512
"""The number of last requests whose keys stay in memory: those of 25,600 pages, and at most 16 MB."""

_LEVEL = 3  # 28 bytes a reading: 6 takes 24, and half as long again
_RAW = -15  # no header and no checksum of deflate's own
_CHECK = 4  # bytes of CRC-32 before the data: two forms of it may unpack to the same bytes, and one of them is not ours
_WINDOW = 32_768  # bytes of a dictionary that deflate can see


class EvidenceDamaged(StoreError):
    """A stored piece of evidence cannot be read back as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Bytes, their SHA-256, and their packed form ``data``. ``key`` is the SHA-256 of the key, if there is one."""

    raw: bytes
    digest: bytes
    key: bytes | None
    data: bytes


@dataclass(slots=True)
class _Key:
    raw: bytes
    digest: bytes
    size: int
    uses: int = 0


class Packer:
    """A packer of replies, which finds the key by ``shape`` (the request). Any thread may use it."""

    def __init__(self) -> None:
        self._keys: OrderedDict[bytes, _Key] = OrderedDict()
        self._lock = threading.Lock()

    def pack(self, raw: bytes, shape: bytes) -> Packed:
        """Pack a reply by the key of its shape. The first reply, and one in 64 after it, becomes the key."""
        digest = hashlib.sha256(raw).digest()
        with self._lock:
            key = self._keys.get(shape)
            if key is not None:
                key.uses += 1
                self._keys.move_to_end(shape)
        if key is not None and key.uses <= RENEWED_AFTER:
            data = deflated(raw, key.raw)
            if len(data) <= key.size // 2:
                return Packed(raw=raw, digest=digest, key=key.digest, data=data)
        alone = packed_alone(raw)
        if len(raw) <= _WINDOW:
            with self._lock:
                self._keys[shape] = _Key(raw=raw, digest=digest, size=len(alone.data))
                self._keys.move_to_end(shape)
                if len(self._keys) > SHAPES:
                    self._keys.popitem(last=False)
        return alone

    def forget(self) -> None:
        """Drop all keys, because a rolled-back transaction may have stored them."""
        with self._lock:
            self._keys.clear()


def packed_alone(raw: bytes) -> Packed:
    """Return the bytes packed without a key."""
    return Packed(raw=raw, digest=hashlib.sha256(raw).digest(), key=None, data=deflated(raw))


def deflated(raw: bytes, key: bytes = b"") -> bytes:
    """Return ``raw`` packed by ``key``."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=key)
    data = packer.compress(raw) + packer.flush()
    return zlib.crc32(data).to_bytes(_CHECK) + data


def inflated(data: bytes, key: bytes = b"") -> bytes:
    """Return the bytes that ``deflated`` was given. Raise ``zlib.error`` for any other data."""
    check, deflate = data[:_CHECK], data[_CHECK:]
    if zlib.crc32(deflate).to_bytes(_CHECK) != check:
        raise zlib.error("not the bytes that were written")
    unpacker = zlib.decompressobj(_RAW, zdict=key)
    return unpacker.decompress(deflate) + unpacker.flush()
