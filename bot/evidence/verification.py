"""The verification of a bundle, without database or network. Every fault names its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from jinja2 import TemplateError

from bot.evidence.bundle import notes_of, wording_of
from bot.evidence.bundle_files import DATA, SUMS, chain_name, digest_in, record_name, unzipped
from bot.evidence.bundle_pages import bundle_pages
from bot.evidence.chain import ChainWalk, EvidenceFault
from bot.evidence.json_values import JsonValue, alert_of, reading_value
from bot.evidence.records import AlertRecord, Record, read_record, sha256, software
from bot.evidence.reread import Origin, RereadImport, reread
from bot.evidence.timestamps import StampDetails, read_stamp, stamp_fault
from bot.evidence.trace import reference
from bot.text import phrases
from storage.evidence import EvidenceDamaged, Stamp

_READ = {"count", "rival_count"}  # figures that an alert states as they were read
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_MISSING = "missing from the bundle."


class Verification:
    """Check a bundle once. The counters say what is valid, and ``unproved`` lists what nothing in the bundle proves."""

    def __init__(self, data: bytes, reread_import: RereadImport, *, trusted: Sequence[x509.Certificate] = ()) -> None:
        self._data = data
        self._reread_import = reread_import
        self._trusted = tuple(trusted)
        self._files: dict[str, bytes] = {}
        self._walk = ChainWalk()
        self._records: dict[str, Record] = {}
        self._used = {SUMS, *DATA, "index.html", "INSTRUCTIONS.txt"}
        self.headline = ""
        self.figures = 0
        self.readings = 0
        self.reread = 0
        self.stamps: list[StampDetails] = []
        self.unstamped: list[tuple[int, int]] = []
        self.unproved: list[str] = []
        self.notes: list[str] = []

    @property
    def links(self) -> int:
        """Return the number of readable links in the bundle."""
        return len(self._walk.links)

    def run(self) -> Iterator[EvidenceFault]:
        """Yield every fault as it is found."""
        self._files, faults = unzipped(self._data)
        yield from faults
        yield from self._sums()
        if missing := [name for name in DATA if name not in self._files]:
            yield from (EvidenceFault(name, _MISSING) for name in missing)
            return
        try:
            alert, added, readings, chain = (json.loads(self._files[name]) for name in DATA)
            yield from self._pages(alert, added)
            yield from self._chain(chain["segments"])
            yield from self._digests()
            yield from self._alert(alert)
            yield from self._figures(alert["alert"]["facts"], added, readings)
            for number, reading in enumerate(readings, start=1):
                yield from self._reading(f"Reading {number} ({reading['page']})", reading)
            yield from self._stamps(chain)
            for name in sorted(self._files.keys() - self._used):
                yield EvidenceFault(name, "nothing in the bundle names it: slipped in.")
        except (
            *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
            TemplateError,  # of the pages
        ) as error:
            what = f"these files do not have the form of a bundle's files ({type(error).__name__}: {error}): altered."
            yield EvidenceFault(", ".join(DATA), what)

    def _sums(self) -> Iterator[EvidenceFault]:
        """Check that SHA256SUMS lists each file with its SHA-256."""
        if SUMS not in self._files:
            yield EvidenceFault(SUMS, _MISSING)
        listed: dict[str, str] = {}
        for number, line in enumerate(self._files.get(SUMS, b"").decode(errors="replace").splitlines(), start=1):
            if found := _LINE.fullmatch(line):
                listed[found[2]] = found[1]
            else:
                yield EvidenceFault(f"{SUMS}, line {number}", "sha256sum writes no such line: altered.")
        for name, digest in listed.items():
            if name not in self._files:
                yield EvidenceFault(name, f"listed in {SUMS}, but {_MISSING}")
            elif sha256(self._files[name]) != digest:
                yield EvidenceFault(name, f"altered: it does not have the SHA-256 that {SUMS} lists.")
        for name in self._files.keys() - listed.keys() - {SUMS}:
            yield EvidenceFault(name, f"not listed in {SUMS}: slipped in.")

    def _pages(self, alert: JsonValue, added: JsonValue) -> Iterator[EvidenceFault]:
        """Check that the texts for people state what the data state, by writing them again with the same version."""
        wording = wording_of(alert_of(alert["alert"]), added["pages"])
        self.headline = wording["headline"]
        pages = ("index.html", "INSTRUCTIONS.txt")
        yield from (EvidenceFault(name, _MISSING) for name in pages if name not in self._files)
        if added["software"] != software():
            self.notes.append(
                f"{added['software']} wrote index.html and INSTRUCTIONS.txt. This is {software()}, which can compare "
                f"them with {SUMS} only: do not rely on them."
            )
            return
        if wording != alert["wording"]:
            yield EvidenceFault("alert.json", "its sentences do not match the alert: altered.")
        for name, content in bundle_pages(self._files).items():
            if self._files.get(name, content) != content:
                yield EvidenceFault(name, "it does not state what alert.json, readings.json and chain.json state.")

    def _chain(self, segments: Sequence[Sequence[int]]) -> Iterator[EvidenceFault]:
        """Check each run of links."""
        existing = sum(name.startswith("chain/") for name in self._files)
        for first, last in segments:
            self._walk.break_off()
            # An altered run may name more links than fit into memory. The first missing one is fault enough.
            for number in range(int(first), int(last) + 1)[: existing + 1]:
                name = chain_name(number)
                self._used.add(name)
                text = self._files.get(name)
                if text is None:
                    yield EvidenceFault(name, "missing: the chain is broken here.")
                    self._walk.break_off()
                else:
                    yield from self._walk.follow(name, number, text)

    def _digests(self) -> Iterator[EvidenceFault]:
        """Check that the names of records and replies are their SHA-256, and read the records."""
        for name, content in self._files.items():
            digest = sha256(content)
            is_record = name.startswith("records/")
            if (is_record and name != record_name(digest)) or (
                name.startswith("replies/") and digest_in(name) != digest
            ):
                yield EvidenceFault(name, "altered: its SHA-256 is not its name.")
            elif is_record:
                try:
                    self._records[name] = read_record(content)
                except EvidenceDamaged as error:
                    yield EvidenceFault(name, str(error))

    def _alert(self, alert: JsonValue) -> Iterator[EvidenceFault]:
        """Check that the alert is the one in the chain."""
        if alert["reference"] != reference(alert_of(alert["alert"])):
            yield EvidenceFault("alert.json", "its reference does not match its key: altered.")
        noted = alert["record"]
        if noted is None:
            self.unproved.append("The alert: no link of the chain names it, so anybody could have written it.")
            return
        name = record_name(noted["sha256"])
        record = self._records.get(name)
        if not isinstance(record, AlertRecord):
            yield EvidenceFault(name, "the record of the alert is missing.")
            return
        if dict(record.alert) != alert["alert"]:
            yield EvidenceFault("alert.json", "the alert is not what its record in the chain states: altered.")
        yield from self._in_chain(name, noted["link"])

    def _figures(
        self, facts: Sequence[JsonValue], added: JsonValue, readings: Sequence[JsonValue]
    ) -> Iterator[EvidenceFault]:
        """Check that a figure which was read is in one of its readings. The newsroom says which readings those are."""
        figures = added["figures"]
        self.figures = len(facts)
        if [figure["name"] for figure in figures] != [fact["name"] for fact in facts]:
            yield EvidenceFault("export.json", "its figures do not match the figures of the alert.")
            return
        places = [place for figure in figures for place in figure["readings"]] + added["drawn"]
        if any(not 0 <= place < len(readings) for place in places):
            yield EvidenceFault("export.json", "it names a reading that does not exist.")
            return
        for fact, figure in zip(facts, figures, strict=True):
            counts = [readings[place] for place in figure["readings"] if readings[place]["kind"] == "count"]
            exact = [one for one in counts if (one["page"], one["observed_at"]) == (fact["about"], fact["at"])]
            if fact["name"] in _READ and not exact:
                self.unproved.append(f"The figure {fact['name']}: no reading of it is in the bundle.")
            elif fact["name"] in _READ and fact["value"] not in {one["count"] for one in exact}:
                yield EvidenceFault(f"The figure {fact['name']}", "none of its readings states this number.")

    def _reading(self, where: str, reading: JsonValue) -> Iterator[EvidenceFault]:
        """Check that the bytes behind a reading are in the bundle and in the chain, and state the reading."""
        self.readings += 1
        if reading.get("note") not in notes_of(reading["behind"]):
            yield EvidenceFault(where, "its note does not match the reading: altered.")
        origins: list[Origin] = []
        for noted in reading["behind"]:
            for found in self._origin(noted):
                if isinstance(found, Origin):
                    origins.append(found)
                else:
                    yield found if isinstance(found, EvidenceFault) else EvidenceFault(where, found)
        if not reading["behind"] or len(origins) < len(reading["behind"]):
            self.unproved.append(f"{where}: the bytes that it was read from are not in the bundle.")
            return
        again = map(reading_value, reread(origins, self._reread_import))
        if any(value.items() <= reading.items() for value in again):
            self.reread += 1
        else:
            yield EvidenceFault(where, "it is not what the bytes behind it state when they are read again.")

    def _origin(self, noted: Mapping[str, Any]) -> Iterator[EvidenceFault | str | Origin]:
        """Yield the record and the bytes that a reading names, unless they were deleted, and every fault."""
        record, link, reply = self._records.get(noted["record"]), noted["link"], noted["reply"]
        if record is None or isinstance(record, AlertRecord):
            yield f"its record {noted['record']} is missing."
            return
        yield from self._in_chain(noted["record"], link)
        if record.body.sha256 != noted["reply_sha256"]:
            yield "its record names another reply."
        if reply is None:
            if not (record.body.withheld or self._walk.is_deleted(record, link)):
                yield "its reply is missing, and no link of the chain states that it was deleted."
            return
        self._used.add(reply)
        content = self._files.get(reply)
        if content is None:
            yield f"the reply {reply} behind it is missing."
        elif sha256(content) != record.body.sha256:
            yield f"{reply} is not the reply that its record names."
        else:
            yield Origin(link=link, text=self._files[noted["record"]], record=record, content=content)

    def _in_chain(self, record: str, number: int) -> Iterator[EvidenceFault]:
        self._used.add(record)
        link = self._walk.links.get(number)
        if link is None or digest_in(record) not in link.records:
            yield EvidenceFault(record, f"link {number} of the chain does not name it.")

    def _stamps(self, chain: JsonValue) -> Iterator[EvidenceFault]:
        """Check that each time-stamp is valid, and list the links that none covers."""
        stamped = set()
        for noted in chain["stamps"]:
            number, names = noted["link"], {noted["response"], noted["root"]}
            self._used |= names
            if missing := sorted(names - self._files.keys()):
                yield from (EvidenceFault(name, _MISSING) for name in missing)
                continue
            try:
                root = x509.load_pem_x509_certificate(self._files[noted["root"]]).public_bytes(Encoding.DER)
            except ValueError:
                yield EvidenceFault(noted["root"], "it is no certificate: altered.")
                continue
            stamp = Stamp(sequence=number, response=self._files[noted["response"]], root=root)
            if fault := stamp_fault(stamp, self._files.get(chain_name(number), b""), self._trusted):
                yield EvidenceFault(f"{noted['response']}, the time-stamp of link {number}", fault)
                continue
            details = read_stamp(stamp)
            if any(noted[name] != value for name, value in details.value.items()):
                yield EvidenceFault("chain.json", f"it does not state what the time-stamp of link {number} states.")
            stamped.add(number)
            self.stamps.append(details)
        self.unstamped = [(first, last) for first, last in chain["segments"] if last not in stamped]
        if not chain["segments"]:
            self.unproved.append("Nothing of it is in a chain, so nothing proves when it existed.")
        if self._trusted:
            runs = (f"Links {first} to {last}" for first, last in self.unstamped)
            self.unproved += (f"{run}: not stamped by this authority." for run in runs)


def verification_summary(checked: Verification, faults: int, digest: str) -> Iterator[str]:
    """Yield what was checked, and the result, for an operator or a lawyer. ``digest`` is the bundle's SHA-256."""
    yield f"The bundle's own SHA-256: {digest}"
    yield from checked.notes
    if faults:
        yield f"{phrases.several(faults, 'fault')}: this is not the exported bundle, or not what was stored."
        return
    if checked.unproved:
        yield f"NOT PROVED: {checked.headline}"
        yield from checked.unproved
    else:
        yield f"Holds: {checked.headline}"
    agree = "agrees with the bytes behind it" if checked.reread == 1 else "agree with the bytes behind them"
    yield (
        f"{phrases.several(checked.figures, 'figure')}; {phrases.several(checked.readings, 'reading')}, of which "
        f"{checked.reread} {agree}; {phrases.several(checked.links, 'link')} of the chain."
    )
    for stamp in checked.stamps:
        yield f"Stamped {phrases.instant(stamp.at)} by {stamp.signer}"
        yield f"  under {stamp.root}, SHA-256 {stamp.root_sha256}: compare it with what the authority publishes."
    if checked.unstamped:
        runs = phrases.listed([f"{first} to {last}" for first, last in checked.unstamped])
        yield f"Not time-stamped: links {runs}. Only the newsroom says when these existed."
