"""The bundle: one alert with everything behind it, in a zip file that anybody can check without Likewatch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bot.errors import LikewatchError
from bot.evidence.bundle_files import chain_name, record_name, with_sums, zipped
from bot.evidence.bundle_pages import bundle_pages
from bot.evidence.json_values import alert_of, alert_value, reading_value
from bot.evidence.records import (
    FORMAT,
    AlertRecord,
    ReplyRecord,
    instant_text,
    read_manifest,
    read_record,
    sha256,
    software,
)
from bot.evidence.reread import ImportedReadings, Origin, RereadImport
from bot.evidence.timestamps import read_stamp
from bot.evidence.trace import Trace, TracedReading, reference, trace
from bot.text.countries import country_name
from handlers.contract import Names
from handlers.model import Alert
from handlers.wording import sentences
from storage.evidence import KeptRecord
from storage.store import Store
from storage.values import StoredAlert

_DELETED = (
    "The reply was deleted after its time, or never stored because it repeats a credential. Its record and its SHA-256 "
    "are stored."
)
_NEVER_STORED = (
    "No reply is stored for this instant. The figure is older than the evidence, or came from a file whose bytes were "
    "not stored."
)
# The same in bundles of older versions, which must stay valid.
_DELETED_BEFORE = (
    "The reply was let go after its time, or was never kept because it repeats a credential; its record and its "
    "SHA-256 are kept."
)
_NEVER_STORED_BEFORE = (
    "No reply is kept of this instant: the figure was stored before evidence was kept, or came from a file whose bytes "
    "were not kept."
)


def export(store: Store, stored: StoredAlert, reread_import: RereadImport) -> bytes:
    """Return the zip file of an alert. The same store gives the same bytes.

    Raise ``LikewatchError`` where a link of the chain is missing, ``EvidenceDamaged`` where one cannot be read.
    """
    with store.read():
        return zipped(with_sums(_Export(store).files_of(trace(store, stored, ImportedReadings(store, reread_import)))))


def wording_of(alert: Alert, pages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sentences of an alert, with these names for its pages."""
    names = Names(page=lambda slug: pages[slug]["name"] if slug in pages else slug, country=country_name)
    return {"headline": sentences.headline(alert, names), "lines": list(sentences.lines(alert, names))}


def notes_of(origins: Sequence[Mapping[str, Any]]) -> Sequence[str | None]:
    """Return the note of a reading whose bytes are not all in the bundle, then the notes of older versions."""
    if not origins:
        return (_NEVER_STORED, _NEVER_STORED_BEFORE)
    return (_DELETED, _DELETED_BEFORE) if any(origin["reply"] is None for origin in origins) else (None,)


