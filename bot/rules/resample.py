"""What is stored, as a cycle once an hour would have met it: what rehearsals and backtests on request go through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from handlers.decide import Arrivals
from handlers.model import AudienceReading, Reading


def resample(figures: Iterable[Reading | AudienceReading]) -> Iterator[tuple[datetime, Arrivals]]:
    """What came in each hour, and when the last of it did; ``figures`` are in the order in which they came.

    Of each page and source the newest count for each hour is kept: what came late is for an hour of its own, and so
    is each row of a file that was imported at once.
    """
    for _, came in groupby(figures, lambda figure: _hour(figure.received_at)):
        readings: dict[tuple[str, str, datetime], Reading] = {}
        audiences: list[AudienceReading] = []
        for figure in came:
            last = figure.received_at
            if isinstance(figure, AudienceReading):
                audiences.append(figure)
                continue
            which = figure.page, figure.source, _hour(figure.observed_at)
            if which not in readings or figure.observed_at >= readings[which].observed_at:
                readings[which] = figure
        yield last, Arrivals(readings=tuple(readings.values()), audiences=tuple(audiences))


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
