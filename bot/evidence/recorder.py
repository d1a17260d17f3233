"""Recording: every reply of a platform is stored as it arrived, and in the chain before any figure rests on it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import unquote_to_bytes, urlsplit

from bot.clock import Clock
from bot.evidence.json_values import alert_value
from bot.evidence.records import (
    AlertRecord,
    Body,
    ChainLink,
    ImportRecord,
    ReplyRecord,
    StampNote,
    manifest_text,
    record_text,
    sha256,
    software,
)
from bot.http.exchange import Exchange
from handlers.model import Account, Alert
from storage.errors import StoreError
from storage.evidence import Evidence, NewRecord, Packer, Stamp
from storage.evidence.packing import packed_alone

# When, what, and by which of the platform's machines: enough for the platform to find the request in its own logs.
_HEADERS = (
    "Content-Type",
    "Date",
    "ETag",
    "Last-Modified",
    "Atproto-Repo-Rev",
    "Facebook-API-Version",
    "X-FB-Debug",
    "X-FB-Request-ID",
    "X-FB-Rev",
    "X-FB-Trace-ID",
)
_REMOVED = "REMOVED"
_SHORTEST_SECRET = 8  # a shorter one would be found in any reply
_DEEPEST = 5  # an address in a text in a JSON text in a JSON text, and one to spare
_UNESCAPED = re.compile(rb"[A-Za-z0-9]+")
_CODE = re.compile(rb"\\+u00([0-9a-fA-F]{2})")


_Batch = tuple[Mapping[str, str], datetime | None]
"""The pages that a thread is requesting (slug to the platform's id), and the instant of their readings."""


class Recorder:
    """Hold every exchange until ``seal`` puts it into the chain. Any thread may exchange meanwhile.

    ``secrets`` are never stored. Requests lose them. A reply that repeats one leaves only its SHA-256.
    """

    def __init__(self, evidence: Evidence, clock: Clock, *, secrets: Iterable[str] = ()) -> None:
        self._evidence = evidence
        self._clock = clock
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
        self._texts = Packer()
        self._replies = Packer()
        self._thread = threading.local()
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], NewRecord]] = []

    def of(self, platform: str) -> Callable[[Exchange], None]:
        """Return the function to which a platform's HTTP session hands its exchanges."""
        return lambda exchange: self._hold(platform, exchange)

    @contextmanager
    def asking(self, accounts: Sequence[Account], asked_at: datetime) -> Iterator[None]:
        """State that this thread now requests these accounts, for readings of this instant."""
        self._thread.batch = {account.page: account.native_id for account in accounts}, asked_at
        try:
            yield
        finally:
            del self._thread.batch

    def seal(self) -> None:
        """Put the held exchanges into the chain. They are on the disk when this returns.

        Raise ``StoreError`` where they cannot be written. They are dropped then, and no figure may rest on them.
        """
        if records := self._held_records():
            self._seal(records)

    def seal_import(self, data: bytes, record_of: Callable[[Body], ImportRecord]) -> None:
        """Put a file that somebody imports into the chain, before its figures are stored."""
        reply = packed_alone(data)
        text = packed_alone(record_text(record_of(Body(sha256=reply.digest.hex(), size=len(data)))))
        self._seal([*self._held_records(), NewRecord(text=text, asked_at=None, reply=reply)])

    def seal_alerts(self, alerts: Sequence[Alert]) -> None:
        """Put alerts into the chain, before they are stored."""
        at = self._clock.now()
        texts = [packed_alone(record_text(AlertRecord(at=at, alert=alert_value(alert)))) for alert in alerts]
        self._seal([*self._held_records(), *(NewRecord(text=text, asked_at=None, reply=None) for text in texts)])

    def seal_deletion(self, before: int) -> None:
        """State in the chain that replies last received before this link are deleted now."""
        self._seal(self._held_records(), let_go_before=before)

    def seal_stamp(self, stamp: Stamp) -> None:
        """Put a time-stamp of an earlier link into the chain."""
        self._seal(self._held_records(), stamp=stamp)

    def _seal(
        self, records: Sequence[NewRecord], *, let_go_before: int | None = None, stamp: Stamp | None = None
    ) -> None:
        at, note = self._clock.now(), None
        if stamp is not None:
            note = StampNote(sequence=stamp.sequence, response=sha256(stamp.response), root=sha256(stamp.root))

        def compose(sequence: int, previous: bytes | None) -> bytes:
            return manifest_text(
                ChainLink(
                    sequence=sequence,
                    at=at,
                    previous=None if previous is None else previous.hex(),
                    records=tuple(record.text.digest.hex() for record in records),
                    software=software(),
                    let_go_before=let_go_before,
                    stamp=note,
                )
            )

        try:
            self._evidence.seal(records, compose, stamp=stamp)
        except StoreError:
            self._texts.forget()
            self._replies.forget()
            raise

    def _hold(self, platform: str, exchange: Exchange) -> None:
        """Hold an exchange as it is: packing it here would delay the other fifteen threads of a poll."""
        batch: _Batch = getattr(self._thread, "batch", ({}, None))
        waiting = partial(self._record, platform, exchange, batch, self._clock.now())
        with self._lock:
            self._waiting.append(waiting)

    def _held_records(self) -> list[NewRecord]:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return [record() for record in waiting]

    def _record(self, platform: str, exchange: Exchange, batch: _Batch, at: datetime) -> NewRecord:
        sent = (credential for credential in exchange.credentials if len(credential) >= _SHORTEST_SECRET)
        secrets = (*self._secrets, *sent)
        exchange = _without(exchange, secrets)
        content = exchange.content
        shape = _shape(exchange)
        withheld = _repeats(content, secrets)
        reply = None if withheld else self._replies.pack(content, shape)
        digest = sha256(content) if reply is None else reply.digest.hex()
        pages, asked_at = batch
        record = ReplyRecord(
            at=at,
            asked_at=asked_at,
            platform=platform,
            pages=pages,
            method=exchange.method,
            url=exchange.url,
            params=exchange.params,
            form=exchange.form,
            status=exchange.status,
            headers={name: value for name in _HEADERS if (value := exchange.headers.get(name)) is not None},
            body=Body(sha256=digest, size=len(content), withheld=withheld),
        )
        return NewRecord(text=self._texts.pack(record_text(record), shape), asked_at=asked_at, reply=reply)


