"""What was once worked out of an audience reading, for as long as somebody keeps that reading.

A page's lists by country are looked at again with each new one, 150 days of them; what each of them says does not
change. It is known by the very object, so that whatever is kept of it must not hold on to it.
"""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import ReferenceType, ref

from handlers.model import AudienceReading

V = TypeVar("V")


class ReadingCache(Generic[V]):
    """One thing known of readings."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ReferenceType[AudienceReading], V]] = {}

    def of(self, reading: AudienceReading) -> V | None:
        """What is known of this very reading; None if nothing is."""
        known = self._known.get(id(reading))
        return None if known is None or known[0]() is not reading else known[1]

    def keep(self, reading: AudienceReading, found: V) -> V:
        """Know this of the reading from now on; returns it."""
        key, known = id(reading), self._known
        known[key] = (ref(reading, lambda gone: _forget(known, key, gone)), found)
        return found


def _forget(
    known: dict[int, tuple[ReferenceType[AudienceReading], V]], key: int, gone: ReferenceType[AudienceReading]
) -> None:
    if key in known and known[key][0] is gone:  # another reading may have come to live at the same place
        del known[key]
