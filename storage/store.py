"""``Store``: the one door to everything remembered."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from storage.delivery.alerts import Alerts
from storage.delivery.notices import Notices
from storage.delivery.outbox import Outbox
from storage.evidence import Evidence, EvidenceDamaged, Head
from storage.newsroom.audit import Audit
from storage.newsroom.notes import Notes
from storage.newsroom.pages import Pages
from storage.newsroom.subscriptions import Subscriptions
from storage.schema import backups
from storage.schema.database import Database
from storage.schema.files import evidence_beside
from storage.schema.ids import Ids
from storage.series.audiences import Audiences
from storage.series.history_summaries import HistorySummaries
from storage.series.readings import Readings
from storage.series.rule_states import RuleStates
from storage.series.timeline import Timeline

T = TypeVar("T")

_ANCHOR = "evidence_head"


class Store:
    """What Likewatch remembers. Any thread may use it; it reads while another writes.

    Instants are kept to the millisecond; anything finer is cut. Every method that reads sees what is committed, and
    inside its own thread's ``write()`` also what that transaction has written so far.
    """

    def __init__(self, database: Database, evidence: Evidence) -> None:
        ids = Ids(database)
        self._database = database
        self.evidence = evidence
        self.pages = Pages(database, ids)
        self.readings = Readings(database, ids)
        self.history_summaries = HistorySummaries(database, ids)
        self.audiences = Audiences(database, ids)
        self.timeline = Timeline(database, ids)
        self.alerts = Alerts(database)
        self.rule_states = RuleStates(database)
        self.subscriptions = Subscriptions(database)
        self.outbox = Outbox(database)
        self.notices = Notices(database)
        self.audit = Audit(database)
        self.notes = Notes(database)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open for writing (the one writer): lock, check, create or migrate.

        Raises StoreInUse, StoreTooNew, StoreDamaged or StoreUnavailable; the file is then as it was.
        """
        with ExitStack() as undo:
            database = Database.open(path)
            undo.callback(database.close)
            store = cls(database, Evidence.open(evidence_beside(path)))
            undo.callback(store.evidence.close)
            if anchor := store.evidence_anchor():
                store.evidence.follow(anchor)
            undo.pop_all()
        return store

    @classmethod
    def open_reader(cls, path: Path) -> Store:
        """Open an existing database read-only, beside a running writer. Raises as ``open`` does, but for StoreInUse."""
        with ExitStack() as undo:
            database = Database.open_reader(path)
            undo.callback(database.close)
            store = cls(database, Evidence.open_reader(evidence_beside(path)))
            undo.pop_all()
        return store

    @contextmanager
    def write(self) -> Iterator[None]:
        """One BEGIN IMMEDIATE transaction of this thread, undone on any exception.

        Inside one already open in this thread it joins it, and what fails is undone alone. Methods that write open
        one themselves.
        """
        with self._database.write():
            yield

    @contextmanager
    def read(self) -> Iterator[None]:
        """Everything read by this thread within it is of one instant: what a cycle commits meanwhile is not seen."""
        with self._database.read():
            yield

    def cached(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What ``ask`` finds in the store, or found under this key while nothing has been stored since by anybody.

        ``ask`` depends on nothing but the key and the store (never on the clock), and returns frozen values.
        """
        return self._database.cached(key, ask)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once what this thread's outermost transaction writes is seen by all; at once if none is open."""
        self._database.after_commit(call)

    def after_rollback(self, doubt: Callable[[], None]) -> None:
        """Call this whenever a transaction, or a part of one, is undone; in whichever thread that happens."""
        self._database.after_rollback(doubt)

    def save_evidence_anchor(self) -> None:
        """Remember, with what is being written, on which link of the evidence it rests.

        Only on one that was sealed or found whole by this process: otherwise a gap in the chain would be forgotten.
        """
        head = self.evidence.last()
        if head is not None:
            self.notes.put(_ANCHOR, f"{head.sequence} {head.digest.hex()}")

    def evidence_anchor(self) -> Head | None:
        """The link of the evidence on which the newest readings rest."""
        noted = self.notes.get(_ANCHOR)
        if noted is None:
            return None
        sequence, _, digest = noted.partition(" ")
        try:
            return Head(sequence=int(sequence), digest=bytes.fromhex(digest))
        except ValueError:
            raise EvidenceDamaged(
                f"The note {_ANCHOR} of the database was altered ({noted[:80]!r}). It says on which evidence the "
                "readings rest: put it back, or restore a backup."
            ) from None

    def is_empty(self) -> bool:
        """No page was ever added."""
        with self._database.read() as conn:
            return conn.execute("SELECT 1 FROM pages LIMIT 1").fetchone() is None

    def compact(self, before: datetime) -> None:
        """Move what lies in the order in which it arrived to where it stays by page: readings older than this, marks.

        Some pages at a time, so that what else is to be written gets its turn in between.
        """
        self.readings.move_to_history(before)
        self.history_summaries.merge_points()

    def backup(self, target: Path) -> None:
        """An online copy of both files, complete and checked with integrity_check; it never overwrites.

        The evidence is copied last: the readings of the copy all have theirs.
        """
        backups.back_up(self._database.path, target)

    def close(self) -> None:
        """Close the files and let another process write; harmless when done twice."""
        self.evidence.close()
        self._database.close()
