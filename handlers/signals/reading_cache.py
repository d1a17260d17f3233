"""A cache of what was computed from an audience reading, for as long as that reading is in memory.

Each new list by country is compared with 150 days of earlier lists, and what follows from an earlier list does not
change. The cache knows a reading by its identity, so a cached value must not refer to the reading itself.
"""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import ReferenceType, ref

from handlers.model import AudienceReading

V = TypeVar("V")


class ReadingCache(Generic[V]):
    """One computed value for each reading."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ReferenceType[AudienceReading], V]] = {}

    def get(self, reading: AudienceReading) -> V | None:
        """Return the value of this very reading, None without one."""
        entry = self._entries.get(id(reading))
        return None if entry is None or entry[0]() is not reading else entry[1]

    def put(self, reading: AudienceReading, value: V) -> V:
        """Store and return the value of this reading."""
        key, entries = id(reading), self._entries

        def forget(gone: ReferenceType[AudienceReading]) -> None:
            if key in entries and entries[key][0] is gone:  # a new reading may have the same id
                del entries[key]

        entries[key] = (ref(reading, forget), value)
        return value
