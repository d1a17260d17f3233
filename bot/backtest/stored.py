"""What rules would have told lately of pages that are watched, from what the store remembers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import words
from bot.backtest.running import alerts_of
from bot.errors import LikewatchError
from bot.hourly import hourly
from handlers.contract import Comparison
from handlers.model import Alert
from handlers.world import HISTORY
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
    gone through before ``since``: then there is a past to compare with. The pages' rivals are compared with them;
    alerts that are about others alone are left out, and so is what happened to a whole platform, most of whose pages
    are not looked at. Polls that found the same count again are not stored: a rule that asks for several readings may
    find fewer than the live cycle did, and tell later.

    Raises:
        LikewatchError: these are more than ``MOST_PAGE_DAYS``; it says what to ask for instead.

    """
    asked = frozenset(pages)
    watched = {page.slug: page for page in store.pages.all()}
    groups = {group for slug in asked & watched.keys() for group in watched[slug].groups}
    together = [page for page in watched.values() if page.slug in asked or not groups.isdisjoint(page.groups)]
    _refuse_too_much(len(together), until - since)
    figures = store.chronicle.between((page.slug for page in together), since - HISTORY, until)
    return [
        alert
        for alert in alerts_of(together, hourly(figures), comparisons)
        if alert.at >= since and (alert.page in asked or alert.rival in asked)
    ]


def _refuse_too_much(pages: int, period: timedelta) -> None:
    if pages * ((period + HISTORY) / _DAY) <= MOST_PAGE_DAYS:
        return
    days = MOST_PAGE_DAYS // pages - HISTORY // _DAY
    instead = (
        f"Ask for a shorter period, {days}d at most, or for a page that has fewer rivals."
        if days > 0
        else "Ask for a page that has fewer rivals: those of a page are the pages of its groups."
    )
    raise LikewatchError(
        f"Those are {words.count(pages)} pages with their rivals, too many to go through over this period. {instead}"
    )
