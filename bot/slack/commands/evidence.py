"""``/trends evidence``: what an alert's figures rest on, down to the SHA-256 of the platform's replies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot import words
from bot.errors import LikewatchError
from bot.evidence.texts import ImportedFile, read_manifest, sha256
from bot.evidence.tracing import Behind, Figure, Trace, find_alert, reference, trace
from bot.slack.alert_card import told
from bot.slack.contract import Bold, Call, Card, Command, Line, Moment, Reply, Slash, Span, Who
from bot.slack.figures import moment
from handlers.model import Fact
from storage.store import Store

USAGE = "/trends evidence <alert or page>"
_READINGS = 3  # of each figure; the bundle has all


def run(call: Call, store: Store, _now: datetime) -> Reply:
    """The figures of an alert, each with the reply that it came from, and how to get all of it as one file."""
    if not call.text:
        raise LikewatchError(f"Say which alert: {USAGE}. Its card has a button for it.")
    kept = find_alert(store, call.text)
    traced = trace(store, kept)
    name = reference(kept.alert)
    lines: list[Line] = [(Bold("Alert "), name, ": ", told(kept.alert, store))]
    lines += [line for figure in traced.figures for line in _figure(figure, traced)]
    lines.append(_chain(store, traced))
    lines.append(
        (
            "To hand it to somebody: ",
            Bold(f"likewatch evidence export {name} -o bundle.zip"),
            " on the machine that runs Likewatch. In it are the replies, a page to read, and how to check all of it.",
        )
    )
    return Reply(card=Card(headline="What the figures rest on", lines=tuple(lines)), shareable=True)


def _figure(figure: Figure, traced: Trace) -> Iterator[Line]:
    fact = figure.fact
    name = fact.name.replace("_", " ")
    if not figure.readings:
        yield (Bold(name), f": {_value(fact)}, worked out by the rule")
        return
    yield (Bold(name), f": {_value(fact)}", *_when(fact))
    for place in figure.readings[-_READINGS:]:
        reading = traced.readings[place]
        for behind in reading.behind:
            yield ("• ", *_behind(behind, reading.confirmed))
        if not reading.behind:
            yield f"• {reading.reading.page}: no reply is kept of this instant"
    if (more := len(figure.readings) - _READINGS) > 0:
        yield f"• and {words.several(more, 'reading')} more"


def _behind(behind: Behind, confirmed: bool | None) -> Iterator[Span]:  # noqa: FBT001 (three answers, not a switch)
    record = behind.record
    what = f"the file {record.name}, imported" if isinstance(record, ImportedFile) else f"{record.platform}'s reply"
    yield f"{what}, received "
    yield Moment(record.at)
    yield f", SHA-256 {record.body.sha256}, link {behind.kept.sequence}"
    if confirmed is False:
        yield " (it does not say this figure: ask for an audit)"
    elif behind.content is None:
        yield " (its time is over: the hash is kept, the reply is not)"


def _chain(store: Store, traced: Trace) -> Line:
    links = {behind.kept.sequence for reading in traced.readings for behind in reading.behind}
    if not links:
        return "Nothing of it is in the chain of evidence: the figures were stored before evidence was kept."
    stamp = store.evidence.stamped_from(max(links))
    if stamp is None:
        return "No authority has time-stamped it yet: until then, only this newsroom says when it existed."
    manifest = store.evidence.manifest(stamp.sequence)
    if manifest is None:
        return f"Link {stamp.sequence} of the chain is missing: ask for an audit."
    at = read_manifest(manifest.text).at
    return (
        "Time-stamped by an outside authority with link ",
        f"{stamp.sequence} ({sha256(manifest.text)}), of ",
        Moment(at),
    )


def _value(fact: Fact) -> str:
    if fact.unit == "share":
        return words.percent(fact.value, digits=2)
    return f"{words.count(fact.value)} {fact.unit}"


def _when(fact: Fact) -> tuple[Span, ...]:
    return () if fact.at is None else (", ", moment(fact.at, fact.dated))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("evidence",),
    usage=USAGE,
    summary="what an alert's figures rest on: the platforms' own replies, their hashes and time-stamps",
    who=Who.ANYONE,
    run=run,
    slow=True,
)
