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
from bot.slack.answers.figures import moment
from bot.slack.contract import Bold, Call, Card, Command, Line, Link, Moment, Permission, Reply, Slash, Span
from bot.text import phrases
from handlers.model import Fact
from storage.store import Store

USAGE = "/trends evidence <alert or page>"
_READINGS = 3  # of each figure; the bundle has all

_Source = tuple[str, str]  # its name, and its address or ""


def run(call: Call, store: Store, _now: datetime) -> Reply:
    """The figures of an alert, each with the reply that it came from, and how to get all of it as one file."""
    if not call.text:
        raise LikewatchError(f"Say which alert: {USAGE}. Its card has a button for it.")
    kept = find_alert(store, call.text)
    traced = trace(store, kept, ImportedReadings(store, reread_import))
    name = reference(kept.alert)
    lines: list[Line] = [(Bold("Alert"), f" {name}: {alert_sentence(kept.alert, store)}")]
    lines.append(_chain(store, traced))
    lines.append(
        (
            "To hand it to somebody: ",
            Bold(f"likewatch evidence export {name} -o bundle.zip"),
            " on the machine that runs Likewatch. In it are the replies or files, a page to read, and how to check it.",
        )
    )
    # Last: there may be no room for all.
    places = _places(traced)
    lines += [_figure(figure, traced, places) for figure in traced.figures]
    lines += _sources(traced, places)
    lines += _came(traced)
    return Reply(card=Card(headline="What the figures rest on", lines=tuple(lines)), shareable=True)


def _places(traced: Trace) -> dict[_Source, int]:
    """The sources of all figures, each with the number it is called by here."""
    used = (_origin(traced.readings[place]) for figure in traced.figures for place in figure.readings[-_READINGS:])
    return {source: number for number, source in enumerate(dict.fromkeys(used), start=1)}


def _figure(figure: TracedFigure, traced: Trace, places: Mapping[_Source, int]) -> Line:
    fact, behind = figure.fact, [traced.readings[place] for place in figure.readings]
    name = Bold(fact.name.replace("_", " "))
    numbers = dict.fromkeys(places[_origin(one)] for one in behind if _origin(one) in places)
    cited = "".join(f" [{number}]" for number in numbers)
    if not behind:
        return (name, f": {_value(fact)}, worked out by the rule")
    if is_stated(fact_value(fact), [reading_value(one.reading) for one in behind]):
        return (name, f": {_value(fact)}", *_when(fact), cited)
    return (name, f": {_value(fact)}, worked out by the rule from{cited}")


def _sources(traced: Trace, places: Mapping[_Source, int]) -> Iterator[Line]:
    """Each source once, with its address, and how many readings of it are behind the figures."""
    used = {place for figure in traced.figures for place in figure.readings}
    for (source, url), number in places.items():
        of_it = [traced.readings[place] for place in used if _origin(traced.readings[place]) == (source, url)]
        bare = sum(not one.origins for one in of_it)
        without = f", {phrases.several(bare, 'reading')} of it without a kept reply" if bare else ""
        yield (f"[{number}] ", Link(source, url), without)


def _came(traced: Trace) -> Iterator[Line]:
    """Each reply or file behind the figures once, the newest first."""
    used = dict.fromkeys(place for figure in traced.figures for place in figure.readings[-_READINGS:])
    found = [(behind, traced.readings[place].confirmed) for place in used for behind in traced.readings[place].origins]
    doubted = {behind.link for behind, confirmed in found if confirmed is False}
    every = {behind.record.body.sha256: behind for behind, _ in found}
    for behind in sorted(every.values(), key=lambda one: -one.link):
        yield ("• ", *_behind(behind, is_doubted=behind.link in doubted))


def _behind(behind: Origin, *, is_doubted: bool) -> Iterator[Span]:
    record = behind.record
    what = f"the file {record.name}, imported" if isinstance(record, ImportRecord) else f"{record.platform}'s reply"
    yield f"{what}, received "
    yield Moment(record.at)
    yield f", SHA-256 {record.body.sha256}, link {behind.link}"
    if is_doubted:
        yield " (it does not say this figure: ask for an audit)"
    elif behind.content is None:
        yield " (its time is over: the hash is kept, the reply is not)"


def _origin(traced: TracedReading) -> _Source:
    return traced.reading.source, traced.reading.url


def _chain(store: Store, traced: Trace) -> Line:
    links = {behind.link for reading in traced.readings for behind in reading.origins}
    if not links:
        return "Nothing of it is in the chain of evidence: the figures were stored before evidence was kept."
    stamp = store.evidence.first_stamp_from(max(links))
    if stamp is None:
        return "No authority has time-stamped it yet: until then, only this newsroom says when it existed."
    manifest = store.evidence.manifest(stamp.sequence)
    if manifest is None:
        return f"Link {stamp.sequence} of the chain is missing: ask for an audit."
    if stamp_fault(stamp, manifest.text):
        return f"The time-stamp of link {stamp.sequence} of the chain does not hold: ask for an audit."
    told = read_stamp(stamp)
    return (
        f"Time-stamped by an outside authority ({told.signer}) ",
        f"with link {stamp.sequence} ({sha256(manifest.text)}), at ",
        Moment(told.at),
    )


def _value(fact: Fact) -> str:
    if fact.unit == "share":
        return phrases.percent(fact.value, digits=2)
    return f"{phrases.count(fact.value)} {fact.unit}"


def _when(fact: Fact) -> tuple[Span, ...]:
    return () if fact.at is None else (", ", moment(fact.at, fact.dated))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("evidence",),
    usage=USAGE,
    summary="what an alert's figures rest on: the platforms' own replies, their hashes and time-stamps",
    permission=Permission.ANYONE,
    run=run,
    runs_long=True,
)
