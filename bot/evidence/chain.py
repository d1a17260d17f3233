"""The rules of the chain of links, which the audit of a store and the verification of a bundle both check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.evidence.records import ChainLink, Record, ReplyRecord, read_manifest, sha256
from storage.evidence import EvidenceDamaged


@dataclass(frozen=True, slots=True)
class EvidenceFault:
    """One thing that is not as it was stored: ``where`` names a row, a file or a figure, ``what`` the difference."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ChainWalk:
    """Follow links from the first to the last, and collect ``links`` by their number."""

    def __init__(self) -> None:
        self.links: dict[int, ChainLink] = {}
        self._deleted_before = 0
        self._previous: str | None = None

    def follow(self, where: str, number: int, text: bytes) -> Iterator[EvidenceFault]:
        """Check the next link, of this number, and yield its faults, which happened at ``where``."""
        previous, self._previous = self._previous, sha256(text)
        try:
            link = read_manifest(text)
        except EvidenceDamaged as error:
            yield EvidenceFault(where, str(error))
            return
        if link.sequence != number:
            yield EvidenceFault(where, f"its text states that it is link {link.sequence}: two links changed places.")
        if (previous is not None or number == 1) and link.previous != previous:
            yield EvidenceFault(where, "it does not follow the link before it: one of the two was replaced.")
        self.links[number] = link
        self._deleted_before = max(self._deleted_before, link.let_go_before or 0)

    def break_off(self) -> None:
        """Accept any next link: the one before it is missing, which is a fault of its own."""
        self._previous = None

    def is_deleted(self, record: Record, link: int) -> bool:
        """Return whether the chain states that the bytes of this link's record were deleted after their time.

        Imported files are never deleted.
        """
        return isinstance(record, ReplyRecord) and link < self._deleted_before
