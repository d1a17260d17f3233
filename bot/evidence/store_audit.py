"""The audit of the whole store: the evidence itself, and the readings and alerts that rest on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.evidence.chain import EvidenceFault
from bot.evidence.chain_audit import AuditedLink, ChainAudit
from bot.evidence.json_values import alert_value
from bot.evidence.readings_audit import ReadingsAudit
from bot.evidence.records import sha256
from bot.evidence.reread import ImportedReadings, RereadImport
from bot.evidence.trace import reference, trace
from bot.text import phrases
from storage.errors import StoreError
from storage.evidence import EvidenceDamaged
from storage.store import Store
from storage.values import StoredAlert


class StoreAudit:
    """Check everything once. The counters say how much was checked, and those of ``evidence`` how much evidence."""

    def __init__(self, store: Store, reread_import: RereadImport) -> None:
        self._store = store
        self._imported = ImportedReadings(store, reread_import)
        self.evidence = ChainAudit(store.evidence)
        self.readings = ReadingsAudit(store, self._imported)
        self.alerts = 0
        self._chained: dict[str, Mapping[str, Any]] = {}  # alerts of the chain, by their key

    def run(self, advance: Callable[[int, int], None]) -> Iterator[EvidenceFault]:
        """Yield every fault as it is found. ``advance(done, total)`` is called with the number of checked records."""
        try:
            yield from self.evidence.chain()
            yield from self._anchor()
            total = self._store.evidence.row_counts()["records"]
            for found in self.evidence.contents():
                if isinstance(found, AuditedLink):
                    self._chained.update((record.alert["key"], record.alert) for record in found.alerts)
                    yield from self.readings.polled(found)
                    advance(self.evidence.records, total)
                else:
                    yield found
            yield from self.evidence.extras()
            yield from self.evidence.time_stamps()
            if self.evidence.links:
                yield from self.readings.others(self._began())
            yield from self.readings.newest()
            for stored in self._store.alerts.recent(limit=-1):
                self.alerts += 1
                where = f"Alert {reference(stored.alert)} ({stored.alert.kind} of {stored.alert.page})"
                yield from (EvidenceFault(where, what) for what in dict.fromkeys(self._alert(stored)))
        except StoreError as error:  # of a file itself: nothing further can be read
            yield EvidenceFault("The store", str(error))

    def _anchor(self) -> Iterator[EvidenceFault]:
        """Check that the newest readings rest on an existing link: nobody cut the chain, or restored an older file."""
        where = "The newest readings"
        try:
            anchor = self._store.evidence_anchor()
            manifest = None if anchor is None else self._store.evidence.manifest(anchor.sequence)
        except EvidenceDamaged as error:
            yield EvidenceFault(where, str(error))
            return
        if anchor is not None and manifest is None:
            yield EvidenceFault(where, f"they rest on link {anchor.sequence}, which is missing.")
        elif anchor is not None and manifest is not None and sha256(manifest.text) != anchor.digest.hex():
            yield EvidenceFault(where, f"they rest on a link {anchor.sequence} with another SHA-256.")

    def _alert(self, stored: StoredAlert) -> Iterator[str]:
        """Check that an alert is the one in the chain, and that the bytes behind it state its readings."""
        chained = self._chained.get(stored.alert.key)
        if chained is not None and chained != alert_value(stored.alert):
            yield "it is not what the chain states of it: it was altered."
        is_since = bool(self.evidence.links) and max(stored.recorded_at, stored.alert.at) >= self._began()
        if chained is None and is_since:
            yield "no link names it: it was slipped in, or its key was altered."
        try:
            traced = trace(self._store, stored, self._imported)
        except EvidenceDamaged as error:
            yield str(error)
            return
        links = self.evidence.links.values()
        deleted_before = max((link.let_go_before or 0 for link in links if link.at <= stored.recorded_at), default=0)
        for reading in traced.readings:
            for origin in reading.origins:
                body = origin.record.body
                if origin.content is None and not body.withheld and origin.link >= deleted_before:
                    yield f"the reply {body.sha256} behind it is missing; such replies are stored for ever."
            if reading.confirmed is False:
                yield f"a reading of {reading.reading.page} is not what its reply states."

    def _began(self) -> datetime:
        return min(link.at for link in self.evidence.links.values())


def audit_summary(audit: StoreAudit, faults: int) -> Iterator[str]:
    """Yield what was checked, and the result, for an operator."""
    evidence = audit.evidence
    deleted = f", {phrases.count(evidence.deleted)} more deleted after their time" if evidence.deleted else ""
    checked = [
        phrases.several(len(evidence.links), "link"),
        phrases.several(evidence.records, "record"),
        phrases.several(evidence.replies, "reply", "replies"),
        phrases.several(audit.readings.readings, "reading"),
        phrases.several(audit.alerts, "alert"),
        phrases.several(evidence.stamps, "time-stamp"),
    ]
    yield f"Checked: {phrases.listed(checked)}{deleted}."
    if evidence.newest:
        sequence, digest = evidence.newest
        yield f"The newest link is {sequence}, SHA-256 {digest}. Write it down elsewhere to prove its date."
    if faults:
        yield f"{phrases.several(faults, 'fault')}: see above. docs/evidence.md says what to do."
    elif evidence.stamps:
        yield f"Everything is as it was stored. A time-stamp covers the links up to {evidence.stamped_until}."
    else:
        yield (
            "Everything is as it was stored. No link is time-stamped, so nobody outside can be sure of that "
            "(docs/evidence.md)."
        )
