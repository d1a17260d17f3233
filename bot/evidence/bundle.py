"""The bundle: one alert with everything behind it, in a zip file that anybody can check without Likewatch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bot.errors import LikewatchError
from bot.evidence.alert_text import alert_of, alert_value
from bot.evidence.bundle_instructions import instructions
from bot.evidence.bundle_page import page
from bot.evidence.described import reading_value
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
from bot.evidence.reread import RereadImport
from bot.evidence.timestamps import read_stamp
from bot.evidence.trace import Origin, Trace, TracedReading, reference, trace
from bot.evidence.zip_file import SUMS, zipped
from bot.text.countries import country_name
from handlers.contract import Names
from handlers.model import Alert
from handlers.wording import sentences
from storage.store import Store
from storage.values import StoredAlert

DATA = ("alert.json", "export.json", "readings.json", "chain.json")
"""What a bundle says, for programs. The rest proves all of it but ``export.json``, which is the newsroom's word.

That file says which readings each figure rests on, how the pages are called, and when the alert was stored.
"""

NOT_KEPT = {
    "let go": (
        "The reply was let go after its time, or was never kept because it repeats a credential; its record and its "
        "SHA-256 are kept."
    ),
    "none": (
        "No reply is kept of this instant: the figure was stored before evidence was kept, or came from a file whose "
        "bytes were not kept."
    ),
}


def export(store: Store, kept: StoredAlert, reread_import: RereadImport) -> bytes:
    """The zip file of an alert. The same store gives the same bytes."""
    with store.read():
        return zipped(with_sums(_files(store, trace(store, kept, reread_import))))


def with_sums(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with one more that lists the SHA-256 of each, as ``sha256sum`` does."""
    lines = "".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files) if name != SUMS)
    return {**files, SUMS: lines.encode()}


def _files(store: Store, traced: Trace) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    told = _told(store, traced.alert.alert)
    links = {behind.kept.sequence for reading in traced.readings for behind in reading.behind}
    if told:
        record, link = told
        files[f"records/{sha256(record)}.json"] = record
        links.add(link)
    gone = [one.kept.sequence for reading in traced.readings for one in reading.behind if one.content is None]
    if gone:
        links |= _letting_go(store, max(gone))
    readings = [_reading(reading, files) for reading in traced.readings]
    segments = _chain(store, links, files)
    pages = _pages(store, traced.alert.alert)
    value = alert_value(traced.alert.alert)
    alert = {
        "alert": value,
        "record": {"link": told[1], "sha256": sha256(told[0])} if told else None,
        "reference": reference(traced.alert.alert),
        "wording": wording_of(alert_of(value), pages),
    }
    added = {
        "drawn": list(traced.drawn),
        "figures": [{"name": figure.fact.name, "readings": list(figure.readings)} for figure in traced.figures],
        "format": FORMAT,
        "pages": pages,
        "past": traced.alert.historical,
        "recorded_at": instant_text(traced.alert.recorded_at),
        "replayed": traced.alert.replayed,
        "software": software(),
    }
    files["alert.json"] = _pretty(alert)
    files["export.json"] = _pretty(added)
    files["readings.json"] = _pretty(readings)
    files["chain.json"] = _pretty({"segments": segments, "stamps": _stamps(store, segments, files)})
    return {**files, **pages_of(files)}


def pages_of(files: dict[str, bytes]) -> dict[str, bytes]:
    """What people read of a bundle, made of its data alone, so that it can be made again and compared."""
    alert, added, readings, chain = (json.loads(files[name]) for name in DATA)
    return {
        "index.html": page(alert, added, readings, chain).encode(),
        "INSTRUCTIONS.txt": instructions(alert, readings, chain).encode(),
    }


def _told(store: Store, alert: Alert) -> tuple[bytes, int] | None:
    """The record of the alert in the chain, and its link."""
    for kept in reversed(store.evidence.records_without_poll()):
        record = read_record(kept.text)
        if isinstance(record, AlertRecord) and record.alert["key"] == alert.key:
            return kept.text, kept.sequence
    return None


