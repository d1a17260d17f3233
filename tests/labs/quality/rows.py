"""Histories in the documented folder format: pages.csv, totals.csv, countries.csv, and the alerts.csv made of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tests.labs.quality.values import START

PAGE_COLUMNS = ("page", "home", "group", "platform", "precision")
TOTAL_COLUMNS = ("ts", "page", "likes", "received_at")
COUNTRY_COLUMNS = ("ts", "page", "country", "likes", "received_at")
ALERT_COLUMNS = ("ts", "kind", "page", "rival", "value", "eta_lo", "eta_hi", "note")


class Row(NamedTuple):
    """One figure; rows sort as they are processed. Instants are seconds since ``START``; totals have no country."""

    received: int
    is_country: bool
    ts: int
    page: str
    country: str
    likes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page as pages.csv describes it."""

    page: str
    home: str
    group: str
    platform: str
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert as alerts.csv tells it."""

    at: datetime
    kind: str
    page: str
    rival: str = ""
    value: float | None = None
    eta_lo: datetime | None = None
    eta_hi: datetime | None = None
    note: str = ""


@lru_cache(maxsize=4096)
def stamp(seconds: int) -> str:
    """So many seconds after ``START``, in ISO 8601."""
    return (START + timedelta(seconds=seconds)).isoformat()[:19] + "Z"


def write_history(folder: Path, pages: Sequence[Listed], rows: Iterable[Row]) -> None:
    """Write a history; ``rows`` in the order in which they could be known."""
    listed = ((one.page, one.home, one.group, one.platform, one.precision) for one in pages)
    _write(folder / "pages.csv", PAGE_COLUMNS, listed)
    with (
        (folder / "totals.csv").open("w", encoding="utf-8", newline="") as totals,
        (folder / "countries.csv").open("w", encoding="utf-8", newline="") as countries,
    ):
        totals.write(",".join(TOTAL_COLUMNS) + "\n")
        countries.write(",".join(COUNTRY_COLUMNS) + "\n")
        for row in rows:
            if row.is_country:
                countries.write(f"{stamp(row.ts)},{row.page},{row.country},{row.likes},{stamp(row.received)}\n")
            else:
                totals.write(f"{stamp(row.ts)},{row.page},{row.likes},{stamp(row.received)}\n")


def read_pages(folder: Path) -> list[Listed]:
    return [Listed(**row) for row in _read(folder / "pages.csv")]


def read_rows(folder: Path) -> Iterator[Row]:
    """Every row of a history in the order in which it could be known: totals before countries, then ts, then page."""
    totals = [
        Row(_seconds(row["received_at"]), False, _seconds(row["ts"]), row["page"], "", int(row["likes"]))
        for row in _read(folder / "totals.csv")
    ]
    countries = [
        Row(_seconds(row["received_at"]), True, _seconds(row["ts"]), row["page"], row["country"], int(row["likes"]))
        for row in _read(folder / "countries.csv")
    ]
    yield from sorted(totals + countries)


def cut_history(folder: Path, shorter: Path, until: datetime) -> None:
    """Copy what could be known until an instant."""
    last = f"{until:%Y-%m-%dT%H:%M:%SZ}"
    (shorter / "pages.csv").write_bytes((folder / "pages.csv").read_bytes())
    for name in ("totals.csv", "countries.csv"):
        with (folder / name).open(encoding="utf-8") as whole, (shorter / name).open("w", encoding="utf-8") as part:
            part.write(next(whole))
            part.writelines(line for line in whole if line.rstrip().rpartition(",")[2] <= last)


def write_alerts(path: Path, alerts: Iterable[Told]) -> None:
    _write(
        path,
        ALERT_COLUMNS,
        (
            (
                _text(one.at),
                one.kind,
                one.page,
                one.rival,
                "" if one.value is None else f"{one.value:g}" if abs(one.value) < 1 else f"{one.value:.3f}",
                _text(one.eta_lo),
                _text(one.eta_hi),
                one.note,
            )
            for one in alerts
        ),
    )


def read_alerts(path: Path) -> list[Told]:
    """Alerts, oldest first.

    Raises:
        ValueError: a column is missing, or a figure or an instant is not one.

    """
    told = []
    for row in _read(path):
        if missing := set(ALERT_COLUMNS) - set(row):
            raise ValueError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
        told.append(
            Told(
                at=datetime.fromisoformat(row["ts"]),
                kind=row["kind"],
                page=row["page"],
                rival=row["rival"],
                value=float(row["value"]) if row["value"] else None,
                eta_lo=datetime.fromisoformat(row["eta_lo"]) if row["eta_lo"] else None,
                eta_hi=datetime.fromisoformat(row["eta_hi"]) if row["eta_hi"] else None,
                note=row["note"],
            )
        )
    return sorted(told, key=lambda one: one.at)


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _seconds(text: str) -> int:
    return int((datetime.fromisoformat(text) - START).total_seconds())


def _read(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
