"""What the kept texts say. Each is canonical JSON (sorted keys, no spaces, UTF-8), so that one value has one SHA-256.

A *record* tells of one exchange with a platform, or of one imported file; a *manifest* lists the records of a cycle by
their SHA-256, and the SHA-256 of the manifest before it. The format is described in docs/evidence.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import orjson

from bot.http.exchange import Exchange
from storage.evidence import EvidenceDamaged

FORMAT = "likewatch evidence 1"

WITHHELD = "it repeats a credential of ours, so that its SHA-256 is kept without its bytes"

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
# Whatever reading a text raises that is not of our making.
_OTHERWISE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The bytes a record is about: their SHA-256 in hexadecimal and their number; ``withheld``: they are not kept."""

    sha256: str
    size: int
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRecord:
    """What a platform answered. ``pages`` maps the slugs that were asked for, in order, to the platform's ids for them.

    ``asked_at`` is ``observed_at`` of the readings that came of it; None where a person looked somebody up.
    """

    at: datetime
    asked_at: datetime | None
    platform: str
    pages: Mapping[str, str]
    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    form: str | None
    status: int
    headers: Mapping[str, str]
    body: Body

    @property
    def slugs(self) -> frozenset[str]:
        """The pages it is about."""
        return frozenset(self.pages)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """A file that somebody imported. ``pages`` maps the names it uses to the slugs that they were taken for.

    ``page`` and ``dates`` are how it was told to be read.
    """

    at: datetime
    name: str
    by: str
    pages: Mapping[str, str]
    page: str | None
    dates: str | None
    body: Body

    @property
    def slugs(self) -> frozenset[str]:
        """The pages it is about."""
        return frozenset(self.pages.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert as it was raised, just before it was stored: ``alert`` is all that it says (``alert_text``)."""

    at: datetime
    alert: Mapping[str, Any]
    body: None = None

    @property
    def slugs(self) -> frozenset[str]:
        """The pages it is about."""
        return frozenset(filter(None, (self.alert["page"], self.alert["rival"])))


Record = ReplyRecord | ImportRecord | AlertRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StampNote:
    """Which link was stamped, and the SHA-256 of the response and of the certificate it was checked against."""

    sequence: int
    response: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """What a manifest says.

    ``let_go_before``: replies last received before this link were let go. ``stamp`` is a time-stamp that was got since
    the link before, if one was.
    """

    sequence: int
    at: datetime
    previous: str | None
    records: tuple[str, ...]
    software: str
    let_go_before: int | None
    stamp: StampNote | None


def sha256(data: bytes) -> str:
    """The SHA-256 in hexadecimal, as ``sha256sum`` prints it."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    """JSON with one form for one value."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def instant_text(instant: datetime) -> str:
    """``2026-11-26T09:00:00.000Z``: cut to the millisecond, as readings are."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def software() -> str:
    """The program that keeps the evidence, with its version."""
    return f"likewatch {version('likewatch')}"


def reply_record_text(
    exchange: Exchange, body: Body, *, platform: str, at: datetime, asked_at: datetime | None, pages: Mapping[str, str]
) -> bytes:
    """The record of an exchange."""
    headers = {name: value for name in _HEADERS if (value := exchange.headers.get(name)) is not None}
    return canonical(
        {
            "asked_at": None if asked_at is None else instant_text(asked_at),
            "at": instant_text(at),
            "body": _body(body),
            "headers": headers,
            "kind": "reply",
            "pages": [*pages.items()],
            "platform": platform,
            "request": {
                "form": exchange.form,
                "method": exchange.method,
                "params": exchange.params,
                "url": exchange.url,
            },
            "status": exchange.status,
        }
    )


def import_record_text(imported: ImportRecord) -> bytes:
    """The record of an import."""
    return canonical(
        {
            "at": instant_text(imported.at),
            "body": _body(imported.body),
            "by": imported.by,
            "dates": imported.dates,
            "kind": "import",
            "name": imported.name,
            "page": imported.page,
            "pages": dict(imported.pages),
        }
    )


def alert_record_text(at: datetime, alert: Mapping[str, Any]) -> bytes:
    """The record of an alert."""
    return canonical({"alert": alert, "at": instant_text(at), "kind": "alert"})


def manifest_text(
    sequence: int,
    previous: bytes | None,
    *,
    at: datetime,
    records: Sequence[str],
    let_go_before: int | None = None,
    stamp: StampNote | None = None,
) -> bytes:
    """The manifest of a cycle."""
    return canonical(
        {
            "at": instant_text(at),
            "format": FORMAT,
            "let_go_before": let_go_before,
            "previous": None if previous is None else previous.hex(),
            "records": list(records),
            "sequence": sequence,
            "software": software(),
            "stamp": None if stamp is None else asdict(stamp),
        }
    )


def read_record(text: bytes) -> Record:
    """What a record says; ``EvidenceDamaged`` for a text that is none."""
    try:
        value = json.loads(text)
        if value["kind"] == "alert":
            alert = value["alert"]
            return AlertRecord(at=_instant(value["at"]), alert=MappingProxyType({**alert, "key": str(alert["key"])}))
        body = Body(**_named(value["body"], "sha256", size="bytes", withheld="withheld"))
        if value["kind"] == "import":
            return ImportRecord(
                at=_instant(value["at"]),
                name=value["name"],
                by=value["by"],
                pages=MappingProxyType(value["pages"]),
                page=value["page"],
                dates=value["dates"],
                body=body,
            )
        asked_at, request = value["asked_at"], value["request"]
        return ReplyRecord(
            at=_instant(value["at"]),
            asked_at=None if asked_at is None else _instant(asked_at),
            platform=value["platform"],
            pages=MappingProxyType(dict(value["pages"])),
            method=request["method"],
            url=request["url"],
            params=tuple((name, said) for name, said in request["params"]),
            form=request["form"],
            status=value["status"],
            headers=MappingProxyType(value["headers"]),
            body=body,
        )
    except _OTHERWISE:
        raise EvidenceDamaged("A record says something that no record says: it was altered.") from None


def read_manifest(text: bytes) -> ChainLink:
    """What a manifest says; ``EvidenceDamaged`` for a text that is none."""
    try:
        value = json.loads(text)
        if value["format"] != FORMAT:
            raise EvidenceDamaged(f"A manifest is of the format {value['format']!r}, which this Likewatch cannot read.")
        return ChainLink(
            sequence=int(value["sequence"]),
            at=_instant(value["at"]),
            previous=None if value["previous"] is None else _digest(value["previous"]),
            records=tuple(map(_digest, value["records"])),
            software=value["software"],
            let_go_before=None if value["let_go_before"] is None else int(value["let_go_before"]),
            stamp=None if value["stamp"] is None else StampNote(**value["stamp"]),
        )
    except _OTHERWISE:
        raise EvidenceDamaged("A manifest says something that no manifest says: it was altered.") from None


def _body(body: Body) -> dict[str, object]:
    told: dict[str, object] = {"bytes": body.size, "sha256": body.sha256}
    return {**told, "withheld": WITHHELD} if body.withheld else told


def _named(value: Mapping[str, Any], *same: str, size: str, withheld: str) -> dict[str, Any]:
    return {name: _digest(value[name]) for name in same} | {"size": value[size], "withheld": withheld in value}


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"{text!r} is no SHA-256")
    return text


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant_text(instant) != text:
        raise ValueError(f"{text!r} is not written as an instant is")
    return instant
