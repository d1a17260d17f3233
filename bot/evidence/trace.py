"""From an alert to its figures, from each figure to the readings behind it, and from each reading to what came."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from bot.errors import LikewatchError
from bot.evidence.records import ImportRecord, ReplyRecord, read_record
from bot.evidence.reread import RereadImport, StoredExchange, by_batch, reread
from handlers.model import Alert, AudienceReading, Fact, Reading
from handlers.wording.numbers import dated
from storage.evidence import KeptRecord
from storage.store import Store
from storage.values import StoredAlert

DRAWN = timedelta(days=30)
"""How far back the chart of a card goes at first; its daily points are figures that were shown."""

_INSTANT = timedelta(milliseconds=1)  # the store's resolution
_BEFORE = timedelta(days=1)
_AT_MOST = 24  # readings behind a figure that was worked out from several: one an hour of the day before
_REFERENCE = 10  # hexadecimal digits
_NEWEST = 20

AnyReading = Reading | AudienceReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A record that a reading rests on. ``content`` is None where its bytes are not kept (any more)."""

    kept: KeptRecord
    record: ReplyRecord | ImportRecord
    content: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedReading:
    """A reading with what it came from, oldest first; nothing where no reply is kept of that instant.

    ``confirmed`` is true where the kept bytes, read once more, say what the reading says; None where they are not kept.
    """

    reading: AnyReading
    behind: tuple[Origin, ...]
    confirmed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedFigure:
    """A figure of an alert and the places, among the traced readings, of those behind it (none: said by the rule)."""

    fact: Fact
    readings: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """An alert down to the bytes. ``drawn`` are the places of the readings in its card's chart."""

    alert: StoredAlert
    figures: tuple[TracedFigure, ...]
    drawn: tuple[int, ...]
    readings: tuple[TracedReading, ...]


def reference(alert: Alert) -> str:
    """A short name of an alert that survives every shell: the first ten digits of its key's SHA-256."""
    return hashlib.sha256(alert.key.encode()).hexdigest()[:_REFERENCE]


def find_alert(store: Store, named: str) -> StoredAlert:
    """The alert of this reference or key, else a page's newest. Raises ``LikewatchError``, naming the newest alerts."""
    named = named.strip()
    if found := store.alerts.get(named):
        return found
    every = store.alerts.recent(limit=-1)
    for kept in every:
        if reference(kept.alert) == named.casefold():
            return kept
    of_everybody = [kept for kept in every if not kept.alert.tuned]  # not what one channel's own threshold raised
    if of_page := [kept for kept in of_everybody if named in {kept.alert.page, kept.alert.rival}]:
        return of_page[0]
    if not of_everybody:
        raise LikewatchError("There is no alert yet, so there is nothing to prove.")
    newest = "\n".join(
        f"  {reference(kept.alert)}  {dated(kept.alert.at, kept.alert.dated)}  {kept.alert.kind}  {kept.alert.page}"
        for kept in of_everybody[:_NEWEST]
    )
    raise LikewatchError(f"No alert is called “{named[:80]}”. Name one by its reference; the newest are:\n{newest}")


def trace(store: Store, kept: StoredAlert, reread_import: RereadImport) -> Trace:
    """An alert with everything behind it that is known."""
    with store.read():
        used: list[AnyReading] = []
        figures = tuple(
            TracedFigure(
                fact=fact, readings=tuple(_place(used, reading) for reading in _of_fact(store, kept.alert, fact))
            )
            for fact in kept.alert.facts
        )
        drawn = tuple(_place(used, reading) for reading in _drawn(store, kept.alert))
        files = _Files(store, reread_import)
        readings = tuple(_traced(store, reading, files) for reading in used)
    return Trace(alert=kept, figures=figures, drawn=drawn, readings=readings)


def replies_behind(store: Store, alerts: Iterable[StoredAlert]) -> set[bytes]:
    """The SHA-256 of every reply and file behind these alerts, without looking into them."""
    wanted: set[bytes] = set()
    seen: set[tuple[str, datetime]] = set()
    for kept in alerts:
        facts = [fact for fact in kept.alert.facts if fact.at is not None]
        readings = [reading for fact in facts for reading in _of_fact(store, kept.alert, fact)]
        behind = [(reading.page, instant_of(reading)) for reading in (*readings, *_drawn(store, kept.alert))]
        behind += [(page, fact.at) for fact in facts if fact.at for page in _pages_of(kept.alert, fact)]
        for instant in behind:
            if instant not in seen:
                seen.add(instant)
                wanted.update(bytes.fromhex(record.body.sha256) for _, record in _polled(store, *instant))
    return wanted


def import_records(store: Store) -> Iterator[tuple[KeptRecord, ImportRecord]]:
    """Every imported file, the newest first."""
    for kept in reversed(store.evidence.records_without_poll()):
        record = read_record(kept.text)
        if isinstance(record, ImportRecord):
            yield kept, record


def came(store: Store, record: ReplyRecord) -> StoredExchange | None:
    """An exchange with its bytes; None where they are not kept."""
    reply = store.evidence.reply(bytes.fromhex(record.body.sha256))
    return None if reply is None else StoredExchange(record=record, content=reply.raw)


def says_the_same(one: AnyReading, other: AnyReading) -> bool:
    """Whether two readings say the same of the same instant, however they came."""
    if isinstance(one, Reading) and isinstance(other, Reading):
        return _said(one) == _said(other)
    if isinstance(one, AudienceReading) and isinstance(other, AudienceReading):
        return (one.page, one.as_of, one.measure, one.source, dict(one.likes), dict(one.shares), one.total) == (
            (other.page, other.as_of, other.measure, other.source, dict(other.likes), dict(other.shares), other.total)
        )
    return False


