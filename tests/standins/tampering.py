"""Random changes to what is kept: a byte of a value, a number, a row, a file. Each says where its traces must show."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.evidence.alert_text import alert_of
from bot.evidence.bundle import note_of, pages_of, with_sums, wording_of
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
    """A count in the database itself, polled or imported."""
    with closing(_open(database)) as db:
        found = _some_reading(db, chance)
        column = chance.choice(("count", "below", "above"))
        db.execute(f"UPDATE readings SET {column} = {column} + ? WHERE {_KEY}", (chance.randint(1, 9), *found[:4]))  # noqa: S608
    return Change(what=f"{column} of {_called(found)}", shows=(_called(found),))


def _reading_renamed(database: Path, chance: random.Random) -> Change:
    """A count is three times as much, and said to come from somebody else."""
    with closing(_open(database)) as db:
        found = _some_reading(db, chance, "source_id IN (SELECT id FROM sources WHERE source NOT LIKE 'import%')")
        values = (_stranger(db), *found[:4])
        db.execute(f"UPDATE readings SET count = count * 3, source_id = ? WHERE {_KEY}", values)  # noqa: S608
    return Change(what=f"count and source of {_called(found)}", shows=(_called(found),))


def _reading_slipped_in(database: Path, chance: random.Random) -> Change:
    """A count of somebody else's that nobody was asked for."""
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
    """The id of a source that nothing came from."""
    done = db.execute("INSERT INTO sources (source, url, metric) VALUES ('Reuters', '', 'followers')")
    assert done.lastrowid
    return done.lastrowid


def _called(found: tuple[Any, ...]) -> str:
    at = datetime.fromtimestamp(found[2] / 1000, UTC).isoformat()
    return f"The reading of {found[4]} at {at}"


def _newest_count(database: Path, chance: random.Random) -> Change:
    """What is told when somebody asks for a page's count."""
    with closing(_open(database)) as db:
        rows = db.execute("SELECT page_id, slug FROM latest JOIN pages ON id = page_id").fetchall()
        page_id, slug = chance.choice(rows)
        db.execute("UPDATE latest SET last_count = last_count * 5 WHERE page_id = ?", (page_id,))
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
    """As if it were older than the evidence, and about another instant."""
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


def tamper_bundle(bundle: bytes, other: bytes, chance: random.Random) -> tuple[bytes, Change]:
    """One change to a bundle, by a careless hand (a byte) or by one that mends SHA256SUMS after it.

    ``other`` is the bundle of another alert of the same newsroom.
    """
    if chance.random() < _CARELESS:
        return _byte_of_zip(bundle, chance)
    files, _ = unzipped(bundle)
    kinds = (
        *(_byte_of_file, _digit_of_file, _file_left_out, _file_slipped_in, _files_exchanged),
        *(_all_invented, _alert_unchained, _reply_said_to_be_let_go, _reading_without_origin),
    )
    change = chance.choice(kinds)(files, unzipped(other)[0], chance)
    return zipped(with_sums(files)), change


def _byte_of_zip(bundle: bytes, chance: random.Random) -> tuple[bytes, Change]:
    at = chance.randrange(len(bundle))
    changed = bytearray(bundle)
    changed[at] ^= 1 << chance.randrange(8)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        inside = [entry.filename for entry in archive.infolist() if entry.header_offset <= at]
        names = archive.namelist() if inside[-1] == SUMS else []  # and in what the zip says of its files, after it
    listed = [name for name in names if name.encode() in bundle[max(0, at - 200) : at + 200]]  # the file it is about
    shows = ("The file", "Byte ", *inside[-1:], *listed)
    return bytes(changed), Change(what=f"byte {at} of the zip, in {inside[-1]}", shows=shows)


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


def _all_invented(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """Nothing is left but what the newsroom says, and every figure is another."""
    more = chance.randint(1, 5_000_000)
    alert, readings = json.loads(files["alert.json"]), json.loads(files["readings.json"])
    alert["record"] = None
    for fact in alert["alert"]["facts"]:
        for part in ("value", "low", "high"):
            fact[part] = fact[part] + more if isinstance(fact[part], int) else fact[part]
    for reading in readings:
        _raise(reading, more)
        reading["behind"] = []
        reading["note"] = note_of([])
    for name in [name for name in files if name != "export.json"]:
        del files[name]
    _retell(files, alert, readings, {"segments": [], "stamps": []})
    return Change(what=f"every figure raised by {more}, and all that proves them left out", shows=("The alert:",))


def _alert_unchained(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """The alert says something else, and that it was never chained."""
    alert = json.loads(files["alert.json"])
    files.pop(f"records/{alert['record']['sha256']}.json")
    alert["record"] = None
    fact = chance.choice([fact for fact in alert["alert"]["facts"] if fact["name"] not in {"count", "rival_count"}])
    fact["value"] += chance.randint(1, 9)
    _retell(files, alert, json.loads(files["readings.json"]), json.loads(files["chain.json"]))
    return Change(what=f"the figure {fact['name']}, in an alert that is said to be in no chain", shows=("The alert:",))


def _reply_said_to_be_let_go(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """A reading says something else, and that its reply was let go after its time."""
    readings = json.loads(files["readings.json"])
    place = chance.randrange(len(readings))
    for behind in readings[place]["behind"]:
        behind["reply"] = None
    return _reread(files, readings, place, chance)


def _reading_without_origin(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """A reading says something else, and that it is older than the evidence."""
    readings = json.loads(files["readings.json"])
    place = chance.randrange(len(readings))
    readings[place]["behind"] = []
    return _reread(files, readings, place, chance)


def _reread(files: dict[str, bytes], readings: list[Any], place: int, chance: random.Random) -> Change:
    """A reading without the bytes behind it, by one who leaves nothing about that would tell of them."""
    reading = readings[place]
    reading["note"] = note_of(reading["behind"])
    _raise(reading, chance.randint(1, 777_777))
    told = {behind[part] for one in readings for behind in one["behind"] for part in ("record", "reply")}
    alert = json.loads(files["alert.json"])
    told.add(f"records/{alert['record']['sha256']}.json")
    for name in [name for name in files if name.startswith(("replies/", "records/")) and name not in told]:
        del files[name]
    _retell(files, alert, readings, json.loads(files["chain.json"]))
    return Change(what=f"reading {place + 1} without its bytes: {reading}", shows=(f"Reading {place + 1} (",))


def _raise(reading: dict[str, Any], more: int) -> None:
    for part in ("count", "low", "high"):
        reading[part] += more


def _retell(files: dict[str, bytes], alert: Any, readings: Any, chain: Any) -> None:
    """Put these in the bundle, and write anew what people read of it."""
    pages = json.loads(files["export.json"])["pages"]
    alert["wording"] = wording_of(alert_of(alert["alert"]), pages)
    for name, value in (("alert.json", alert), ("readings.json", readings), ("chain.json", chain)):
        files[name] = (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    files.update(pages_of(files))


def _marks(name: str) -> tuple[str, ...]:
    """A change to what explains the data may show in the data, and the other way round."""
    if name.startswith("chain/"):  # of two links that do not fit together, the bundle cannot say which was altered
        number = int(name[len("chain/") : -len(".json")])
        return (name, f"chain/{number + 1:08}.json", f"stamp of link {number}")
    if "/" in name:
        return (name, name.rpartition("/")[2].partition(".")[0], "stamp of link", "Reading ")
    more = {
        "alert.json": ("The figure ", "records/"),
        "readings.json": ("Reading ", "records/"),
        "chain.json": ("chain/", "stamps/", "records/"),
    }
    return (name, *more.get(name, ()))
