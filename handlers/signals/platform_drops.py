"""Falls of many pages of one platform at once are the platform's doing; what that takes is the same for both rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from handlers.contract import Window
from handlers.signals.drops import Drop, find_drop, looks_down

PAGES = 5
SHARE_OF_PAGES = 0.2
WITHIN_HOURS = 48

Drops = Mapping[str, datetime]
"""The pages whose loss was confirmed lately, with the instant at which it was."""

_WITHIN = timedelta(hours=WITHIN_HOURS)


def new_drops(window: Window) -> Mapping[str, Drop]:
    """The losses, by page, among the pages that were just read; worked out once for all rules that ask."""
    return window.once("falls", lambda: dict(_falls(window)))


def _falls(window: Window) -> Iterator[tuple[str, Drop]]:
    series_states, histories = window.series_states, window.histories
    for slug in window.came:
        loss = find_drop(series_states[slug], histories[slug])
        if loss is not None:
            yield slug, loss


def lately(falls: Drops, window: Window) -> Drops:
    """Without those of more than 48 hours ago and of pages not watched any more; the very object if there are none."""
    kept = {slug: at for slug, at in falls.items() if window.now - at <= _WITHIN and slug in window.pages}
    return falls if len(kept) == len(falls) else kept


def watched(window: Window) -> int:
    """How many pages of the platform are watched and have been read."""
    return window.once("watched", lambda: len(window.series_states))


def is_together(window: Window, falls: Drops) -> bool:
    """Whether so many fell that it is the platform: 5 pages or more, a fifth of its pages, of more than one group.

    What is known of a time after ``window.now`` (figures of long ago are being imported) does not count.
    """
    fallen = [slug for slug, at in falls.items() if at <= window.now]
    if len(fallen) < PAGES or len(fallen) < SHARE_OF_PAGES * watched(window):
        return False
    groups = [window.pages[slug].groups[:1] for slug in fallen]
    return groups.count(()) + len({group for group in groups if group}) > 1


def may_be_together(window: Window, falls: Drops) -> bool:
    """Whether it would be the platform, if the pages that look down now turn out to be so."""
    down: Drops = window.once("down", lambda: dict.fromkeys(_looking_down(window), window.now))
    return is_together(window, {**down, **falls})


def _looking_down(window: Window) -> Iterator[str]:
    for slug, series_state in window.series_states.items():
        newest = series_state.held[-1] if series_state.held else series_state.last
        if (
            slug in window.histories
            and window.now - newest.at <= _WITHIN
            and looks_down(series_state, window.histories[slug])
        ):
            yield slug
