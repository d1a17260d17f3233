"""The files of a bundle: their names, their sums, and a zip file whose every byte follows from its files."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from bot.evidence.chain import EvidenceFault
from bot.evidence.records import sha256

DATA = ("alert.json", "export.json", "readings.json", "chain.json")
"""The files that programs read. The other files prove all that these state, except ``export.json``.

``export.json`` is the newsroom's word: which readings each figure rests on, how the pages are called, and when the
alert was stored.
"""

SUMS = "SHA256SUMS"
"""Always the last file of a bundle."""

_DATE = (1980, 1, 1, 0, 0, 0)
_RIGHTS = 0o644 << 16
_UNIX = 3

# The exceptions that zipfile raises for a file that somebody altered at random.
_UNREADABLE = (
    zipfile.BadZipFile,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)


def chain_name(link: int) -> str:
    """Return the name of a link's file."""
    return f"chain/{link:08}.json"


def record_name(digest: str) -> str:
    """Return the name of a record's file, from its SHA-256."""
    return f"records/{digest}.json"


def digest_in(name: str) -> str:
    """Return the SHA-256 in the name of a record's or a reply's file."""
    return name.rpartition("/")[2].partition(".")[0]


def with_sums(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files and one more, which lists the SHA-256 of each as ``sha256sum`` does."""
    lines = "".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files) if name != SUMS)
    return {**files, SUMS: lines.encode()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the zip file of these files: stored, sorted, dated 1980, so the same on every machine."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda name: (name == SUMS, name)):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = _UNIX, _RIGHTS
            archive.writestr(entry, files[name])
    return made.getvalue()


def unzipped(data: bytes) -> tuple[dict[str, bytes], list[EvidenceFault]]:
    """Return the files of a zip file, and every way in which it is not as ``zipped`` makes it, to the byte."""
    files: dict[str, bytes] = {}
    faults: list[EvidenceFault] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            for entry in entries:
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(data):
                    faults.append(EvidenceFault(entry.filename, "the zip file compresses it; a bundle never does."))
                    continue
                try:
                    files[entry.filename] = archive.read(entry)
                except _UNREADABLE as error:
                    faults.append(EvidenceFault(entry.filename, f"it cannot be read: altered ({error})."))
    except _UNREADABLE as error:
        return {}, [EvidenceFault("The file", f"it is no complete zip file: altered or cut off ({error}).")]
    if not faults and (again := zipped(files)) != data:
        faults += _differences(again, data, entries)
    return files, faults


def _differences(wanted: bytes, found: bytes, entries: list[zipfile.ZipInfo]) -> Iterator[EvidenceFault]:
    """Yield where the zip file differs from the one that its own files make."""
    at = next((place for place, pair in enumerate(zip(wanted, found, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        at = min(len(wanted), len(found))
    before = [entry.filename for entry in entries if entry.header_offset <= at]
    near = f"at or after the entry of {before[-1]}" if before else "before the first entry"
    yield EvidenceFault(f"Byte {at:,} of the file", f"a bundle of these files has another byte there ({near}).")
