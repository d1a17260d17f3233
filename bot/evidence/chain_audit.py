"""The audit of the evidence file: compare every link, record, reply and time-stamp with its SHA-256."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.evidence.chain import ChainWalk, EvidenceFault
from bot.evidence.records import AlertRecord, ChainLink, Record, ReplyRecord, read_record, sha256
from bot.evidence.reread import Origin
from bot.evidence.timestamps import stamp_fault
from storage.evidence import Evidence, EvidenceDamaged, KeptRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedLink:
    """A link with its readable records. An origin has ``content`` where its bytes are stored and whole."""

    link: ChainLink
    origins: tuple[Origin, ...]
    alerts: tuple[AlertRecord, ...]


class ChainAudit:
    """Check the evidence file once: call ``chain`` first, then ``contents``, then the rest in any order.

    Each step yields faults as it finds them. The counters say how much was checked.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._walk = ChainWalk()
        self.links = self._walk.links
        self.newest: tuple[int, str] | None = None
        self.records = 0
        self.replies = 0
        self.deleted = 0
        self.stamps = 0
        self.stamped_until = 0

    def chain(self) -> Iterator[EvidenceFault]:
        """Check that each link has its SHA-256 and names the SHA-256 of the link before, and that none is missing."""
        if damage := self._evidence.integrity_error():
            yield EvidenceFault("The evidence's file", f"SQLite finds it damaged ({damage}).")
        before = 0
        for sequence in self._evidence.sequences():
            if sequence != before + 1:
                many = sequence - before - 1
                missing = f"Link {before + 1}" if many == 1 else f"Links {before + 1} to {sequence - 1}"
                yield EvidenceFault(missing, "missing from the chain.")
                self._walk.break_off()
            where, before = f"Link {sequence}", sequence
            try:
                manifest = self._evidence.manifest(sequence)
                assert manifest is not None  # noqa: S101 (it was listed)
            except EvidenceDamaged as error:
                yield EvidenceFault(where, str(error))
                self._walk.break_off()
                continue
            if sha256(manifest.text) != manifest.digest.hex():
                yield EvidenceFault(where, "its text does not have the SHA-256 that is stored with it.")
            yield from self._walk.follow(where, sequence, manifest.text)
            if sequence in self.links:
                self.newest = (sequence, sha256(manifest.text))

    def contents(self) -> Iterator[EvidenceFault | AuditedLink]:
        """Check that each record is the one that its link names in its place, and that its bytes are whole."""
        for sequence, link in self.links.items():
            where = f"Link {sequence}"
            try:
                stored = self._evidence.records(sequence)
            except EvidenceDamaged as error:
                yield EvidenceFault(where, str(error))
                continue
            if len(stored) != len(link.records):
                yield EvidenceFault(
                    where, f"its manifest names {len(link.records)} record(s), and {len(stored)} are stored."
                )
            yield from self._records(link, stored)

    def _records(self, link: ChainLink, records: tuple[KeptRecord, ...]) -> Iterator[EvidenceFault | AuditedLink]:
        origins: list[Origin] = []
        alerts: list[AlertRecord] = []
        last_seen: set[str] = set()
        for place, stored in enumerate(records, start=1):
            where = f"Record {stored.place}, of link {link.sequence}"
            self.records += 1
            if stored.place != place or place > len(link.records) or sha256(stored.text) != link.records[place - 1]:
                yield EvidenceFault(where, "it is not the record that the manifest names in its place.")
            try:
                record = read_record(stored.text)
                content = self._content(link.sequence, record, last_seen)
            except EvidenceDamaged as error:
                yield EvidenceFault(where, str(error))
                continue
            if stored.asked_at != (record.asked_at if isinstance(record, ReplyRecord) else None):
                yield EvidenceFault(where, "it is filed under another instant than its text states.")
            if isinstance(record, AlertRecord):
                alerts.append(record)
            else:
                origins.append(Origin(link=link.sequence, text=stored.text, record=record, content=content))
        self.replies += len(last_seen)
        yield AuditedLink(link=link, origins=tuple(origins), alerts=tuple(alerts))

    def _content(self, sequence: int, record: Record, last_seen: set[str]) -> bytes | None:
        """Return the bytes of a record, or None where they were never stored, or deleted after their time.

        Raise ``EvidenceDamaged`` where they are missing or altered.
        """
        body = record.body
        if body is None or body.withheld:
            return None
        reply = self._evidence.reply(bytes.fromhex(body.sha256))
        if reply is None:
            if self._walk.is_deleted(record, sequence):
                self.deleted += 1
                return None
            raise EvidenceDamaged(f"the reply {body.sha256} that it names is missing.")
        if sha256(reply.raw) != body.sha256 or len(reply.raw) != body.size:
            raise EvidenceDamaged(f"the reply {body.sha256} was altered: its bytes have another SHA-256.")
        if reply.seen < sequence:
            raise EvidenceDamaged(f"the reply {body.sha256} is filed under link {reply.seen}, but came again later.")
        if reply.seen == sequence:
            last_seen.add(body.sha256)
        return reply.raw

    def extras(self) -> Iterator[EvidenceFault]:
        """Check that nothing is stored that no link names. Call this after ``contents``."""
        for sequence in self._evidence.missing_links():
            yield EvidenceFault(f"Link {sequence}", "its records or stamps are stored, but the link is missing.")
        if self._evidence.row_counts()["replies"] == self.replies:
            return
        for digest, seen in self._evidence.replies():
            try:
                records = [read_record(stored.text) for stored in self._evidence.records(seen)]
            except EvidenceDamaged:
                continue  # ``contents`` yielded that fault
            if digest.hex() not in {record.body.sha256 for record in records if record.body}:
                what = f"no record of link {seen}, under which it is filed, names it."
                yield EvidenceFault(f"The reply {digest.hex()}", what)

    def time_stamps(self) -> Iterator[EvidenceFault]:
        """Check that each stamp is valid, and is the stamp that the chain notes. Call this after ``chain``."""
        notes = {link.stamp.sequence: link.stamp for link in self.links.values() if link.stamp}
        for stamp in self._evidence.stamps():
            where = f"The time-stamp of link {stamp.sequence}"
            note = notes.pop(stamp.sequence, None)
            if note is None or (note.response, note.root) != (sha256(stamp.response), sha256(stamp.root)):
                yield EvidenceFault(where, "it is not the stamp that the chain notes: altered or replaced.")
                continue
            manifest = self._evidence.manifest(stamp.sequence) if stamp.sequence in self.links else None
            if fault := stamp_fault(stamp, manifest.text if manifest else b""):
                yield EvidenceFault(where, fault)
                continue
            self.stamps += 1
            self.stamped_until = stamp.sequence
        for sequence in notes:
            yield EvidenceFault(f"The time-stamp of link {sequence}", "missing, although the chain notes it.")
