"""Compare the alerts of rules with another threshold to the alerts of the same rules with their default."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from bot.backtest.alerts_file import sentence_of
from bot.text import phrases
from handlers.contract import Comparison
from handlers.model import Alert

SAME_EVENT = timedelta(days=7)
_SHOWN = 20
_DIRECTION = re.compile(":(?:up|down):")
_HEADER = ("kind", "set to", "as set", "by default", "raised by both", "only as set", "only by default")


class PairedAlerts(NamedTuple):
    """Alerts with the threshold set, and alerts with the default threshold.

    ``both`` are pairs (as set, by default) about the same event. The other two are alerts without a partner.
    """

    both: list[tuple[Alert, Alert]]
    as_set: list[Alert]
    by_default: list[Alert]

    def at_another_time(self) -> list[Alert]:
        """Return the alerts as set that the default raises too, at another time."""
        return [tuned for tuned, default in self.both if tuned.at != default.at]


def pair_alerts(alerts: Iterable[Alert]) -> PairedAlerts:
    """Pair the alerts that are about the same event.

    Another threshold is often reached some hours or days earlier or later. So two alerts of one kind about the same
    pages are about one event if they are at most 7 days apart. The nearest alerts are paired first.
    """
    ordered = sorted(alerts, key=lambda alert: (alert.at, alert.key))
    as_set, by_default = ([alert for alert in ordered if alert.tuned is tuned] for tuned in (True, False))
    by_subject: defaultdict[str, list[Alert]] = defaultdict(list)
    for default in by_default:
        by_subject[_subject(default)].append(default)
    pairs = [(tuned, default) for tuned in as_set for default in _near(tuned, by_subject[_subject(tuned)])]
    both: dict[str, tuple[Alert, Alert]] = {}
    taken: set[str] = set()
    for tuned, default in sorted(pairs, key=lambda pair: abs(pair[0].at - pair[1].at)):
        if tuned.key not in both and default.key not in taken:
            both[tuned.key] = tuned, default
            taken.add(default.key)
    return PairedAlerts(
        both=[both[tuned.key] for tuned in as_set if tuned.key in both],
        as_set=[tuned for tuned in as_set if tuned.key not in both],
        by_default=[default for default in by_default if default.key not in taken],
    )


def _near(alert: Alert, others: Sequence[Alert]) -> Sequence[Alert]:
    """Return the others, which are sorted by time, that are at most 7 days from an alert."""
    at = attrgetter("at")
    return others[
        bisect_left(others, alert.at - SAME_EVENT, key=at) : bisect_right(others, alert.at + SAME_EVENT, key=at)
    ]


def _subject(alert: Alert) -> str:
    """Return the part of the key before the instant: kind, pages and so on, without the name of a tuned rule."""
    key = alert.key.partition(":")[2] if alert.tuned else alert.key
    return _DIRECTION.split(key)[0]


class ThresholdComparison:
    """Collects the alerts of the tuned rules ``variants``, and of the same rules among ``rules``."""

    def __init__(self, rules: Sequence[Comparison[Any]], variants: Sequence[Comparison[Any]]) -> None:
        self._settings = {kind: _setting(variant) for variant in variants for kind in variant.kinds}
        self._kinds = [kind for rule in rules for kind in rule.kinds if kind in self._settings]
        self._alerts: list[Alert] = []

    def add(self, alert: Alert) -> bool:
        """Add an alert. Return False if a tuned rule replaces the rule that raised the alert."""
        if alert.kind not in self._settings:
            return True
        self._alerts.append(alert)
        return alert.tuned

    def lines(self) -> Iterator[str]:
        """Yield a table with the number of alerts of each kind, then the alerts that differ."""
        if not self._kinds:
            return
        found = pair_alerts(self._alerts)
        yield from _table([_HEADER, *(self._row(kind, found) for kind in self._kinds)])
        yield from _list("Raised by both, but as set at another time", found.at_another_time())
        yield from _list("Raised only as set", found.as_set)
        yield from _list("Raised only by default", found.by_default)

    def _row(self, kind: str, found: PairedAlerts) -> tuple[str, ...]:
        of_both = [tuned for tuned, _ in found.both]
        both, as_set, by_default = (
            sum(alert.kind == kind for alert in alerts) for alerts in (of_both, found.as_set, found.by_default)
        )
        numbers = (both + as_set, both + by_default, both, as_set, by_default)
        return (kind, self._settings[kind], *map(phrases.count, numbers))


def _setting(variant: Comparison[Any]) -> str:
    """Return a setting as people write it, with the name of the feature: the rule may have another name."""
    return f"{variant.feature}>{variant.name.partition('>')[2]}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    kinds, settings, *numbers = ([len(cell) for cell in column] for column in zip(*rows, strict=True))
    for kind, setting, *counts in rows:
        cells = [kind.ljust(max(kinds)), setting.ljust(max(settings))]
        cells += [number.rjust(max(widths)) for number, widths in zip(counts, numbers, strict=True)]
        yield "  ".join(cells).rstrip()


def _list(title: str, alerts: Sequence[Alert]) -> Iterator[str]:
    if not alerts:
        return
    yield f"{title}:"
    for alert in alerts[:_SHOWN]:
        yield f"  {phrases.dated(alert.at, alert.dated)}  {alert.kind}: {sentence_of(alert)}"
    if len(alerts) > _SHOWN:
        yield f"  and {phrases.count(len(alerts) - _SHOWN)} more"
