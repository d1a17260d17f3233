"""What rules would have told lately of pages that are watched, from what the store remembers."""

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
from handlers.model import Alert, Page, SeriesState
from storage.store import Store

_DAY = timedelta(days=1)
MOST_PAGE_DAYS = 15_000
"""What is gone through at most: pages times days, with rivals and the 150 days before.

At some 60 microseconds for each hour of a page (all rules; measured), 15,000 page-days take about 20 seconds.
"""


def past_alerts(
    store: Store, pages: Iterable[str], since: datetime, until: datetime, comparisons: Sequence[Comparison[Any]]
) -> list[Alert]:
    """The alerts about these pages (slugs) that the comparisons would have raised from ``since`` to ``until``.

    The stored readings are judged anew, as if read once an hour, and the rules remember nothing, so 150 days more are
    gone through before ``since``: then there is a past to compare with. The pages' rivals are compared with them, as
    ``rivals`` chooses them; alerts that are about others alone are left out, and so is what happened to a whole
    platform, most of whose pages are not looked at. Polls that found the same count again are not stored: a rule that
    asks for several readings may find fewer than the live cycle did, and tell later.

    Raises:
        LikewatchError: these are more than ``MOST_PAGE_DAYS``; it says what to ask for instead.

    """
    asked = frozenset(pages)
    watched = store.pages.get_many(asked)
    _refuse_too_much(len(watched), until - since)
    together = [*watched.values(), *rivals(store, asked, until - since).compared]
    figures = store.timeline.as_received((page.slug for page in together), since - HISTORY, until)
    return [
        alert
        for alert in alerts_of(together, resample(figures), comparisons)
        if alert.at >= since and (alert.page in asked or alert.rival in asked)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """Those that pages are held against, and how many others of their groups would have been too many."""

    compared: tuple[Page, ...]
    left_out: int


def rivals(store: Store, pages: Iterable[str], period: timedelta) -> Rivals:
    """The rivals of these pages over a period: of more than can be gone through, those nearest to them by count now."""
    asked = frozenset(pages)
    watched = {page.slug: page for page in store.pages.all()}
    groups = {group for slug in asked & watched.keys() for group in watched[slug].groups}
    found = [page for page in watched.values() if page.slug not in asked and not groups.isdisjoint(page.groups)]
    room = max(0, MOST_PAGE_DAYS // _days(period) - len(asked))
    if len(found) <= room:
        return Rivals(compared=tuple(found), left_out=0)
    tracks = store.series_states.get([*asked, *(page.slug for page in found)])
    ours = [tracks[slug] for slug in asked if slug in tracks]

    def apart(page: Page) -> float:
        track = tracks.get(page.slug)
        return min((_apart(own, track) for own in ours if track), default=inf)

    nearest = sorted(found, key=lambda page: (apart(page), page.slug))
    return Rivals(compared=tuple(nearest[:room]), left_out=len(found) - room)


def _apart(one: SeriesState, other: SeriesState) -> float:
    return abs(one.last.count - other.last.count) if one.metric is other.metric else inf


def _days(period: timedelta) -> int:
    return ceil((period + HISTORY) / _DAY)


def is_within_limit(pages: int, period: timedelta) -> bool:
    """Whether so many pages are no more than ``MOST_PAGE_DAYS`` over a period."""
    return pages * _days(period) <= MOST_PAGE_DAYS


def _refuse_too_much(pages: int, period: timedelta) -> None:
    if is_within_limit(pages, period):
        return
    days = MOST_PAGE_DAYS // pages - _days(timedelta(0))
    shorter = f"for a shorter period, {days}d at most, or " if days > 0 else ""
    raise LikewatchError(
        f"Those are {phrases.count(pages)} pages, too many to go through over this period: each takes a moment for every "
        f"day of it and of the {_days(timedelta(0))} days before. Ask {shorter}for one page of the group; it is held "
        "against its nearest rivals."
    )
