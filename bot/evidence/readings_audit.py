"""The audit of what is stored of pages: every reading against the reply or the file that it came from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

from bot.evidence.chain_audit import AuditedLink
from bot.evidence.fault import EvidenceFault
from bot.evidence.records import ReplyRecord, read_record
from bot.evidence.reread import RereadImport, by_batch, is_read_here, reread
from bot.evidence.trace import AnyReading, import_records, instant_of, says_the_same
from handlers.model import Point, Reading
from storage.evidence import EvidenceDamaged
from storage.store import Store

_INSTANT = timedelta(milliseconds=1)
_END = datetime(9999, 1, 1, tzinfo=UTC)

_Key = tuple[str, datetime]


class ReadingsAudit:
    """``polled`` for each link in their order, then ``others`` and ``newest``; ``readings`` counts what was looked at.

    An unchanged count was not stored; that is no matter.
    """

    def __init__(self, store: Store, reread_import: RereadImport) -> None:
        self._store = store
        self._reread_import = reread_import
        self.readings = 0
        self._of_polls: Counter[str] = Counter()  # stored readings at instants at which the page was asked for
        self._began: datetime | None = None

    def polled(self, looked: AuditedLink) -> Iterator[EvidenceFault]:
        """What is stored of the pages and the instant that a link is about, against what its replies say."""
        said: defaultdict[_Key, list[AnyReading]] = defaultdict(list)
        for batch in by_batch(looked.exchanges):
            for figure in reread(batch):
                said[figure.page, figure.observed_at].append(figure)
        asked: dict[datetime, set[str]] = {}
        unread: set[_Key] = set()
        whole = {id(came.record) for came in looked.exchanges}
        for _, record in looked.records:
            if isinstance(record, ReplyRecord) and record.asked_at is not None:
                asked.setdefault(record.asked_at, set()).update(record.slugs)
                if id(record) not in whole or not is_read_here(record):
                    unread.update((slug, record.asked_at) for slug in record.slugs)
        for instant, slugs in asked.items():
            self._began = min(self._began or instant, instant)
            for stored in self._store.timeline.as_observed(sorted(slugs), instant, instant + _INSTANT):
                if isinstance(stored, Reading):
                    self.readings += 1
                    self._of_polls[stored.page] += 1
                    key = (stored.page, stored.observed_at)
                    if not (_agrees(stored, said[key]) or key in unread or self._is_imported(stored)):
                        link = looked.link.sequence
                        what = f"it says {_told(stored)}, but its reply, in link {link}, says {_all_told(said[key])}."
                        yield EvidenceFault(where=named(stored), what=what)

    def others(self, began: datetime) -> Iterator[EvidenceFault]:
        """What came of no poll: it stands in an imported file, or is older than the evidence, which ``began`` then."""
        began = min(self._began or began, began)
        for page, span in self._store.timeline.spans().items():
            if not span.audiences and span.counts == self._of_polls[page]:
                continue
            for stored in self._store.timeline.as_observed([page], span.first, span.last + _INSTANT):
                if isinstance(stored, Reading) and self._was_asked(stored):
                    continue
                self.readings += 1
                if self._is_imported(stored):
                    continue
                if (page, stored.source) in self._imported_sources:
                    yield EvidenceFault(where=named(stored), what=f"it says {_told(stored)}; no imported file does.")
                elif stored.received_at >= began:
                    yield EvidenceFault(
                        where=named(stored), what=f"{_told(stored)}, but no reply and no file tells of it."
                    )

    def newest(self) -> Iterator[EvidenceFault]:
        """The newest count of a page, which answers are made of, is that of its newest reading that counts."""
        pages = [page.slug for page in self._store.pages.all()]
        for slug, track in self._store.readings.series_states(pages).items():
            newest = self._store.readings.point_at(slug, _END)
            points = self._store.readings.points(slug, newest.at, newest.at) if newest else ()
            if _numbers(track.last) not in map(_numbers, points):
                reading = f"{newest.count:,}" if newest else "none that counts"
                what = f"it is {track.last.count:,}, but its newest reading is {reading}."
                yield EvidenceFault(where=f"The newest count of {slug}", what=what)

    def _was_asked(self, reading: Reading) -> bool:
        try:
            asked = self._store.evidence.records_at(reading.observed_at)
            return any(reading.page in read_record(kept.text).slugs for kept in asked)
        except EvidenceDamaged:
            return True  # told already

    @cached_property
    def _imported(self) -> Mapping[_Key, Sequence[AnyReading]]:
        found: defaultdict[_Key, list[AnyReading]] = defaultdict(list)
        for _, imported in import_records(self._store):
            try:
                reply = self._store.evidence.reply(bytes.fromhex(imported.body.sha256))
            except EvidenceDamaged:
                continue  # told already
            for figure in self._reread_import(imported, reply.raw) if reply else ():
                found[figure.page, instant_of(figure)].append(figure)
        return dict(found)

    @cached_property
    def _imported_sources(self) -> frozenset[tuple[str, str]]:
        return frozenset((figure.page, figure.source) for figures in self._imported.values() for figure in figures)

    def _is_imported(self, stored: AnyReading) -> bool:
        return _agrees(stored, self._imported.get((stored.page, instant_of(stored)), ()))


def _agrees(stored: AnyReading, said: Sequence[AnyReading]) -> bool:
    return any(says_the_same(stored, figure) for figure in said)


def _numbers(point: Point) -> tuple[int, int, int]:
    return point.count, point.low, point.high


def _told(figure: AnyReading) -> str:
    if isinstance(figure, Reading):
        return f"{figure.count:,} {figure.metric} ({figure.low:,} to {figure.high:,}; {figure.source})"
    return f"an audience by country ({figure.source})"


def _all_told(said: Sequence[AnyReading]) -> str:
    return " and ".join(map(_told, said)) or "nothing of this page"


def named(figure: AnyReading) -> str:
    """How a fault calls a reading."""
    return f"The reading of {figure.page} at {instant_of(figure).isoformat()}"
