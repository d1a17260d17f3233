"""From an alert to its figures, from each figure to the readings behind it, and from each reading to its origins."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import LikewatchError
from bot.evidence.records import ReplyRecord, read_record
from bot.evidence.reread import (
    AnyReading,
    ImportedReadings,
    Origin,
    instant_of,
    origin_of,
    reread,
    says_the_same,
)
from handlers.model import Alert, AudienceReading, Fact, Reading
from handlers.wording.numbers import dated
from storage.evidence import KeptRecord
from storage.store import Store
from storage.values import StoredAlert

DRAWN = timedelta(days=30)
"""The days that the chart of a card draws at first. A reader saw its daily points, so they are figures too."""

INSTANT = timedelta(milliseconds=1)
"""The resolution of stored instants."""

_BEFORE = timedelta(days=1)
_REFERENCE = 10  # hexadecimal digits
_NEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedReading:
    """A reading with its origins, oldest first. There are none where no reply of that instant is stored.

    ``confirmed`` says whether the stored bytes, read again, state this reading. It is None if the bytes are not stored.
    """

    reading: AnyReading
    origins: tuple[Origin, ...]
    confirmed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedFigure:
    """A fact of an alert, with the indexes of the readings behind it. Without any, the rule itself states the fact."""

    fact: Fact
    readings: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """An alert down to the bytes. ``drawn`` are the indexes of the readings in its card's chart."""

    alert: StoredAlert
    figures: tuple[TracedFigure, ...]
    drawn: tuple[int, ...]
    readings: tuple[TracedReading, ...]


def reference(alert: Alert) -> str:
    """Return a short name of an alert that every shell accepts: the first ten digits of the SHA-256 of its key."""
    return hashlib.sha256(alert.key.encode()).hexdigest()[:_REFERENCE]


def find_alert(store: Store, named: str) -> StoredAlert:
    """Return the alert with this reference or key, otherwise the newest alert of this page.

    Raise ``LikewatchError`` where there is none. Its text lists the newest alerts.
    """
    named = named.strip()
    if found := store.alerts.get(named):
        return found
    every = store.alerts.recent(limit=-1)
    for stored in every:
        if reference(stored.alert) == named.casefold():
            return stored
    untuned = [stored for stored in every if not stored.alert.tuned]  # not what one channel's own threshold raised
    if of_page := [stored for stored in untuned if named in {stored.alert.page, stored.alert.rival}]:
        return of_page[0]
    if not untuned:
        raise LikewatchError("No alert has been raised yet, so there is nothing to prove.")
    newest = "\n".join(
        f"  {reference(stored.alert)}  {dated(stored.alert.at, stored.alert.dated)}  {stored.alert.kind}  "
        f"{stored.alert.page}"
        for stored in untuned[:_NEWEST]
    )
    raise LikewatchError(
        f"No alert has the name “{named[:80]}”. Give the reference of an alert; the newest are:\n{newest}"
    )


def trace(store: Store, stored: StoredAlert, imported: ImportedReadings) -> Trace:
    """Return an alert with everything behind it that is stored. Raise ``EvidenceDamaged`` where that cannot be read."""
    with store.read():
        finder = _ReadingFinder(store)
        used: list[AnyReading] = []  # an audience has no hash, so no dict

        def place(reading: AnyReading) -> int:
            if reading not in used:
                used.append(reading)
            return used.index(reading)

        figures = tuple(
            TracedFigure(fact=fact, readings=tuple(map(place, finder.behind(stored.alert, fact))))
            for fact in stored.alert.facts
        )
        drawn = tuple(map(place, finder.drawn(stored.alert)))
        readings = tuple(_traced(finder, reading, imported) for reading in used)
    return Trace(alert=stored, figures=figures, drawn=drawn, readings=readings)


def replies_behind(store: Store, alerts: Iterable[StoredAlert]) -> set[bytes]:
    """Return the SHA-256 of every reply behind these alerts, without unpacking the replies."""
    finder = _ReadingFinder(store)
    instants: set[tuple[str, datetime]] = set()
    for stored in alerts:
        for fact in stored.alert.facts:
            instants.update((reading.page, instant_of(reading)) for reading in finder.behind(stored.alert, fact))
            if fact.at is not None:
                instants.update((page, fact.at) for page in _pages_of(stored.alert, fact))
        instants.update((reading.page, instant_of(reading)) for reading in finder.drawn(stored.alert))
    return {bytes.fromhex(record.body.sha256) for instant in instants for _, record in finder.polls(*instant)}


