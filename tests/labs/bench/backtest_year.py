"""(e) A backtest of a year: hourly counts of 100 pages and their lists by country, in the documented format."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.labs.bench.report import Result, Verdict

PAGES, DAYS, QUICK_DAYS = 100, 360, 36
GROUP = 5
ROUNDS, QUICK_ROUNDS = 3, 1
START = datetime(2025, 1, 1, tzinfo=UTC)
HOME = "KH"
ABROAD = (
    *("US", "GB", "FR", "DE", "IN", "PH", "ID", "TH", "VN", "LA", "MM", "MY", "SG", "CN", "JP", "KR", "AU", "NZ"),
    *("CA", "BR", "MX", "AR", "CL", "CO", "PE", "ES", "PT", "IT", "NL", "BE", "CH", "AT", "SE", "NO", "DK", "FI"),
    *("PL", "CZ", "HU", "RO", "BG", "GR", "TR", "EG"),
)
"""With the home country 45, as many as Facebook lists (handlers/signals/shares.py)."""

_HOUR = 3600
_FLOOR = """
import csv, sys
from datetime import datetime
for name in sys.argv[1:]:
    with open(name, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            datetime.fromisoformat(row[0]), int(row[-2]), datetime.fromisoformat(row[-1])
"""
_PEAK = """
import os, resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(ended.returncode)
"""


def run(folder: Path, *, quick: bool) -> Result:
    days = QUICK_DAYS if quick else DAYS
    rows = {part: write_history(folder / str(part), days // part) for part in (2, 1)}
    seconds: dict[int, list[float]] = {2: [], 1: []}
    peaks: dict[int, list[float]] = {2: [], 1: []}
    floors: list[float] = []
    for _ in range(QUICK_ROUNDS if quick else ROUNDS):
        floors.append(_floor(folder / "1"))
        for part in (2, 1):
            took, peak = _backtest(folder / str(part))
            seconds[part].append(took)
            peaks[part].append(peak)
    took, floor, peak = min(seconds[1]), min(floors), max(peaks[1])
    return Result(
        name="e",
        title=f"A backtest of {days} days of {PAGES} pages, hourly, with daily lists of {len(ABROAD) + 1} countries",
        rows=[
            ("days", "rows", "floor, s", "backtest, s", "ratio", "rows/s", "peak, MB"),
            _row(days // 2, rows[2], None, min(seconds[2]), max(peaks[2])),
            _row(days, rows[1], floor, took, peak),
        ],
        verdicts=[
            Verdict(what="the backtest", value=took, target=60, unit=" s"),
            Verdict(what="peak memory, whole length / half of it", value=peak / max(peaks[2]), target=1.1),
            Verdict(what="backtest / floor", value=took / floor),
        ],
        notes=(
            f"best of {len(floors)}, floor and backtest in turn; rows are those of totals.csv and of countries.csv",
            "every reading has an instant of its own, so that each is a cycle; peak: the larger of the two processes",
        ),
    )


def write_history(folder: Path, days: int) -> int:
    """Write a history and return how many rows it has; pages grow, pass each other and at times surge."""
    folder.mkdir()
    chance = random.Random(2016)
    slugs = [f"page{number:03}" for number in range(PAGES)]
    with (folder / "pages.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("page", "home", "group", "platform", "precision"))
        for number, slug in enumerate(slugs):
            kind = ("facebook", "exact") if number % 2 else ("youtube", "sig3")
            table.writerow((slug, HOME, f"group{number // GROUP}", *kind))
    likes = [chance.uniform(10_000, 10_000_000) for _ in slugs]
    paces = [count * chance.uniform(0.0001, 0.002) / 24 for count in likes]
    phases = [chance.randrange(_HOUR - 400) for _ in slugs]
    rows = 0
    with (
        (folder / "totals.csv").open("w", encoding="utf-8") as totals,
        (folder / "countries.csv").open("w", encoding="utf-8") as countries,
    ):
        totals.write("ts,page,likes,received_at\n")
        countries.write("ts,page,country,likes,received_at\n")
        for hour in range(days * 24):
            for number, pace in enumerate(paces):
                likes[number] += pace * max(0.0, chance.gauss(1, 0.6)) * (1 if chance.random() < 0.9999 else 200)
            readings = sorted((phase + chance.randrange(300), number) for number, phase in enumerate(phases))
            for second, number in readings:
                at = hour * _HOUR + second
                totals.write(f"{_text(at)},{slugs[number]},{_seen(likes[number], number)},{_text(at + 5)}\n")
            rows += len(readings)
            if hour % 24 == 12:
                lists = sorted((chance.randrange(_HOUR), number) for number in range(PAGES))
                for second, number in lists:
                    ends = f"{_text(hour * _HOUR + second)}\n"
                    listed = _listed(likes[number], day=hour // 24, number=number)
                    countries.writelines(
                        f"{_text((hour - 12) * _HOUR)},{slugs[number]},{country},{count},{ends}"
                        for country, count in listed
                    )
                    rows += len(listed)
    return rows


def _seen(likes: float, number: int) -> int:
    count = int(likes)
    step = 1 if number % 2 else 10 ** (len(str(count)) - 3)
    return count // step * step


def _listed(likes: float, *, day: int, number: int) -> Sequence[tuple[str, int]]:
    """The home country has 40 to 80% and changes slowly; what is left is shared out, ever less to each."""
    at_home = 0.6 + 0.2 * ((number % 7) / 3 - 1) * (1 - day / 2000)
    weights = _weights()
    return [
        (HOME, int(likes * at_home)),
        *zip(ABROAD, (int(likes * (0.95 - at_home) * w) for w in weights), strict=True),
    ]


@cache
def _weights() -> Sequence[float]:
    shares = [1 / (place + 1) for place in range(len(ABROAD))]
    return [share / sum(shares) for share in shares]


def _text(seconds: int) -> str:
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _row(days: int, rows: int, floor: float | None, took: float, peak: float) -> tuple[str, ...]:
    return (
        str(days),
        f"{rows:,}",
        "" if floor is None else f"{floor:.2f}",
        f"{took:.1f}",
        "" if floor is None else f"{took / floor:.1f}",
        f"{rows / took:,.0f}",
        f"{peak:.0f}",
    )


def _floor(folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FLOOR, folder / "totals.csv", folder / "countries.csv"], check=True)
    return time.perf_counter() - start


def _backtest(folder: Path) -> tuple[float, float]:
    """Seconds, and the peak in MB of the largest of its processes."""
    start = time.perf_counter()
    likewatch = Path(sys.executable).with_name("likewatch")
    command: list[str | Path] = [likewatch, "backtest", folder, "--out", folder / "alerts.csv"]
    ended = subprocess.run([sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, text=True)
    return time.perf_counter() - start, int(ended.stdout) * 1024 / 1e6
