"""Find the alerts that rules would have raised on the readings in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, inf
from typing import Any

from bot.backtest.run import alerts_of
from bot.errors import LikewatchError
from bot.rules.resample import resample
from bot.text import phrases
from handlers.contract import Comparison
from handlers.live_state import HISTORY
from handlers.model import Alert, Page
from storage.store import Store

_DAY = timedelta(days=1)
MOST_PAGE_DAYS = 15_000
"""The largest backtest: pages times days, with the rivals of the pages and with the 150 days before.

The rules take about 60 microseconds for each hour of a page (measured), so 15,000 page-days take about 20 seconds.
"""


def past_alerts(
    store: Store, pages: Iterable[str], since: datetime, until: datetime, comparisons: Sequence[Comparison[Any]]
) -> list[Alert]:
    """Return the alerts about these pages (slugs) that the comparisons would have raised from ``since`` to ``until``.

    - The readings are resampled to one an hour, and the rules begin without state. So they begin 150 days before
      ``since``, to have a history to compare with.
    - The pages are compared with the rivals that ``rivals`` chooses. Alerts about rivals alone are left out.
    - Alerts about a whole platform are left out, because most pages of the platform are not read here.
    - A poll that found the same count again is not stored. So a rule that waits for several readings may raise its
      alert later than the live cycle did.

    Raises:
        LikewatchError: the pages and days are more than ``MOST_PAGE_DAYS``. The message proposes a smaller backtest.

    """
    asked = frozenset(pages)
    watched = store.pages.get_many(asked)
    _refuse_too_much(len(watched), until - since)
    compared = [*watched.values(), *rivals(store, asked, until - since).compared]
    figures = store.timeline.as_received((page.slug for page in compared), since - HISTORY, until)
    return [
        alert
        for alert in alerts_of(compared, resample(figures), comparisons)
        if alert.at >= since and (alert.page in asked or alert.rival in asked)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """The rivals that pages are compared with, and the number of rivals left out because they are too many."""

    compared: tuple[Page, ...]
    left_out: int


def rivals(store: Store, pages: Iterable[str], period: timedelta) -> Rivals:
    """Return the rivals of these pages (slugs). Of too many, take those with the nearest counts now."""
    asked = frozenset(pages)
    watched = {page.slug: page for page in store.pages.all()}
    groups = {group for slug in asked & watched.keys() for group in watched[slug].groups}
    found = [page for page in watched.values() if page.slug not in asked and not groups.isdisjoint(page.groups)]
    room = max(0, MOST_PAGE_DAYS // _days(period) - len(asked))
    if len(found) <= room:
        return Rivals(compared=tuple(found), left_out=0)
    states = store.series_states.get([*asked, *(page.slug for page in found)])
    ours = [states[slug] for slug in asked if slug in states]

    def distance(page: Page) -> float:
        theirs = states.get(page.slug)
        same_metric = [own for own in ours if theirs and own.metric is theirs.metric]
        return min((abs(own.last.count - theirs.last.count) for own in same_metric if theirs), default=inf)

    nearest = sorted(found, key=lambda page: (distance(page), page.slug))
    return Rivals(compared=tuple(nearest[:room]), left_out=len(found) - room)


def _days(period: timedelta) -> int:
    return ceil((period + HISTORY) / _DAY)


def is_within_limit(pages: int, period: timedelta) -> bool:
    """Return whether so many pages over a period are at most ``MOST_PAGE_DAYS``."""
    return pages * _days(period) <= MOST_PAGE_DAYS


def _refuse_too_much(pages: int, period: timedelta) -> None:
    if is_within_limit(pages, period):
        return
    days = MOST_PAGE_DAYS // pages - _days(timedelta(0))
    shorter = f"for a shorter period, {days}d at most, or " if days > 0 else ""
    raise LikewatchError(
        f"Those are {phrases.count(pages)} pages, too many to go through over this period: each takes a moment for "
        f"every day of it and of the {_days(timedelta(0))} days before. Ask {shorter}for one page of the group; it is "
        "held against its nearest rivals."
    )
