"""Split the work of a backtest between two processes.

Rules about several pages, such as the leads of a group, need the counts of every page, so one process runs them all.
Rules about one page need that page alone, so the pages are split between the two processes. Each process
writes its alerts to a file, in order, and the files are merged at the end. Memory does not grow with the history.
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

from bot.backtest.history import History
from bot.backtest.run import alerts_of, in_order
from bot.rules.thresholds import tuned
from handlers.contract import Comparison, Scope, Trigger
from handlers.decide import Arrivals
from handlers.discovery import all_comparisons
from handlers.model import Alert

WORTH_SHARING = 10_000_000
"""Bytes of a history from which on a second process is worth its start of half a second."""

_OF_THE_FIRST = 4
"""The process with the rules about several pages gets one page of so many."""

_PROGRESS_EVERY = 256
"""Batches between two reports of progress."""

OnProgress = Callable[[int, int], None]
"""A function that takes the number of bytes read until now, and the number of bytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPart:
    """The work of one process: the rules about one page for ``pages``, and, if ``together``, about several pages.

    - ``limits``: feature and limit of the tuned rules, which run beside the default rules.
    - ``keep_good``: whether the rules go on after a bad row.
    - ``alerts``: the file to write.
    """

    folder: Path
    pages: frozenset[str]
    together: bool
    limits: tuple[tuple[str, float], ...]
    keep_good: bool
    alerts: Path

    def comparisons(self) -> tuple[Comparison[Any], ...]:
        """Return the rules of this part."""
        rules = all_comparisons()
        return tuple(
            replace(rule, only=self.pages) if rule.scope is Scope.PAGE else rule
            for rule in (*rules, *tuned(rules, dict(self.limits)))
            if self.together or rule.scope is Scope.PAGE
        )


def split_work(
    folder: Path, history: History, *, limits: Mapping[str, float], keep_good: bool, into: Path
) -> tuple[WorkPart, ...]:
    """Return one part, or two if the history is large. ``into`` is the folder for their alerts."""
    slugs = sorted(history.pages)
    first = frozenset(slugs)
    if history.size >= WORTH_SHARING and len(slugs) > 1 and (os.cpu_count() or 1) > 1:
        first = frozenset(slugs[::_OF_THE_FIRST])
    return tuple(
        WorkPart(
            folder=folder,
            pages=pages,
            together=not number,
            limits=tuple(limits.items()),
            keep_good=keep_good,
            alerts=into / f"alerts.{number}",
        )
        for number, pages in enumerate((first, frozenset(slugs) - first))
        if pages or not number
    )


def run(parts: Sequence[WorkPart], on_progress: OnProgress) -> History:
    """Do all parts, the first one in this process. Return the history, closed, with the numbers of its rows."""
    with ExitStack() as stack:
        under_way = []
        if parts[1:]:
            context = multiprocessing.get_context("spawn")
            others = stack.enter_context(ProcessPoolExecutor(len(parts) - 1, mp_context=context))
            under_way = [others.submit(_work_elsewhere, part) for part in parts[1:]]
        history = _work(parts[0], on_progress)
        for other in under_way:
            other.result()
    return history


def merge_alerts(parts: Iterable[WorkPart]) -> Iterator[Alert]:
    """Yield the alerts of all parts, in order."""
    return heapq.merge(*(_written(part.alerts) for part in parts), key=in_order)


def _work_elsewhere(part: WorkPart) -> None:
    _work(part)  # a history cannot travel between processes


def _work(part: WorkPart, on_progress: OnProgress = lambda _read, _size: None) -> History:
    rules = part.comparisons()
    for_several = [rule for rule in rules if rule.scope is not Scope.PAGE]
    with History(
        part.folder,
        counts_of=None if for_several else part.pages,
        lists_of=None if any(rule.trigger is Trigger.AUDIENCE for rule in for_several) else part.pages,
    ) as history:
        batches = _good(history, keep_good=part.keep_good, on_progress=on_progress)
        with part.alerts.open("wb") as file:
            for alert in alerts_of(history.pages.values(), batches, rules):
                pickle.dump(alert, file)
        return history


def _good(history: History, *, keep_good: bool, on_progress: OnProgress) -> Iterator[tuple[datetime, Arrivals]]:
    """Yield the batches. After a bad row, yield none without ``keep_good``, but read on to find all bad rows."""
    for number, batch in enumerate(history.batches()):
        if not number % _PROGRESS_EVERY:
            on_progress(history.read, history.size)
        if keep_good or not history.faults.number:
            yield batch


def _written(path: Path) -> Iterator[Alert]:
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)  # noqa: S301 (a file that we wrote a minute ago, in a folder of our own)
            except EOFError:
                return
