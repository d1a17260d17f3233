"""Resample stored figures to one batch an hour, for previews and for backtests in Slack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from handlers.decide import Arrivals
from handlers.model import AudienceReading, Reading


def resample(figures: Iterable[Reading | AudienceReading]) -> Iterator[tuple[datetime, Arrivals]]:
    """Yield the figures that arrived in each hour, with the instant at which the last of them arrived.

    Only the newest count of each page, source and observed hour stays. So a late count stays beside the present
    one, and every hour of an imported file stays.

    Args:
        figures: in the order in which they arrived.

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
