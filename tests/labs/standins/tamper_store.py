"""Random changes to a store: a byte of a value, a number, a row, a file. Each says where a fault must show it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.evidence.records import sha256
from storage.schema.files import evidence_beside
from storage.schema.sqlite import sqlite3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change, and the words of which a fault must name one."""

    what: str
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    table: str
    rowid: int
    values: dict[str, Any]

    @property
    def shows(self) -> tuple[str, ...]:
        """Return the words by which a fault may name this row."""
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


_TABLES = ("manifests", "records", "replies", "stamps")


def tamper(database: Path, chance: random.Random, older: bytes) -> Change:
    """Make one change to a closed installation. ``older`` is an earlier copy of its evidence file."""
    kinds: list[Callable[[Path, random.Random], Change]] = [
        *[_value] * 6,
        _deleted,
        _doubled,
        _exchanged,
        *(_reading, _reading_renamed, _reading_slipped_in, _newest_count),
        *(_alert, _alert_antedated),
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
    """Change one byte of a text or a blob, or one number."""
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
    """Add a row that is much like another."""
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
    """Exchange two rows."""
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
    """Change a polled or imported count in the database itself."""
    with closing(_open(database)) as db:
        found = _some_reading(db, chance)
        column = chance.choice(("count", "below", "above"))
        db.execute(f"UPDATE readings SET {column} = {column} + ? WHERE {_KEY}", (chance.randint(1, 9), *found[:4]))  # noqa: S608
    return Change(what=f"{column} of {_called(found)}", shows=(_called(found),))


def _reading_renamed(database: Path, chance: random.Random) -> Change:
    """Triple a count, and give it another source."""
    with closing(_open(database)) as db:
        found = _some_reading(db, chance, "source_id IN (SELECT id FROM sources WHERE source NOT LIKE 'import%')")
        values = (_stranger(db), *found[:4])
        db.execute(f"UPDATE readings SET count = count * 3, source_id = ? WHERE {_KEY}", values)  # noqa: S608
    return Change(what=f"count and source of {_called(found)}", shows=(_called(found),))


def _reading_slipped_in(database: Path, chance: random.Random) -> Change:
    """Add a count of another source, which no poll requested."""
    with closing(_open(database)) as db:
        found = _some_reading(db, chance, "source_id IN (SELECT id FROM sources WHERE source NOT LIKE 'import%')")
        later = chance.randint(1, 60_000)
        db.execute(
            "INSERT INTO readings SELECT quarter, page_id, observed_at + ?, ?, count + 9, below, above, delay, dated, "  # noqa: S608
            f"'doubted' FROM readings WHERE {_KEY}",
            (later, _stranger(db), *found[:4]),
        )
    called = _called((*found[:2], found[2] + later, *found[3:]))
    return Change(what=f"{called} slipped in", shows=(called,))


_KEY = "quarter = ? AND page_id = ? AND observed_at = ? AND source_id = ?"


def _some_reading(db: sqlite3.Connection, chance: random.Random, which: str = "true") -> tuple[Any, ...]:
    rows = db.execute(
        "SELECT quarter, page_id, observed_at, source_id, slug FROM readings JOIN pages ON id = page_id "  # noqa: S608
        f"WHERE {which}"
    )
    return tuple(chance.choice(rows.fetchall()))


def _stranger(db: sqlite3.Connection) -> int:
    """Add a source that no reading has, and return its id."""
    done = db.execute("INSERT INTO sources (source, url, metric) VALUES ('Reuters', '', 'followers')")
    assert done.lastrowid
    return done.lastrowid


def _called(found: tuple[Any, ...]) -> str:
    at = datetime.fromtimestamp(found[2] / 1000, UTC).isoformat()
    return f"The reading of {found[4]} at {at}"


def _newest_count(database: Path, chance: random.Random) -> Change:
    """Change the count that answers show."""
    with closing(_open(database)) as db:
        rows = db.execute("SELECT page_id, slug FROM series_states JOIN pages ON id = page_id").fetchall()
        page_id, slug = chance.choice(rows)
        db.execute("UPDATE series_states SET last_count = last_count * 5 WHERE page_id = ?", (page_id,))
    return Change(what=f"the newest count of {slug}", shows=(f"The newest count of {slug}:",))


def _alert(database: Path, chance: random.Random) -> Change:
    with closing(_open(database)) as db:
        alert_id, key, text = chance.choice(db.execute("SELECT id, key, evidence FROM alerts").fetchall())
        digits = [place for place, character in enumerate(text) if character in "12345678"]
        place = chance.choice(digits)
        changed = f"{text[:place]}{int(text[place]) + 1}{text[place + 1 :]}"
        db.execute("UPDATE alerts SET evidence = ? WHERE id = ?", (changed, alert_id))
    return Change(what=f"a digit of alert {alert_id}", shows=(_alert_called(key),))


def _alert_antedated(database: Path, chance: random.Random) -> Change:
    """Make an alert older than the evidence, and about another instant."""
    with closing(_open(database)) as db:
        alert_id, key = chance.choice(db.execute("SELECT id, key FROM alerts").fetchall())
        more = chance.randint(1, 10**7)
        db.execute("UPDATE alerts SET recorded_at = 0, at = at - ? WHERE id = ?", (more, alert_id))
    return Change(what=f"alert {alert_id} antedated", shows=(_alert_called(key),))


def _alert_called(key: str) -> str:
    return f"Alert {sha256(key.encode())[:10]} ("


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
