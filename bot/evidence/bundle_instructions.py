"""How to check a bundle by hand: commands that anybody can type, each of which fails where something does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.evidence.attribution import has_imports, has_replies

MARK = "    $ "
"""Before every command."""

_HEAD = """\
How to check this bundle by hand
================================

You need a shell with sha256sum (GNU coreutils) and openssl, and no Likewatch. Unpack the zip file and go into the
folder. Every line that begins with "$" is a command; each ends with the exit status 0 if what it checks holds, and
with another one if it does not (echo $? shows it).

With Likewatch, one command checks the same and more: likewatch evidence verify bundle.zip

1. The files are those that were exported
-----------------------------------------
{mark}sha256sum --check --strict --quiet SHA256SUMS

This finds what was damaged or changed since. Whoever changes a file on purpose can change SHA256SUMS as well: what
follows does not rest on it.

2. From a figure to what it came from
-------------------------------------
alert.json holds the alert, readings.json the readings. Which readings a figure rests on, how the pages are called and
when the alert was stored are in export.json: that file alone is the newsroom's word, and nothing below proves it.
"""

_REPLIES = """\
A reading that was polled names its record (what was asked, when, and the SHA-256 of what came), and that its reply: the
bytes as the platform sent them, once HTTP's own compression was undone. Files are named by their own SHA-256.
"""

_FILES = """\
A reading that was imported names its record (the file's name, who imported it, when, and the SHA-256 of its bytes), and
that the file itself, as it was imported; it ends in .csv. No platform said it: its source is the one that the file
names, and what that published is to be looked up there.
"""

_NOTHING = """\
Neither a platform's reply nor an imported file is kept of these readings: their sources, as the newsroom stored them,
are named below, and what those published is to be looked up there.
"""

_CHAIN = """
3. From the record to the chain
-------------------------------
A link of the chain is a file chain/NUMBER.json. It lists the SHA-256 of every record of one poll, and "previous", the
SHA-256 of the link before it. A link that was changed, removed, slipped in or put elsewhere breaks this.
"""

_STAMPED = """
4. The time-stamps
------------------
An authority that has nothing to do with the newsroom signed that it had seen the SHA-256 of a link at an instant
(RFC 3161). So the link existed then, and with it every link before it, every record they list, and every reply.

The certificates beside the stamps came with this bundle. Do not trust them for that: get the authority's root
certificate from the authority itself, compare its SHA-256 fingerprint, and use it in place of the file here.
"""

_UNSTAMPED = """
4. The time-stamps
------------------
There are none {which}. The chain then shows that nothing was changed one by one, but whoever held the machine could
have written all of it anew at any time before this bundle was handed over.
"""

_END = """
What this proves, and what it does not
--------------------------------------
It shows {what}, and (with
time-stamps) that the record has existed unchanged since. It does not show that {whose} was true, nor why it
changed.
"""


def instructions(alert: Mapping[str, Any], readings: Sequence[Mapping[str, Any]], chain: Mapping[str, Any]) -> str:
    """The text of INSTRUCTIONS.txt, with commands for this very bundle."""
    replies, files = has_replies(readings), has_imports(readings)
    parts = [_HEAD.format(mark=MARK), *_what_came(replies=replies, files=files)]
    parts += [_of_reading(number, reading) for number, reading in enumerate(readings, start=1)]
    parts.append(_CHAIN)
    parts += _links(alert, readings)
    parts += _segments(chain["segments"])
    parts += _stamps(chain)
    what = ["what the platform's interface answered, as recorded by the newsroom's machine"] * replies
    what += ["what the imported file holds, byte for byte"] * files
    whose = "the platform's number" if replies else "a published number"
    parts.append(_END.format(what=",\nand ".join(what) or "what the newsroom's machine had stored", whose=whose))
    return "\n".join(parts)


def _what_came(*, replies: bool, files: bool) -> Iterator[str]:
    if replies:
        yield _REPLIES
    if files:
        yield _FILES
    if not (replies or files):
        yield _NOTHING


def _of_reading(number: int, reading: Mapping[str, Any]) -> str:
    at = reading.get("observed_at") or reading["as_of"]
    what = f"{reading['count']:,} {reading['metric']}" if reading["kind"] == "count" else "an audience by country"
    lines = [f"Reading {number}: {reading['page']}, {at}: {what} ({reading['source']})"]
    for behind in reading["behind"]:
        lines += _commands(behind)
    if note := reading.get("note"):
        lines.append(f"  {note}")
    return "\n".join(lines)


def _commands(behind: Mapping[str, Any]) -> Iterator[str]:
    yield f"{MARK}{_has_sum(behind['record'], _digest(behind['record']))}"
    yield f"{MARK}grep -q {behind['reply_sha256']} {behind['record']}"
    if behind["reply"]:
        yield f"{MARK}{_has_sum(behind['reply'], behind['reply_sha256'])}"


def _links(alert: Mapping[str, Any], readings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    named = {(behind["link"], _digest(behind["record"])) for reading in readings for behind in reading["behind"]}
    if record := alert["record"]:
        named.add((record["link"], record["sha256"]))
        yield "The alert itself is a record of the chain; alert.json says what it says."
        name = f"records/{record['sha256']}.json"
        yield f"{MARK}{_has_sum(name, record['sha256'])}"
    for link, digest in sorted(named):
        yield f"{MARK}grep -q {digest} chain/{link:08}.json"


def _segments(segments: Sequence[Sequence[int]]) -> Iterator[str]:
    for first, last in segments:
        if first == last:
            yield f"Link {first} stands by itself."
            continue
        yield f"Links {first} to {last}, each after the one before it:"
        yield (
            f"{MARK}(previous=; for n in $(seq -f %08g {first} {last}); do "
            'if [ -n "$previous" ]; then grep -q "\\"previous\\":\\"$previous\\"" chain/$n.json || '
            '{ echo "link $n does not follow"; exit 1; }; fi; '
            "previous=$(sha256sum < chain/$n.json | cut -c 1-64); done)"
        )


def _stamps(chain: Mapping[str, Any]) -> Iterator[str]:
    stamped = {stamp["link"] for stamp in chain["stamps"]}
    if chain["stamps"]:
        yield _STAMPED
    for stamp in chain["stamps"]:
        link = stamp["link"]
        yield f"Link {link}, stamped {stamp['at']} by {stamp['signer']}"
        yield f"  under the root {stamp['root_name']}, SHA-256 {stamp['root_sha256']}"
        yield f"{MARK}openssl ts -reply -in {stamp['response']} -text"
        yield f"{MARK}openssl ts -verify -in {stamp['response']} -data chain/{link:08}.json -CAfile {stamp['root']}"
    bare = [f"{first} to {last}" for first, last in chain["segments"] if last not in stamped]
    if bare:
        which = f"over links {', '.join(bare)}" if stamped else "in this bundle"
        yield _UNSTAMPED.format(which=which)


def _has_sum(name: str, digest: str) -> str:
    return f"echo '{digest}  {name}' | sha256sum --check --strict --quiet"


def _digest(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]
