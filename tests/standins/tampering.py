"""Random changes to what is kept: a byte of a value, a number, a row, a file. Each says where its traces must show."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.evidence.bundle import with_sums
from bot.evidence.texts import sha256
from bot.evidence.zipped import SUMS, unzipped, zipped
from storage.files import evidence_beside
from storage.sqlite import sqlite3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was changed, and the words of which a finding must name one."""

    what: str
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    table: str
    rowid: int
    values: dict[str, Any]

    @property
    def shows(self) -> tuple[str, ...]:
        """The names under which a finding may tell of it."""
        if self.table == "replies":
            return (self.values["digest"].hex(),)
        number = self.values["sequence"]
        if self.table == "records":
            return (f"ecord {self.values['place']}, of link {number}", f"Link {number}:")
        return (
            f"Link {number}:",
            f"Link {number + 1}:",
            f"Manifest {number} ",
            f"of link {number}:",
            f"Links {number} to",
            f"to {number}:",
            f"link {number},",
        )


_CARELESS = 0.4
_TABLES = ("manifests", "records", "replies", "stamps")


def tamper(database: Path, chance: random.Random, older: bytes) -> Change:
    """Make one change to a closed installation; ``older`` is an earlier copy of its evidence's file."""
    kinds: list[Callable[[Path, random.Random], Change]] = [
        *[_value] * 6,
        _deleted,
        _doubled,
        _exchanged,
        _reading,
        _alert,
        lambda path, _: _file(path, None, "removed"),
        lambda path, _: _file(path, older, "replaced by an older one"),
        _truncated,
    ]
    return chance.choice(kinds)(database, chance)


def _rows(db: sqlite3.Connection) -> list[_Row]:
    return [
        _Row(table=table, rowid=row[0], values=dict(zip(row.keys()[1:], tuple(row)[1:], strict=True)))
        for table in _TABLES
        for row in db.execute(f"SELECT rowid AS number, * FROM {table}")  # noqa: S608
    ]


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


def _value(database: Path, chance: random.Random) -> Change:
    """One byte of a text or a blob, or one number."""
    with closing(_open(evidence_beside(database))) as db:
        row = chance.choice(_rows(db))
        column = chance.choice([name for name, value in row.values.items() if value is not None])
        before = row.values[column]
        if isinstance(before, bytes):
            changed = bytearray(before)
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            after: Any = bytes(changed)
        else:
            after = before + chance.choice((-1, 1, 2, 1000))
        try:
            db.execute(f"UPDATE {row.table} SET {column} = ? WHERE rowid = ?", (after, row.rowid))  # noqa: S608
        except sqlite3.IntegrityError:  # there is one of this number: make it one that there is not
            after = before + 100_000
            db.execute(f"UPDATE {row.table} SET {column} = ? WHERE rowid = ?", (after, row.rowid))  # noqa: S608
    now = _Row(table=row.table, rowid=row.rowid, values={**row.values, column: after})
    what = f"{row.table}.{column} of {row.shows[0]} {before!r:.60} -> {after!r:.60}"
    return Change(what=what, shows=row.shows + now.shows)


def _deleted(database: Path, chance: random.Random) -> Change:
    with closing(_open(evidence_beside(database))) as db:
        row = chance.choice(_rows(db))
        db.execute(f"DELETE FROM {row.table} WHERE rowid = ?", (row.rowid,))  # noqa: S608
    return Change(what=f"row {row.shows[0]} of {row.table} deleted", shows=row.shows)


def _doubled(database: Path, chance: random.Random) -> Change:
    """A row slipped in that is much like another."""
    with closing(_open(evidence_beside(database))) as db:
        row = chance.choice(_rows(db))
        key: dict[str, Any] = {"sequence": row.values.get("sequence", 0) + 100_000}
        if row.table == "replies":
            key = {"digest": chance.randbytes(32)}
        if row.table == "records":
            key = {"place": row.values["place"] + chance.choice((1, 1000))}
        again = _Row(table=row.table, rowid=0, values={**row.values, **key})
        marks = ", ".join("?" * len(again.values))
        db.execute(f"INSERT INTO {row.table} VALUES ({marks})", tuple(again.values.values()))  # noqa: S608
    return Change(what=f"{row.shows[0]} of {row.table} slipped in again", shows=again.shows)


def _exchanged(database: Path, chance: random.Random) -> Change:
    """Two rows have changed places."""
    with closing(_open(evidence_beside(database))) as db:
        table = chance.choice(("manifests", "replies"))
        rows = [row for row in _rows(db) if row.table == table]
        row, other = chance.sample(rows, 2)
        key = "digest" if row.table == "replies" else "sequence"
        one, two, between = row.values[key], other.values[key], b"" if key == "digest" else -1
        for old, new in ((one, between), (two, one), (between, two)):
            db.execute(f"UPDATE {row.table} SET {key} = ? WHERE {key} = ?", (new, old))  # noqa: S608
    return Change(what=f"{row.shows[0]} and {other.shows[0]} exchanged", shows=row.shows + other.shows)


