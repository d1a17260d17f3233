"""Recording: whatever a platform answers is kept as it came, and sealed into the chain before anything rests on it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.evidence.alert_text import alert_value
from bot.evidence.records import (
    Body,
    ImportRecord,
    StampNote,
    alert_record_text,
    import_record_text,
    manifest_text,
    reply_record_text,
    sha256,
)
from bot.evidence.secrets import repeats
from bot.http.exchange import Exchange
from handlers.model import Account, Alert
from storage.errors import StoreError
from storage.evidence import Evidence, NewRecord, Packer, Stamp
from storage.evidence.packing import packed_alone

_REMOVED = "REMOVED"
_SHORTEST_SECRET = 8  # a shorter one would be found in any reply


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenBatch:
    """Who is being asked for, and when that began."""

    pages: Mapping[str, str]
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What was exchanged with a platform, when the answer was there, and whom it was about."""

    platform: str
    exchange: Exchange
    batch: _OpenBatch | None
    at: datetime


class Recorder:
    """Keeps every exchange until ``seal`` puts them into the chain. Any thread may be asking meanwhile.

    ``secrets`` are never kept: a request is told without them, and of a reply that repeats one only the SHA-256 stays.
    """

    def __init__(self, evidence: Evidence, clock: Clock, *, secrets: Iterable[str] = ()) -> None:
        self._evidence = evidence
        self._clock = clock
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
        self._texts = Packer()
        self._replies = Packer()
        self._here = threading.local()
        self._lock = threading.Lock()
        self._waiting: list[_Kept] = []

    def of(self, platform: str) -> Callable[[Exchange], None]:
        """What the session of a platform hands its exchanges to."""
        return lambda exchange: self._keep(platform, exchange)

    @contextmanager
    def asking(self, accounts: Sequence[Account], asked_at: datetime) -> Iterator[None]:
        """What this thread exchanges within it is about these accounts, and about readings of this instant."""
        self._here.batch = _OpenBatch(
            pages={account.page: account.native_id for account in accounts}, asked_at=asked_at
        )
        try:
            yield
        finally:
            self._here.batch = None

    def seal(self) -> None:
        """Put what was exchanged since the last time into the chain; it is on the disk when this returns.

        Raises ``StoreError`` where it cannot be written. What was exchanged is dropped, and nothing may rest on it.
        """
        if records := self._records():
            self._seal(records)

    def seal_import(self, data: bytes, imported: Callable[[Body], ImportRecord]) -> None:
        """Put a file that somebody imports into the chain, before its figures are stored."""
        reply = packed_alone(data)
        text = packed_alone(import_record_text(imported(Body(sha256=reply.digest.hex(), size=len(data)))))
        self._seal([*self._records(), NewRecord(text=text, asked_at=None, reply=reply)])

    def seal_alerts(self, alerts: Sequence[Alert]) -> None:
        """Put alerts into the chain, before they are stored."""
        at = self._clock.now()
        texts = [packed_alone(alert_record_text(at, alert_value(alert))) for alert in alerts]
        self._seal([*self._records(), *(NewRecord(text=text, asked_at=None, reply=None) for text in texts)])

    def seal_letting_go(self, before: int) -> None:
        """Put into the chain that replies last received before this link are let go now."""
        self._seal(self._records(), let_go_before=before)

    def seal_stamp(self, stamp: Stamp) -> None:
        """Put a time-stamp of an earlier link into the chain."""
        self._seal(self._records(), stamp=stamp)

    def _seal(
        self, records: Sequence[NewRecord], *, let_go_before: int | None = None, stamp: Stamp | None = None
    ) -> None:
        compose = partial(
            manifest_text,
            at=self._clock.now(),
            records=[record.text.digest.hex() for record in records],
            let_go_before=let_go_before,
            stamp=_noted(stamp) if stamp else None,
        )
        try:
            self._evidence.seal(records, compose, stamp=stamp)
        except StoreError:
            self._texts.forget()
            self._replies.forget()
            raise

    def _keep(self, platform: str, exchange: Exchange) -> None:
        """Only kept here: made small while sixteen threads ask, it would hold them all up."""
        batch: _OpenBatch | None = getattr(self._here, "batch", None)
        kept = _Kept(platform=platform, exchange=exchange, batch=batch, at=self._clock.now())
        with self._lock:
            self._waiting.append(kept)

    def _records(self) -> list[NewRecord]:
        """What was exchanged since the last time."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return [self._record(kept) for kept in waiting]

    def _record(self, kept: _Kept) -> NewRecord:
        batch = kept.batch
        sent = (credential for credential in kept.exchange.credentials if len(credential) >= _SHORTEST_SECRET)
        secrets = (*self._secrets, *sent)
        exchange = _without(kept.exchange, secrets)
        content = exchange.content
        shape = _shape(exchange)
        withheld = repeats(content, secrets)
        reply = None if withheld else self._replies.pack(content, shape)
        digest = sha256(content) if reply is None else reply.digest.hex()
        text = reply_record_text(
            exchange,
            Body(sha256=digest, size=len(content), withheld=withheld),
            platform=kept.platform,
            at=kept.at,
            asked_at=batch.asked_at if batch else None,
            pages=batch.pages if batch else {},
        )
        return NewRecord(text=self._texts.pack(text, shape), asked_at=batch.asked_at if batch else None, reply=reply)


def _without(exchange: Exchange, secrets: Sequence[str]) -> Exchange:
    """Credentials are apart from what is recorded; this is for an address or a key that somebody hid one in."""
    parts = urlsplit(exchange.url)
    if "@" in parts.netloc:  # https://name:password@proxy.example
        exchange = replace(exchange, url=parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())

    def without(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, _REMOVED)
        return _REMOVED if repeats(text.encode(), secrets) else text

    return replace(
        exchange,
        url=without(exchange.url),
        form=None if exchange.form is None else without(exchange.form),
        params=tuple((name, without(value)) for name, value in exchange.params),
    )


def _noted(stamp: Stamp) -> StampNote:
    return StampNote(sequence=stamp.sequence, response=sha256(stamp.response), root=sha256(stamp.root))


def _shape(exchange: Exchange) -> bytes:
    """The same for the same request: its answers are alike."""
    request = f"{exchange.method} {exchange.url} {exchange.params} {exchange.form}"
    return hashlib.sha256(request.encode()).digest()
