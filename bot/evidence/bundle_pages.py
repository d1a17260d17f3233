"""The texts of a bundle that people read: index.html, and INSTRUCTIONS.txt with commands to check it by hand.

Both are templates in ``templates``. They state only what the bundle's data state: a verification writes them again
and compares. The page loads nothing from outside, and prints well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bot.evidence.bundle_files import DATA, chain_name, digest_in
from bot.evidence.json_values import JsonValue, is_stated
from bot.text import phrases
from handlers.model import Dated

MARK = "    $ "
"""The start of every command line in INSTRUCTIONS.txt."""

_WHOLE = 1000  # from here on, fractions of a like mean nothing


def bundle_pages(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return both texts by their names, made of the data in the files of a bundle.

    Data that do not have the form of a bundle's raise what Python or Jinja2 raises.
    """
    alert, added, readings, chain = (json.loads(files[name]) for name in DATA)
    figures = [
        (fact, figure["readings"], _source(fact, [readings[place] for place in figure["readings"]]))
        for fact, figure in zip(alert["alert"]["facts"], added["figures"], strict=True)
    ]
    from_platform = {origin["what"] == "reply" for reading in readings for origin in reading["behind"]}
    stamped = {stamp["link"] for stamp in chain["stamps"]}
    records = {(origin["link"], digest_in(origin["record"])) for one in readings for origin in one["behind"]}
    if alert["record"]:
        records.add((alert["record"]["link"], alert["record"]["sha256"]))
    context = {
        "alert": alert,
        "added": added,
        "readings": readings,
        "chain": chain,
        "figures": figures,
        "records": sorted(records),
        "unstamped": ", ".join(f"{first} to {last}" for first, last in chain["segments"] if last not in stamped),
        "has_replies": True in from_platform,
        "has_imports": False in from_platform,
    }
    return {
        name: _TEMPLATES.get_template(f"{name}.jinja").render(context).encode()
        for name in ("index.html", "INSTRUCTIONS.txt")
    }


def _source(fact: JsonValue, readings: Sequence[JsonValue]) -> str:
    """Return who states a figure, or from whose readings the rule worked it out."""
    sources = phrases.listed(list(dict.fromkeys(reading["source"] for reading in readings)))
    if is_stated(fact, readings):
        return fact["source"] or sources
    return f"worked out by the rule from {sources}" if sources else "worked out by the rule"


def _amount(value: float | str, unit: str = "") -> str:
    """Return a number as people read it: a share in percent, and never as 4e-05."""
    if isinstance(value, str):
        return value
    if unit == "share":
        return phrases.percent(value, digits=2)
    if isinstance(value, int) or abs(value) >= _WHOLE:
        return phrases.count(value)
    return f"{Decimal(f'{value:.4g}'):f}"


def _when(text: str, dated: str = Dated.INSTANT) -> str:
    at, precision = datetime.fromisoformat(text), Dated(dated)
    if precision is not Dated.INSTANT:
        return phrases.dated(at, precision)
    return f"{phrases.day(at)}, {at:%H:%M:%S} UTC"


_TEMPLATES = Environment(
    loader=PackageLoader("bot.evidence"),
    autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"amount": _amount, "when": _when, "count": phrases.count}
_TEMPLATES.globals |= {"MARK": MARK, "chain_name": chain_name, "digest_in": digest_in}