class _ReadingFinder:
    """Find the stored readings behind a fact of an alert, and the replies behind a reading."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def behind(self, alert: Alert, fact: Fact) -> Iterator[AnyReading]:
        """Yield the readings of a fact: those of its page (or of both pages) at its instant, else from just before."""
        if fact.at is None:
            return
        for page in _pages_of(alert, fact):
            at_instant = [reading for reading in self._at(page, fact.at) if fact.source in {"", reading.source}]
            if at_instant:
                yield from (reading for reading in at_instant if _may_state(reading, fact))
                continue
            yield from (reading for reading in self._unchanged(page, fact.at) if fact.source in {"", reading.source})
            if not fact.source:
                yield from self._day_before(page, fact.at)

    def drawn(self, alert: Alert) -> Iterator[Reading]:
        """Yield the readings that the chart of an alert's card draws."""
        for page in filter(None, (alert.page, alert.rival)):
            for point in self._store.readings.historical_daily_points(page, alert.at - DRAWN, alert.at):
                for reading in self._counts(page, point.at):
                    if (reading.count, reading.source) == (point.count, point.source):
                        yield reading

    def polls(self, page: str, instant: datetime) -> list[tuple[KeptRecord, ReplyRecord]]:
        """Return the exchanges that were about this page, for readings of this instant."""
        records = ((stored, read_record(stored.text)) for stored in self._store.evidence.records_at(instant))
        return [
            (stored, record) for stored, record in records if isinstance(record, ReplyRecord) and page in record.slugs
        ]

    def polled(self, page: str, instant: datetime) -> tuple[Origin, ...]:
        """Return the same exchanges with their bytes."""
        return tuple(origin_of(self._store, stored, record) for stored, record in self.polls(page, instant))

    def _unchanged(self, page: str, instant: datetime) -> Iterator[Reading]:
        """Yield what a poll of this instant read, and the last stored reading: an unchanged count is not stored.

        If nobody polled then, yield nothing. If the bytes are deleted, yield only the last stored reading.
        """
        if polled := self.polled(page, instant):
            for reading in reread(polled):
                if reading.page == page and isinstance(reading, Reading):
                    yield reading
            yield from self._last_stored(page, instant)

    def _last_stored(self, page: str, instant: datetime) -> Iterator[Reading]:
        point = self._store.readings.historical_point_at(page, instant)
        if point is not None:
            yield from self._counts(page, point.at)

    def _at(self, page: str, instant: datetime) -> list[AnyReading]:
        return list(self._store.timeline.as_received([page], instant, instant + INSTANT))

    def _counts(self, page: str, instant: datetime) -> Iterator[Reading]:
        return (reading for reading in self._at(page, instant) if isinstance(reading, Reading))

    def _day_before(self, page: str, instant: datetime) -> Iterator[Reading]:
        """Yield what a rule works a figure out from: the last reading of each hour of the day before it."""
        hours: dict[datetime, Reading] = {}
        for reading in self._store.timeline.as_received([page], instant - _BEFORE, instant + INSTANT):
            if isinstance(reading, Reading):
                hours[reading.observed_at.replace(minute=0, second=0, microsecond=0)] = reading
        if hours:
            yield from list(hours.values())[-24:]  # a day that begins within an hour touches 25 of them
        else:
            yield from self._last_stored(page, instant)


def _pages_of(alert: Alert, fact: Fact) -> tuple[str, ...]:
    pages = {alert.page, *((alert.rival,) if alert.rival else ()), *alert.others}
    return (fact.about,) if fact.about in pages else tuple(filter(None, (alert.page, alert.rival)))


def _may_state(reading: AnyReading, fact: Fact) -> bool:
    """Return whether a reading can state a fact: a share can come of an audience only, likes can come of both."""
    return isinstance(reading, AudienceReading) or fact.unit != "share" or not fact.source


def _traced(finder: _ReadingFinder, reading: AnyReading, imported: ImportedReadings) -> TracedReading:
    if isinstance(reading, Reading) and (polled := finder.polled(reading.page, reading.observed_at)):
        confirmed = None
        if all(origin.content is not None for origin in polled):
            confirmed = any(says_the_same(reading, figure) for figure in reread(polled))
        return TracedReading(reading=reading, origins=polled, confirmed=confirmed)
    origin = imported.origin(reading)
    if origin is None and imported.damage:
        raise imported.damage
    return TracedReading(reading=reading, origins=(origin,) if origin else (), confirmed=True if origin else None)
