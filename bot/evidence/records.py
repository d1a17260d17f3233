"""The texts that evidence stores, written and read: records and manifests.

| text | states |
|---|---|
| record | one exchange with a platform, one imported file, or one raised alert |
| manifest | one link of the chain: the SHA-256 of its records, and the SHA-256 of the manifest before |

Each text is canonical JSON (sorted keys, no spaces, UTF-8), so one value has one SHA-256. docs/evidence.md shows both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import orjson

from storage.evidence import EvidenceDamaged

FORMAT = "likewatch evidence 1"

WITHHELD = "it repeats a credential of ours, so that its SHA-256 is kept without its bytes"
"""A value in stored records. The audit only checks that the key is there."""

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The bytes that a record is about: SHA-256 in hexadecimal, and size in bytes.

    The bytes of a ``withheld`` body were never stored.
    """

    sha256: str
    size: int
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRecord:
    """One exchange with a platform.

    ``pages`` maps the requested slugs, in request order, to the platform's ids. ``asked_at`` equals ``observed_at`` of
    the readings in the reply. It is None where a person looked a page up.
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
        """Return the pages that the record is about."""
        return frozenset(self.pages)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One imported file. ``pages`` maps the names in the file to slugs.

    ``page`` and ``dates`` are the options of the import.
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
        """Return the pages that the record is about."""
        return frozenset(self.pages.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """One alert as it was raised, just before it was stored. ``alert`` is its JSON value (``alert_value``)."""

    at: datetime
    alert: Mapping[str, Any]
    body: None = None


Record = ReplyRecord | ImportRecord | AlertRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StampNote:
    """The number of a stamped link, and the SHA-256 of the response and of the root certificate."""

    sequence: int
    response: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """What a manifest states. The fields are the keys of its JSON.

    ``let_go_before`` means: replies last received before this link were deleted after their time. ``stamp`` notes a
    time-stamp of an earlier link.
    """

    sequence: int
    at: datetime
    previous: str | None
    records: tuple[str, ...]
    software: str
    let_go_before: int | None
    stamp: StampNote | None


def sha256(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal, as ``sha256sum`` prints it."""
    return hashlib.sha256(data).hexdigest()


def instant_text(instant: datetime) -> str:
    """Return ``2026-11-26T09:00:00.000Z``: UTC, cut to the millisecond as readings are."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def software() -> str:
    """Return the name and version of the program that writes the evidence."""
    return f"likewatch {version('likewatch')}"


def record_text(record: Record) -> bytes:
    """Return the stored text of a record."""
    value: dict[str, Any]
    match record:
        case AlertRecord():
            value = {"kind": "alert", "alert": dict(record.alert)}
        case ImportRecord():
            value = {
                "kind": "import",
                "body": _body_value(record.body),
                "by": record.by,
                "dates": record.dates,
                "name": record.name,
                "page": record.page,
                "pages": dict(record.pages),
            }
        case ReplyRecord():
            value = {
                "kind": "reply",
                "asked_at": None if record.asked_at is None else instant_text(record.asked_at),
                "body": _body_value(record.body),
                "headers": dict(record.headers),
                "pages": [*record.pages.items()],
                "platform": record.platform,
                "request": {name: getattr(record, name) for name in ("form", "method", "params", "url")},
                "status": record.status,
            }
    return _canonical({"at": instant_text(record.at), **value})


def manifest_text(link: ChainLink) -> bytes:
    """Return the stored text of a link."""
    value = {field.name: getattr(link, field.name) for field in fields(link)}
    stamp = None if link.stamp is None else asdict(link.stamp)
    return _canonical({**value, "at": instant_text(link.at), "format": FORMAT, "stamp": stamp})


def read_record(text: bytes) -> Record:
    """Return the record that a text states. Raise ``EvidenceDamaged`` for any other text."""
    with _form_of("A record"):
        value = json.loads(text)
        at = _instant(value["at"])
        if value["kind"] == "alert":
            alert = value["alert"]
            return AlertRecord(at=at, alert=MappingProxyType({**alert, "key": str(alert["key"])}))
        about = value["body"]
        body = Body(sha256=_digest(about["sha256"]), size=about["bytes"], withheld="withheld" in about)
        if value["kind"] == "import":
            same = {name: value[name] for name in ("name", "by", "page", "dates")}
            return ImportRecord(at=at, pages=MappingProxyType(value["pages"]), body=body, **same)
        asked_at, request = value["asked_at"], value["request"]
        return ReplyRecord(
            at=at,
            asked_at=None if asked_at is None else _instant(asked_at),
            platform=value["platform"],
            pages=MappingProxyType(dict(value["pages"])),
            method=request["method"],
            url=request["url"],
            params=tuple((name, content) for name, content in request["params"]),
            form=request["form"],
            status=value["status"],
            headers=MappingProxyType(value["headers"]),
            body=body,
        )


def read_manifest(text: bytes) -> ChainLink:
    """Return the link that a text states. Raise ``EvidenceDamaged`` for any other text."""
    with _form_of("A manifest"):
        value = json.loads(text)
        if value["format"] != FORMAT:
            raise EvidenceDamaged(f"This Likewatch cannot read a manifest of the format {value['format']!r}.")
        return ChainLink(
            sequence=int(value["sequence"]),
            at=_instant(value["at"]),
            previous=None if value["previous"] is None else _digest(value["previous"]),
            records=tuple(map(_digest, value["records"])),
            software=value["software"],
            let_go_before=None if value["let_go_before"] is None else int(value["let_go_before"]),
            stamp=None if value["stamp"] is None else StampNote(**value["stamp"]),
        )


@contextmanager
def _form_of(what: str) -> Iterator[None]:
    """Turn whatever an altered text makes Python raise into ``EvidenceDamaged``."""
    try:
        yield
    except _UNREADABLE:
        raise EvidenceDamaged(f"{what} does not have the form of one: it was altered.") from None


def _canonical(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _body_value(body: Body) -> dict[str, object]:
    value: dict[str, object] = {"bytes": body.size, "sha256": body.sha256}
    return {**value, "withheld": WITHHELD} if body.withheld else value


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"{text!r} is no SHA-256")
    return text


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant_text(instant) != text:
        raise ValueError(f"{text!r} is not written as an instant is")
    return instant
