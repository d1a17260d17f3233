"""The audit of the whole store: the evidence by itself, and what rests on it: readings and alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot import words
from bot.evidence.alert_text import alert_value
from bot.evidence.auditing import EvidenceAudit, Looked
from bot.evidence.faults import Fault
from bot.evidence.rereading import batches, reread
from bot.evidence.texts import ToldAlert, read_record, sha256
from bot.evidence.tracing import reference, same, trace
from handlers.model import Reading
from storage.errors import StoreError
from storage.evidence import EvidenceDamaged
from storage.store import Store
from storage.values import KeptAlert

_INSTANT = timedelta(milliseconds=1)
_LATER = timedelta(days=7)


class StoreAudit:
    """Looks at everything once. The counters say what was looked at, ``evidence`` what of the evidence."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.evidence = EvidenceAudit(store.evidence)
        self.readings = 0
        self.alerts = 0
        self._polled: Counter[tuple[str, str]] = Counter()  # readings that were asked for, by page and source
        self._sources: set[str] = set()
        self._told: dict[str, Mapping[str, Any]] = {}
        self._asked: tuple[datetime, datetime] | None = None  # the first and the last instant for which anybody was

    def run(self, advance: Callable[[int, int], None]) -> Iterator[Fault]:
        """Whatever is wrong, as it is found; ``advance(done, total)`` is told how many records were looked at."""
        try:
            yield from self.evidence.chain()
            yield from self._anchor()
            total = self._store.evidence.counted()["records"]
            for found in self.evidence.contents():
                if isinstance(found, Looked):
                    told = (record.alert for _, record in found.records if isinstance(record, ToldAlert))
                    self._told.update((alert["key"], alert) for alert in told)
                    yield from self._readings(found)
                    advance(self.evidence.records, total)
                else:
                    yield found
            yield from self.evidence.extras()
            yield from self.evidence.time_stamps()
            yield from self._unfounded()
            yield from self._alerts()
        except StoreError as error:  # of a file itself: nothing further can be read
            yield Fault(where="The store", what=str(error))

    def _anchor(self) -> Iterator[Fault]:
        """The newest readings rest on a link that is there: nobody cut the chain off, or put an older file in place."""
        where = "The newest readings"
        try:
            anchor = self._store.anchored()
            if anchor is None:
                return
            manifest = self._store.evidence.manifest(anchor.sequence)
        except EvidenceDamaged as error:
            yield Fault(where=where, what=str(error))
            return
        if manifest is None:
            yield Fault(where=where, what=f"they rest on link {anchor.sequence}, which is not there (any more).")
        elif sha256(manifest.text) != anchor.digest.hex():
            yield Fault(where=where, what=f"they rest on a link {anchor.sequence} with another SHA-256.")

    def _readings(self, looked: Looked) -> Iterator[Fault]:
        """What is stored against what the replies say; that an unchanged count was not stored is no matter."""
        said = {
            (figure.page, figure.observed_at, figure.source): figure
            for batch in batches(looked.exchanges)
            for figure in reread(batch)
        }
        self._sources.update(source for _, _, source in said)
        asked = {(kept.asked_at, record.slugs) for kept, record in looked.records if kept.asked_at is not None}
        for instant, slugs in asked:
            assert instant is not None  # noqa: S101 (narrowed above)
            first, last = self._asked or (instant, instant)
            self._asked = min(first, instant), max(last, instant)
            for stored in self._store.chronicle.between(sorted(slugs), instant, instant + _INSTANT):
                if not isinstance(stored, Reading):
                    continue
                self._polled[stored.page, stored.source] += 1
                self.readings += 1
                figure = said.get((stored.page, stored.observed_at, stored.source))
                if figure is not None and not same(figure, stored):
                    what = f"it says {_told(stored)}, but its reply, in link {looked.link.sequence}, {_told(figure)}."
                    yield Fault(where=_named(stored), what=what)

    def _unfounded(self) -> Iterator[Fault]:
        """Readings of polled sources for which nobody was asked."""
        if self._asked is None:
            return
        first, last = self._asked
        for page in self._store.pages.all():
            stored = [
                figure
                for figure in self._store.chronicle.between([page.slug], first, last + _LATER)
                if isinstance(figure, Reading) and figure.source in self._sources
            ]
            if len(stored) == sum(self._polled[page.slug, source] for source in self._sources):
                continue
            for reading in stored:
                if not self._was_asked(reading):
                    yield Fault(where=_named(reading), what=f"{reading.count:,}, but nobody was asked for it.")

    def _was_asked(self, reading: Reading) -> bool:
        try:
            asked = self._store.evidence.asked_at(reading.observed_at)
            return any(reading.page in read_record(kept.text).slugs for kept in asked)
        except EvidenceDamaged:
            return True  # told already

    def _alerts(self) -> Iterator[Fault]:
        """What is behind an alert is there, and says what the alert's readings say."""
        for kept in self._store.alerts.recent(limit=-1):
            self.alerts += 1
            where = f"Alert {reference(kept.alert)} ({kept.alert.kind} of {kept.alert.page})"
            if self._is_chained(kept) and self._told.get(kept.alert.key) != alert_value(kept.alert):
                how = "it is not what the chain tells of it" if kept.alert.key in self._told else "no link tells of it"
                yield Fault(where=where, what=f"{how}: it was altered, or slipped in.")
            try:
                traced = trace(self._store, kept)
            except EvidenceDamaged as error:
                yield Fault(where=where, what=str(error))
                continue
            gone = self._gone_before(kept.recorded_at)
            for reading in traced.readings:
                for behind in reading.behind:
                    if behind.content is None and not behind.record.body.withheld and behind.kept.sequence >= gone:
                        what = f"the reply {behind.record.body.sha256} behind it is missing; such are kept for ever."
                        yield Fault(where=where, what=what)
                if reading.confirmed is False:
                    yield Fault(where=where, what=f"a reading of {reading.reading.page} is not what its reply says.")

    def _is_chained(self, kept: KeptAlert) -> bool:
        """Whether it was raised since there is a chain."""
        return bool(self.evidence.links) and kept.recorded_at >= min(link.at for link in self.evidence.links.values())

    def _gone_before(self, instant: datetime) -> int:
        """The link before which replies had been let go by this instant."""
        links = self.evidence.links.values()
        return max((link.let_go_before or 0 for link in links if link.at <= instant), default=0)


