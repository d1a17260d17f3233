"""Case 31: ties, pages that pass each other again and again, both moving at once."""

from __future__ import annotations

import csv
import random
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from tests.labs.faults.bots import LIKEWATCH
from tests.labs.faults.case import Case, Trial

HISTORIES, QUICK_HISTORIES = 40, 6
POLLS = 150
PAGES = ("alpha", "beta", "gamma", "delta")
KINDS = ("ahead", "overtake", "held_off")
START = datetime(2025, 3, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
SETTLES, HELD_OFF = 24 * HOUR, 72 * HOUR

Told = tuple[str, str, str]
"""An alert's instant, kind and page."""

Row = Mapping[str, int]


def _races(trial: Trial) -> None:
    """`likewatch backtest` on histories of close races tells exactly what a naive oracle tells of every pair."""
    kinds: Counter[str] = Counter()
    for number in range(QUICK_HISTORIES if trial.quick else HISTORIES):
        chance = random.Random(f"races {number}")
        polls = list(_polls(chance))
        with trial.folder() as folder:
            told = _backtest(folder, polls)
        expected = sorted(told_naively(polls))
        trial.expect(
            told == expected, f"history {number}: told {_beyond(told, expected)}, the oracle {_beyond(expected, told)}"
        )
        kinds.update(kind for _, kind, _ in expected)
        trial.tried += 1
    trial.note(f"{', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))} in all")


def _polls(chance: random.Random) -> Iterator[tuple[datetime, Row]]:
    """Counts within a few likes of each other: many ties, all pages move at once."""
    at = START
    counts = dict.fromkeys(PAGES, 5_000)
    spread = chance.choice((2, 8, 40))
    for _ in range(POLLS):
        at += chance.choice((1, 2, 7, 12)) * HOUR
        counts = {page: 5_000 + chance.randint(0, spread) for page in PAGES if chance.random() < 1}
        if chance.random() < 0.3:  # a quiet spell, in which leads can settle: all gain alike, so that none stands still
            for _ in range(chance.randint(3, 10)):
                yield at, counts
                at += 8 * HOUR
                counts = {page: count + 1 for page, count in counts.items()}
        yield at, counts


def told_naively(polls: Sequence[tuple[datetime, Row]]) -> Iterator[Told]:
    """What is to be told of each pair, from its definition and from nothing but who was ahead at each poll."""
    for one, other in combinations(PAGES, 2):
        leader, in_contest, front, since, times = "", False, "", START, 0
        for at, counts in polls:
            gap = counts[one] - counts[other]
            ahead = one if gap > 0 else other if gap < 0 else ""
            leader = leader or ahead
            if ahead != front:
                front, since, times = ahead, at, 0
            times += 1
            if ahead and ahead == leader and in_contest and at - since >= HELD_OFF:
                in_contest = False
                yield at.isoformat(), "held_off", ahead
            elif ahead and ahead != leader and in_contest and times >= 3 and at - since >= SETTLES:
                leader, in_contest, front = ahead, False, ""
                yield at.isoformat(), "overtake", ahead
            elif ahead and ahead != leader and not in_contest and times >= 2:
                in_contest = True
                yield at.isoformat(), "ahead", ahead


def _backtest(folder: Path, polls: Sequence[tuple[datetime, Row]]) -> list[Told]:
    history, out = folder / "history", folder / "alerts.csv"
    history.mkdir()
    _write(
        history / "pages.csv",
        ("page", "home", "group", "platform", "precision"),
        [(page, "", "race", "facebook", "exact") for page in PAGES],
    )
    _write(
        history / "totals.csv",
        ("ts", "page", "likes", "received_at"),
        [(at.isoformat(), page, str(counts[page]), at.isoformat()) for at, counts in polls for page in PAGES],
    )
    subprocess.run([LIKEWATCH[0], "backtest", history, "--out", out], check=True, capture_output=True)
    with out.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in KINDS]
    return sorted((datetime.fromisoformat(row["ts"]).isoformat(), row["kind"], row["page"]) for row in rows)


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _beyond(these: Sequence[Told], those: Sequence[Told]) -> list[Told]:
    return list((Counter(these) - Counter(those)).elements())[:3]


CASES = (
    Case(
        number="31",
        name="ties, A↔B again and again, both moved",
        expected="told exactly as a naive oracle over all pairs tells",
        run=_races,
    ),
)
