"""Feeding the cycle with figures that come from files: imports and replays take the road that live readings take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from bot.imports.examples import Example
from bot.polling.cycle import Absorbed, Cycle
from bot.rules.alert_types import default_features
from handlers.decide import Arrivals
from handlers.model import AudienceReading, Page, Reading
from storage.store import Store
from storage.values import Subscription, Target


def by_instant(readings: Iterable[Reading], audiences: Iterable[AudienceReading]) -> list[tuple[datetime, Arrivals]]:
    """Figures grouped by the instant from which they could be known, oldest first."""
    figures: list[Reading | AudienceReading] = [*readings, *audiences]
    figures.sort(key=lambda figure: (figure.received_at, figure.page))
    return [
        (instant, _arrivals(list(together)))
        for instant, together in groupby(figures, lambda figure: figure.received_at)
    ]


def add_pages(store: Store, pages: Iterable[Page], *, now: datetime) -> None:
    """Add pages that are not polled: their figures come from files."""
    with store.write():
        for page in pages:
            store.pages.add(page, None, at=now)


def replay_example(
    store: Store, cycle: Cycle, example: Example, *, team_id: str, channel_id: str, now: datetime
) -> Absorbed:
    """Fill an empty store with the press figures, and post into one channel what would have been posted then.

    All of it or nothing: a first start that was interrupted begins again.
    """
    with store.write():
        add_pages(store, example.pages, now=now)
        for group in sorted({group for page in example.pages for group in page.groups}):
            store.subscriptions.put(
                Subscription(
                    team_id=team_id,
                    channel_id=channel_id,
                    target=Target.GROUP,
                    slug=group,
                    features=default_features(),
                    by="likewatch",
                    at=now,
                )
            )
        return cycle.absorb(by_instant(example.readings, example.audiences), replayed=True)


def _arrivals(figures: list[Reading | AudienceReading]) -> Arrivals:
    return Arrivals(
        readings=tuple(figure for figure in figures if isinstance(figure, Reading)),
        audiences=tuple(figure for figure in figures if isinstance(figure, AudienceReading)),
    )
