"""A zip file with one form for one content (stored, sorted, dated 1980), so that every byte of it is accounted for."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from bot.evidence.fault import EvidenceFault

SUMS = "SHA256SUMS"
"""Always the last file of a bundle."""

_DATE = (1980, 1, 1, 0, 0, 0)
_RIGHTS = 0o644 << 16
_UNIX = 3

# Whatever zipfile raises for a file that somebody has altered at random.
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


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip file of these files; the same files give the same bytes on every machine."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda name: (name == SUMS, name)):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = _UNIX, _RIGHTS
            archive.writestr(entry, files[name])
    return made.getvalue()


def unzipped(data: bytes) -> tuple[dict[str, bytes], list[EvidenceFault]]:
    """The files of a zip file that ``zipped`` made, and whatever is not as it made it, to the byte."""
    files: dict[str, bytes] = {}
    faults: list[EvidenceFault] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            for entry in entries:
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(data):
                    faults.append(
                        EvidenceFault(where=entry.filename, what="the zip does not store it as a bundle's files are.")
                    )
                    continue
                try:
                    files[entry.filename] = archive.read(entry)
                except _UNREADABLE as error:
                    faults.append(EvidenceFault(where=entry.filename, what=f"it cannot be read: altered ({error})."))
    except _UNREADABLE as error:
        return {}, [EvidenceFault(where="The file", what=f"it is no whole zip file: altered or cut off ({error}).")]
    if not faults and (again := zipped(files)) != data:
        faults += _differences(again, data, entries)
    return files, faults


def _differences(wanted: bytes, found: bytes, entries: list[zipfile.ZipInfo]) -> Iterator[EvidenceFault]:
    """Where the zip file differs from the one that its own files make: in what surrounds them, or in their order."""
    at = next((place for place, pair in enumerate(zip(wanted, found, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        at = min(len(wanted), len(found))
    before = [entry.filename for entry in entries if entry.header_offset <= at]
    near = f"at or after the entry of {before[-1]}" if before else "before the first entry"
    yield EvidenceFault(
        where=f"Byte {at:,} of the file", what=f"it is not what a bundle of these files has there ({near})."
    )
