"""``likewatch backtest``: a history on disk in, alerts.csv out, and in words what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bot import words
from bot.backtest.alerts_file import alerts_file
from bot.backtest.comparing import Compared
from bot.backtest.history import History, Told
from bot.backtest.running import alerts_of
from bot.backtest.tables import HistoryRefused
from bot.errors import LikewatchError
from bot.thresholds import parse_threshold, tuned
from handlers.comparisons import all_comparisons
from handlers.decide import Arrivals

_EVERY = 256
"""Batches between two looks at how far it is."""


def backtest(
    folder: Path,
    out: Path,
    *,
    thresholds: Sequence[str] = (),
    keep_good: bool = False,
    advance: Callable[[int, int], None],
) -> Iterator[str]:
    """Write the alerts that the rules would have raised on a history, and say what there was.

    ``thresholds`` (``"surge>5x"``) set limits of rules, which then tell in place of the same rules by default; both
    are run and compared. ``advance`` is called now and then with the bytes read and the bytes there are.

    Raises:
        HistoryRefused: the folder is no history, or a row is bad (unless ``keep_good``); then nothing is written.
        LikewatchError: what was to be set is no threshold.

    """
    rules = all_comparisons()
    variants = tuned(rules, _limits(thresholds))
    compared = Compared(rules, variants)
    kinds: Counter[str] = Counter()
    with History(folder) as history:
        if history.faults.number and not keep_good:
            raise HistoryRefused(_refusal(history.faults))
        batches = _good(history, keep_good=keep_good, advance=advance)
        with alerts_file(out) as write:
            for alert in alerts_of(history.pages.values(), batches, (*rules, *variants)):
                if compared.is_wanted(alert):
                    write(alert)
                    kinds[alert.kind] += 1
            if history.faults.number and not keep_good:
                raise HistoryRefused(_refusal(history.faults))
        yield from _what_was_read(history)
    raised = words.several(kinds.total(), "alert")
    yield f"{raised} in {out}" + (f": {_by_kind(kinds)}." if kinds else ".")
    yield from compared.lines()


def _limits(thresholds: Sequence[str]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for text in thresholds:
        feature, limit = parse_threshold(text)
        if feature in limits:
            raise LikewatchError(f"{feature} is set twice. Set it once, and compare one run with the other.")
        limits[feature] = limit
    return limits


def _good(
    history: History, *, keep_good: bool, advance: Callable[[int, int], None]
) -> Iterator[tuple[datetime, Arrivals]]:
    """The batches; none after a fault that spoils it all, while the rest is read for further faults."""
    for number, batch in enumerate(history.batches()):
        if not number % _EVERY:
            advance(history.read, history.size)
        if keep_good or not history.faults.number:
            yield batch
    advance(history.size, history.size)


def _what_was_read(history: History) -> Iterator[str]:
    counts = words.several(history.counts, "count")
    lists = words.several(history.lists, "audience by country", "audiences by country")
    yield f"Read {counts} and {lists} of {words.several(len(history.pages), 'page')}."
    for told, what in (
        (history.gaps, "no number of likes, and taken as a gap"),
        (history.faults, "left out"),
    ):
        if told.number:
            yield f"{words.several(told.number, 'row')}: {what}"
            yield from _lines(told)


def _refusal(faults: Told) -> str:
    lines = [f"{words.several(faults.number, 'row')} of the history cannot be used:", *_lines(faults)]
    lines.append("Nothing was written. Mend the files, or leave such rows out with --keep-good.")
    return "\n".join(lines)


def _lines(told: Told) -> Iterator[str]:
    yield from (f"  {problem}" for problem in told.first)
    if told.number > len(told.first):
        yield f"  and {words.count(told.number - len(told.first))} more"


def _by_kind(kinds: Counter[str]) -> str:
    return words.listed([f"{words.count(number)} {kind}" for kind, number in sorted(kinds.items())])