def _without(exchange: Exchange, secrets: Sequence[str]) -> Exchange:
    """Remove what may hide in an address or a parameter. A request's usual credentials are no part of an exchange."""
    parts = urlsplit(exchange.url)
    if "@" in parts.netloc:  # https://name:password@proxy.example
        exchange = replace(exchange, url=parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())

    def without(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, _REMOVED)
        return _REMOVED if _repeats(text.encode(), secrets) else text

    return replace(
        exchange,
        url=without(exchange.url),
        form=None if exchange.form is None else without(exchange.form),
        params=tuple((name, without(value)) for name, value in exchange.params),
    )


def _shape(exchange: Exchange) -> bytes:
    """Return a digest of the request: replies to the same request are alike, and pack well together."""
    request = f"{exchange.method} {exchange.url} {exchange.params} {exchange.form}"
    return hashlib.sha256(request.encode()).digest()


def _repeats(text: bytes, secrets: Iterable[str]) -> bool:
    """Return whether a text holds a secret: as it is, percent-encoded, or in JSON, once or nested."""
    sought = [secret.encode() for secret in secrets]
    if b"\\u00" not in text and not any(_unescaped_part(secret) in text for secret in sought):
        return False  # unescaping takes long, and is rarely needed
    plain = _unescaped(text)
    return any(secret in text or _unescaped(secret) in plain for secret in sought)


def _unescaped_part(secret: bytes) -> bytes:
    """Return the longest part of a secret that stays as it is in JSON and in an address. It may be empty."""
    return max(_UNESCAPED.findall(secret), key=len, default=b"")


def _unescaped(text: bytes) -> bytes:
    for _ in range(_DEEPEST):
        before = text
        if b"\\u" in text:
            text = _CODE.sub(lambda found: bytes.fromhex(found[1].decode()), text)
        text = text.replace(b"\\", b"")
        if b"%" in text:
            text = unquote_to_bytes(text)
        if text == before:
            break
    return text
