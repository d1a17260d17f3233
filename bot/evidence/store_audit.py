"""The audit of the whole store: the evidence by itself, and what rests on it: readings and alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.evidence.alert_text import alert_value
from bot.evidence.chain_audit import AuditedLink, ChainAudit
from bot.evidence.fault import EvidenceFault
from bot.evidence.readings_audit import ReadingsAudit
from bot.evidence.records import AlertRecord, sha256
from bot.evidence.reread import RereadImport
from bot.evidence.trace import reference, trace
from bot.text import phrases
from storage.errors import StoreError
from storage.evidence import EvidenceDamaged
from storage.store import Store

_INSTANT = timedelta(milliseconds=1)
_LATER = timedelta(days=7)


class StoreAudit:
    """Looks at everything once. The counters say what was looked at, ``evidence`` what of the evidence."""

    def __init__(self, store: Store, reread_import: RereadImport) -> None:
        self._store = store
        self._reread_import = reread_import
        self.evidence = ChainAudit(store.evidence)
        self.readings = ReadingsAudit(store, reread_import)
        self.alerts = 0
        self._told: dict[str, Mapping[str, Any]] = {}

    def run(self, advance: Callable[[int, int], None]) -> Iterator[EvidenceFault]:
        """Whatever is wrong, as it is found; ``advance(done, total)`` is told how many records were looked at."""
        try:
            yield from self.evidence.chain()
            yield from self._anchor()
            total = self._store.evidence.row_counts()["records"]
            for found in self.evidence.contents():
                if isinstance(found, AuditedLink):
                    told = (record.alert for _, record in found.records if isinstance(record, AlertRecord))
                    self._told.update((alert["key"], alert) for alert in told)
                    yield from self.readings.polled(found)
                    advance(self.evidence.records, total)
                else:
                    yield found
            yield from self.evidence.extras()
            yield from self.evidence.time_stamps()
            if self.evidence.links:
                yield from self.readings.others(self._began())
            yield from self.readings.newest()
            yield from self._alerts()
        except StoreError as error:  # of a file itself: nothing further can be read
            yield EvidenceFault(where="The store", what=str(error))

    def _anchor(self) -> Iterator[EvidenceFault]:
        """The newest readings rest on a link that is there: nobody cut the chain off, or put an older file in place."""
        where = "The newest readings"
        try:
            anchor = self._store.evidence_anchor()
            if anchor is None:
                return
            manifest = self._store.evidence.manifest(anchor.sequence)
        except EvidenceDamaged as error:
            yield EvidenceFault(where=where, what=str(error))
            return
        if manifest is None:
            yield EvidenceFault(
                where=where, what=f"they rest on link {anchor.sequence}, which is not there (any more)."
            )
        elif sha256(manifest.text) != anchor.digest.hex():
            yield EvidenceFault(where=where, what=f"they rest on a link {anchor.sequence} with another SHA-256.")

    def _alerts(self) -> Iterator[EvidenceFault]:
        """What is behind an alert is there, and says what the alert's readings say."""
        for kept in self._store.alerts.recent(limit=-1):
            self.alerts += 1
            where = f"Alert {reference(kept.alert)} ({kept.alert.kind} of {kept.alert.page})"
            told = self._told.get(kept.alert.key)
            if told is not None and told != alert_value(kept.alert):
                yield EvidenceFault(where=where, what="it is not what the chain tells of it: it was altered.")
            if told is None and self._is_since(max(kept.recorded_at, kept.alert.at)):
                yield EvidenceFault(where=where, what="no link tells of it: it was slipped in, or its key was altered.")
            try:
                traced = trace(self._store, kept, self._reread_import)
            except EvidenceDamaged as error:
                yield EvidenceFault(where=where, what=str(error))
                continue
            gone = self._gone_before(kept.recorded_at)
            for reading in traced.readings:
                for behind in reading.behind:
                    if behind.content is None and not behind.record.body.withheld and behind.kept.sequence >= gone:
                        what = f"the reply {behind.record.body.sha256} behind it is missing; such are kept for ever."
                        yield EvidenceFault(where=where, what=what)
                if reading.confirmed is False:
                    yield EvidenceFault(
                        where=where, what=f"a reading of {reading.reading.page} is not what its reply says."
                    )

    def _began(self) -> datetime:
        return min(link.at for link in self.evidence.links.values())

    def _is_since(self, instant: datetime) -> bool:
        """Whether there was a chain at this instant."""
        return bool(self.evidence.links) and instant >= self._began()

    def _gone_before(self, instant: datetime) -> int:
        """The link before which replies had been let go by this instant."""
        links = self.evidence.links.values()
        return max((link.let_go_before or 0 for link in links if link.at <= instant), default=0)


def audit_summary(audit: StoreAudit, faults: int) -> Iterator[str]:
    """What was looked at, in plain words."""
    evidence = audit.evidence
    gone = f", {phrases.count(evidence.let_go)} more let go after their time" if evidence.let_go else ""
    looked_at = [
        phrases.several(len(evidence.links), "link"),
        phrases.several(evidence.records, "record"),
        phrases.several(evidence.replies, "reply", "replies"),
        phrases.several(audit.readings.readings, "reading"),
        phrases.several(audit.alerts, "alert"),
        phrases.several(evidence.stamps, "time-stamp"),
    ]
    yield f"Looked at: {phrases.listed(looked_at)}{gone}."
    if newest := audit.evidence.newest:
        yield f"The newest link is {newest[0]}, SHA-256 {newest[1]}. Write it down elsewhere, and it is dated."
    if faults:
        yield f"{phrases.several(faults, 'fault')}: see above, and docs/evidence.md for what to do."
    elif evidence.stamps:
        yield f"Everything is as it was kept. Links up to {evidence.stamped_until} are covered by a time-stamp."
    else:
        yield "Everything is as it was kept. No link is time-stamped, so nobody outside can be sure (docs/evidence.md)."
