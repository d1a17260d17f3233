"""Whether the forecasts' intervals held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from tests.labs.quality.events import Event
from tests.labs.quality.rows import Told


def held(alerts: Iterable[Told], events: Iterable[Event], end: datetime) -> list[tuple[Told, bool]]:
    """Each forecast with an interval, and whether the passing fell into it.

    The passing is the beginning of the first lead of 24 hours or more that begins after the forecast, however long
    after it. Where the history ends before the interval does and nothing has passed, nobody can tell: left out.
    """
    begins = defaultdict[tuple[str, str], list[datetime]](list)
    for event in events:
        if event.kind == "overtake":
            begins[event.page, event.rival].append(event.seen)
    judged = []
    for told in alerts:
        if told.kind != "closing_in" or told.eta_lo is None or told.eta_hi is None:
            continue
        passed = min((at for at in begins[told.page, told.rival] if at >= told.at), default=None)
        if passed is not None:
            judged.append((told, told.eta_lo <= passed <= told.eta_hi))
        elif told.eta_hi <= end:
            judged.append((told, False))
    return judged
