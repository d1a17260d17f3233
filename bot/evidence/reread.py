"""Read stored bytes again, with the code that read them when they arrived. Stored readings must agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from bot.evidence.records import ImportRecord, ReplyRecord, read_record
from bot.http.exchange import Exchange
from bot.http.recorded import RecordedHttp
from bot.platforms.discovery import platforms
from handlers.model import Account, AudienceReading, Reading
from storage.evidence import EvidenceDamaged, KeptRecord
from storage.store import Store

AnyReading = Reading | AudienceReading

RereadImport = Callable[[ImportRecord, bytes], tuple[AnyReading, ...]]
"""Return the figures that stored bytes of an imported file hold: ``bot.imports.job.reread_import``.

Evidence lies below imports in the layers, so callers hand this function in.
"""

_ANY_INTERVAL = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A record that a reading rests on: the number of its link, its text, and the bytes that arrived.

    ``content`` is None where the bytes are not stored, or not any more.
    """

    link: int
    text: bytes
    record: ReplyRecord | ImportRecord
    content: bytes | None


def reread(origins: Iterable[Origin], reread_import: RereadImport | None = None) -> Iterator[AnyReading]:
    """Yield the readings in the bytes of these origins, oldest first. Imported files need ``reread_import``.

    Nothing is yielded of a platform that this Likewatch does not have.
    """
    batches: defaultdict[tuple[object, ...], list[Origin]] = defaultdict(list)
    for origin in origins:
        record = origin.record
        if isinstance(record, ReplyRecord):
            # Together, because one poll may take several exchanges, in the order in which the platform's code asks.
            batches[record.platform, record.asked_at, *record.pages.items()].append(origin)
        elif reread_import is not None and origin.content is not None:
            yield from reread_import(record, origin.content)
    for batch in batches.values():
        yield from _reread_batch(batch)


def has_platform(record: ReplyRecord) -> bool:
    """Return whether this Likewatch has the platform of a reply."""
    return any(platform.name == record.platform for platform in platforms())


def instant_of(reading: AnyReading) -> datetime:
    """Return the instant that a reading is for."""
    return reading.observed_at if isinstance(reading, Reading) else reading.as_of


def says_the_same(one: AnyReading, other: AnyReading) -> bool:
    """Return whether two readings state the same of the same instant, however they arrived."""
    return _claim(one) == _claim(other)


def origin_of(store: Store, stored: KeptRecord, record: ReplyRecord | ImportRecord) -> Origin:
    """Return a stored record with its bytes. Raise ``EvidenceDamaged`` where the bytes cannot be unpacked."""
    reply = store.evidence.reply(bytes.fromhex(record.body.sha256))
    return Origin(link=stored.sequence, text=stored.text, record=record, content=reply.raw if reply else None)


def import_records(store: Store) -> Iterator[tuple[KeptRecord, ImportRecord]]:
    """Yield every imported file, the newest first."""
    for stored in reversed(store.evidence.records_without_poll()):
        record = read_record(stored.text)
        if isinstance(record, ImportRecord):
            yield stored, record


class ImportedReadings:
    """The figures of every imported file. The files are read once, when the first figure is looked up.

    ``damage`` is what was wrong with a file that could not be unpacked, after a look-up.
    """

    def __init__(self, store: Store, reread_import: RereadImport) -> None:
        self._store = store
        self._reread_import = reread_import
        self.damage: EvidenceDamaged | None = None

    def origin(self, reading: AnyReading) -> Origin | None:
        """Return the newest imported file that states this reading."""
        found = self._figures.get((reading.page, instant_of(reading)), ())
        return next((origin for origin, figure in found if says_the_same(reading, figure)), None)

    @cached_property
    def sources(self) -> frozenset[tuple[str, str]]:
        """Every page with every source that an imported file names for it."""
        return frozenset((figure.page, figure.source) for found in self._figures.values() for _, figure in found)

    @cached_property
    def _figures(self) -> dict[tuple[str, datetime], list[tuple[Origin, AnyReading]]]:
        figures: defaultdict[tuple[str, datetime], list[tuple[Origin, AnyReading]]] = defaultdict(list)
        for stored, record in import_records(self._store):
            try:
                origin = origin_of(self._store, stored, record)
            except EvidenceDamaged as error:
                self.damage = error
                continue
            for figure in reread([origin], self._reread_import):
                figures[figure.page, instant_of(figure)].append((origin, figure))
        return dict(figures)


def _reread_batch(batch: list[Origin]) -> tuple[Reading, ...]:
    first = batch[0].record
    assert isinstance(first, ReplyRecord)  # noqa: S101 (only replies come in batches)
    platform = next((platform for platform in platforms() if platform.name == first.platform), None)
    if platform is None or first.asked_at is None:
        return ()
    accounts = [
        Account(page=page, platform=platform.name, native_id=native_id, handle="", url="", poll_every=_ANY_INTERVAL)
        for page, native_id in first.pages.items()
    ]
    http = RecordedHttp(platform.base_url({}), filter(None, map(_exchange, batch)))
    return platform.fetch(http, accounts, first.asked_at).readings


def _exchange(origin: Origin) -> Exchange | None:
    record = origin.record
    if not isinstance(record, ReplyRecord) or origin.content is None:
        return None
    return Exchange(
        method=record.method,
        url=record.url,
        params=record.params,
        form=record.form,
        status=record.status,
        headers=record.headers,
        content=origin.content,
    )


def _claim(reading: AnyReading) -> tuple[object, ...]:
    """Return what a reading states. Its address and when it was received are no part of that."""
    if isinstance(reading, Reading):
        bounds = (reading.count, reading.low, reading.high)
        return (reading.page, reading.observed_at, reading.metric, reading.source, *bounds)
    numbers = (dict(reading.likes), dict(reading.shares), reading.total)
    return (reading.page, reading.as_of, reading.measure, reading.source, *numbers)
