"""The audit of the kept evidence: every link, record, reply and time-stamp is held against its SHA-256."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.evidence.fault import EvidenceFault
from bot.evidence.records import ChainLink, Record, ReplyRecord, read_manifest, read_record, sha256
from bot.evidence.reread import StoredExchange
from bot.evidence.timestamps import stamp_fault
from storage.evidence import Evidence, EvidenceDamaged, KeptRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedLink:
    """A link whose records were looked at: what it says, they, and those exchanges whose bytes are there and whole."""

    link: ChainLink
    records: tuple[tuple[KeptRecord, Record], ...]
    exchanges: tuple[StoredExchange, ...]


class ChainAudit:
    """Looks at the evidence's file once; ``chain`` first, ``contents`` then, the rest in any order.

    The counters say what was looked at. Each step yields what is wrong, as it is found.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.links: dict[int, ChainLink] = {}
        self.newest: tuple[int, str] | None = None
        self.records = 0
        self.replies = 0
        self.let_go = 0
        self.stamps = 0
        self.stamped_until = 0
        self._let_go_before = 0

    def chain(self) -> Iterator[EvidenceFault]:
        """Every link has its SHA-256, and names that of the one before it; none is missing."""
        if damage := self._evidence.integrity_error():
            yield EvidenceFault(where="The evidence's file", what=f"SQLite finds it damaged ({damage}).")
        before, digest = 0, None
        for sequence in self._evidence.sequences():
            if sequence != before + 1:
                many = sequence - before - 1
                missing = f"Link {before + 1}" if many == 1 else f"Links {before + 1} to {sequence - 1}"
                yield EvidenceFault(where=missing, what="missing from the chain.")
                digest = None
            where, follows, before = f"Link {sequence}", digest is not None or sequence == 1, sequence
            try:
                manifest = self._evidence.manifest(sequence)
                assert manifest is not None  # noqa: S101 (it was listed)
                link = read_manifest(manifest.text)
            except EvidenceDamaged as error:
                yield EvidenceFault(where=where, what=str(error))
                digest = None
                continue
            if sha256(manifest.text) != manifest.digest.hex():
                yield EvidenceFault(where=where, what="its text does not have the SHA-256 that was noted of it.")
            if link.sequence != sequence:
                yield EvidenceFault(
                    where=where, what=f"its text says that it is link {link.sequence}: links changed places."
                )
            if follows and link.previous != digest:
                yield EvidenceFault(
                    where=where, what="it does not follow the link before it: one of the two was exchanged."
                )
            digest = sha256(manifest.text)
            self.links[sequence] = link
            self.newest = (sequence, digest)
            self._let_go_before = max(self._let_go_before, link.let_go_before or 0)

    def contents(self) -> Iterator[EvidenceFault | AuditedLink]:
        """Every record is the one that its link names in its place, and the bytes it tells of are there and whole."""
        for sequence, link in self.links.items():
            try:
                kept = self._evidence.records(sequence)
            except EvidenceDamaged as error:
                yield EvidenceFault(where=f"Link {sequence}", what=str(error))
                continue
            if len(kept) != len(link.records):
                what = f"its manifest names {len(link.records)} record(s), and there are {len(kept)}."
                yield EvidenceFault(where=f"Link {sequence}", what=what)
            yield from self._records(link, kept)

    def _records(self, link: ChainLink, kept: tuple[KeptRecord, ...]) -> Iterator[EvidenceFault | AuditedLink]:
        records: list[tuple[KeptRecord, Record]] = []
        exchanges: list[StoredExchange] = []
        last_seen: set[str] = set()
        for place, one in enumerate(kept, start=1):
            where = f"Record {one.place}, of link {link.sequence}"
            self.records += 1
            if one.place != place or place > len(link.records) or sha256(one.text) != link.records[place - 1]:
                yield EvidenceFault(where=where, what="it is not the record that the manifest names in its place.")
            try:
                record = read_record(one.text)
                raw = self._reply(link.sequence, record, last_seen)
            except EvidenceDamaged as error:
                yield EvidenceFault(where=where, what=str(error))
                continue
            if one.asked_at != (record.asked_at if isinstance(record, ReplyRecord) else None):
                yield EvidenceFault(where=where, what="it is filed under another instant than it tells.")
            records.append((one, record))
            if isinstance(record, ReplyRecord) and raw is not None:
                exchanges.append(StoredExchange(record=record, content=raw))
        self.replies += len(last_seen)
        yield AuditedLink(link=link, records=tuple(records), exchanges=tuple(exchanges))

    def _reply(self, sequence: int, record: Record, last_seen: set[str]) -> bytes | None:
        """The bytes a record tells of; None where they were never kept, or let go by the rule. Else EvidenceDamaged."""
        body = record.body
        if body is None or body.withheld:
            return None
        reply = self._evidence.reply(bytes.fromhex(body.sha256))
        if reply is None:
            if sequence < self._let_go_before and isinstance(record, ReplyRecord):
                self.let_go += 1
                return None
            raise EvidenceDamaged(f"the reply {body.sha256} that it tells of is missing.")
        if sha256(reply.raw) != body.sha256 or len(reply.raw) != body.size:
            raise EvidenceDamaged(f"the reply {body.sha256} was altered: its bytes have another SHA-256.")
        if reply.seen < sequence:
            raise EvidenceDamaged(f"the reply {body.sha256} is filed under link {reply.seen}, but came again since.")
        if reply.seen == sequence:
            last_seen.add(body.sha256)
        return reply.raw

    def extras(self) -> Iterator[EvidenceFault]:
        """There is nothing that no link tells of. After ``contents``."""
        for sequence in self._evidence.missing_links():
            yield EvidenceFault(where=f"Link {sequence}", what="there are records or stamps of it, but not the link.")
        if self._evidence.row_counts()["replies"] == self.replies:
            return
        for digest, seen in self._evidence.replies():
            try:
                records = [read_record(kept.text) for kept in self._evidence.records(seen)]
            except EvidenceDamaged:
                continue  # told already
            if digest.hex() not in {record.body.sha256 for record in records if record.body}:
                what = f"no record of link {seen}, under which it is filed, tells of it."
                yield EvidenceFault(where=f"The reply {digest.hex()}", what=what)

    def time_stamps(self) -> Iterator[EvidenceFault]:
        """Every stamp holds, over the link it is of, and is the one that the chain tells of. After ``chain``."""
        noted = {link.stamp.sequence: link.stamp for link in self.links.values() if link.stamp}
        for stamp in self._evidence.stamps():
            where = f"The time-stamp of link {stamp.sequence}"
            note = noted.pop(stamp.sequence, None)
            if note is None or (note.response, note.root) != (sha256(stamp.response), sha256(stamp.root)):
                yield EvidenceFault(
                    where=where, what="it is not the one that the chain tells of: altered or exchanged."
                )
                continue
            manifest = self._evidence.manifest(stamp.sequence) if stamp.sequence in self.links else None
            if fault := stamp_fault(stamp, manifest.text if manifest else b""):
                yield EvidenceFault(where=where, what=fault)
                continue
            self.stamps += 1
            self.stamped_until = stamp.sequence
        for sequence in noted:
            yield EvidenceFault(where=f"The time-stamp of link {sequence}", what="missing: the chain tells of it.")
