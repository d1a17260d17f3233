"""Real series: follower counts of candidates of 2020, read from beside the checkout (MIT, not copied)."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median

from tests.labs.bench.report import Result, Verdict, percentile
from tests.labs.quality.backtest import CHECKOUT, backtest
from tests.labs.quality.events import Duty, Event
from tests.labs.quality.judge import Judgement, judge
from tests.labs.quality.judge import Verdict as Found
from tests.labs.quality.measure import HELD_A_DAY, LAST_VALUES, OURS
from tests.labs.quality.naive import AT_ONCE, HELD, naive_alerts
from tests.labs.quality.rows import Listed, Row, Told, read_pages, read_rows, write_history
from tests.labs.quality.score import Tally, tallies
from tests.labs.quality.table import CANDIDATES, TARGETS, at_least, at_most, share
from tests.labs.quality.true_leads import Pair, overtakes
from tests.labs.quality.values import DAY, HOUR, HOURS_A_DAY, START

COUNTS = CHECKOUT.parent / "shared" / "data" / "candidates-2020" / "counts.csv"
_OFTEN_READ = 600
_EARLY = timedelta(hours=36)
_SLOW = 10 * HOURS_A_DAY
_LATE_AT_MOST = 4
"""The study's prototype had five."""

Counts = Mapping[str, Sequence[tuple[datetime, int]]]


def read_counts(path: Path) -> Counts:
    """Every candidate's counts, oldest first."""
    counts = defaultdict[str, list[tuple[datetime, int]]](list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counts[row["page"]].append((datetime.fromisoformat(row["observed_at"]), int(row["likes"])))
    return {page: sorted(series) for page, series in counts.items()}


def write_candidates(counts: Counts, folder: Path) -> None:
    """The counts as a history: one group, known at once."""
    pages = [Listed(page=page, home="US", group="candidates", platform="twitter", precision="exact") for page in counts]
    rows = []
    for page, series in counts.items():
        for at, likes in series:
            seconds = int((at - START).total_seconds())
            rows.append(Row(seconds, False, seconds, page, "", likes))
    write_history(folder, pages, sorted(rows))


def true_leads(counts: Counts) -> list[Event]:
    """Overtakes by daily values (the median of a day's counts, in between as the crow flies), to the hour.

    A day's value is not told to the hour, so that an alert may be up to 36 hours earlier than the crossing. Where one
    of the two was not read again while it was news, nobody could know of it: telling of it is right, and not owed.
    """
    hourly = {page: _hourly(series) for page, series in counts.items()}
    events: list[Event] = []
    for one, other in combinations(sorted(hourly), 2):
        mine, theirs = hourly[one], hourly[other]
        starts, ends = max(mine[0], theirs[0]), min(_end(mine), _end(theirs))
        hours = int((ends - starts) / HOUR) + 1
        if hours > 1:
            lead = [a - b for a, b in zip(_part(mine, starts, hours), _part(theirs, starts, hours), strict=True)]
            found = overtakes(Pair(first=one, second=other, start=starts, lead=lead), early=_EARLY)
            events += [event if _was_read(event, counts) else _not_owed(event) for event in found]
    return events


def _was_read(event: Event, counts: Counts) -> bool:
    return all(any(event.met <= at <= event.closes for at, _ in counts[page]) for page in (event.page, event.rival))


def _not_owed(event: Event) -> Event:
    return replace(event, duty=Duty.WELCOME) if event.duty is Duty.REQUIRED else event


def _hourly(series: Sequence[tuple[datetime, int]]) -> tuple[datetime, list[float]]:
    """From noon of the first day."""
    days = defaultdict[datetime, list[int]](list)
    for at, likes in series:
        days[at.replace(hour=12, minute=0, second=0, microsecond=0)].append(likes)
    daily = [(day, float(median(likes))) for day, likes in sorted(days.items())]
    hourly = [daily[0][1]]
    for (day, before), (following, after) in pairwise(daily):
        hours = int((following - day) / HOUR)
        hourly += [before + (after - before) * (hour + 1) / hours for hour in range(hours)]
    return daily[0][0], hourly


def _end(hourly: tuple[datetime, list[float]]) -> datetime:
    return hourly[0] + (len(hourly[1]) - 1) * HOUR


def _part(hourly: tuple[datetime, list[float]], starts: datetime, hours: int) -> list[float]:
    first = int((starts - hourly[0]) / HOUR)
    return hourly[1][first : first + hours]


def candidates(path: Path, folder: Path, rules: Iterable[str]) -> Result:
    """Overtakes told of the candidates, of all and of those that were read often."""
    counts = read_counts(path)
    write_candidates(counts, folder)
    events = true_leads(counts)
    often = {page for page, series in counts.items() if len(series) >= _OFTEN_READ}
    columns = ("rule", "pages", "told", "right", "neither", "false", "told twice", "precision", "recall")
    rows: list[tuple[str, ...]] = [(*columns, "median delay, h", "p90, h", "over 10 days")]
    verdicts: list[Verdict] = []
    for rule in rules:
        told = [one for one in _tell(rule, folder) if one.kind == "overtake"]
        rows += [_row(rule, told, events, pages) for pages in (often, set(counts))]
        verdicts += _verdicts(_tally(told, events, often)[1]) if rule == OURS else []
    years = sum((series[-1][0] - series[0][0]) / DAY for series in counts.values()) / 365.25
    return Result(
        name=CANDIDATES,
        title=f"Overtakes among {len(counts)} candidates of 2020, {years:.0f} page-years",
        rows=rows,
        verdicts=verdicts,
        notes=(f"often read: the {len(often)} pages with {_OFTEN_READ} readings or more",),
    )


def _tell(rule: str, folder: Path) -> list[Told]:
    if rule == OURS:
        return backtest(folder, folder / "alerts.csv")
    hold = {LAST_VALUES: AT_ONCE, HELD_A_DAY: HELD}[rule]
    return [*naive_alerts(read_pages(folder), read_rows(folder), hold=hold)]


def _tally(told: Sequence[Told], events: Sequence[Event], pages: set[str]) -> tuple[Judgement, Tally]:
    told = [one for one in told if {one.page, one.rival} <= pages]
    events = [one for one in events if {one.page, one.rival} <= pages]
    judgement = judge(told, events, {})
    return judgement, tallies(judgement, events)["overtake"]


def _verdicts(tally: Tally) -> Iterator[Verdict]:
    """By the overtake's targets; of the delays only how many are very long, since the readings are days apart."""
    target = TARGETS["overtake"]
    yield at_least("often read, precision", tally.precision or 0.0, target.precision)
    yield at_least("often read, recall", tally.recall or 0.0, target.recall)
    yield at_most("often read, over 10 days late", _late(tally), _LATE_AT_MOST)


def _late(tally: Tally) -> int:
    return sum(delay > _SLOW for delay in tally.delays)


def _row(rule: str, told: Sequence[Told], events: Sequence[Event], pages: set[str]) -> tuple[str, ...]:
    judgement, tally = _tally(told, events, pages)
    several = len(tally.delays) > 1
    return (
        rule,
        f"{len(pages)}, {tally.required} true",
        str(len(judgement.judged)),
        str(sum(one.verdict is Found.RIGHT for one in judgement.judged)),
        str(tally.neither),
        str(tally.false),
        str(tally.duplicates),
        share(tally.precision),
        share(tally.recall),
        f"{tally.delay:.0f}" if tally.delay is not None else "-",
        f"{percentile(tally.delays, 90):.0f}" if several else "-",
        str(_late(tally)),
    )
