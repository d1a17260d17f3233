"""Verifying a bundle: no database, no network. Whatever does not hold is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bot.evidence.alert_text import alert_of
from bot.evidence.bundle import DATA, chain_name, note_of, pages_of, with_sums, wording_of
from bot.evidence.described import reading_value
from bot.evidence.fault import EvidenceFault
from bot.evidence.records import (
    AlertRecord,
    ChainLink,
    ImportRecord,
    Record,
    ReplyRecord,
    instant_text,
    read_manifest,
    read_record,
    sha256,
    software,
)
from bot.evidence.reread import RereadImport, StoredExchange, by_batch, reread
from bot.evidence.timestamps import StampDetails, read_stamp, stamp_fault
from bot.evidence.trace import reference
from bot.evidence.zip_file import SUMS, unzipped
from bot.text import phrases
from storage.evidence import EvidenceDamaged, Stamp

_READ = {"count", "rival_count"}  # figures that are told as they were read
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class Verification:
    """Looks at a bundle once. The counters say what held, and ``unproved`` what nothing in the bundle shows."""

    def __init__(self, data: bytes, reread_import: RereadImport, *, trusted: Sequence[x509.Certificate] = ()) -> None:
        self._data = data
        self._reread_import = reread_import
        self._trusted = tuple(trusted)
        self._files: dict[str, bytes] = {}
        self._links: dict[int, ChainLink] = {}
        self._records: dict[str, Record] = {}
        self._used = {SUMS, *DATA}
        self.headline = ""
        self.figures = 0
        self.readings = 0
        self.reread = 0
        self.links = 0
        self.stamps: list[StampDetails] = []
        self.unstamped: list[tuple[int, int]] = []
        self.unproved: list[str] = []
        self.notes: list[str] = []

    def run(self) -> Iterator[EvidenceFault]:
        """Whatever is wrong, as it is found."""
        self._files, faults = unzipped(self._data)
        yield from faults
        yield from self._sums()
        if missing := [name for name in DATA if name not in self._files]:
            yield from (EvidenceFault(where=name, what="missing from the bundle.") for name in missing)
            return
        try:
            alert, added, readings, chain = (json.loads(self._files[name]) for name in DATA)
            yield from self._pages(alert, added)
            yield from self._chain(chain)
            yield from self._all_records()
            yield from self._alert(alert)
            yield from self._figures(alert, added, readings)
            for number, reading in enumerate(readings, start=1):
                yield from self._reading(f"Reading {number} ({reading['page']})", reading)
            yield from self._stamped(chain)
            for name in sorted(self._files.keys() - self._used):
                yield EvidenceFault(where=name, what="nothing in the bundle tells of it: slipped in.")
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            what = f"they do not have the form of a bundle's ({type(error).__name__}: {error}): altered."
            yield EvidenceFault(where=", ".join(DATA), what=what)

    def _sums(self) -> Iterator[EvidenceFault]:
        listed: dict[str, str] = {}
        for number, line in enumerate(self._files.get(SUMS, b"").decode(errors="replace").splitlines(), start=1):
            if found := _LINE.fullmatch(line):
                listed[found[2]] = found[1]
            else:
                yield EvidenceFault(where=f"{SUMS}, line {number}", what="it is no line of sha256sum's: altered.")
        if SUMS not in self._files:
            yield EvidenceFault(where=SUMS, what="missing from the bundle.")
        for name, digest in listed.items():
            if name not in self._files:
                yield EvidenceFault(where=name, what=f"listed in {SUMS}, but missing from the bundle.")
            elif sha256(self._files[name]) != digest:
                yield EvidenceFault(where=name, what=f"altered: it does not have the SHA-256 that {SUMS} lists.")
        for name in self._files.keys() - listed.keys() - {SUMS}:
            yield EvidenceFault(where=name, what=f"not listed in {SUMS}: slipped in.")
        if SUMS in self._files and with_sums(self._files)[SUMS] != self._files[SUMS] and not listed.keys():
            yield EvidenceFault(where=SUMS, what="it lists nothing.")

    def _pages(self, alert: Mapping[str, Any], added: Mapping[str, Any]) -> Iterator[EvidenceFault]:
        """What people read says what the data say: it is made of them again, by the same version."""
        wording = wording_of(alert_of(alert["alert"]), added["pages"])
        self.headline = wording["headline"]
        for name in ("index.html", "INSTRUCTIONS.txt"):
            self._used.add(name)
            if name not in self._files:
                yield EvidenceFault(where=name, what="missing from the bundle.")
        if added["software"] != software():
            self.notes.append(
                f"index.html and INSTRUCTIONS.txt were written by {added['software']}; this is {software()}, so they "
                f"were held against {SUMS} alone: do not rest on them."
            )
            return
        if wording != alert["wording"]:
            yield EvidenceFault(
                where="alert.json", what="its sentences are not what is said of such an alert: altered."
            )
        for name, content in pages_of(self._files).items():
            if name in self._files and self._files[name] != content:
                yield EvidenceFault(
                    where=name, what="it does not say what alert.json, readings.json and chain.json say."
                )

    def _chain(self, chain: Mapping[str, Any]) -> Iterator[EvidenceFault]:
        there = sum(name.startswith("chain/") for name in self._files)
        for first, last in chain["segments"]:
            previous = None
            for number in range(int(first), int(last) + 1)[: there + 1]:  # of more than there are, the first is missing
                name = chain_name(number)
                self._used.add(name)
                text = self._files.get(name)
                if text is None:
                    yield EvidenceFault(where=name, what="missing: the chain is broken here.")
                    previous = None
                    continue
                try:
                    link = read_manifest(text)
                except EvidenceDamaged as error:
                    yield EvidenceFault(where=name, what=str(error))
                    previous = sha256(text)
                    continue
                if link.sequence != number:
                    yield EvidenceFault(
                        where=name, what=f"it says that it is link {link.sequence}: links changed places."
                    )
                if previous is not None and link.previous != previous:
                    yield EvidenceFault(
                        where=name, what="it does not follow the link before it: one of the two was exchanged."
                    )
                previous = sha256(text)
                self._links[number] = link
                self.links += 1

    def _all_records(self) -> Iterator[EvidenceFault]:
        for name, text in self._files.items():
            if not name.startswith("records/"):
                continue
            if name != f"records/{sha256(text)}.json":
                yield EvidenceFault(where=name, what="altered: its SHA-256 is not its name.")
                continue
            try:
                self._records[name] = read_record(text)
            except EvidenceDamaged as error:
                yield EvidenceFault(where=name, what=str(error))
        for name, content in self._files.items():
            if name.startswith("replies/") and name.rpartition("/")[2].partition(".")[0] != sha256(content):
                yield EvidenceFault(where=name, what="altered: its SHA-256 is not its name.")

    def _figures(
        self, alert: Mapping[str, Any], added: Mapping[str, Any], readings: Sequence[Mapping[str, Any]]
    ) -> Iterator[EvidenceFault]:
        """A figure that was read says what one of its readings says; which readings, the newsroom tells."""
        facts, figures = alert["alert"]["facts"], added["figures"]
        self.figures = len(facts)
        if [figure["name"] for figure in figures] != [fact["name"] for fact in facts]:
            yield EvidenceFault(where="export.json", what="its figures are not those of the alert.")
            return
        places = [place for figure in figures for place in figure["readings"]] + added["drawn"]
        if any(not 0 <= place < len(readings) for place in places):
            yield EvidenceFault(where="export.json", what="it names a reading that is not there.")
            return
        for fact, figure in zip(facts, figures, strict=True):
            counts = [readings[place] for place in figure["readings"] if readings[place]["kind"] == "count"]
            exact = [one for one in counts if (one["page"], one["observed_at"]) == (fact["about"], fact["at"])]
            if fact["name"] in _READ and not exact:
                self.unproved.append(f"The figure {fact['name']}: no reading of it is in the bundle.")
            elif fact["name"] in _READ and fact["value"] not in {one["count"] for one in exact}:
                yield EvidenceFault(where=f"The figure {fact['name']}", what="none of its readings says it.")

    def _alert(self, alert: Mapping[str, Any]) -> Iterator[EvidenceFault]:
        if alert["reference"] != reference(alert_of(alert["alert"])):
            yield EvidenceFault(where="alert.json", what="its reference is not that of its key: altered.")
        noted = alert["record"]
        if noted is None:
            self.unproved.append("The alert: no link of the chain tells of it, so that anybody could have written it.")
            return
        name = f"records/{noted['sha256']}.json"
        record = self._records.get(name)
        if not isinstance(record, AlertRecord):
            yield EvidenceFault(where=name, what="the record of the alert is missing.")
            return
        if dict(record.alert) != alert["alert"]:
            yield EvidenceFault(where="alert.json", what="the alert is not what its record in the chain says: altered.")
        yield from self._in_chain(name, noted["link"])

    def _reading(self, where: str, reading: Mapping[str, Any]) -> Iterator[EvidenceFault]:
        self.readings += 1
        if reading.get("note") != note_of(reading["behind"]):
            yield EvidenceFault(where=where, what="its note is not what is said of such a reading: altered.")
        came: list[tuple[Record, bytes]] = []
        for behind in reading["behind"]:
            found = list(self._behind(where, behind))
            yield from (fault for fault in found if isinstance(fault, EvidenceFault))
            came += (one for one in found if not isinstance(one, EvidenceFault))
        if not reading["behind"] or len(came) < len(reading["behind"]):
            self.unproved.append(f"{where}: the bytes that it was read from are not in the bundle.")
            return
        if any(figure.items() <= reading.items() for figure in _said(came, self._reread_import)):
            self.reread += 1
        else:
            yield EvidenceFault(
                where=where, what="it is not what the bytes behind it say when they are read once more."
            )

    def _behind(self, where: str, behind: Mapping[str, Any]) -> Iterator[EvidenceFault | tuple[Record, bytes]]:
        """The record and the bytes that a reading names, or what is wrong; nothing where the bytes were let go."""
        record = self._records.get(behind["record"])
        if record is None or record.body is None:
            yield EvidenceFault(where=where, what=f"its record {behind['record']} is missing.")
            return
        yield from self._in_chain(behind["record"], behind["link"])
        if record.body.sha256 != behind["reply_sha256"]:
            yield EvidenceFault(where=where, what="its record tells of another reply.")
        if behind["reply"] is None:
            if not (record.body.withheld or self._was_let_go(record, behind["link"])):
                yield EvidenceFault(
                    where=where, what="its reply is left out, and no link of the chain says that it was let go."
                )
            return
        self._used.add(behind["reply"])
        content = self._files.get(behind["reply"])
        if content is None:
            yield EvidenceFault(where=where, what=f"the reply {behind['reply']} behind it is missing.")
        elif sha256(content) != record.body.sha256:
            yield EvidenceFault(where=where, what=f"{behind['reply']} is not the reply that its record tells of.")
        else:
            yield record, content

    def _was_let_go(self, record: Record, link: int) -> bool:
        """Whether the chain says that such replies were let go; imported files never are."""
        told = (one.let_go_before or 0 for one in self._links.values())
        return isinstance(record, ReplyRecord) and any(before > link for before in told)

    def _in_chain(self, record: str, link: int) -> Iterator[EvidenceFault]:
        self._used.add(record)
        found = self._links.get(link)
        digest = record.rpartition("/")[2].partition(".")[0]
        if found is None or digest not in found.records:
            yield EvidenceFault(where=record, what=f"link {link} of the chain does not name it.")

    def _stamped(self, chain: Mapping[str, Any]) -> Iterator[EvidenceFault]:
        held = set()
        for noted in chain["stamps"]:
            where = f"{noted['response']}, the time-stamp of link {noted['link']}"
            names = {noted["response"], noted["root"]}
            self._used |= names
            if missing := sorted(names - self._files.keys()):
                yield from (EvidenceFault(where=name, what="missing from the bundle.") for name in missing)
                continue
            try:
                root = x509.load_pem_x509_certificate(self._files[noted["root"]])
            except ValueError:
                yield EvidenceFault(where=noted["root"], what="it is no certificate: altered.")
                continue
            stamp = Stamp(
                sequence=noted["link"],
                response=self._files[noted["response"]],
                root=root.public_bytes(Encoding.DER),
            )
            text = self._files.get(chain_name(stamp.sequence), b"")
            if fault := stamp_fault(stamp, text, self._trusted):
                yield EvidenceFault(where=where, what=fault)
                continue
            told = read_stamp(stamp)
            if (instant_text(told.at), told.signer, told.root, told.root_sha256) != (
                noted["at"],
                noted["signer"],
                noted["root_name"],
                noted["root_sha256"],
            ):
                yield EvidenceFault(
                    where="chain.json", what=f"it does not say what the time-stamp of link {stamp.sequence} says."
                )
            held.add(stamp.sequence)
            self.stamps.append(told)
        self.unstamped = [(first, last) for first, last in chain["segments"] if last not in held]
        if not chain["segments"]:
            self.unproved.append("Nothing of it is in a chain, so that nothing shows when it existed.")
        if self._trusted:
            self.unproved += (
                f"Links {first} to {last}: not stamped by this authority." for first, last in self.unstamped
            )


def _said(came: Sequence[tuple[Record, bytes]], reread_import: RereadImport) -> Iterator[Mapping[str, Any]]:
    """What these bytes say, read once more."""
    exchanges = [
        StoredExchange(record=record, content=content) for record, content in came if isinstance(record, ReplyRecord)
    ]
    for batch in by_batch(exchanges):
        yield from map(reading_value, reread(batch))
    for record, content in came:
        if isinstance(record, ImportRecord):
            yield from map(reading_value, reread_import(record, content))


def verification_summary(looked: Verification, faults: int, digest: str) -> Iterator[str]:
    """What was looked at, in plain words."""
    yield f"The bundle's own SHA-256: {digest}"
    yield from looked.notes
    if faults:
        yield f"{phrases.several(faults, 'fault')}: this is not the bundle that was exported, or not what was kept."
        return
    if looked.unproved:
        yield f"NOT PROVED: {looked.headline}"
        yield from looked.unproved
    else:
        yield f"Holds: {looked.headline}"
    yield (
        f"{phrases.several(looked.figures, 'figure')}; {phrases.several(looked.readings, 'reading')}, of which "
        f"{looked.reread} say what the bytes behind them say; {phrases.several(looked.links, 'link')} of the chain."
    )
    for stamp in looked.stamps:
        yield f"Stamped {phrases.instant(stamp.at)} by {stamp.signer}"
        yield f"  under {stamp.root}, SHA-256 {stamp.root_sha256}: compare it with what the authority publishes."
    if looked.unstamped:
        which = phrases.listed([f"{first} to {last}" for first, last in looked.unstamped])
        yield f"Not time-stamped: links {which}. Only the newsroom says when these existed."