class _Export:
    """Collect the files of one bundle."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._files: dict[str, bytes] = {}

    def files_of(self, traced: Trace) -> dict[str, bytes]:
        alert, value = traced.alert.alert, alert_value(traced.alert.alert)
        record = self._alert_record(alert)
        origins = [origin for reading in traced.readings for origin in reading.origins]
        links = {origin.link for origin in origins} | ({record.sequence} if record else set())
        if deleted := [origin.link for origin in origins if origin.content is None]:
            links |= self._deletion_of(max(deleted))
        pages = self._pages(alert)
        segments = self._chain(links)
        self._put_json(
            "alert.json",
            {
                "alert": value,
                "record": {"link": record.sequence, "sha256": sha256(record.text)} if record else None,
                "reference": reference(alert),
                "wording": wording_of(alert_of(value), pages),
            },
        )
        self._put_json(
            "export.json",
            {
                "drawn": list(traced.drawn),
                "figures": [{"name": figure.fact.name, "readings": list(figure.readings)} for figure in traced.figures],
                "format": FORMAT,
                "pages": pages,
                "past": traced.alert.historical,
                "recorded_at": instant_text(traced.alert.recorded_at),
                "replayed": traced.alert.replayed,
                "software": software(),
            },
        )
        self._put_json("readings.json", list(map(self._reading, traced.readings)))
        self._put_json("chain.json", {"segments": segments, "stamps": self._stamps(segments)})
        return {**self._files, **bundle_pages(self._files)}

    def _put_json(self, name: str, value: object) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
        self._files[name] = f"{text}\n".encode()

    def _put_record(self, text: bytes) -> str:
        name = record_name(sha256(text))
        self._files[name] = text
        return name

    def _alert_record(self, alert: Alert) -> KeptRecord | None:
        """Put the record of the alert into the bundle, and return it."""
        for stored in reversed(self._store.evidence.records_without_poll()):
            record = read_record(stored.text)
            if isinstance(record, AlertRecord) and record.alert["key"] == alert.key:
                self._put_record(stored.text)
                return stored
        return None

    def _deletion_of(self, link: int) -> set[int]:
        """Return the newest link that states that replies of this link were deleted."""
        for sequence in reversed(self._store.evidence.sequences()):
            if sequence <= link:
                break
            manifest = self._store.evidence.manifest(sequence)
            if manifest is not None and (read_manifest(manifest.text).let_go_before or 0) > link:
                return {sequence}
        return set()

    def _pages(self, alert: Alert) -> dict[str, Any]:
        slugs = {alert.page, alert.rival or alert.page, *alert.others, *(fact.about for fact in alert.facts)}
        return {
            slug: {"name": page.name, "platform": page.platform, "url": page.url}
            for slug, page in sorted(self._store.pages.get_many(slugs).items())
        }

    def _reading(self, traced: TracedReading) -> dict[str, Any]:
        """Return a reading with the names of its records and replies, and put these into the bundle."""
        origins = list(map(self._origin, traced.origins))
        value = {**reading_value(traced.reading), "behind": origins}
        if any(isinstance(origin.record, ReplyRecord) for origin in traced.origins):
            value["url"] = ""  # the page's own address is no part of what the platform answered
        if note := notes_of(origins)[0]:
            value["note"] = note
        return value

    def _origin(self, origin: Origin) -> dict[str, Any]:
        record, reply = origin.record, None
        if origin.content is not None:
            reply = f"replies/{record.body.sha256}.{'json' if isinstance(record, ReplyRecord) else 'csv'}"
            self._files[reply] = origin.content
        return {
            "link": origin.link,
            "record": self._put_record(origin.text),
            "reply": reply,
            "reply_sha256": record.body.sha256,
            "what": "reply" if isinstance(record, ReplyRecord) else f"file {record.name}, imported",
        }

    def _chain(self, links: Iterable[int]) -> list[list[int]]:
        """Put links into the bundle, each with its successors up to the first stamped one, otherwise to the newest.

        Return the unbroken runs, each as its first and last link.
        """
        head = self._store.evidence.head()
        wanted: set[int] = set()
        for link in links:
            stamp = self._store.evidence.first_stamp_from(link)
            last = stamp.sequence if stamp else head.sequence if head else link
            wanted.update(range(link, last + 1))
        segments: list[list[int]] = []
        for link in sorted(wanted):
            manifest = self._store.evidence.manifest(link)
            if manifest is None:
                raise LikewatchError(
                    f"Link {link} of the evidence is missing. Run `likewatch evidence audit` to see what else is."
                )
            self._files[chain_name(link)] = manifest.text
            if segments and segments[-1][1] == link - 1:
                segments[-1][1] = link
            else:
                segments.append([link, link])
        return segments

    def _stamps(self, segments: list[list[int]]) -> list[dict[str, Any]]:
        """Put the stamps of these links into the bundle, with their root certificates."""
        values = []
        for stamp in self._store.evidence.stamps():
            if any(first <= stamp.sequence <= last for first, last in segments):
                response, root = f"stamps/{stamp.sequence:08}.tsr", f"stamps/{stamp.sequence:08}.root.pem"
                self._files[response] = stamp.response
                self._files[root] = x509.load_der_x509_certificate(stamp.root).public_bytes(Encoding.PEM)
                value = {"link": stamp.sequence, "response": response, "root": root}
                values.append({**value, **read_stamp(stamp).value})
        return values
