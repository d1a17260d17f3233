"""Rules with another threshold beside the same rules with their own: which alerts each would have raised."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.backtest.alerts_file import sentence_of
from bot.text import phrases
from handlers.contract import Comparison
from handlers.model import Alert

SAME_EVENT = timedelta(days=7)
_SHOWN = 20
_DIRECTION = re.compile(":(?:up|down):")


class PairedAlerts(NamedTuple):
    """Alerts with another threshold beside those with the default: of events that both tell of, and of others.

    ``both`` are (as set, by default).
    """

    both: list[tuple[Alert, Alert]]
    as_set: list[Alert]
    by_default: list[Alert]

    def elsewhen(self) -> list[Alert]:
        """Those as set of events that the default tells of at another time."""
        return [tuned for tuned, default in self.both if tuned.at != default.at]


def pair_alerts(alerts: Iterable[Alert]) -> PairedAlerts:
    """Put alerts of the same event beside each other.

    Another threshold is often reached some hours or days earlier or later: two alerts of one kind about the same are of
    one event if they come no more than 7 days apart.
    """
    ordered = sorted(alerts, key=lambda alert: (alert.at, alert.key))
    as_set, by_default = ([alert for alert in ordered if alert.tuned is tuned] for tuned in (True, False))
    about: dict[str, list[Alert]] = {}
    for default in by_default:
        about.setdefault(_about(default), []).append(default)
    pairs = [(tuned, default) for tuned in as_set for default in _near(tuned, about.get(_about(tuned), []))]
    pairs.sort(key=lambda pair: abs(pair[0].at - pair[1].at))  # those told at the same time before all others
    both: dict[str, tuple[Alert, Alert]] = {}
    taken: set[str] = set()
    for tuned, default in pairs:
        if tuned.key not in both and default.key not in taken:
            both[tuned.key] = tuned, default
            taken.add(default.key)
    return PairedAlerts(
        both=[both[tuned.key] for tuned in as_set if tuned.key in both],
        as_set=[tuned for tuned in as_set if tuned.key not in both],
        by_default=[default for default in by_default if default.key not in taken],
    )


def _near(alert: Alert, others: Sequence[Alert]) -> Sequence[Alert]:
    """Of others, oldest first, those no more than 7 days from an alert."""
    first = bisect_left(others, alert.at - SAME_EVENT, key=_at)
    return others[first : bisect_right(others, alert.at + SAME_EVENT, key=_at)]


def _at(alert: Alert) -> datetime:
    return alert.at


def _about(alert: Alert) -> str:
    """Kind, page and what else the key names before the instant; without the name that a tuned rule puts before it."""
    key = alert.key.partition(":")[2] if alert.tuned else alert.key
    return _DIRECTION.split(key)[0]


class ThresholdComparison:
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
        found = pair_alerts(self._alerts)
        yield from _laid_out(
            ("kind", "set to", "as set", "by default", "told by both", "only as set", "only by default"),
            [self._row(kind, found) for kind in self._order],
        )
        yield from _listed("Told by both, but as set at another time", found.elsewhen())
        yield from _listed("Told only as set", found.as_set)
        yield from _listed("Told only by default", found.by_default)

    def _row(self, kind: str, found: PairedAlerts) -> tuple[str, ...]:
        of_both = [tuned for tuned, _ in found.both]
        both, as_set, by_default = (
            sum(alert.kind == kind for alert in alerts) for alerts in (of_both, found.as_set, found.by_default)
        )
        numbers = (both + as_set, both + by_default, both, as_set, by_default)
        return (kind, self._kinds[kind], *map(phrases.count, numbers))


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
        yield f"  {phrases.dated(alert.at, alert.dated)}  {alert.kind}: {sentence_of(alert)}"
    if len(alerts) > _SHOWN:
        yield f"  and {phrases.count(len(alerts) - _SHOWN)} more"
