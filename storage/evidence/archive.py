"""``Evidence``: the one door to what was received, hashed and chained. Texts and bytes in, texts and bytes out.

What the texts say is the bot's to know (``bot.evidence.texts``); here they are kept, in order, each with its SHA-256.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.database import Database
from storage.evidence.packing import EvidenceDamaged, Packed, deflated, inflated, packed_alone
from storage.evidence.schema import EVIDENCE_MIGRATIONS
from storage.rows import Row, to_instant, to_ms

_AT_ONCE = 200  # rows read in one go: nobody holds on to the file while somebody thinks about them
_KEYS = 50_000  # of requests in use: those of two million pages
_RECORD = "records.id, sequence, asked_at, key, text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest link of the chain: its number and its SHA-256."""

    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A link as kept: its number, the SHA-256 that was noted of it, and its text."""

    sequence: int
    digest: bytes
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to be kept: its text, when it was asked for (None: of no poll), and the bytes that came, if any."""

    text: Packed
    asked_at: datetime | None
    reply: Packed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecord:
    """A record as kept. ``asked_at`` is the instant it is found by, to the millisecond."""

    id: int
    sequence: int
    asked_at: datetime | None
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReply:
    """Bytes as kept, with the SHA-256 and the number of the last link that were noted of them."""

    digest: bytes
    seen: int
    raw: bytes


class Evidence:
    """Everything that was received. Any thread may read; one at a time adds to it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._record_ids: dict[bytes, int] = {}
        database.after_rollback(self._record_ids.clear)

    @classmethod
    def open(cls, path: Path) -> Evidence:
        """Open for writing (the one writer), as ``Store.open`` does; it raises the same."""
        return cls(Database.open(path, EVIDENCE_MIGRATIONS))

    @classmethod
    def open_reader(cls, path: Path) -> Evidence:
        """Open an existing file read-only, beside a running writer."""
        return cls(Database.open_reader(path, EVIDENCE_MIGRATIONS))

    def close(self) -> None:
        """Close the file and let another process write; harmless when done twice."""
        self._database.close()

    def backup(self, target: Path) -> None:
        """An online copy, complete and checked; it never overwrites."""
        self._database.backup(target)

    def seal(self, records: Sequence[NewRecord], compose: Callable[[int, bytes | None], bytes]) -> Head:
        """Add a link with these records, committed and on the disk when it returns.

        ``compose(sequence, previous)`` gives the manifest's text, from its number and the digest before (None: the
        first).
        """
        with self._database.write() as db:
            before = _head(db.conn)
            sequence = before.sequence + 1 if before else 1
            text = compose(sequence, before.digest if before else None)
            head = Head(sequence=sequence, digest=hashlib.sha256(text).digest())
            db.conn.execute("INSERT INTO manifests VALUES (?, ?, ?)", (sequence, head.digest, deflated(text)))
            self._put_records(db.conn, sequence, records)
            _put_replies(db.conn, sequence, [record.reply for record in records if record.reply])
        return head

    def _put_records(self, conn: sqlite3.Connection, sequence: int, records: Sequence[NewRecord]) -> None:
        newest = conn.execute("SELECT max(id) FROM records").fetchone()[0] or 0
        rows: list[Row] = []
        for record_id, record in enumerate(records, start=newest + 1):
            text = record.text
            key_id = None if text.key is None else self._record_ids.get(text.key)
            if text.key is not None and key_id is None:
                text = packed_alone(text.raw)  # its key was never kept, or before a restart
            if text.key is None:
                self._remember(text.digest, record_id)
            asked_at = None if record.asked_at is None else to_ms(record.asked_at)
            rows.append((record_id, sequence, asked_at, key_id, text.data))
        conn.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)

    def _remember(self, digest: bytes, record_id: int) -> None:
        self._record_ids[digest] = record_id
        if len(self._record_ids) > _KEYS:
            del self._record_ids[next(iter(self._record_ids))]

    def head(self) -> Head | None:
        """The newest link; None before the first."""
        with self._database.read() as conn:
            return _head(conn)

    def manifests(self, first: int = 1, last: int | None = None) -> Iterator[Manifest]:
        """The links from ``first`` to ``last``, both included (None: to the newest), in order.

        Raises ``EvidenceDamaged`` at one that cannot be read.
        """
        while True:
            with self._database.read() as conn:
                rows = conn.execute(
                    "SELECT sequence, digest, text FROM manifests "
                    "WHERE sequence >= :first AND (:last IS NULL OR sequence <= :last) ORDER BY sequence LIMIT :limit",
                    {"first": first, "last": last, "limit": _AT_ONCE},
                ).fetchall()
            for sequence, digest, data in rows:
                text = _inflated(data, b"", f"The manifest of cycle {sequence}")
                yield Manifest(sequence=sequence, digest=digest, text=text)
            if len(rows) < _AT_ONCE:
                return
            first = rows[-1][0] + 1

    def records(self, sequence: int) -> tuple[KeptRecord, ...]:
        """The records of a link, in the order in which its manifest names them."""
        return self._records("sequence = ?", (sequence,))

    def asked_at(self, instant: datetime) -> tuple[KeptRecord, ...]:
        """What was asked for readings of this instant (to the millisecond), in the order in which it came."""
        return self._records("asked_at = ?", (to_ms(instant),))

    def unasked(self) -> tuple[KeptRecord, ...]:
        """What came of no poll, oldest first: imports, and look-ups for people."""
        return self._records("asked_at IS NULL", ())

    def _records(self, condition: str, values: tuple[int, ...]) -> tuple[KeptRecord, ...]:
        with self._database.read() as conn:
            rows = conn.execute(f"SELECT {_RECORD} FROM records WHERE {condition} ORDER BY id", values).fetchall()
            keys = {row[3] for row in rows if row[3] is not None}
            texts = {key: _key_of(conn, "records", "text", key) for key in keys}
        return tuple(_record(row, texts) for row in rows)

    def reply(self, digest: bytes) -> KeptReply | None:
        """The bytes with this SHA-256; None where they are not kept, or not any more."""
        with self._database.read() as conn:
            row = conn.execute("SELECT seen, key, data FROM replies WHERE digest = ?", (digest,)).fetchone()
            if row is None:
                return None
            seen, key_id, data = row
            key = b"" if key_id is None else _key_of(conn, "replies", "data", key_id)
        return KeptReply(digest=digest, seen=seen, raw=_inflated(data, key, f"The reply {digest.hex()}"))

    def replies(self) -> Iterator[tuple[bytes, int]]:
        """Of every reply kept, its noted digest and the number of its last link."""
        after = 0
        while True:
            with self._database.read() as conn:
                rows = conn.execute(
                    "SELECT id, digest, seen FROM replies WHERE id > ? ORDER BY id LIMIT ?", (after, _AT_ONCE)
                ).fetchall()
            for _, digest, seen in rows:
                yield digest, seen
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1][0]

    def counted(self) -> dict[str, int]:
        """How many rows of each kind there are: ``manifests``, ``records``, ``replies``, ``stamps``."""
        with self._database.read() as conn:
            return {
                kind: conn.execute(f"SELECT count(*) FROM {kind}").fetchone()[0]
                for kind in ("manifests", "records", "replies", "stamps")
            }

    def let_go(self, before: int, *, but: Iterable[bytes]) -> int:
        """Forget the bytes last seen before this link, except those with these digests; how many.

        The key of a reply that stays, stays with it.
        """
        with self._database.write() as db:
            db.conn.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (digest BLOB PRIMARY KEY)")
            db.conn.execute("DELETE FROM wanted")
            db.conn.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", [(digest,) for digest in but])
            old = "seen < ? AND digest NOT IN (SELECT digest FROM wanted)"
            gone = db.conn.execute(f"DELETE FROM replies WHERE {old} AND key IS NOT NULL", (before,)).rowcount
            unused = "id NOT IN (SELECT key FROM replies WHERE key IS NOT NULL)"
            return gone + db.conn.execute(f"DELETE FROM replies WHERE {old} AND {unused}", (before,)).rowcount

    def stamp(self, sequence: int, response: bytes) -> None:
        """Keep an authority's time-stamp of a link."""
        with self._database.write() as db:
            db.conn.execute("INSERT OR REPLACE INTO stamps VALUES (?, ?)", (sequence, response))

    def stamps(self, first: int = 1) -> tuple[tuple[int, bytes], ...]:
        """The time-stamps of links from this number on: (number, DER of the response), in order."""
        with self._database.read() as conn:
            rows = conn.execute(
                "SELECT sequence, response FROM stamps WHERE sequence >= ? ORDER BY sequence", (first,)
            ).fetchall()
        return tuple((sequence, response) for sequence, response in rows)

    def stamped_from(self, sequence: int) -> int | None:
        """The first stamped link at or after this one."""
        with self._database.read() as conn:
            found: int | None = conn.execute(
                "SELECT min(sequence) FROM stamps WHERE sequence >= ?", (sequence,)
            ).fetchone()[0]
        return found