def _letting_go(store: Store, link: int) -> set[int]:
    """The newest link that says that replies of this link were let go; none where no link does."""
    for sequence in reversed(store.evidence.sequences()):
        if sequence <= link:
            break
        manifest = store.evidence.manifest(sequence)
        if manifest is not None and (read_manifest(manifest.text).let_go_before or 0) > link:
            return {sequence}
    return set()


def _reading(traced: TracedReading, files: dict[str, bytes]) -> dict[str, Any]:
    """A reading with where, in the bundle, its record and its reply are; both are put there."""
    behind = [_behind(one, files) for one in traced.behind]
    value = {**reading_value(traced.reading), "behind": behind}
    if any(isinstance(one.record, ReplyRecord) for one in traced.behind):
        value["url"] = ""  # the page's own address is no part of what the platform answered
    if note := note_of(behind):
        value["note"] = note
    return value


def note_of(behind: Sequence[Mapping[str, Any]]) -> str | None:
    """What is said of a reading whose bytes are not all there."""
    if not behind:
        return NOT_KEPT["none"]
    return NOT_KEPT["let go"] if any(one["reply"] is None for one in behind) else None


def _behind(behind: Origin, files: dict[str, bytes]) -> dict[str, Any]:
    name = f"records/{sha256(behind.kept.text)}.json"
    files[name] = behind.kept.text
    reply = None
    if behind.content is not None:
        ending = "json" if isinstance(behind.record, ReplyRecord) else "csv"
        reply = f"replies/{behind.record.body.sha256}.{ending}"
        files[reply] = behind.content
    return {
        "link": behind.kept.sequence,
        "record": name,
        "reply": reply,
        "reply_sha256": behind.record.body.sha256,
        "what": "reply" if isinstance(behind.record, ReplyRecord) else f"file {behind.record.name}, imported",
    }


def _chain(store: Store, links: Iterable[int], files: dict[str, bytes]) -> list[list[int]]:
    """Put the links from each to the first stamped one after it (or to the newest); the unbroken runs of them."""
    head = store.evidence.head()
    wanted: set[int] = set()
    for link in links:
        stamp = store.evidence.first_stamp_from(link)
        last = stamp.sequence if stamp else head.sequence if head else link
        wanted.update(range(link, last + 1))
    segments: list[list[int]] = []
    for link in sorted(wanted):
        manifest = store.evidence.manifest(link)
        if manifest is None:
            raise LikewatchError(
                f"Link {link} of the evidence is missing. `likewatch evidence audit` says what else is."
            )
        files[chain_name(link)] = manifest.text
        if segments and segments[-1][1] == link - 1:
            segments[-1][1] = link
        else:
            segments.append([link, link])
    return segments


def _stamps(store: Store, segments: list[list[int]], files: dict[str, bytes]) -> list[dict[str, Any]]:
    found = []
    for stamp in store.evidence.stamps():
        if any(first <= stamp.sequence <= last for first, last in segments):
            name = f"stamps/{stamp.sequence:08}"
            root = x509.load_der_x509_certificate(stamp.root)
            files[f"{name}.tsr"] = stamp.response
            files[f"{name}.root.pem"] = root.public_bytes(Encoding.PEM)
            told = read_stamp(stamp)
            found.append(
                {
                    "at": instant_text(told.at),
                    "link": stamp.sequence,
                    "response": f"{name}.tsr",
                    "root": f"{name}.root.pem",
                    "root_name": told.root,
                    "root_sha256": told.root_sha256,
                    "signer": told.signer,
                }
            )
    return found


def chain_name(link: int) -> str:
    """The name of a link's file in a bundle."""
    return f"chain/{link:08}.json"


def _pages(store: Store, alert: Alert) -> dict[str, Any]:
    slugs = {alert.page, alert.rival or alert.page, *alert.others, *(fact.about for fact in alert.facts)}
    return {
        slug: {"name": found.name, "platform": found.platform, "url": found.url}
        for slug, found in sorted(store.pages.get_many(slugs).items())
    }


def wording_of(alert: Alert, pages: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of an alert, with these names for its pages."""
    known = Names(page=lambda slug: pages[slug]["name"] if slug in pages else slug, country=country_name)
    return {"headline": sentences.headline(alert, known), "lines": list(sentences.lines(alert, known))}


def _pretty(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
