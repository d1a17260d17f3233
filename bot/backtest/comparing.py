"""Rules with another threshold beside the same rules with their own: which alerts each would have raised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from bot import words
from bot.backtest.alerts_file import said
from handlers.contract import Comparison
from handlers.model import Alert

SAME_EVENT = timedelta(days=7)
_SHOWN = 20
_DIRECTION = re.compile(":(?:up|down):")


class Beside(NamedTuple):
    """Alerts with another threshold beside those with the default: of events that both tell of, and of others.

    ``both`` are (as set, by default).
    """

    both: list[tuple[Alert, Alert]]
    as_set: list[Alert]
    by_default: list[Alert]

    def elsewhen(self) -> list[Alert]:
        """Those as set of events that the default tells of at another time."""
        return [tuned for tuned, default in self.both if tuned.at != default.at]


def beside(alerts: Iterable[Alert]) -> Beside:
    """Put alerts of the same event beside each other.

    Another threshold is often reached some hours or days earlier or later: two alerts of one kind about the same are of
    one event if they come no more than 7 days apart.
    """
    ordered = sorted(alerts, key=lambda alert: (alert.at, alert.key))
    left = [alert for alert in ordered if not alert.tuned]
    both, as_set = list[tuple[Alert, Alert]](), list[Alert]()
    for tuned in (alert for alert in ordered if alert.tuned):
        same = [one for one in left if _about(one) == _about(tuned) and abs(one.at - tuned.at) <= SAME_EVENT]
        if same:
            nearest = min(same, key=lambda one: abs(one.at - tuned.at))
            left.remove(nearest)
            both.append((tuned, nearest))
        else:
            as_set.append(tuned)
    return Beside(both=both, as_set=as_set, by_default=left)


def _about(alert: Alert) -> str:
    """Kind, page and what else the key names before the instant; without the name that a tuned rule puts before it."""
    key = alert.key.partition(":")[2] if alert.tuned else alert.key
    return _DIRECTION.split(key)[0]


class Compared:
    """Sorts the alerts of both as they come. ``variants`` are rules of ``rules``, tuned."""

    def __init__(self, rules: Sequence[Comparison[Any]], variants: Sequence[Comparison[Any]]) -> None:
        self._kinds = {kind: _setting(variant) for variant in variants for kind in variant.kinds}
        self._order = [kind for rule in rules for kind in rule.kinds if kind in self._kinds]
        self._alerts: list[Alert] = []

    def is_wanted(self, alert: Alert) -> bool:
        """Take note of an alert; False if it is of a default rule that a tuned one stands in for."""
        if alert.kind not in self._kinds:
            return True
        self._alerts.append(alert)
        return alert.tuned

    def lines(self) -> Iterator[str]:
        """How many alerts of each kind either raised, and below it those that only one of the two raised."""
        if not self._order:
            return
        yield from _laid_out(
            ("kind", "set to", "as set", "by default", "told by both", "only as set", "only by default"),
            [self._row(kind) for kind in self._order],
        )
        found = beside(self._alerts)
        yield from _listed("Told by both, but as set at another time", found.elsewhen())
        yield from _listed("Told only as set", found.as_set)
        yield from _listed("Told only by default", found.by_default)

    def _row(self, kind: str) -> tuple[str, ...]:
        found = beside(alert for alert in self._alerts if alert.kind == kind)
        both, as_set, by_default = len(found.both), len(found.as_set), len(found.by_default)
        numbers = (both + as_set, both + by_default, both, as_set, by_default)
        return (kind, self._kinds[kind], *map(words.count, numbers))


def _setting(variant: Comparison[Any]) -> str:
    """As people write it: the rule's name may be another than its feature's."""
    return f"{variant.feature}>{variant.name.partition('>')[2]}"


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