def audit_summary(audit: StoreAudit, faults: int) -> Iterator[str]:
    """What was looked at, in plain words."""
    evidence = audit.evidence
    gone = f", {words.count(evidence.let_go)} more let go after their time" if evidence.let_go else ""
    looked_at = [
        words.several(len(evidence.links), "link"),
        words.several(evidence.records, "record"),
        words.several(evidence.replies, "reply", "replies"),
        words.several(audit.readings, "reading"),
        words.several(audit.alerts, "alert"),
        words.several(evidence.stamps, "time-stamp"),
    ]
    yield f"Looked at: {words.listed(looked_at)}{gone}."
    if newest := audit.evidence.newest:
        yield f"The newest link is {newest[0]}, SHA-256 {newest[1]}. Write it down elsewhere, and it is dated."
    if faults:
        yield f"{words.several(faults, 'fault')}: see above, and docs/evidence.md for what to do."
    elif evidence.stamps:
        yield f"Everything is as it was kept. Links up to {evidence.stamped_until} are covered by a time-stamp."
    else:
        yield "Everything is as it was kept. No link is time-stamped, so nobody outside can be sure (docs/evidence.md)."


def _told(reading: Reading) -> str:
    return f"{reading.count:,} {reading.metric} ({reading.low:,} to {reading.high:,})"


def _named(reading: Reading) -> str:
    return f"The reading of {reading.page} at {reading.observed_at.isoformat()}"
