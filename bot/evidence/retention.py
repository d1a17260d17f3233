"""How long replies are kept: those behind an alert, and imported files, for ever; the others for a set time."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.evidence.recorder import Recorder
from bot.evidence.records import read_manifest
from bot.evidence.trace import import_records, replies_behind
from storage.store import Store


def delete_old_replies(store: Store, recorder: Recorder, *, keep: timedelta, now: datetime) -> int:
    """Forget the bytes of replies last received longer ago than ``keep``; how many.

    Their SHA-256, and when, by whom and for what they came, stay for ever. That they were let go is sealed first, so
    that an audit can tell them from replies that somebody removed.
    """
    before = _first_since(store, now - keep)
    if before <= 1:
        return 0
    known = store.alerts.recent(limit=-1)
    wanted = replies_behind(store, known)
    with store.write():  # no alert is raised meanwhile; what takes long was done above
        keys = {kept.alert.key for kept in known}
        wanted |= replies_behind(store, [kept for kept in store.alerts.recent(limit=-1) if kept.alert.key not in keys])
        wanted |= {bytes.fromhex(imported.body.sha256) for _, imported in import_records(store)}
        recorder.seal_letting_go(before)
        return store.evidence.delete_replies(before, but=wanted)


def _first_since(store: Store, instant: datetime) -> int:
    """The number of the first link sealed at or after an instant; one past the newest if there is none."""
    sequences = store.evidence.sequences()
    low, high = 0, len(sequences)
    while low < high:
        middle = (low + high) // 2
        manifest = store.evidence.manifest(sequences[middle])
        if manifest is not None and read_manifest(manifest.text).at < instant:
            low = middle + 1
        else:
            high = middle
    return sequences[low] if low < len(sequences) else (sequences[-1] + 1 if sequences else 1)
