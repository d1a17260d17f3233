"""The journal: everything that the rules were given, in the order in which it arrived.

Series states, history summaries and rule states derive from the journal alone, so that ``likewatch rebuild`` can
compute them again. The stored readings would not do. An unchanged poll is not stored as a reading, and a stored reading
does not say in which order it arrived.

An entry is one call of ``bot.polling.decide_and_store``. The entry is a blob, compressed by zlib:

| part | content |
|---|---|
| 4 bytes | the length of the head, little-endian |
| head | JSON: the batches, each with its instant, its number of readings, its page statuses and audience readings |
| readings | columns of 64-bit integers: see ``_unpacked`` |

Page ids and instants are differences from the reading before. Counts are differences from the last count of the same
page in the journal. 10,000 unchanged polls take about 3 KB, and 10,000 changed ones about 14 KB.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import accumulate, islice
from operator import sub
from typing import Any

from handlers.decide import Arrivals
from handlers.model import Dated, Page, PageStatus, PageTrouble, Reading, SeriesState
from handlers.signals.history import HistorySummary
from storage.errors import StoreDamaged
from storage.schema.database import Database
from storage.schema.ids import Ids
from storage.schema.rows import METRIC_TEXTS, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.series.audiences import audience_of, audience_row
from storage.series.history_summaries import in_file_order, read_summaries
from storage.series.rule_states import RuleStateKey, RuleStateText
from storage.series.series_states import read_series_states
from storage.series.timeline import reading_of

Batches = Sequence[tuple[datetime, Arrivals]]
"""Batches of figures, oldest first. Each has the instant at which its figures became known."""

_LEVEL = 1  # of zlib: level 6 saves a third of the bytes, and takes three times as long
_READ_TOGETHER = 50
_COLUMNS = 8
_DATED = tuple(Dated)
_DATED_CODES = {dated: code for code, dated in enumerate(_DATED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One call of the intake, and what was set after it.

    Attributes:
        pages: the pages that changed since the entry before, with None for a page that was untracked.
        rules: a description of the rules in force, or None if they have not changed.
        newest_audience: the number of the newest audience reading that was stored before; 0 if no rule needed it.
        batches: the figures.
        rule_states: the states that were set after this entry, other than by a decision, with None for a deleted state.

    """

    pages: Mapping[str, Page | None]
    rules: str | None
    newest_audience: int
    batches: Batches
    rule_states: Mapping[RuleStateKey, RuleStateText | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedState:
    """Everything that derives from the journal: series states and summaries by page, rule states by rule and scope."""

    series_states: dict[str, SeriesState]
    histories: dict[str, HistorySummary]
    rule_states: dict[RuleStateKey, RuleStateText]


class Journal:
    """The journal's entries, oldest first."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._forget()
        database.after_rollback(self._forget)

    def _forget(self) -> None:
        self._counts: dict[int, int] = {}
        self._rules: str | None = None
        self._seen: object = None
        self._pages: dict[str, Page] | None = None

    def add(self, batches: Batches, *, pages: Mapping[str, Page], rules: str) -> None:
        """Add an entry, in the transaction that stores the decisions, and before that transaction stores audiences."""
        with self._database.write() as db:
            head: dict[str, Any] = {"batches": [_head(*batch) for batch in batches]}
            if rules != self._rules:
                head["rules"] = rules
            if not self._counts:
                head["fresh"] = True  # counts are whole, not differences
            if any(arrivals.audiences for _, arrivals in batches):
                head["newest_audience"] = _highest(db.conn, "audiences")
            figures = self._packed(db.conn, [reading for _, arrivals in batches for reading in arrivals.readings])
            text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
            blob = zlib.compress(len(text).to_bytes(4, "little") + text + figures, _LEVEL)
            entry = db.conn.execute("INSERT INTO journal (entry) VALUES (?)", (blob,)).lastrowid
            if pages is not self._seen:
                self._add_pages(db.conn, entry, pages)
                self._seen = pages
            self._rules = rules

    def _add_pages(self, conn: sqlite3.Connection, entry: int | None, pages: Mapping[str, Page]) -> None:
        """Add the pages that differ from the journal's, which another process may have written."""
        if self._pages is None:
            rows = conn.execute("SELECT page, max(entry) FROM journal_pages GROUP BY slug").fetchall()
            self._pages = {page.slug: page for text, _ in rows if (page := _page_of(text)) is not None}
        known = self._pages
        changed = [
            (slug, json.dumps(asdict(page), ensure_ascii=False))
            for slug, page in pages.items()
            if known.get(slug) != page
        ]
        removed = [(slug, "null") for slug in known.keys() - pages.keys()]
        conn.executemany(
            "INSERT INTO journal_pages (entry, slug, page) VALUES (?, ?, ?)",
            [(entry, slug, text) for slug, text in (*changed, *removed)],
        )
        self._pages = dict(pages)

    def set_rule_states(self, rule_states: Mapping[RuleStateKey, RuleStateText | None]) -> None:
        """Add that these rule states were set, or deleted (None), other than by a decision."""
        with self._database.write() as db:
            entry = _highest(db.conn, "journal")
            db.conn.executemany(
                "INSERT INTO journal_rule_states (entry, comparison, scope, version, state) VALUES (?, ?, ?, ?, ?)",
                [(entry, *key, *(state or (None, None))) for key, state in rule_states.items()],
            )

    def size(self) -> int:
        """Return the number of entries."""
        return int(self._database.value("SELECT count(*) FROM journal"))

    def entries(self) -> Iterator[JournalEntry]:
        """Yield every entry. An entry without figures comes first, for what was set before all others."""
        pages, rule_states = self._changes()
        slugs = self._slugs()
        counts: dict[int, int] = {}
        number = 0
        yield JournalEntry(pages={}, rules=None, newest_audience=0, batches=(), rule_states=rule_states.get(0, {}))
        while True:
            rows = self._database.rows(
                "SELECT id, entry FROM journal WHERE id > ? ORDER BY id LIMIT ?", (number, _READ_TOGETHER)
            )
            if not rows:
                return
            for found, blob in rows:
                number += 1
                if found != number:  # without it, all later counts would be wrong
                    raise StoreDamaged(f"Entry {number} of the journal is missing. Restore a backup.")
                try:
                    content = zlib.decompress(blob)
                except zlib.error as error:
                    raise StoreDamaged(f"Entry {number} of the journal is damaged. Restore a backup.") from error
                start = 4 + int.from_bytes(content[:4], "little")
                head = json.loads(content[4:start])
                if "fresh" in head:
                    counts = {}
                yield JournalEntry(
                    pages=pages.get(number, {}),
                    rules=head.get("rules"),
                    newest_audience=head.get("newest_audience", 0),
                    batches=_batches(head["batches"], self._unpacked(content[start:], slugs, counts)),
                    rule_states=rule_states.get(number, {}),
                )

    def _changes(self) -> tuple[dict[int, dict[str, Page | None]], dict[int, dict[RuleStateKey, RuleStateText | None]]]:
        """Return the changed pages and the rule states that were set, each by the number of its entry."""
        pages: dict[int, dict[str, Page | None]] = {}
        rule_states: dict[int, dict[RuleStateKey, RuleStateText | None]] = {}
        with self._database.read() as conn:
            for number, slug, text in conn.execute("SELECT entry, slug, page FROM journal_pages").fetchall():
                pages.setdefault(number, {})[slug] = _page_of(text)
            set_since = conn.execute(
                "SELECT entry, comparison, scope, version, state FROM journal_rule_states ORDER BY rowid"
            ).fetchall()
        for number, name, scope, version, text in set_since:
            rule_states.setdefault(number, {})[name, scope] = None if text is None else (version, text)
        return pages, rule_states

    def baseline(self) -> DerivedState:
        """Return the state when the journal began: empty, unless a version before 0.2.0 made the database."""
        return self._derived("baseline_")

    def stored(self) -> DerivedState:
        """Return the stored state of every page, tracked or not."""
        return self._derived("")

    def _derived(self, prefix: str) -> DerivedState:
        slugs = self._slugs()
        with self._database.read() as conn:
            states = conn.execute(f"SELECT comparison, scope, version, state FROM {prefix}rule_states").fetchall()
            return DerivedState(
                series_states=read_series_states(conn, slugs, self._ids.sources(), prefix=prefix),
                histories=read_summaries(conn, slugs, prefix=prefix),
                rule_states={(name, scope): (version, text) for name, scope, version, text in states},
            )

    def _slugs(self) -> dict[int, str]:
        return dict(self._database.rows("SELECT id, slug FROM pages"))

    def alerts(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the keys of all stored alerts, and the keys of those stored since the journal began."""
        with self._database.read() as conn:
            began = conn.execute("SELECT value FROM notes WHERE key = 'journal_began'").fetchone()
            rows = conn.execute("SELECT key, id > ? FROM alerts", (int(began[0]),)).fetchall()
        return frozenset(key for key, _ in rows), frozenset(key for key, is_since in rows if is_since)

    def _packed(self, conn: sqlite3.Connection, readings: Sequence[Reading]) -> bytes:
        """Return the columns that ``_unpacked`` reads."""
        ids, source, counts = self._ids.pages(conn, [one.page for one in readings]), self._ids.source, self._counts
        pages = [ids[one.page] for one in readings]
        observed = [to_ms(one.observed_at) for one in readings]
        numbers = array("q")
        for column in (
            map(sub, pages, [0, *pages]),
            map(sub, observed, [0, *observed]),
            [
                0 if one.received_at is one.observed_at else to_ms(one.received_at) - at
                for one, at in zip(readings, observed, strict=True)
            ],
            [one.count - counts.get(page, 0) for one, page in zip(readings, pages, strict=True)],
            [one.count - one.low for one in readings],
            [one.high - one.count for one in readings],
            [source(conn, (one.source, one.url, METRIC_TEXTS[one.metric])) for one in readings],
            [_DATED_CODES[one.dated] for one in readings],
        ):
            numbers.extend(column)
        counts.update(zip(pages, [one.count for one in readings], strict=True))
        return in_file_order(numbers).tobytes()

    def _unpacked(self, packed: bytes, slugs: Mapping[int, str], counts: dict[int, int]) -> Iterator[Reading]:
        """Yield the readings of columns: page, instant, delay, count, below, above, source, precision of the date."""
        numbers = array("q")
        numbers.frombytes(packed)
        numbers, length = in_file_order(numbers), len(numbers) // _COLUMNS
        columns: list[Iterable[int]] = [numbers[number * length : (number + 1) * length] for number in range(_COLUMNS)]
        pages, observed = list(accumulate(columns[0])), accumulate(columns[1])
        totals = [counts.get(page, 0) + gain for page, gain in zip(pages, columns[3], strict=True)]
        counts.update(zip(pages, totals, strict=True))
        sources = self._ids.sources()
        for page, at, delay, count, below, above, source_id, dated in zip(
            pages, observed, columns[2], totals, *columns[4:], strict=True
        ):
            yield reading_of(slugs[page], (at, delay, count, below, above), sources[source_id], _DATED[dated])


def _head(instant: datetime, arrivals: Arrivals) -> list[Any]:
    """Return one batch as JSON: its instant, how many readings, then page statuses and audience readings whole."""
    statuses = [(one.page, to_ms(one.at), one.trouble, one.detail) for one in arrivals.page_statuses]
    audiences = [(one.page, *audience_row(one)) for one in arrivals.audiences]
    return [to_ms(instant), len(arrivals.readings), statuses, audiences]


def _batches(heads: Iterable[list[Any]], readings: Iterator[Reading]) -> Batches:
    """Return the batches of ``_head`` with their readings."""
    return [
        (
            to_instant(instant),
            Arrivals(
                readings=tuple(islice(readings, length)),
                audiences=tuple(audience_of(slug, tuple(row)) for slug, *row in audiences),
                page_statuses=tuple(
                    PageStatus(page=page, at=to_instant(at), trouble=trouble and PageTrouble(trouble), detail=detail)
                    for page, at, trouble, detail in statuses
                ),
            ),
        )
        for instant, length, statuses, audiences in heads
    ]


def _page_of(text: str) -> Page | None:
    page = json.loads(text)
    return page and Page(**{**page, "groups": tuple(page["groups"]), "aliases": tuple(page["aliases"])})


def _highest(conn: sqlite3.Connection, table: str) -> int:
    """Return the number of a table's newest row, or 0."""
    return int(conn.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()[0])
