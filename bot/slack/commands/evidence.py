"""``/trends evidence``: what an alert's figures rest on, down to the SHA-256 of the platform's replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bot.errors import LikewatchError
from bot.evidence.json_values import fact_value, is_stated, reading_value
from bot.evidence.records import ImportRecord, sha256
from bot.evidence.reread import ImportedReadings, Origin
from bot.evidence.timestamps import read_stamp, stamp_fault
from bot.evidence.trace import Trace, TracedFigure, TracedReading, find_alert, reference, trace
from bot.imports.job import reread_import
from bot.pages.alert_names import alert_sentence
from bot.slack.answers.figures import date_span
from bot.slack.contract import Bold, Call, Card, Command, Line, Link, Moment, Permission, Reply, Slash, Span
from bot.text import phrases
from handlers.model import Fact
from storage.store import Store

USAGE = "/trends evidence <alert or page>"
_MAX_READINGS = 3  # of each figure; the bundle has all

_Source = tuple[str, str]  # its name, and its address or ""


def run(call: Call, store: Store, _now: datetime) -> Reply:
    """Answer with an alert's figures, each with the reply that it came from, and how to get all of it as one file."""
    if not call.text:
        raise LikewatchError(f"Say which alert: {USAGE}. Its card has a button for it.")
    stored = find_alert(store, call.text)
    traced = trace(store, stored, ImportedReadings(store, reread_import))
    name = reference(stored.alert)
    numbers = _source_numbers(traced)
    lines: tuple[Line, ...] = (
        (Bold("Alert"), f" {name}: {alert_sentence(stored.alert, store)}"),
        _time_stamp(store, traced),
        (
            "To give it to somebody: ",
            Bold(f"likewatch evidence export {name} -o bundle.zip"),
            " on the machine that runs Likewatch. The file holds the replies, a page to read, and how to check it.",
        ),
        # The figures come last: one message may have no room for all of them.
        *(_figure(figure, traced, numbers) for figure in traced.figures),
        *_sources(traced, numbers),
        *_origins(traced),
    )
    return Reply(card=Card(headline="What the figures rest on", lines=lines), shareable=True)


def _source_numbers(traced: Trace) -> dict[_Source, int]:
    """Return a number for each source of the figures, from 1."""
    used = (_source(traced.readings[index]) for figure in traced.figures for index in figure.readings[-_MAX_READINGS:])
    return {source: number for number, source in enumerate(dict.fromkeys(used), start=1)}


def _source(traced: TracedReading) -> _Source:
    return traced.reading.source, traced.reading.url


def _figure(figure: TracedFigure, traced: Trace, numbers: Mapping[_Source, int]) -> Line:
    fact, readings = figure.fact, [traced.readings[index] for index in figure.readings]
    name = Bold(fact.name.replace("_", " "))
    cited = "".join(f" [{number}]" for number in dict.fromkeys(numbers.get(_source(one)) for one in readings) if number)
    if not readings:
        return (name, f": {_value(fact)}, worked out by the rule")
    if is_stated(fact_value(fact), [reading_value(one.reading) for one in readings]):
        return (name, f": {_value(fact)}", *_instant(fact), cited)
    return (name, f": {_value(fact)}, worked out by the rule from{cited}")


def _sources(traced: Trace, numbers: Mapping[_Source, int]) -> Iterator[Line]:
    """List each source once, with its address, and how many of its readings have no stored reply."""
    used = [traced.readings[index] for index in {index for figure in traced.figures for index in figure.readings}]
    for source, number in numbers.items():
        bare = sum(_source(one) == source and not one.origins for one in used)
        without = f", {phrases.several(bare, 'reading')} of it without a stored reply" if bare else ""
        yield (f"[{number}] ", Link(*source), without)


def _origins(traced: Trace) -> Iterator[Line]:
    """List each reply or file behind the figures once, the newest first."""
    used = dict.fromkeys(index for figure in traced.figures for index in figure.readings[-_MAX_READINGS:])
    readings = [traced.readings[index] for index in used]
    doubtful = {origin.link for one in readings if one.confirmed is False for origin in one.origins}
    by_hash = {origin.record.body.sha256: origin for one in readings for origin in one.origins}
    for origin in sorted(by_hash.values(), key=lambda origin: -origin.link):
        yield ("• ", *_origin(origin, is_doubtful=origin.link in doubtful))


def _origin(origin: Origin, *, is_doubtful: bool) -> Iterator[Span]:
    record = origin.record
    what = f"the file {record.name}, imported" if isinstance(record, ImportRecord) else f"{record.platform}'s reply"
    yield f"{what}, received "
    yield Moment(record.at)
    yield f", SHA-256 {record.body.sha256}, link {origin.link}"
    if is_doubtful:
        yield " (it does not state this figure: ask for an audit)"
    elif origin.content is None:
        yield " (its time is over: the reply was deleted, its hash stays)"


def _time_stamp(store: Store, traced: Trace) -> Line:
    links = {origin.link for reading in traced.readings for origin in reading.origins}
    if not links:
        return "These figures were stored before Likewatch kept evidence, so no reply is in the chain of evidence."
    stamp = store.evidence.first_stamp_from(max(links))
    if stamp is None:
        return "No outside authority has time-stamped it yet. Until then, only this newsroom says when it existed."
    manifest = store.evidence.manifest(stamp.sequence)
    if manifest is None:
        return f"Link {stamp.sequence} of the chain is missing: ask for an audit."
    if stamp_fault(stamp, manifest.text):
        return f"The time-stamp of link {stamp.sequence} of the chain is not valid: ask for an audit."
    read = read_stamp(stamp)
    return (
        f"Time-stamped by an outside authority ({read.signer}) ",
        f"with link {stamp.sequence} ({sha256(manifest.text)}), at ",
        Moment(read.at),
    )


def _value(fact: Fact) -> str:
    if fact.unit == "share":
        return phrases.percent(fact.value, digits=2)
    return f"{phrases.count(fact.value)} {fact.unit}"


def _instant(fact: Fact) -> tuple[Span, ...]:
    return () if fact.at is None else (", ", date_span(fact.at, fact.dated))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("evidence",),
    usage=USAGE,
    summary="what an alert's figures rest on: the platforms' own replies, their hashes and time-stamps",
    permission=Permission.ANYONE,
    run=run,
    runs_long=True,
)
