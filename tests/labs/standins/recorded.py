"""Histories as a newsroom would have recorded them, in the documented format; everything drawn from one seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

START = datetime(2025, 3, 3, tzinfo=UTC)
PAGES = (
    ("hunsen", "KH", "cambodia;asean", "facebook", "exact"),
    ("samrainsy", "KH", "cambodia", "facebook", "exact"),
    ("prayut", "TH", "asean", "youtube", "sig3"),
    ("duterte", "", "", "facebook", ""),
)
_DAYS, _EVERY = 40, 3
_ABROAD = ("IN", "PH", "TH", "US")


class Count(NamedTuple):
    """A row of totals.csv; it sorts as it is processed."""

    received_at: datetime
    ts: datetime
    page: str
    likes: str


class Listed(NamedTuple):
    """A row of countries.csv."""

    received_at: datetime
    ts: datetime
    page: str
    country: str
    likes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A history: ``counts`` and ``listed`` by when they could be known."""

    pages: Sequence[tuple[str, str, str, str, str]] = PAGES
    counts: Sequence[Count] = ()
    listed: Sequence[Listed] = ()

    def until(self, instant: datetime) -> Recorded:
        """What could be known by then."""
        return Recorded(
            pages=self.pages,
            counts=[row for row in self.counts if row.received_at <= instant],
            listed=[row for row in self.listed if row.received_at <= instant],
        )

    def later(self, by: timedelta) -> Recorded:
        """The same at another time."""
        return Recorded(
            pages=self.pages,
            counts=[row._replace(received_at=row.received_at + by, ts=row.ts + by) for row in self.counts],
            listed=[row._replace(received_at=row.received_at + by, ts=row.ts + by) for row in self.listed],
        )

    def write(self, folder: Path) -> Path:
        """As files; the folder, for the next call."""
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "pages.csv", ("page", "home", "group", "platform", "precision"), self.pages)
        _write(
            folder / "totals.csv",
            ("ts", "page", "likes", "received_at"),
            ((_text(row.ts), row.page, row.likes, _text(row.received_at)) for row in self.counts),
        )
        _write(
            folder / "countries.csv",
            ("ts", "page", "country", "likes", "received_at"),
            ((_text(row.ts), row.page, row.country, row.likes, _text(row.received_at)) for row in self.listed),
        )
        return folder


def recorded(seed: int) -> Recorded:
    """Four pages over 40 days: they pass each other, surge and fall; counts come late, twice, as zero, as no number."""
    chance = random.Random(f"recorded {seed}")
    counts: list[Count] = []
    listed: list[Listed] = []
    for slug, home, _, _, precision in PAGES:
        likes = dict(_likes(chance))
        counts += _counts(slug, likes, precision == "sig3", chance)
        if home:
            listed += _lists(slug, home, likes, chance)
    return Recorded(counts=sorted(counts), listed=sorted(listed))


def _likes(chance: random.Random) -> Iterator[tuple[int, float]]:
    """The true count every three hours."""
    level, pace = chance.uniform(99_000, 101_000), chance.uniform(150, 400)
    surge, fall = (chance.randrange(30, _DAYS) * 24 for _ in range(2))
    for hour in range(0, _DAYS * 24, _EVERY):
        level += pace / 24 * _EVERY * chance.uniform(0, 2) * (12 if surge <= hour < surge + 36 else 1)
        if fall <= hour < fall + 6:
            level *= 0.985
        yield hour, level


def _counts(slug: str, likes: dict[int, float], is_rounded: bool, chance: random.Random) -> Iterator[Count]:
    phase = chance.randrange(1500)
    for hour, level in likes.items():
        ts = START + timedelta(hours=hour, seconds=phase + chance.randrange(600))
        seen = int(level) // 1000 * 1000 if is_rounded else int(level)
        fate = chance.random()
        odd = chance.choice(("0", "", "nan", "-5", str(seen * 10), str(seen // 2)))
        received_at = ts + timedelta(seconds=chance.randrange(30))
        if fate < 0.01:
            received_at += timedelta(hours=chance.randrange(1, 40))
        row = Count(received_at, ts, slug, odd if 0.01 <= fate < 0.03 else str(seen))
        yield row
        if fate > 0.98:
            yield row._replace(received_at=row.received_at + timedelta(minutes=chance.choice((0, 90))))


def _lists(slug: str, home: str, likes: dict[int, float], chance: random.Random) -> Iterator[Listed]:
    share, turn = chance.uniform(0.55, 0.75), chance.randrange(28, 36)
    countries = [country for country in _ABROAD if country != home]
    at_home, abroad, before = likes[0] * share, likes[0] * (0.95 - share), likes[0]
    for day in range(_DAYS):
        came, before = max(likes[day * 24] - before, 0), likes[day * 24]
        part = share if day < turn else 0.1
        at_home, abroad = at_home + came * part, abroad + came * (0.97 - part)
        ts = START + timedelta(days=day)
        received_at = ts + timedelta(hours=chance.randrange(1, 48), seconds=chance.randrange(3600))
        if chance.random() > 0.03:
            yield Listed(received_at, ts, slug, home, str(int(at_home)))
        for number, country in enumerate(countries):
            yield Listed(received_at, ts, slug, country, str(int(abroad * (0.5, 0.3, 0.15, 0.05)[number])))


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
