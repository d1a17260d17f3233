"""What rules would have told lately of pages that are watched, from what the store remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from bot.backtest.running import alerts_of
from handlers.contract import Comparison
from handlers.decide import Arrivals
from handlers.model import Alert, AudienceReading, Reading
from handlers.world import HISTORY
from storage.store import Store


def past_alerts(
    store: Store, pages: Iterable[str], since: datetime, until: datetime, comparisons: Sequence[Comparison[Any]]
) -> list[Alert]:
    """The alerts about these pages (slugs) that the comparisons would have raised from ``since`` to ``until``.

    The stored readings are judged anew and the rules remember nothing, so 150 days more are gone through before
    ``since``: then there is a past to compare with. The pages' rivals are compared with them; alerts that are about
    others alone are left out, and so is what happened to a whole platform, most of whose pages are not looked at.
    Polls that found the same count again are not stored: a rule that asks for several readings may find fewer than
    the live cycle did, and tell later. It takes some 50 microseconds a reading: seconds, for months of a group.
    """
    asked = frozenset(pages)
    watched = {page.slug: page for page in store.pages.all()}
    groups = {group for slug in asked & watched.keys() for group in watched[slug].groups}
    together = [page for page in watched.values() if page.slug in asked or not groups.isdisjoint(page.groups)]
    figures = store.chronicle.between((page.slug for page in together), since - HISTORY, until)
    return [
        alert
        for alert in alerts_of(together, _by_instant(figures), comparisons)
        if alert.at >= since and (alert.page in asked or alert.rival in asked)
    ]


def _by_instant(figures: Iterable[Reading | AudienceReading]) -> Iterator[tuple[datetime, Arrivals]]:
    for instant, group in groupby(figures, lambda figure: figure.received_at):
        came = list(group)
        yield (
            instant,
            Arrivals(
                readings=tuple(figure for figure in came if isinstance(figure, Reading)),
                audiences=tuple(figure for figure in came if isinstance(figure, AudienceReading)),
            ),
        )
