"""The audit of the stored readings: compare each with the reply or the imported file that it came from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bot.evidence.chain import EvidenceFault
from bot.evidence.chain_audit import AuditedLink
from bot.evidence.records import ReplyRecord, read_record
from bot.evidence.reread import (
    AnyReading,
    ImportedReadings,
    has_platform,
    instant_of,
    reread,
    says_the_same,
)
from bot.evidence.trace import INSTANT
from handlers.model import Point, Reading
from storage.evidence import EvidenceDamaged
from storage.store import Store

_END = datetime(9999, 1, 1, tzinfo=UTC)

_Key = tuple[str, datetime]
"""A page and an instant."""


class ReadingsAudit:
    """Check stored readings once: call ``polled`` for each link in order, then ``others`` and ``newest``.

    ``readings`` counts the checked ones. A reply without a stored reading is no fault: unchanged counts are not stored.
    """

    def __init__(self, store: Store, imported: ImportedReadings) -> None:
        self._store = store
        self._imported = imported
        self.readings = 0
        self._polled: Counter[str] = Counter()  # readings of each page, stored for an instant of a poll
        self._began: datetime | None = None

    def polled(self, audited: AuditedLink) -> Iterator[EvidenceFault]:
        """Compare the readings at the instants of a link's polls with the replies of the link."""
        replies: defaultdict[_Key, list[AnyReading]] = defaultdict(list)
        for reading in reread(audited.origins):
            replies[reading.page, instant_of(reading)].append(reading)
        pages: defaultdict[datetime, set[str]] = defaultdict(set)
        unknown: set[_Key] = set()
        for origin in audited.origins:
            record = origin.record
            if isinstance(record, ReplyRecord) and record.asked_at is not None:
                pages[record.asked_at] |= record.slugs
                if origin.content is None or not has_platform(record):
                    unknown.update((slug, record.asked_at) for slug in record.slugs)
        for instant, slugs in pages.items():
            self._began = min(self._began or instant, instant)
            for stored in self._store.timeline.as_observed(sorted(slugs), instant, instant + INSTANT):
                if isinstance(stored, Reading):
                    self.readings += 1
                    self._polled[stored.page] += 1
                    key = (stored.page, stored.observed_at)
                    agrees = any(says_the_same(stored, reading) for reading in replies[key])
                    if not (agrees or key in unknown or self._imported.origin(stored)):
                        link = audited.link.sequence
                        what = f"it states {_stated(stored)}, but its reply, in link {link}, states "
                        yield EvidenceFault(_fault_name(stored), f"{what}{_all_stated(replies[key])}.")

    def others(self, began: datetime) -> Iterator[EvidenceFault]:
        """Check readings of no poll: an imported file states them, or they are older than the evidence.

        ``began`` is the instant of the first link.
        """
        began = min(self._began or began, began)
        for page, span in self._store.timeline.spans().items():
            if not span.audiences and span.counts == self._polled[page]:
                continue
            for stored in self._store.timeline.as_observed([page], span.first, span.last + INSTANT):
                if isinstance(stored, Reading) and self._was_polled(stored):
                    continue
                self.readings += 1
                if self._imported.origin(stored):
                    continue
                if (page, stored.source) in self._imported.sources:
                    yield EvidenceFault(_fault_name(stored), f"it states {_stated(stored)}; no imported file does.")
                elif stored.received_at >= began:
                    yield EvidenceFault(
                        _fault_name(stored), f"it states {_stated(stored)}, but no reply and no file does."
                    )

    def newest(self) -> Iterator[EvidenceFault]:
        """Check that the newest count of each page, which answers show, is the count of its newest valid reading."""
        pages = [page.slug for page in self._store.pages.all()]
        for slug, state in self._store.series_states.get(pages).items():
            newest = self._store.readings.point_at(slug, _END)
            points = self._store.readings.points(slug, newest.at, newest.at) if newest else ()
            if _bounds(state.last) not in map(_bounds, points):
                reading = f"{newest.count:,}" if newest else "none that counts"
                what = f"it is {state.last.count:,}, but the newest reading of the page is {reading}."
                yield EvidenceFault(f"The newest count of {slug}", what)

    def _was_polled(self, reading: Reading) -> bool:
        try:
            records = [read_record(stored.text) for stored in self._store.evidence.records_at(reading.observed_at)]
        except EvidenceDamaged:
            return True  # ``ChainAudit`` yields that fault
        return any(isinstance(record, ReplyRecord) and reading.page in record.slugs for record in records)


def _fault_name(reading: AnyReading) -> str:
    """Return how a fault names a reading."""
    return f"The reading of {reading.page} at {instant_of(reading).isoformat()}"


def _bounds(point: Point) -> tuple[int, int, int]:
    return point.count, point.low, point.high


def _stated(reading: AnyReading) -> str:
    if isinstance(reading, Reading):
        return f"{reading.count:,} {reading.metric} ({reading.low:,} to {reading.high:,}; {reading.source})"
    return f"an audience by country ({reading.source})"


def _all_stated(readings: Sequence[AnyReading]) -> str:
    return " and ".join(map(_stated, readings)) or "nothing about this page"
