"""``Evidence``: the one door to the received replies, hashed and chained. Texts and bytes in, texts and bytes out.

This module stores texts in order, each with its SHA-256. Their meaning is in ``bot.evidence.records``.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from storage.evidence.packing import EvidenceDamaged, Packed, deflated, inflated, packed_alone
from storage.evidence.schema import EVIDENCE_MIGRATIONS
from storage.schema.database import Database
from storage.schema.rows import Row, to_instant, to_ms
from storage.schema.sqlite import sqlite3

_AT_ONCE = 200  # rows of one query, so that no transaction stays open between two replies
_KEYS = 50_000  # of requests in use: those of two million pages
_RECORD = "sequence, place, asked_at, key_sequence, key_place, text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest link of the chain: its number and its SHA-256."""

    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A stored link: its number, its noted SHA-256, and its text."""

    sequence: int
    digest: bytes
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to store. ``asked_at`` is the instant of its poll, or None; ``reply``: the received bytes."""

    text: Packed
    asked_at: datetime | None
    reply: Packed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecord:
    """A stored record, the ``place``-th of its link."""

    sequence: int
    place: int
    asked_at: datetime | None
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReply:
    """Stored bytes, their noted SHA-256, and the number of the last link whose cycle received them."""

    digest: bytes
    seen: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """An authority's time-stamp of a link: its response and the certificate that verified it, both in DER."""

    sequence: int
    response: bytes
    root: bytes


