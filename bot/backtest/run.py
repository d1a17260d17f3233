"""What rules would have told: a history goes through the same decisions as the live cycle, instant by instant."""

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
    """The alerts as they would have been raised, in the order of ``in_order``.

    Each rests on nothing but what was received by then. ``batches`` pairs the instant from which figures were known
    with the figures, oldest first; they are asked for one by one, and forgotten but for what the rules remember.
    """
    world = LiveState(pages)
    for instant, arrivals in batches:
        decision = decide(world.snapshot(), arrivals, instant, comparisons)
        world.apply(decision)
        yield from sorted(decision.alerts, key=in_order) if decision.alerts else ()


def in_order(alert: Alert) -> tuple[datetime, str, str, str, str]:
    """Alerts are told by instant; those of one instant by kind and by name, whichever rule was asked first."""
    return alert.at, alert.kind, alert.page, alert.rival or "", alert.key
