"""Write alerts.csv: one row for each alert, in order."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from bot.text.countries import country_name
from handlers.contract import Names
from handlers.model import Alert
from handlers.wording.sentences import headline

COLUMNS = ("ts", "kind", "page", "rival", "value", "eta_lo", "eta_hi", "note")

_BY_SLUG = Names(page=lambda slug: slug, country=country_name)


@contextmanager
def alerts_file(path: Path) -> Iterator[Callable[[Alert], None]]:
    """Give a function that writes one alert. The file is replaced at the end of the block, and not after an error."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            yield lambda alert: writer.writerow(_row(alert))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def sentence_of(alert: Alert) -> str:
    """Return the alert in one sentence, with slugs as names."""
    return headline(alert, _BY_SLUG)


def _row(alert: Alert) -> tuple[str, ...]:
    return (
        _instant(alert.at),
        alert.kind,
        alert.page,
        alert.rival or "",
        _number(alert.facts[0].value),
        _eta(alert, "eta_low"),
        _eta(alert, "eta_high"),
        sentence_of(alert),
    )


def _eta(alert: Alert, name: str) -> str:
    at = next((fact.at for fact in alert.facts_named(name)), None)
    return "" if at is None or alert.kind != "closing_in" else _instant(at)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
