"""The rules side by side, with what we aim at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.labs.bench.report import Result, Verdict
from tests.labs.quality.measure import HELD_A_DAY, LAST_VALUES, OURS, Measured
from tests.labs.quality.score import Score, Tally

DOCUMENT = Path(__file__).parents[3] / "docs" / "alert-quality.md"
SIMULATED, CANDIDATES = "worlds", "candidates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What we aim at for one kind: at least this precision and recall, at most this median delay in hours."""

    precision: float
    recall: float
    delay: float | None = None

    def __str__(self) -> str:
        within = "" if self.delay is None else f", {self.delay:g} h"
        return f"{self.precision:.2f}/{self.recall:.2f}{within}"


TARGETS: Mapping[str, Target] = {
    "overtake": Target(precision=0.98, recall=0.97, delay=36),
    "new_foreign_share": Target(precision=0.99, recall=0.95, delay=72),
    "total_foreign_share": Target(precision=0.99, recall=0.95),
    "surge": Target(precision=0.98, recall=0.90, delay=12),
    "purge": Target(precision=0.98, recall=0.97, delay=24),
    "milestone": Target(precision=1.0, recall=1.0),
    "closing_in": Target(precision=0.88, recall=0.85),
}
WHOLE = Target(precision=0.99, recall=0.96)
_FALSE_A_YEAR = 0.04
_CARDS, _CARD_DELAY = 1.5, 3.0
_HELD_AT_LEAST, _HELD_AT_MOST = 0.75, 0.85


def added(measured: Sequence[Measured]) -> dict[str, Score]:
    """The scores of all worlds together, by rule."""
    whole: dict[str, Score] = {}
    for one in measured:
        for rule, score in one.scores.items():
            whole.setdefault(rule, Score()).add(score)
    return whole


def simulated(measured: Sequence[Measured], title: str) -> Result:
    """The table of the simulated worlds, with a verdict on each target of ours."""
    scores = added(measured)
    rules = [rule for rule in (LAST_VALUES, HELD_A_DAY, OURS) if rule in scores]
    best = scores[rules[-1]]
    rows = [("kind", *rules, "median delay, h", "told twice", "events", "target")]
    for kind, tally in [*best.kinds.items(), ("all", best.whole)]:
        cells = [_cell(_of(scores[rule], kind), scores[rule].page_years) for rule in rules]
        target = WHOLE if kind == "all" else TARGETS.get(kind, "")
        delay = "" if kind == "all" or tally.delay is None else f"{tally.delay:.0f}"
        rows.append((kind, *cells, delay, str(tally.duplicates), str(tally.required), str(target)))
    ahead = [one.ahead for one in measured if one.ahead is not None]
    return Result(
        name=SIMULATED,
        title=title,
        rows=rows,
        verdicts=_verdicts(best, ahead) if OURS in scores else [],
        notes=(
            "precision/recall/false alerts per page-year; delay, twice told and events are the last rule's",
            *(_intervals(rule, scores[rule]) for rule in rules),
        ),
    )


def _of(score: Score, kind: str) -> Tally:
    return score.whole if kind == "all" else score.kinds[kind]


def _cell(tally: Tally, page_years: float) -> str:
    return f"{share(tally.precision)}/{share(tally.recall)}/{tally.false / page_years:.3f}"


def share(value: float | None) -> str:
    """Two decimals, or a dash where nothing was told or due."""
    return "-" if value is None else f"{value:.2f}"


def _intervals(rule: str, score: Score) -> str:
    if not score.intervals:
        return f"{rule}: no forecast had an interval"
    held = sum(score.intervals) / len(score.intervals)
    return f"{rule}: {held:.0%} of {len(score.intervals)} forecasts' intervals held"


def _verdicts(ours: Score, ahead: Sequence[int]) -> list[Verdict]:
    verdicts = []
    for kind, target in [*TARGETS.items(), ("all", WHOLE)]:
        tally = _of(ours, kind)
        found = [("precision", tally.precision, target.precision), ("recall", tally.recall, target.recall)]
        verdicts += [at_least(f"{kind}, {name}", value, least) for name, value, least in found if value is not None]
        if target.delay is not None and tally.delay is not None:
            verdicts.append(at_most(f"{kind}, median delay", tally.delay, target.delay, " h"))
    whole = ours.whole
    verdicts += [
        at_most("false alerts per page-year", whole.false / ours.page_years, _FALSE_A_YEAR),
        at_most("told twice", whole.duplicates, 0),
    ]
    if ours.overtakes:
        verdicts.append(at_most("cards per true overtake", ours.cards / ours.overtakes, _CARDS))
        verdicts.append(Verdict(what="cards of a lead that was none", value=ours.false_cards, unit=""))
        verdicts.append(at_least("overtakes with a card", ours.carded / ours.overtakes, 0.97))
    if ours.card_delays:
        middle = sorted(ours.card_delays)[len(ours.card_delays) // 2]
        verdicts.append(at_most("card, median delay", middle, _CARD_DELAY, " h"))
    if ours.intervals:
        held = sum(ours.intervals) / len(ours.intervals)
        verdicts += [
            at_least("intervals that held", held, _HELD_AT_LEAST),
            at_most("intervals that held", 100 * held, 100 * _HELD_AT_MOST, "%"),
        ]
    if ahead:
        verdicts.append(at_most("alerts that knew the future", sum(ahead), 0))
    return verdicts


def at_least(what: str, value: float, target: float) -> Verdict:
    """A verdict on a share."""
    return Verdict(what=what, value=100 * value, target=100 * target, unit="%", at_least=True)


def at_most(what: str, value: float, target: float, unit: str = "") -> Verdict:
    """A verdict on a number of which less is better."""
    return Verdict(what=what, value=value, target=target, unit=unit)
