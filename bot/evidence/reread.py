"""Reading kept bytes once more, with the very code that read them when they came: what a figure must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.evidence.records import ImportRecord, ReplyRecord
from bot.http.exchange import Exchange
from bot.http.recorded import RecordedHttp
from bot.platforms.registry import platforms
from handlers.model import Account, AudienceReading, Reading

RereadImport = Callable[[ImportRecord, bytes], tuple[Reading | AudienceReading, ...]]
"""Return the figures that stored bytes of an imported file hold: ``bot.imports.job.reread_import``.

Evidence lies below imports in the layers, so callers hand this function in.
"""

_ANY_CADENCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExchange:
    """An exchange: its record, and the bytes that came."""

    record: ReplyRecord
    content: bytes


def reread(exchanges: Sequence[StoredExchange]) -> tuple[Reading, ...]:
    """The readings in the exchanges of one batch, oldest exchange first; none where its platform is not known here."""
    first = exchanges[0].record
    platform = next((known for known in platforms() if known.name == first.platform), None)
    if platform is None or first.asked_at is None:
        return ()
    accounts = [
        Account(page=page, platform=platform.name, native_id=native_id, handle="", url="", poll_every=_ANY_CADENCE)
        for page, native_id in first.pages.items()
    ]
    http = RecordedHttp(platform.base_url({}), [_exchange(came) for came in exchanges])
    return platform.fetch(http, accounts, first.asked_at).readings


def is_read_here(record: ReplyRecord) -> bool:
    """Whether this Likewatch knows the platform, and can read what it said."""
    return any(known.name == record.platform for known in platforms())


def by_batch(exchanges: Iterable[StoredExchange]) -> list[list[StoredExchange]]:
    """Exchanges in the order in which they came, those of one batch together."""
    together: dict[tuple[object, ...], list[StoredExchange]] = {}
    for came in exchanges:
        record = came.record
        key = (record.platform, record.asked_at, *record.pages.items())
        together.setdefault(key, []).append(came)
    return list(together.values())


def _exchange(came: StoredExchange) -> Exchange:
    record = came.record
    return Exchange(
        method=record.method,
        url=record.url,
        params=record.params,
        form=record.form,
        status=record.status,
        headers=record.headers,
        content=came.content,
    )
