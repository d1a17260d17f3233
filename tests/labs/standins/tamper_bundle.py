"""Random changes to a bundle, by a careless hand and by one that mends the rest. See ``tamper_store``."""

from __future__ import annotations

import io
import json
import random
import zipfile
from typing import Any

from bot.evidence.bundle import notes_of, wording_of
from bot.evidence.bundle_files import SUMS, unzipped, with_sums, zipped
from bot.evidence.bundle_pages import bundle_pages
from bot.evidence.json_values import alert_of
from bot.evidence.records import sha256
from tests.labs.standins.tamper_store import Change

_CARELESS = 0.4


def tamper_bundle(bundle: bytes, other: bytes, chance: random.Random) -> tuple[bytes, Change]:
    """Make one change to a bundle, by a careless hand (a byte) or by one that mends SHA256SUMS after it.

    ``other`` is the bundle of another alert of the same newsroom.
    """
    if chance.random() < _CARELESS:
        return _byte_of_zip(bundle, chance)
    files, _ = unzipped(bundle)
    kinds = (
        *(_byte_of_file, _digit_of_file, _file_left_out, _file_slipped_in, _files_exchanged),
        *(_all_invented, _alert_unchained, _reply_called_deleted, _reading_without_origin),
    )
    change = chance.choice(kinds)(files, unzipped(other)[0], chance)
    return zipped(with_sums(files)), change


def _byte_of_zip(bundle: bytes, chance: random.Random) -> tuple[bytes, Change]:
    at = chance.randrange(len(bundle))
    changed = bytearray(bundle)
    changed[at] ^= 1 << chance.randrange(8)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        inside = [entry.filename for entry in archive.infolist() if entry.header_offset <= at]
        names = archive.namelist() if inside[-1] == SUMS else []  # and in what the zip says of its files, after it
    listed = [name for name in names if name.encode() in bundle[max(0, at - 200) : at + 200]]  # the file it is about
    shows = ("The file", "Byte ", *inside[-1:], *listed)
    return bytes(changed), Change(what=f"byte {at} of the zip, in {inside[-1]}", shows=shows)


def _proved(files: dict[str, bytes], chance: random.Random) -> str:
    return chance.choice(sorted(name for name in files if name not in {SUMS, "export.json"}))


