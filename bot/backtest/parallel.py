"""A history's work, shared between two processors.

Rules about pages together (the leads of a group, the falls of a platform) need every page's counts and are asked by
one process; rules about one page need that page alone, so the pages are dealt out between the two. Each keeps its
alerts in a file, in order; in the end they are put together. So nothing grows in memory as the history does.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.backtest.history import History, RowProblems
from bot.backtest.run import alerts_of, in_order
from bot.rules.thresholds import tuned
from handlers.comparisons import all_comparisons
from handlers.contract import Comparison, Scope, Trigger
from handlers.decide import Arrivals
from handlers.model import Alert

WORTH_SHARING = 10_000_000
"""Bytes of a history from which on a second process is worth its start of half a second."""

_OF_THE_FIRST = 4
"""One page in so many is left to the process that has the rules about pages together."""

_EVERY = 256
"""Batches between two looks at how far it is."""

OnProgress = Callable[[int, int], None]
"""Is told the bytes read so far, and the bytes there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPart:
    """The rules about one page for ``pages``, and, if ``together``, the rules about several pages.

    ``limits`` (feature -> limit) are those of the tuned rules that run beside the default ones. After a bad row there
    is nothing to decide any more, unless the good ones are kept (``keep_good``). ``alerts`` is the file to write.
    """

    folder: Path
    pages: frozenset[str]
    together: bool
    limits: tuple[tuple[str, float], ...]
    keep_good: bool
    alerts: Path

    def comparisons(self) -> tuple[Comparison[Any], ...]:
        """The rules that are asked here."""
        rules = all_comparisons()
        return tuple(
            replace(rule, only=self.pages) if rule.scope is Scope.PAGE else rule
            for rule in (*rules, *tuned(rules, dict(self.limits)))
            if self.together or rule.scope is Scope.PAGE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """What there was in a history: how many counts and pages, and what could not be used."""

    counts: int
    counts_by_country: int
    pages: int
    gaps: RowProblems
    faults: RowProblems


def split_work(
    folder: Path, history: History, *, limits: Mapping[str, float], keep_good: bool, into: Path
) -> tuple[WorkPart, ...]:
    """The work on a history: one share, or two where there are two processors and it is worth it."""
    slugs = sorted(history.pages)
    first = frozenset(slugs)
    if history.size >= WORTH_SHARING and len(slugs) > 1 and (os.cpu_count() or 1) > 1:
        first = frozenset(slugs[::_OF_THE_FIRST])
    parts = [first, frozenset(slugs) - first]
    return tuple(
        WorkPart(
            folder=folder,
            pages=part,
            together=not number,
            limits=tuple(limits.items()),
            keep_good=keep_good,
            alerts=into / f"alerts.{number}",
        )
        for number, part in enumerate(parts)
        if part or not number
    )


def run(shares: Sequence[WorkPart], advance: OnProgress) -> BacktestResult:
    """Do all shares, the first in this process, and tell what there was in the history."""
    with ExitStack() as stack:
        under_way = []
        if shares[1:]:
            context = multiprocessing.get_context("spawn")
            others = stack.enter_context(ProcessPoolExecutor(len(shares) - 1, mp_context=context))
            under_way = [others.submit(_do, share) for share in shares[1:]]
        found = _do(shares[0], advance)
        for one in under_way:
            one.result()
    return found


def merge_alerts(shares: Iterable[WorkPart]) -> Iterator[Alert]:
    """The alerts of all shares, in order."""
    return heapq.merge(*(_kept(share.alerts) for share in shares), key=in_order)


def _do(share: WorkPart, advance: OnProgress | None = None) -> BacktestResult:
    rules = share.comparisons()
    for_several = [rule for rule in rules if rule.scope is not Scope.PAGE]
    with History(
        share.folder,
        counts_of=None if for_several else share.pages,
        lists_of=None if any(rule.trigger is Trigger.AUDIENCE for rule in for_several) else share.pages,
    ) as history:
        batches = _good(history, keep_good=share.keep_good, advance=advance)
        with share.alerts.open("wb") as file:
            for alert in alerts_of(history.pages.values(), batches, rules):
                pickle.dump(alert, file)
        return BacktestResult(
            counts=history.counts,
            counts_by_country=history.counts_by_country,
            pages=len(history.pages),
            gaps=history.gaps,
            faults=history.faults,
        )


def _good(history: History, *, keep_good: bool, advance: OnProgress | None) -> Iterator[tuple[datetime, Arrivals]]:
    """The batches; none after a fault that spoils it all, while the rest is read for further faults."""
    for number, batch in enumerate(history.batches()):
        if advance is not None and not number % _EVERY:
            advance(history.read, history.size)
        if keep_good or not history.faults.number:
            yield batch


def _kept(path: Path) -> Iterator[Alert]:
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)  # noqa: S301 (a file that we wrote a minute ago, in a folder of our own)
            except EOFError:
                return
