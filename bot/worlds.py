"""The world as the comparisons see it: kept from cycle to cycle, so that a cycle reads only what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from handlers.decide import Arrivals, Decision, World
from handlers.model import AudienceReading, Comparison, Page, Scope, Track, Wakes
from storage.store import Store

Batches = Sequence[tuple[datetime, Arrivals]]
"""The instants from which figures were known, each with the figures, oldest first."""


class KnownWorld:
    """What the store holds of pages, groups, series and memories, as far as it was needed.

    It may be kept because one process writes, and in it the cycle alone changes series and memories; pages are read
    again when their version has changed. What grew since ``gather`` is kept only if ``keep`` says that it was stored;
    after any transaction that was undone, nothing is.
    """

    def __init__(self, store: Store, comparisons: Sequence[Comparison[Any]], history: timedelta) -> None:
        """``history`` is how far back audience readings are laid before the comparisons."""
        self._store = store
        self._comparisons = comparisons
        self._history = history
        self._doubtful = False
        self._forget()
        store.after_rollback(self._doubt)

    def keep(self) -> None:
        """What grew is stored: go on from it."""
        self._growing = False

    def _doubt(self) -> None:
        self._doubtful = True  # only noted: another thread may be in the middle of a cycle

    def _forget(self) -> None:
        self._growing = False
        self._doubtful = False
        self._version: int | None = None
        self._pages: dict[str, Page] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._asked: set[str] = set()
        self._tracks: dict[str, Track] = {}
        self._memories: dict[tuple[str, str], Any] = {}
        self._asked_memories: set[tuple[str, str]] = set()
        self._begin()

    def gather(self, batches: Batches) -> None:
        """Read what the comparisons of these arrivals will need and is not known yet."""
        if self._growing or self._doubtful:
            self._forget()
        self._begin()
        self._growing = True
        counted = {reading.page for _, arrivals in batches for reading in arrivals.readings}
        heard = {audience.page for _, arrivals in batches for audience in arrivals.audiences}
        with self._store.read():
            self._gather_pages()
            touched = {group for slug in counted if slug in self._pages for group in self._pages[slug].groups}
            self._gather_tracks(counted.union(heard, *(self._groups[group] for group in touched)))
            self._gather_memories(touched, counted, heard)
            self._gather_audiences(heard, batches)

    def seen(self) -> World:
        """The world as it is now: the pages, groups and series of what arrived, and whatever else is known."""
        return World(
            pages=self._pages,
            groups={group: self._groups[group] for group in self._touched},
            tracks=self._tracks,
            audiences=self._audiences,
            memories=self._memories,
        )

    def grow(self, decision: Decision) -> None:
        """Go on from a decision."""
        self._tracks.update(decision.tracks)
        self._changed_tracks.update(decision.tracks)
        for audience in decision.audiences:
            self._audiences[audience.page] = (*self._audiences.get(audience.page, ()), audience)
        self._memories.update(decision.memories)
        self._changed_memories.update(decision.memories)

    def changed_tracks(self) -> list[Track]:
        """The series that moved on since ``gather``, each as it is in the end."""
        return list(self._changed_tracks.values())

    def changed_memories(self) -> dict[str, dict[str, str]]:
        """What the comparisons want remembered since ``gather``: comparison -> scope -> text."""
        dumps = {comparison.name: comparison.dump for comparison in self._comparisons}
        texts: dict[str, dict[str, str]] = {}
        for (name, scope), memory in self._changed_memories.items():
            texts.setdefault(name, {})[scope] = dumps[name](memory)
        return texts

    def _begin(self) -> None:
        self._touched: set[str] = set()
        self._audiences: dict[str, tuple[AudienceReading, ...]] = {}
        self._changed_tracks: dict[str, Track] = {}
        self._changed_memories: dict[tuple[str, str], Any] = {}

    def _gather_pages(self) -> None:
        version = self._store.pages.version()
        if version != self._version:
            self._pages = {page.slug: page for page in self._store.pages.all()}
            self._groups = {group.slug: group.pages for group in self._store.pages.groups()}
            self._version = version

    def _gather_tracks(self, slugs: Iterable[str]) -> None:
        unknown = set(slugs) - self._asked
        if unknown:
            self._tracks.update(self._store.readings.tracks(unknown))
            self._asked |= unknown

    def _gather_memories(self, touched: set[str], counted: set[str], heard: set[str]) -> None:
        self._touched = touched
        for comparison in self._comparisons:
            woken = counted if comparison.wakes is Wakes.COUNTS else heard
            scopes = touched if comparison.scope is Scope.GROUP else woken
            unknown = {scope for scope in scopes if (comparison.name, scope) not in self._asked_memories}
            if unknown:
                texts = self._store.memories.get(comparison.name, unknown)
                loaded = {(comparison.name, scope): comparison.load(text) for scope, text in texts.items()}
                self._memories.update(loaded)
                self._asked_memories |= {(comparison.name, scope) for scope in unknown}

    def _gather_audiences(self, heard: set[str], batches: Batches) -> None:
        if heard:
            since = min(audience.as_of for _, arrivals in batches for audience in arrivals.audiences) - self._history
            self._audiences = {slug: self._store.audiences.recent(slug, since) for slug in heard}
