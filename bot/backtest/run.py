"""Run the rules on a history, instant by instant, with the same decisions as the live cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from handlers.contract import Comparison
from handlers.decide import Arrivals, decide
from handlers.live_state import LiveState
from handlers.model import Alert, Page


def alerts_of(
    pages: Iterable[Page], batches: Iterable[tuple[datetime, Arrivals]], comparisons: Sequence[Comparison[Any]]
) -> Iterator[Alert]:
    """Yield the alerts of the comparisons, in the order of ``in_order``.

    An alert uses only figures that were received by its instant. ``batches`` gives the instants, oldest first, each
    with the figures received then. Only the state of the rules stays in memory.
    """
    state = LiveState(pages)
    for instant, arrivals in batches:
        decision = decide(state.snapshot(), arrivals, instant, comparisons)
        state.apply(decision)
        yield from sorted(decision.alerts, key=in_order) if decision.alerts else ()


def in_order(alert: Alert) -> tuple[datetime, str, str, str, str]:
    """Return the sort key of an alert: its instant, its kind, its pages. The order of the rules does not matter."""
    return alert.at, alert.kind, alert.page, alert.rival or "", alert.key
