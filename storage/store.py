"""``Store``: the one door to the database and its evidence."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, ExitStack
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
from storage.series.journal import Journal
from storage.series.readings import Readings
from storage.series.rule_states import RuleStates
from storage.series.series_states import SeriesStates
from storage.series.timeline import Timeline

T = TypeVar("T")

_ANCHOR = "evidence_head"


class Store:
    """Everything that Likewatch stores. Any thread may use it; threads read while another one writes.

    Instants are stored in whole milliseconds. A method that reads sees what is committed. Inside ``write()``, a thread
    also sees its own changes.
    """

    def __init__(self, database: Database, evidence: Evidence) -> None:
        ids = Ids(database)
        self._database = database
        self.evidence = evidence
        self.pages = Pages(database, ids)
        self.readings = Readings(database, ids)
        self.series_states = SeriesStates(database, ids)
        self.history_summaries = HistorySummaries(database, ids)
        self.audiences = Audiences(database, ids)
        self.timeline = Timeline(database, ids)
        self.journal = Journal(database, ids)
        self.alerts = Alerts(database)
        self.rule_states = RuleStates(database)
        self.subscriptions = Subscriptions(database)
        self.outbox = Outbox(database)
        self.notices = Notices(database)
        self.audit = Audit(database)
        self.notes = Notes(database)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a database for writing, as the one writer: lock, check, then create or migrate.

        Raise StoreInUse, StoreTooNew, StoreDamaged or StoreUnavailable; the file is then unchanged.
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
        """Open an existing database for reading only, also beside a writer. Raise as ``open`` does."""
        with ExitStack() as undo:
            database = Database.open_reader(path)
            undo.callback(database.close)
            store = cls(database, Evidence.open_reader(evidence_beside(path)))
            undo.pop_all()
        return store

    def write(self) -> AbstractContextManager[object]:
        """Open one transaction of this thread (BEGIN IMMEDIATE), rolled back on any exception.

        Inside an open one, open a part of it: a failure rolls back the part alone. Methods that write call this
        themselves.
        """
        return self._database.write()

    def read(self) -> AbstractContextManager[object]:
        """Show this thread one state of the database, whatever other threads commit meanwhile."""
        return self._database.read()

    def cached(self, key: Hashable, ask: Callable[[], T]) -> T:
        """Return what ``ask`` reads from the store, or its earlier answer if nothing was committed since.

        ``ask`` must depend on the key and the store alone, never on the clock, and must return frozen values.
        """
        return self._database.cached(key, ask)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once after this thread's outermost transaction is committed; at once if none is open."""
        self._database.after_commit(call)

    def after_rollback(self, call: Callable[[], None]) -> None:
        """Call this each time a transaction, or a part of one, is rolled back, in whichever thread that happens."""
        self._database.after_rollback(call)

    def save_evidence_anchor(self) -> None:
        """Store, in the transaction of the readings, the link of the evidence on which the readings rest.

        The link must have been sealed or verified by this process. With any other link, a gap in the chain would not
        show any more.
        """
        head = self.evidence.last()
        if head is not None:
            self.notes.put(_ANCHOR, f"{head.sequence} {head.digest.hex()}")

    def evidence_anchor(self) -> Head | None:
        """Return the link of the evidence on which the newest readings rest; raise EvidenceDamaged if illegible."""
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
        """Return whether no page was ever added."""
        return self._database.row("SELECT 1 FROM pages LIMIT 1") is None

    def compact(self, before: datetime) -> None:
        """Reorder rows by page: readings from before this instant, and the points of history summaries.

        Each transaction takes some pages, so that other writers get their turn in between.
        """
        self.readings.move_to_history(before)
        self.history_summaries.merge_points()

    def backup(self, target: Path) -> None:
        """Copy both files to ``target``, which must not exist, and check the copies with ``integrity_check``.

        The evidence is copied last, so that every reading of the copy has its evidence.
        """
        backups.back_up(self._database.path, target)

    def close(self) -> None:
        """Close the files and release the lock; a second call does nothing."""
        self.evidence.close()
        self._database.close()
