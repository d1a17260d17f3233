"""The page of a bundle that a lawyer reads: no outside resources, and it prints well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

from bot.evidence.attribution import has_imports, has_replies, is_stated
from bot.text import phrases
from handlers.model import Dated

_STYLE = """
body { font: 16px/1.5 Georgia, serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #999; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #ccc; }
th { background: #f2f2f2; } td.n { text-align: right; white-space: nowrap; }
code { font: .75rem/1.3 monospace; overflow-wrap: anywhere; } .note { color: #444; }
tr { break-inside: avoid; } thead { display: table-header-group; } h2 { break-after: avoid; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } a { color: inherit; text-decoration: none; } }
"""


_WHOLE = 1000  # from here on, fractions of a like mean nothing


def page(
    alert: Mapping[str, Any],
    added: Mapping[str, Any],
    readings: Sequence[Mapping[str, Any]],
    chain: Mapping[str, Any],
) -> str:
    """The text of index.html."""
    said = alert["wording"]
    body = [
        f"<h1>{escape(said['headline'])}</h1>",
        *(f"<p>{escape(line)}</p>" for line in said["lines"]),
        *_raised(alert, added),
        "<h2>The figures</h2>",
        *_figures(alert, added, readings),
        "<h2>The rule</h2>",
        *_rule(alert["alert"]),
        "<h2>The readings behind the figures</h2>",
        *_readings(readings),
        "<h2>When it existed at the latest</h2>",
        *_stamps(chain),
        "<h2>What this shows, and what it does not</h2>",
        *_meaning(readings),
    ]
    title = f"Evidence {alert['reference']}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _raised(alert: Mapping[str, Any], added: Mapping[str, Any]) -> Iterator[str]:
    told = alert["alert"]
    how = "Found in imported history, and never posted." if added["past"] else ""
    if added["replayed"]:
        how = "Replayed from published figures, and dated then: nothing was posted at that time."
    yield (
        f"<p>Alert <code>{alert['reference']}</code> ({escape(told['kind'])}), of {_when(told['at'], told['dated'])}; "
        f"stored {_when(added['recorded_at'])}. {how}</p>"
    )
    pages = added["pages"]
    for slug, known in pages.items():
        url = f", {escape(known['url'])}" if known["url"] else ""
        yield f"<p>“{escape(slug)}” is {escape(known['name'])} on {escape(known['platform'])}{url}.</p>"


def _figures(
    alert: Mapping[str, Any], added: Mapping[str, Any], readings: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    rows = []
    for fact, figure in zip(alert["alert"]["facts"], added["figures"], strict=True):
        behind = ", ".join(f'<a href="#reading-{place + 1}">{place + 1}</a>' for place in figure["readings"])
        rows.append(
            (
                f"{escape(fact['name'].replace('_', ' '))}{_of(fact['about'])}",
                _value(fact),
                _when(fact["at"], fact["dated"]) if fact["at"] else "",
                escape(_source(fact, [readings[place] for place in figure["readings"]])),
                behind or "none of a time of its own",
            )
        )
    yield from _table(("figure", "value", "for", "source", "readings"), rows, numbers={1})
    if added["drawn"]:
        drawn = ", ".join(f'<a href="#reading-{place + 1}">{place + 1}</a>' for place in added["drawn"])
        yield f"<p class=note>The chart of the alert's card draws readings {drawn}.</p>"


def _source(fact: Mapping[str, Any], readings: Sequence[Mapping[str, Any]]) -> str:
    """Who says so; of what no source says, what the rule worked it out from."""
    sources = tuple(dict.fromkeys(reading["source"] for reading in readings))
    if is_stated(fact, readings):
        return fact["source"] or phrases.listed(sources)
    return f"worked out by the rule from {phrases.listed(sources)}" if sources else "worked out by the rule"


def _rule(alert: Mapping[str, Any]) -> Iterator[str]:
    yield f"<p>{escape(alert['rule'])}</p>"
    rows = [
        (escape(parameter["name"]), f"{_plain(parameter['value'])} {escape(parameter['unit'])}")
        for parameter in alert["parameters"]
    ]
    if rows:
        yield from _table(("setting of the rule", "then"), rows, numbers=set())


def _readings(readings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = []
    for number, reading in enumerate(readings, start=1):
        at = reading.get("observed_at") or reading["as_of"]
        count = f"{phrases.count(reading['count'])} {reading['metric']}" if reading["kind"] == "count" else "by country"
        files = [_file(behind) for behind in reading["behind"]]
        if note := reading.get("note"):
            files.append(f"<span class=note>{escape(note)}</span>")
        rows.append(
            (
                f'<span id="reading-{number}">{number}</span>',
                escape(reading["page"]),
                _when(at, reading["dated"]),
                count,
                escape(reading["source"]),
                "<br>".join(files),
            )
        )
    yield from _table(("", "page", "for", "count", "source", "what came, and its SHA-256"), rows, numbers={3})


def _file(behind: Mapping[str, Any]) -> str:
    what = escape(behind["what"])
    if behind["reply"]:
        what = f'<a href="{escape(behind["reply"])}">{what}</a>'
    record = f'<a href="{escape(behind["record"])}">record</a> in link {behind["link"]}'
    return f"{what} <code>{behind['reply_sha256']}</code> ({record})"


def _stamps(chain: Mapping[str, Any]) -> Iterator[str]:
    stamped = {stamp["link"] for stamp in chain["stamps"]}
    rows = [
        (
            str(stamp["link"]),
            _when(stamp["at"]),
            escape(stamp["signer"]),
            f"{escape(stamp['root_name'])}<br><code>{stamp['root_sha256']}</code>",
        )
        for stamp in chain["stamps"]
    ]
    if rows:
        yield "<p>Authorities outside the newsroom signed that these links of the chain existed at these instants:</p>"
        yield from _table(("link", "stamped", "by", "under the root, and its SHA-256"), rows, numbers=set())
    bare = [f"{first} to {last}" for first, last in chain["segments"] if last not in stamped]
    if bare:
        which = ", ".join(bare)
        yield f"<p>No authority has stamped links {which}: only the newsroom says when they existed.</p>"
    if not chain["segments"]:
        yield "<p>Nothing of this alert is in the chain of evidence, so nothing here says when it existed.</p>"


def _meaning(readings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if has_replies(readings):
        yield (
            "<p>It shows what the platform's own interface answered, byte for byte, as the newsroom's machine recorded "
            "it, and how the alert's figures follow from that.</p>"
        )
    if has_imports(readings):
        yield (
            "<p>Of imported figures it shows the file that somebody in the newsroom imported, byte for byte, and how "
            "the alert's figures follow from it. Who a figure's source is, the file says: what that source published "
            "is to be looked up there.</p>"
        )
    if not has_replies(readings) and not has_imports(readings):
        yield (
            "<p>Neither a platform's reply nor an imported file is kept of these figures: it shows what the newsroom's "
            "machine had stored, and the sources it named. What they published is to be looked up there.</p>"
        )
    else:
        yield (
            "<p>Each record names the SHA-256 of what came, each link of the chain names its records and the link "
            "before it, and a time-stamp shows that a link, with all before it, existed at an instant and has not been "
            "changed since.</p>"
        )
    whose = "the platform's number" if has_replies(readings) else "a published number"
    yield (
        f"<p>It does not show that {whose} was true, nor why it changed. What is not time-stamped could have been "
        "written anew, as a whole, by whoever held the machine.</p>"
    )
    yield "<p><a href=INSTRUCTIONS.txt>INSTRUCTIONS.txt</a> says how to check all of it by hand.</p>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: set[int]) -> Iterator[str]:
    yield f"<table><thead><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr></thead><tbody>"
    for row in rows:
        cells = (f"<td{' class=n' if place in numbers else ''}>{cell}</td>" for place, cell in enumerate(row))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _of(about: str) -> str:
    return f" ({escape(about)})" if about else ""


def _value(fact: Mapping[str, Any]) -> str:
    def told(value: float | str) -> str:
        if fact["unit"] == "share" and not isinstance(value, str):
            return phrases.percent(value, digits=2)
        return _plain(value)

    unit = "" if fact["unit"] == "share" else f" {escape(fact['unit'])}"
    bounds = ""
    if fact["low"] is not None and fact["high"] is not None and fact["low"] != fact["high"]:
        bounds = f"<br><span class=note>{told(fact['low'])} to {told(fact['high'])}</span>"
    return f"{told(fact['value'])}{unit}{bounds}"


def _plain(value: float | str) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, int) or abs(value) >= _WHOLE:
        return phrases.count(value)
    return f"{Decimal(f'{value:.4g}'):f}"  # never as 4e-05


def _when(text: str, dated: str = Dated.INSTANT) -> str:
    at, precision = datetime.fromisoformat(text), Dated(dated)
    if precision is not Dated.INSTANT:
        return phrases.dated(at, precision)
    return f"{phrases.day(at)}, {at:%H:%M:%S} UTC"