def _reading(database: Path, chance: random.Random) -> Change:
    """A count in the database itself."""
    with closing(_open(database)) as db:
        rows = db.execute(
            "SELECT quarter, page_id, observed_at, source_id, slug FROM readings JOIN pages ON id = page_id"
        )
        found = chance.choice(rows.fetchall())
        key, slug = tuple(found)[:4], found["slug"]
        column = chance.choice(("count", "below", "above"))
        where = "quarter = ? AND page_id = ? AND observed_at = ? AND source_id = ?"
        db.execute(f"UPDATE readings SET {column} = {column} + ? WHERE {where}", (chance.randint(1, 9), *key))  # noqa: S608
    return Change(what=f"{column} of a reading of {slug}", shows=(f"The reading of {slug} at",))


def _alert(database: Path, chance: random.Random) -> Change:
    with closing(_open(database)) as db:
        alert_id, text = chance.choice(db.execute("SELECT id, evidence FROM alerts").fetchall())
        digits = [place for place, character in enumerate(text) if character in "12345678"]
        place = chance.choice(digits)
        changed = f"{text[:place]}{int(text[place]) + 1}{text[place + 1 :]}"
        db.execute("UPDATE alerts SET evidence = ? WHERE id = ?", (changed, alert_id))
    return Change(what=f"a digit of alert {alert_id}", shows=("Alert ",))


def _file(database: Path, content: bytes | None, what: str) -> Change:
    path = evidence_beside(database)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    return Change(what=f"the file {what}", shows=(path.name, "The newest readings", "The time-stamp of link"))


def _truncated(database: Path, chance: random.Random) -> Change:
    path = evidence_beside(database)
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(1, len(content))])
    return Change(
        what="the file cut off", shows=(path.name, "The evidence's file", "The store", "ink ", "The time-stamp")
    )


def tamper_bundle(bundle: bytes, other: bytes, chance: random.Random) -> tuple[bytes, Change]:
    """One change to a bundle, by a careless hand (a byte) or by one that mends SHA256SUMS after it.

    ``other`` is the bundle of another alert of the same newsroom.
    """
    if chance.random() < _CARELESS:
        return _byte_of_zip(bundle, chance)
    files, _ = unzipped(bundle)
    kinds = (_byte_of_file, _digit_of_file, _file_left_out, _file_slipped_in, _files_exchanged)
    change = chance.choice(kinds)(files, unzipped(other)[0], chance)
    return zipped(with_sums(files)), change


def _byte_of_zip(bundle: bytes, chance: random.Random) -> tuple[bytes, Change]:
    at = chance.randrange(len(bundle))
    changed = bytearray(bundle)
    changed[at] ^= 1 << chance.randrange(8)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        inside = [entry.filename for entry in archive.infolist() if entry.header_offset <= at]
    return bytes(changed), Change(
        what=f"byte {at} of the zip, in {inside[-1]}", shows=("The file", "Byte ", *inside[-1:])
    )


def _proved(files: dict[str, bytes], chance: random.Random) -> str:
    return chance.choice(sorted(name for name in files if name not in {SUMS, "export.json"}))


def _byte_of_file(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    name = _proved(files, chance)
    changed = bytearray(files[name])
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    files[name] = bytes(changed)
    return Change(what=f"a byte of {name}, with its sum", shows=_marks(name))


def _digit_of_file(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """A digit, so that the form stays: another count, date, link or sum."""
    name = chance.choice(["alert.json", "readings.json", "chain.json", "index.html", "INSTRUCTIONS.txt"])
    text = files[name].decode()
    places = [place for place, character in enumerate(text) if character in "12345678"]
    place = chance.choice(places)
    files[name] = f"{text[:place]}{int(text[place]) + 1}{text[place + 1 :]}".encode()
    return Change(what=f"digit {place} of {name}: {text[place - 40 : place + 20]!r}, with its sum", shows=_marks(name))


def _file_left_out(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    name = _proved(files, chance)
    del files[name]
    return Change(what=f"{name} left out", shows=_marks(name))


def _file_slipped_in(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    folder = chance.choice(("chain", "records", "replies", "stamps"))
    content = b'{"slipped": "in"}'
    name = f"{folder}/{chance.choice(('00000099', 'more', sha256(content)))}.json"
    files[name] = content
    return Change(what=f"{name} slipped in", shows=(name,))


def _files_exchanged(files: dict[str, bytes], other: dict[str, bytes], chance: random.Random) -> Change:
    """A file put in the place of another, or another alert's in its place."""
    name = _proved(files, chance)
    like = [
        one for one in sorted(other) if one.partition("/")[0] == name.partition("/")[0] and other[one] != files[name]
    ]
    if not like:
        return _byte_of_file(files, other, chance)
    put = chance.choice(like)
    files[name] = other[put]
    return Change(what=f"{put} in the place of {name}", shows=_marks(name))


def _marks(name: str) -> tuple[str, ...]:
    """A change to what explains the data may show in the data, and the other way round."""
    if name.startswith("chain/"):  # of two links that do not fit together, the bundle cannot say which was altered
        number = int(name[len("chain/") : -len(".json")])
        return (name, f"chain/{number + 1:08}.json", f"stamp of link {number}")
    if "/" in name:
        return (name, name.rpartition("/")[2].partition(".")[0], "stamp of link", "Reading ")
    return (name, "Reading ", "alert.json", "chain.json", "records/", "chain/", "stamps/", "stamp of link")