def _byte_of_file(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    name = _proved(files, chance)
    changed = bytearray(files[name])
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    files[name] = bytes(changed)
    return Change(what=f"a byte of {name}, with its sum", shows=_words(name))


def _digit_of_file(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """Change a digit, so that the form stays: another count, date, link or sum."""
    name = chance.choice(["alert.json", "readings.json", "chain.json", "index.html", "INSTRUCTIONS.txt"])
    text = files[name].decode()
    places = [place for place, character in enumerate(text) if character in "12345678"]
    place = chance.choice(places)
    files[name] = f"{text[:place]}{int(text[place]) + 1}{text[place + 1 :]}".encode()
    return Change(what=f"digit {place} of {name}: {text[place - 40 : place + 20]!r}, with its sum", shows=_words(name))


def _file_left_out(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    name = _proved(files, chance)
    del files[name]
    return Change(what=f"{name} left out", shows=_words(name))


def _file_slipped_in(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    folder = chance.choice(("chain", "records", "replies", "stamps"))
    content = b'{"slipped": "in"}'
    name = f"{folder}/{chance.choice(('00000099', 'more', sha256(content)))}.json"
    files[name] = content
    return Change(what=f"{name} slipped in", shows=(name,))


def _files_exchanged(files: dict[str, bytes], other: dict[str, bytes], chance: random.Random) -> Change:
    """Put a file of this bundle or of another alert's in the place of a file."""
    name = _proved(files, chance)
    like = [
        one for one in sorted(other) if one.partition("/")[0] == name.partition("/")[0] and other[one] != files[name]
    ]
    if not like:
        return _byte_of_file(files, other, chance)
    put = chance.choice(like)
    files[name] = other[put]
    return Change(what=f"{put} in the place of {name}", shows=_words(name))


def _all_invented(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """Leave nothing but the newsroom's word, and change every figure."""
    more = chance.randint(1, 5_000_000)
    alert, readings = json.loads(files["alert.json"]), json.loads(files["readings.json"])
    alert["record"] = None
    for fact in alert["alert"]["facts"]:
        for part in ("value", "low", "high"):
            fact[part] = fact[part] + more if isinstance(fact[part], int) else fact[part]
    for reading in readings:
        _raise(reading, more)
        reading["behind"] = []
        reading["note"] = notes_of([])[0]
    for name in [name for name in files if name != "export.json"]:
        del files[name]
    _rewrite(files, alert, readings, {"segments": [], "stamps": []})
    return Change(what=f"every figure raised by {more}, and all that proves them left out", shows=("The alert:",))


def _alert_unchained(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """Change the alert, and state that it was never chained."""
    alert = json.loads(files["alert.json"])
    files.pop(f"records/{alert['record']['sha256']}.json")
    alert["record"] = None
    fact = chance.choice([fact for fact in alert["alert"]["facts"] if fact["name"] not in {"count", "rival_count"}])
    fact["value"] += chance.randint(1, 9)
    _rewrite(files, alert, json.loads(files["readings.json"]), json.loads(files["chain.json"]))
    return Change(what=f"the figure {fact['name']}, in an alert without a record", shows=("The alert:",))


def _reply_called_deleted(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """Change a reading, and state that its reply was deleted after its time."""
    readings = json.loads(files["readings.json"])
    place = chance.randrange(len(readings))
    for behind in readings[place]["behind"]:
        behind["reply"] = None
    return _reread(files, readings, place, chance)


def _reading_without_origin(files: dict[str, bytes], _: dict[str, bytes], chance: random.Random) -> Change:
    """Change a reading, and state that it is older than the evidence."""
    readings = json.loads(files["readings.json"])
    place = chance.randrange(len(readings))
    readings[place]["behind"] = []
    return _reread(files, readings, place, chance)


def _reread(files: dict[str, bytes], readings: list[Any], place: int, chance: random.Random) -> Change:
    """Change a reading without its bytes, and remove every file that would name them."""
    reading = readings[place]
    reading["note"] = notes_of(reading["behind"])[0]
    _raise(reading, chance.randint(1, 777_777))
    named = {behind[part] for one in readings for behind in one["behind"] for part in ("record", "reply")}
    alert = json.loads(files["alert.json"])
    named.add(f"records/{alert['record']['sha256']}.json")
    for name in [name for name in files if name.startswith(("replies/", "records/")) and name not in named]:
        del files[name]
    _rewrite(files, alert, readings, json.loads(files["chain.json"]))
    return Change(what=f"reading {place + 1} without its bytes: {reading}", shows=(f"Reading {place + 1} (",))


def _raise(reading: dict[str, Any], more: int) -> None:
    for part in ("count", "low", "high"):
        reading[part] += more


def _rewrite(files: dict[str, bytes], alert: Any, readings: Any, chain: Any) -> None:
    """Put these into the bundle, and write its pages again."""
    pages = json.loads(files["export.json"])["pages"]
    alert["wording"] = wording_of(alert_of(alert["alert"]), pages)
    for name, value in (("alert.json", alert), ("readings.json", readings), ("chain.json", chain)):
        files[name] = (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    files.update(bundle_pages(files))


def _words(name: str) -> tuple[str, ...]:
    """Return the words of which a fault must name one: a change of the pages may show in the data, and the reverse."""
    if name.startswith("chain/"):  # of two links that do not fit together, the bundle cannot say which was altered
        number = int(name[len("chain/") : -len(".json")])
        return (name, f"chain/{number + 1:08}.json", f"stamp of link {number}")
    if "/" in name:
        return (name, name.rpartition("/")[2].partition(".")[0], "stamp of link", "Reading ")
    more = {
        "alert.json": ("The figure ", "records/"),
        "readings.json": ("Reading ", "records/"),
        "chain.json": ("chain/", "stamps/", "records/"),
    }
    return (name, *more.get(name, ()))