def _said(reading: Reading) -> tuple[object, ...]:
    return (reading.page, reading.observed_at, reading.count, reading.low, reading.high, reading.metric, reading.source)


def _place(used: list[AnyReading], reading: AnyReading) -> int:
    if reading not in used:
        used.append(reading)
    return used.index(reading)


def _of_fact(store: Store, alert: Alert, fact: Fact) -> Iterator[AnyReading]:
    """The readings that a fact names: those of its page (or of both pages) at its instant, else just before it."""
    if fact.at is None:
        return
    for page in _pages_of(alert, fact):
        there = [reading for reading in _at(store, page, fact.at) if fact.source in {"", reading.source}]
        if there:
            yield from (reading for reading in there if _is_of(reading, fact))
            continue
        yield from (figure for figure in _unchanged(store, page, fact.at) if fact.source in {"", figure.source})
        if not fact.source:
            yield from _just_before(store, page, fact.at)


def _pages_of(alert: Alert, fact: Fact) -> tuple[str, ...]:
    known = {alert.page, *((alert.rival,) if alert.rival else ()), *alert.others}
    return (fact.about,) if fact.about in known else tuple(filter(None, (alert.page, alert.rival)))


def _unchanged(store: Store, page: str, instant: datetime) -> Iterator[Reading]:
    """What a poll of this instant said, which found the count unchanged and so was not stored; and the last that was.

    Nothing where nobody was asked; only the last stored where the bytes are not kept.
    """
    polled = _polled(store, page, instant)
    if not polled:
        return
    exchanges = [exchange for _, record in polled if (exchange := came(store, record))]
    for batch in by_batch(exchanges):
        yield from (figure for figure in reread(batch) if figure.page == page)
    yield from _last_stored(store, page, instant)


def _last_stored(store: Store, page: str, instant: datetime) -> Iterator[Reading]:
    point = store.readings.historical_point_at(page, instant)
    if point is not None:
        yield from (reading for reading in _at(store, page, point.at) if isinstance(reading, Reading))


def _is_of(reading: AnyReading, fact: Fact) -> bool:
    """A fact in shares or about a country is of an audience, a fact in likes may be of either."""
    return isinstance(reading, AudienceReading) or fact.unit != "share" or not fact.source


def _at(store: Store, page: str, instant: datetime) -> list[AnyReading]:
    return list(store.timeline.as_received([page], instant, instant + _INSTANT))


def _just_before(store: Store, page: str, instant: datetime) -> Iterator[Reading]:
    """What a figure of that time was worked out from: the last reading of each hour of the day before it."""
    hours: dict[datetime, Reading] = {}
    for reading in store.timeline.as_received([page], instant - _BEFORE, instant + _INSTANT):
        if isinstance(reading, Reading):
            hours[reading.observed_at.replace(minute=0, second=0, microsecond=0)] = reading
    newest = list(hours.values())[-_AT_MOST:]
    if newest:
        yield from newest
        return
    yield from _last_stored(store, page, instant)


def _drawn(store: Store, alert: Alert) -> Iterator[Reading]:
    for page in filter(None, (alert.page, alert.rival)):
        for point in store.readings.historical_daily_points(page, alert.at - DRAWN, alert.at):
            for reading in _at(store, page, point.at):
                if isinstance(reading, Reading) and (reading.count, reading.source) == (point.count, point.source):
                    yield reading


def instant_of(reading: AnyReading) -> datetime:
    """The instant that a reading is for."""
    return reading.observed_at if isinstance(reading, Reading) else reading.as_of


def _polled(store: Store, page: str, instant: datetime) -> list[tuple[KeptRecord, ReplyRecord]]:
    """The exchanges that were about this page, for readings of this instant."""
    found = []
    for kept in store.evidence.records_at(instant):
        record = read_record(kept.text)
        if isinstance(record, ReplyRecord) and page in record.slugs:
            found.append((kept, record))
    return found


class _Files:
    """Every imported file with its figures, read when the first is asked for."""

    def __init__(self, store: Store, reread_import: RereadImport) -> None:
        self._store = store
        self._reread_import = reread_import

    @cached_property
    def all(self) -> list[tuple[Origin, tuple[AnyReading, ...]]]:
        found = []
        for kept, imported in import_records(self._store):
            reply = self._store.evidence.reply(bytes.fromhex(imported.body.sha256))
            if reply is not None:
                behind = Origin(kept=kept, record=imported, content=reply.raw)
                found.append((behind, self._reread_import(imported, reply.raw)))
        return found


def _traced(store: Store, reading: AnyReading, files: _Files) -> TracedReading:
    polled = _polled(store, reading.page, instant_of(reading)) if isinstance(reading, Reading) else []
    if polled:
        return _of_poll(store, reading, polled)
    for behind, figures in files.all:
        if reading.page in behind.record.slugs and any(says_the_same(reading, figure) for figure in figures):
            return TracedReading(reading=reading, behind=(behind,), confirmed=True)
    return TracedReading(reading=reading, behind=(), confirmed=None)


def _of_poll(store: Store, reading: AnyReading, polled: Sequence[tuple[KeptRecord, ReplyRecord]]) -> TracedReading:
    behind: list[Origin] = []
    exchanges: list[StoredExchange] = []
    for kept, record in polled:
        exchange = came(store, record)
        behind.append(Origin(kept=kept, record=record, content=exchange.content if exchange else None))
        if exchange is not None:
            exchanges.append(exchange)
    if len(exchanges) < len(polled):
        return TracedReading(reading=reading, behind=tuple(behind), confirmed=None)
    said = [figure for batch in by_batch(exchanges) for figure in reread(batch)]
    return TracedReading(
        reading=reading, behind=tuple(behind), confirmed=any(says_the_same(reading, figure) for figure in said)
    )