def _head(conn: sqlite3.Connection) -> Head | None:
    row = conn.execute("SELECT sequence, digest FROM manifests ORDER BY sequence DESC LIMIT 1").fetchone()
    return None if row is None else Head(sequence=row[0], digest=row[1])


def _put_replies(conn: sqlite3.Connection, sequence: int, replies: Sequence[Packed]) -> None:
    newest: int = conn.execute("SELECT max(id) FROM replies").fetchone()[0] or 0
    for reply in replies:
        kept = conn.execute("SELECT id, key FROM replies WHERE digest = ?", (reply.digest,)).fetchone()
        if kept is not None:
            conn.execute("UPDATE replies SET seen = ? WHERE id = ?", (sequence, kept[0]))
            if reply.key is None and kept[1] is not None:  # others will rest on it: it must stand by itself
                conn.execute("UPDATE replies SET key = NULL, data = ? WHERE id = ?", (reply.data, kept[0]))
            continue
        key_id = None
        if reply.key is not None:
            row = conn.execute("SELECT id FROM replies WHERE digest = ? AND key IS NULL", (reply.key,)).fetchone()
            key_id = row[0] if row else None
        data = reply.data if reply.key is None or key_id is not None else deflated(reply.raw)
        newest += 1
        conn.execute("INSERT INTO replies VALUES (?, ?, ?, ?, ?)", (newest, reply.digest, sequence, key_id, data))


def _key_of(conn: sqlite3.Connection, table: str, column: str, key_id: int) -> bytes:
    row = conn.execute(f"SELECT key, {column} FROM {table} WHERE id = ?", (key_id,)).fetchone()
    if row is None or row[0] is not None:
        raise EvidenceDamaged(f"The evidence is damaged: row {key_id} of {table}, which others rest on, is not there.")
    return _inflated(row[1], b"", f"Row {key_id} of {table}, which others rest on,")


def _record(row: Row, keys: dict[int, bytes]) -> KeptRecord:
    record_id, sequence, asked_at, key, data = row
    text = _inflated(data, b"" if key is None else keys[key], f"Record {record_id} of cycle {sequence}")
    instant = None if asked_at is None else to_instant(asked_at)
    return KeptRecord(id=record_id, sequence=sequence, asked_at=instant, text=text)


def _inflated(data: bytes, key: bytes, what: str) -> bytes:
    try:
        return inflated(data, key)
    except zlib.error:
        raise EvidenceDamaged(f"{what} cannot be unpacked: it was altered.") from None
