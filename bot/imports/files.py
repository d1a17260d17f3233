"""From the bytes of a file to the rows of a table: encodings, quotation marks and line ends."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.imports.values import ImportRefused

DELIMITERS = (",", ";", "\t", "|")
_LARGEST = 200_000_000  # bytes
_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods are zip archives, .xls is an OLE file
_WESTERN = "cp1252"
_OTHER_SCRIPTS = ["cp1251", "cp1253", "cp1256", "cp874", "cp932", "gb18030", "big5", "cp949"]
_RUN = re.compile(rb"[\x80-\xff]{4}")  # letters of another script in a row; Western text has a lone é or a closing ”
_SEP = re.compile(r'"?sep=([^"\w ])"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A text file, its encoding, and the delimiter that its first line declares (``sep=;``), if any.

    The encoding is ``guessed`` if nothing in the bytes shows it.
    """

    name: str
    data: bytes
    encoding: str
    guessed: bool
    declared: str | None

    def rows(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the line that each row begins on, and its cells. Leave out blank rows. Decode the file while reading.

        Raise ``ImportRefused`` if a quotation mark has no partner: every row after it would be read wrongly.
        """
        with io.TextIOWrapper(io.BytesIO(self.data), encoding=self.encoding, newline="") as text:
            before = 0
            if self.declared:
                text.readline()
                before = 1
            table = csv.reader(text, delimiter=delimiter, strict=True)
            line = before + 1
            try:
                for cells in table:
                    if any(map(str.strip, cells)):
                        yield line, cells
                    line = before + table.line_num + 1
            except csv.Error as error:
                raise ImportRefused(
                    f"{self.name}: a quotation mark is missing or one too many in the row that begins on line {line} "
                    f"({error}). Quote a cell as a whole and write a quotation mark inside it twice."
                ) from error


def refuse_too_large(size: int, name: str) -> None:
    """Raise ``ImportRefused`` if a file of ``size`` bytes is too large to import."""
    if size > _LARGEST:
        raise ImportRefused(
            f"{name} has {size // 1_000_000} MB; at most {_LARGEST // 1_000_000} MB are imported at once. "
            "Split it into several files."
        )


def open_file(data: bytes, name: str) -> TextFile:
    """Find the encoding of a file. Raise ``ImportRefused`` if the file is empty, too large or not text."""
    refuse_too_large(len(data), name)
    if data.startswith(_SPREADSHEETS):
        raise ImportRefused(f"{name} is a spreadsheet's own file, not text. Open it and save the sheet as CSV (UTF-8).")
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise ImportRefused(f"{name} is empty.")
    encoding = _encoding(data)
    if encoding is None:
        raise ImportRefused(f"{name} is not a text file. Save the table as CSV (UTF-8) and import that.")
    with io.TextIOWrapper(io.BytesIO(data), encoding=encoding) as text:
        declared = _SEP.fullmatch(text.readline(20))
    return TextFile(
        name=name,
        data=data,
        encoding=encoding,
        guessed=encoding in {_WESTERN, *_OTHER_SCRIPTS},
        declared=declared[1] if declared else None,
    )


def _encoding(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding if _decodes(data, encoding) else None
    if b"\0" in data[:_SAMPLE]:
        return next((encoding for encoding in ("utf-16-le", "utf-16-be") if _looks_like(data, encoding)), None)
    if b"\0" in data:
        return None
    if _decodes(data, "utf-8"):
        return "utf-8"
    return next((encoding for encoding in _guesses(data) if _decodes(data, encoding)), None)


def _looks_like(data: bytes, encoding: str) -> bool:
    """Guess if text without a byte-order mark is UTF-16 of this order: a CSV's digits are below 256."""
    high = data[1:_SAMPLE:2] if encoding == "utf-16-le" else data[:_SAMPLE:2]
    return high.count(0) > len(high) // 2 and _decodes(data, encoding)


def _guesses(data: bytes) -> list[str]:
    # Only lines with other letters: among many lines of digits they would not count.
    lines = data[: 16 * _SAMPLE].splitlines()
    odd = b"\n".join(line for line in lines if not line.isascii())[:_SAMPLE]
    if not _RUN.search(odd):
        return [_WESTERN]
    from charset_normalizer import from_bytes  # noqa: PLC0415  megabytes that only such a file needs

    return [match.encoding for match in from_bytes(odd, cp_isolation=_OTHER_SCRIPTS)] + [_WESTERN]


def _decodes(data: bytes, encoding: str) -> bool:
    """Return whether all bytes are text of this encoding. Decode block by block to keep memory low."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _BLOCK):
            if "\0" in decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data)):
                return False
    except UnicodeDecodeError:
        return False
    return True
