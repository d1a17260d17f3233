"""Rules with another threshold beside the same rules with their own: which alerts each would have raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot import words
from bot.backtest.alerts_file import said
from handlers.contract import Comparison
from handlers.model import Alert

_SHOWN = 20


class Compared:
    """Sorts the alerts of both as they come. ``variants`` are rules of ``rules``, tuned."""

    def __init__(self, rules: Sequence[Comparison[Any]], variants: Sequence[Comparison[Any]]) -> None:
        self._kinds = {kind: variant.name for variant in variants for kind in variant.kinds}
        self._order = [kind for rule in rules for kind in rule.kinds if kind in self._kinds]
        self._default: dict[str, Alert] = {}
        self._tuned: dict[str, Alert] = {}

    def is_wanted(self, alert: Alert) -> bool:
        """Take note of an alert; False if it is of a default rule that a tuned one stands in for."""
        if alert.kind not in self._kinds:
            return True
        if alert.tuned:
            self._tuned[alert.key.partition(":")[2]] = alert  # before it is the rule's name (Comparison.tuned)
        else:
            self._default[alert.key] = alert
        return alert.tuned

    def lines(self) -> Iterator[str]:
        """How many alerts of each kind either raised, and below it those that only one of the two raised."""
        if not self._order:
            return
        yield from _laid_out(
            ("kind", "set to", "as set", "by default", "told by both", "only as set", "only by default"),
            [self._row(kind) for kind in self._order],
        )
        yield from _listed("Told only as set", self._only(self._tuned, self._default))
        yield from _listed("Told only by default", self._only(self._default, self._tuned))

    def _row(self, kind: str) -> tuple[str, ...]:
        default, tuned = (
            {key for key, alert in alerts.items() if alert.kind == kind} for alerts in (self._default, self._tuned)
        )
        numbers = (tuned, default, tuned & default, tuned - default, default - tuned)
        return (kind, self._kinds[kind], *(words.count(len(keys)) for keys in numbers))

    def _only(self, these: dict[str, Alert], those: dict[str, Alert]) -> list[Alert]:
        return [alert for key, alert in these.items() if key not in those]


def _laid_out(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        yield "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)  # noqa: PLR2004 (the two columns of words)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()


def _listed(title: str, alerts: Sequence[Alert]) -> Iterable[str]:
    if not alerts:
        return
    yield f"{title}:"
    for alert in alerts[:_SHOWN]:
        yield f"  {words.dated(alert.at, alert.dated)}  {alert.kind}: {said(alert)}"
    if len(alerts) > _SHOWN:
        yield f"  and {words.count(len(alerts) - _SHOWN)} more"
