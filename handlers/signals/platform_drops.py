"""Platform drop: many pages of one platform drop at once, which is the platform's doing and not the pages'.

The purge rule and the platform event rule share these tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from handlers.contract import Window
from handlers.signals.drops import Drop, find_drop, looks_down

PAGES = 5
SHARE_OF_PAGES = 0.2
WITHIN_HOURS = 48

Drops = Mapping[str, datetime]
"""Each page whose loss was confirmed within 48 hours, with the instant of confirmation."""

_WITHIN = timedelta(hours=WITHIN_HOURS)


def new_drops(window: Window) -> Mapping[str, Drop]:
    """Return the drops among the pages that were just read, by page. All rules share one calculation."""
    return window.cached("drops", lambda: dict(_new_drops(window)))


def _new_drops(window: Window) -> Iterator[tuple[str, Drop]]:
    series_states, histories = window.series_states, window.histories
    for slug in window.changed:
        loss = find_drop(series_states[slug], histories[slug])
        if loss is not None:
            yield slug, loss


def lately(drops: Drops, window: Window) -> Drops:
    """Leave out drops older than 48 hours and pages no longer watched. Return the same object if none is left out."""
    kept = {slug: at for slug, at in drops.items() if window.now - at <= _WITHIN and slug in window.pages}
    return drops if len(kept) == len(drops) else kept


def watched(window: Window) -> int:
    """Return how many watched pages of the platform have been read."""
    return window.cached("watched", lambda: len(window.series_states))


def is_together(window: Window, drops: Drops) -> bool:
    """Return whether the platform itself dropped: at least 5 pages and a fifth of its pages, of two groups or more.

    Drops after ``window.now`` do not count: an import of old figures looks at the past.
    """
    fallen = [slug for slug, at in drops.items() if at <= window.now]
    if len(fallen) < PAGES or len(fallen) < SHARE_OF_PAGES * watched(window):
        return False
    groups = [window.pages[slug].groups[:1] for slug in fallen]
    return groups.count(()) + len({group for group in groups if group}) > 1


def may_be_together(window: Window, drops: Drops) -> bool:
    """Return whether the platform would have dropped if every page that looks down now is confirmed."""
    down: Drops = window.cached("down", lambda: dict.fromkeys(_looking_down(window), window.now))
    return is_together(window, {**down, **drops})


def _looking_down(window: Window) -> Iterator[str]:
    for slug, series_state in window.series_states.items():
        newest = series_state.held[-1] if series_state.held else series_state.last
        if (
            slug in window.histories
            and window.now - newest.at <= _WITHIN
            and looks_down(series_state, window.histories[slug])
        ):
            yield slug
