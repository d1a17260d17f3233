"""The world as the comparisons see it, gathered from the store once and grown decision by decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from handlers.decide import Arrivals, Decision, World
from handlers.model import AudienceReading, Comparison, Page, Scope, Track, Wakes
from storage.store import Store


class GrowingWorld:
    """What was before, and what has come since, without going back to the store."""

    def __init__(
        self,
        *,
        comparisons: Sequence[Comparison[object]],
        pages: Mapping[str, Page],
        groups: Mapping[str, tuple[str, ...]],
        tracks: dict[str, Track],
        audiences: dict[str, tuple[AudienceReading, ...]],
        memories: dict[tuple[str, str], object],
    ) -> None:
        self._comparisons = {comparison.name: comparison for comparison in comparisons}
        self._pages = pages
        self._groups = groups
        self._tracks = tracks
        self._audiences = audiences
        self._memories = memories
        self._changed_tracks: dict[str, Track] = {}
        self._changed_memories: dict[tuple[str, str], object] = {}

    @classmethod
    def gather(
        cls,
        store: Store,
        batches: Sequence[tuple[datetime, Arrivals]],
        comparisons: Sequence[Comparison[object]],
        history: timedelta,
    ) -> GrowingWorld:
        """Read what the comparisons of these arrivals will need."""
        counted = {reading.page for _, arrivals in batches for reading in arrivals.readings}
        heard = {audience.page for _, arrivals in batches for audience in arrivals.audiences}
        pages = store.pages.many(counted | heard)
        touched = {group for slug in counted if slug in pages for group in pages[slug].groups}
        groups = {group.slug: group.pages for group in store.pages.groups() if group.slug in touched}
        rivals = {slug for members in groups.values() for slug in members} - pages.keys()
        pages.update(store.pages.many(rivals))
        since = min((audience.as_of for _, arrivals in batches for audience in arrivals.audiences), default=None)
        return cls(
            comparisons=comparisons,
            pages=pages,
            groups=groups,
            tracks=store.readings.tracks(pages),
            audiences={slug: store.audiences.recent(slug, since - history) for slug in heard} if since else {},
            memories=_memories(store, comparisons, groups=groups, counted=counted, heard=heard),
        )

    def seen(self) -> World:
        """The world as it is now."""
        return World(
            pages=self._pages,
            groups=self._groups,
            tracks=MappingProxyType(self._tracks),
            audiences=MappingProxyType(self._audiences),
            memories=MappingProxyType(self._memories),
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
        """The series that moved on, each as it is in the end."""
        return list(self._changed_tracks.values())

    def changed_memories(self) -> dict[str, dict[str, str]]:
        """What the comparisons want remembered: comparison -> scope -> text."""
        texts: dict[str, dict[str, str]] = {}
        for (name, scope), memory in self._changed_memories.items():
            texts.setdefault(name, {})[scope] = self._comparisons[name].dump(memory)
        return texts


def _memories(
    store: Store,
    comparisons: Sequence[Comparison[object]],
    *,
    groups: Mapping[str, tuple[str, ...]],
    counted: set[str],
    heard: set[str],
) -> dict[tuple[str, str], object]:
    loaded: dict[tuple[str, str], object] = {}
    for comparison in comparisons:
        woken = counted if comparison.wakes is Wakes.COUNTS else heard
        scopes = groups.keys() if comparison.scope is Scope.GROUP else woken
        if scopes:
            texts = store.memories.get(comparison.name, scopes)
            loaded.update({(comparison.name, scope): comparison.load(text) for scope, text in texts.items()})
    return loaded
