"""How long replies are stored: replies behind an alert, and imported files, for ever; all others for a set time."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

from bot.evidence.recorder import Recorder
from bot.evidence.records import read_manifest
from bot.evidence.reread import import_records
from bot.evidence.trace import replies_behind
from storage.store import Store


def delete_old_replies(store: Store, recorder: Recorder, *, keep: timedelta, now: datetime) -> int:
    """Delete the bytes of replies that were last received longer ago than ``keep``. Return how many.

    Their records and SHA-256 stay for ever. The deletion is sealed first, so that an audit can tell these replies from
    replies that somebody removed.
    """
    before = _first_since(store, now - keep)
    if before <= 1:
        return 0
    alerts = store.alerts.recent(limit=-1)
    wanted = replies_behind(store, alerts)
    with store.write():  # the slow part is above: nobody can raise an alert during a write
        keys = {stored.alert.key for stored in alerts}
        wanted |= replies_behind(store, [one for one in store.alerts.recent(limit=-1) if one.alert.key not in keys])
        wanted |= {bytes.fromhex(record.body.sha256) for _, record in import_records(store)}
        recorder.seal_deletion(before)
        return store.evidence.delete_replies(before, but=wanted)


def _first_since(store: Store, instant: datetime) -> int:
    """Return the number of the first link that was sealed at or after an instant, or one past the newest."""

    def sealed_at(sequence: int) -> datetime:
        manifest = store.evidence.manifest(sequence)
        return instant if manifest is None else read_manifest(manifest.text).at

    sequences = store.evidence.sequences()
    place = bisect_left(sequences, instant, key=sealed_at)
    return (*sequences, sequences[-1] + 1 if sequences else 1)[place]
