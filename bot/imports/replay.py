"""Give figures from files to the cycle in the order in which they were received; replay the press figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from bot.imports.examples import Example
from bot.polling.cycle import Cycle
from bot.polling.decide_and_store import AddedFigures
from bot.rules.alert_types import default_features
from handlers.decide import Arrivals
from handlers.model import AudienceReading, Page, Reading
from storage.store import Store
from storage.values import Subscription, Target


def by_instant(readings: Iterable[Reading], audiences: Iterable[AudienceReading]) -> list[tuple[datetime, Arrivals]]:
    """Return the figures grouped by the instant at which they were received, oldest first."""
    batches: defaultdict[datetime, tuple[list[Reading], list[AudienceReading]]] = defaultdict(lambda: ([], []))
    for reading in sorted(readings, key=lambda reading: reading.page):
        batches[reading.received_at][0].append(reading)
    for audience in sorted(audiences, key=lambda audience: audience.page):
        batches[audience.received_at][1].append(audience)
    return [
        (instant, Arrivals(readings=tuple(counts), audiences=tuple(lists)))
        for instant, (counts, lists) in sorted(batches.items(), key=lambda batch: batch[0])
    ]


def add_pages(store: Store, pages: Iterable[Page], *, now: datetime) -> None:
    """Add pages that are not polled, because their figures come from files."""
    with store.write():
        for page in pages:
            store.pages.add(page, None, at=now)


def replay_example(
    store: Store, cycle: Cycle, example: Example, *, team_id: str, channel_id: str, now: datetime
) -> AddedFigures:
    """Fill an empty store with the press figures, and queue their alerts for one channel.

    Everything happens in one transaction: after an interrupted first start, the store is still empty.
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
        return cycle.add_figures(by_instant(example.readings, example.audiences), replayed=True)