class Evidence:
    """All received replies. Any thread may read; one thread at a time adds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[bytes, tuple[int, int]] = {}
        self._last: Head | None = None
        self._gap_is_open = False
        database.after_rollback(self._keys.clear)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file for writing, as the one writer. Raise as ``Store.open`` does."""
        return cls(Database.open(path, EVIDENCE_MIGRATIONS))

    @classmethod
    def open_reader(cls, path: Path) -> Self:
        """Open an existing file for reading only, also beside a writer."""
        return cls(Database.open_reader(path, EVIDENCE_MIGRATIONS))

    def follow(self, anchor: Head) -> None:
        """Continue the chain after this link, on which readings rest, even if the link is missing.

        If the file was lost or replaced by an older one, the next link shows the gap for ever.
        """
        self._gap_is_open = self.digest_of(anchor.sequence) != anchor.digest
        self._last = anchor if self._gap_is_open else self.head()

    def last(self) -> Head | None:
        """Return the newest link on which readings may rest: sealed by this process, or verified at its start.

        Return None if there is no such link, for example while no link shows an open gap yet.
        """
        return None if self._gap_is_open else self._last

    def close(self) -> None:
        """Close the file and let another process write; harmless when done twice."""
        self._database.close()

    def seal(
        self, records: Sequence[NewRecord], compose: Callable[[int, bytes | None], bytes], *, stamp: Stamp | None = None
    ) -> Head:
        """Add a link with these records, commit it to the disk, and return it.

        Args:
            records: the records of the link, in order.
            compose: returns the manifest's text for the link's number and the digest before it; None for the first.
            stamp: a time-stamp of an earlier link, stored with this one.

        """
        with self._database.write() as db:
            newest = _head(db.conn)
            before = self._last or newest  # where the last was removed since, the gap shows
            sequence = max(head.sequence for head in (before, newest) if head) + 1 if before else 1
            text = compose(sequence, before.digest if before else None)
            head = Head(sequence=sequence, digest=hashlib.sha256(text).digest())
            db.conn.execute("INSERT INTO manifests VALUES (?, ?, ?)", (sequence, head.digest, deflated(text)))
            self._put_records(db.conn, sequence, records)
            _put_replies(db.conn, sequence, [record.reply for record in records if record.reply])
            if stamp is not None:
                db.conn.execute("INSERT INTO stamps VALUES (?, ?, ?)", (stamp.sequence, stamp.response, stamp.root))
        self._last, self._gap_is_open = head, False
        return head

    def _put_records(self, conn: sqlite3.Connection, sequence: int, records: Sequence[NewRecord]) -> None:
        rows: list[Row] = []
        for place, record in enumerate(records, start=1):
            text = record.text
            key = None if text.key is None else self._keys.get(text.key)
            if text.key is not None and key is None:
                text = packed_alone(text.raw)  # its key was not stored since the start
            if text.key is None:
                self._keys[text.digest] = (sequence, place)
                if len(self._keys) > _KEYS:
                    del self._keys[next(iter(self._keys))]
            asked_at = None if record.asked_at is None else to_ms(record.asked_at)
            rows.append((sequence, place, asked_at, *(key or (None, None)), text.data))
        conn.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", rows)

    def head(self) -> Head | None:
        """Return the newest link; None before the first."""
        with self._database.read() as conn:
            return _head(conn)

    def sequences(self) -> tuple[int, ...]:
        """Return the numbers of all links, in order."""
        return tuple(row[0] for row in self._database.rows("SELECT sequence FROM manifests ORDER BY sequence"))

    def digest_of(self, sequence: int) -> bytes | None:
        """Return the noted SHA-256 of a link, or None if there is none of this number."""
        digest: bytes | None = self._database.value("SELECT digest FROM manifests WHERE sequence = ?", (sequence,))
        return digest

    def manifest(self, sequence: int) -> Manifest | None:
        """Return a link, or None if there is none of this number. Raise EvidenceDamaged if it cannot be read."""
        row = self._database.row("SELECT digest, text FROM manifests WHERE sequence = ?", (sequence,))
        if row is None:
            return None
        return Manifest(sequence=sequence, digest=row[0], text=_inflated(row[1], b"", f"Manifest {sequence}"))

    def records(self, sequence: int) -> tuple[KeptRecord, ...]:
        """Return a link's records, in the order of its manifest."""
        return self._records("sequence = ?", (sequence,))

    def records_at(self, instant: datetime) -> tuple[KeptRecord, ...]:
        """Return the records of the polls at this instant (to the millisecond), in order."""
        return self._records("asked_at = ?", (to_ms(instant),))

    def records_without_poll(self) -> tuple[KeptRecord, ...]:
        """Return the records of imports and look-ups, oldest first."""
        return self._records("asked_at IS NULL", ())

    def _records(self, condition: str, values: tuple[int, ...]) -> tuple[KeptRecord, ...]:
        with self._database.read() as conn:
            rows = conn.execute(
                f"SELECT {_RECORD} FROM records WHERE {condition} ORDER BY sequence, place", values
            ).fetchall()
            texts = {key: _text_of(conn, key, row) for row in rows if (key := row[3:5]) != (None, None)}
        return tuple(_record(row, texts) for row in rows)

    def reply(self, digest: bytes) -> KeptReply | None:
        """Return the bytes with this SHA-256, or None if they are not stored any more."""
        with self._database.read() as conn:
            row = conn.execute("SELECT seen, key, data FROM replies WHERE digest = ?", (digest,)).fetchone()
            if row is None:
                return None
            seen, key, data = row
            raw = b"" if key is None else _raw_of(conn, key, digest)
        return KeptReply(digest=digest, seen=seen, raw=_inflated(data, raw, f"The reply {digest.hex()}"))

    def replies(self) -> Iterator[tuple[bytes, int]]:
        """Yield each stored reply's noted digest and the number of its last link."""
        after = 0
        while True:
            rows = self._database.rows(
                "SELECT rowid, digest, seen FROM replies WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, _AT_ONCE)
            )
            for _, digest, seen in rows:
                yield digest, seen
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1][0]

    def missing_links(self) -> tuple[int, ...]:
        """Return the numbers of links that records or stamps name and that are missing."""
        rows = self._database.rows(
            "SELECT sequence FROM records UNION SELECT sequence FROM stamps EXCEPT SELECT sequence FROM manifests"
        )
        return tuple(sorted(sequence for (sequence,) in rows))

    def integrity_error(self) -> str | None:
        """Return the fault that SQLite finds in the file, or None if it finds none."""
        found: str = self._database.value("PRAGMA integrity_check(1)")
        return None if found == "ok" else found

    def row_counts(self) -> dict[str, int]:
        """Return the numbers of ``manifests``, ``records``, ``replies`` and ``stamps``."""
        kinds = ("manifests", "records", "replies", "stamps")
        with self._database.read():
            return {kind: self._database.value(f"SELECT count(*) FROM {kind}") for kind in kinds}

    def delete_replies(self, before: int, *, but: Iterable[bytes]) -> int:
        """Delete the bytes last received before this link, except these digests; return how many.

        A reply that another one needs as its key stays.
        """
        with self._database.write() as db:
            db.conn.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (digest BLOB PRIMARY KEY)")
            db.conn.execute("DELETE FROM wanted")
            db.conn.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", [(digest,) for digest in but])
            old = "seen < ? AND digest NOT IN (SELECT digest FROM wanted)"
            gone = db.conn.execute(f"DELETE FROM replies WHERE {old} AND key IS NOT NULL", (before,)).rowcount
            unused = "digest NOT IN (SELECT key FROM replies WHERE key IS NOT NULL)"
            return gone + db.conn.execute(f"DELETE FROM replies WHERE {old} AND {unused}", (before,)).rowcount

    def stamps(self) -> tuple[Stamp, ...]:
        """Return every time-stamp, in the order of the links."""
        return self._stamps("ORDER BY sequence", ())

    def newest_stamp(self) -> Stamp | None:
        """Return the time-stamp of the newest link that has one."""
        return next(iter(self._stamps("ORDER BY sequence DESC LIMIT 1", ())), None)

    def first_stamp_from(self, sequence: int) -> Stamp | None:
        """Return the time-stamp of the first link that has one, at or after this link."""
        return next(iter(self._stamps("WHERE sequence >= ? ORDER BY sequence LIMIT 1", (sequence,))), None)

    def _stamps(self, which: str, values: tuple[int, ...]) -> tuple[Stamp, ...]:
        rows = self._database.rows(f"SELECT sequence, response, root FROM stamps {which}", values)
        return tuple(Stamp(sequence=sequence, response=response, root=root) for sequence, response, root in rows)


