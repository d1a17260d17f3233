"""What comes again and again is kept as a difference, with a bounded number of keys in memory."""

from __future__ import annotations

import hashlib

from storage.evidence import Packer
from storage.evidence.packing import SHAPES, inflated


def reply(number: int) -> bytes:
    """As little like itself as another page's numbers and names are."""
    return "".join(hashlib.sha256(f"{number}: {part}".encode()).hexdigest() for part in range(9)).encode()


def test_a_request_that_comes_again_is_kept_as_a_difference() -> None:
    packer = Packer()
    first = packer.pack(reply(1), b"1")
    again = packer.pack(reply(1) + b"changed", b"1")
    assert (first.key, again.key) == (None, first.digest)
    assert inflated(again.data, first.raw) == again.raw


def test_the_requests_that_were_used_last_are_remembered_and_no_more() -> None:
    packer = Packer()
    used = packer.pack(reply(1), b"used")
    packer.pack(reply(2), b"unused")
    for number in range(SHAPES - 2):
        packer.pack(reply(number), str(number).encode())
    packer.pack(reply(1), b"used")
    packer.pack(reply(3), b"one more")
    assert packer.pack(reply(1), b"used").key == used.digest
    assert packer.pack(reply(2), b"unused").key is None


def test_requests_that_never_come_again_leave_nothing_behind() -> None:
    packer = Packer()
    firsts = [packer.pack(reply(number), str(number).encode()) for number in range(3 * SHAPES)]
    agains = [packer.pack(reply(number), str(number).encode()).key for number in reversed(range(3 * SHAPES))]
    assert [key for key in agains if key] == [first.digest for first in reversed(firsts[-SHAPES:])]