def _head(conn: sqlite3.Connection) -> Head | None:
    row = conn.execute("SELECT sequence, digest FROM manifests ORDER BY sequence DESC LIMIT 1").fetchone()
    return None if row is None else Head(sequence=row[0], digest=row[1])


def _put_replies(conn: sqlite3.Connection, sequence: int, replies: Sequence[Packed]) -> None:
    for reply in replies:
        kept = conn.execute("SELECT key FROM replies WHERE digest = ?", (reply.digest,)).fetchone()
        if kept is not None:
            conn.execute("UPDATE replies SET seen = ? WHERE digest = ?", (sequence, reply.digest))
            if reply.key is None and kept[0] is not None:  # it becomes a key, which must unpack by itself
                conn.execute("UPDATE replies SET key = NULL, data = ? WHERE digest = ?", (reply.data, reply.digest))
            continue
        key, data = reply.key, reply.data
        if key and not conn.execute("SELECT 1 FROM replies WHERE digest = ? AND key IS NULL", (key,)).fetchone():
            key, data = None, deflated(reply.raw)  # its key was never stored, or was deleted
        conn.execute("INSERT INTO replies VALUES (?, ?, ?, ?)", (reply.digest, sequence, key, data))


def _text_of(conn: sqlite3.Connection, key: Row, of: Row) -> bytes:
    """Return the text of a record that is another one's key."""
    row = conn.execute(
        "SELECT text FROM records WHERE (sequence, place) = (?, ?) AND key_sequence IS NULL", key
    ).fetchone()
    return _key(row, f"Record {key[1]}, of link {key[0]}, on which record {of[1]}, of link {of[0]}, rests,")


def _raw_of(conn: sqlite3.Connection, digest: bytes, of: bytes) -> bytes:
    """Return the bytes of a reply that is another one's key."""
    row = conn.execute("SELECT data FROM replies WHERE digest = ? AND key IS NULL", (digest,)).fetchone()
    return _key(row, f"The reply {digest.hex()}, on which {of.hex()} rests,")


def _key(row: Row | None, what: str) -> bytes:
    if row is None:
        raise EvidenceDamaged(f"{what} is not there.")
    return _inflated(row[0], b"", what)


def _record(row: Row, keys: dict[Row, bytes]) -> KeptRecord:
    sequence, place, asked_at, key_sequence, key_place, data = row
    key = keys.get((key_sequence, key_place), b"")
    text = _inflated(data, key, f"Record {place}, of link {sequence},")
    instant = None if asked_at is None else to_instant(asked_at)
    return KeptRecord(sequence=sequence, place=place, asked_at=instant, text=text)


def _inflated(data: bytes, key: bytes, what: str) -> bytes:
    try:
        return inflated(data, key)
    except zlib.error:
        raise EvidenceDamaged(f"{what} cannot be unpacked: it was altered.") from None
