"""Falls of many pages of one platform at once are the platform's doing; what that takes is the same for both rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from handlers.contract import Window
from handlers.falls import Fall, fall, looks_down

PAGES = 5
SHARE_OF_PAGES = 0.2
WITHIN_HOURS = 48

Falls = Mapping[str, datetime]
"""The pages whose loss was confirmed lately, with the instant at which it was; at most 48 hours ago."""

_WITHIN = timedelta(hours=WITHIN_HOURS)


def new_falls(window: Window, known: Falls) -> dict[str, Fall]:
    """The losses, by page, among the pages that were just read and are not known to have fallen lately."""
    found: dict[str, Fall] = {}
    for slug in window.came:
        if slug in known or slug not in window.pasts:
            continue
        loss = window.once((fall, slug), lambda: fall(window.tracks[slug], window.pasts[slug]))  # noqa: B023 (at once)
        if loss is not None:
            found[slug] = loss
    return found


def lately(falls: Falls, now: datetime) -> Falls:
    """Without those of more than 48 hours ago; the very object given if there are none."""
    if all(now - at <= _WITHIN for at in falls.values()):
        return falls
    return {slug: at for slug, at in falls.items() if now - at <= _WITHIN}


def is_together(window: Window, slugs: Collection[str]) -> bool:
    """Whether so many fell that it is the platform: 5 pages or more, a fifth of its pages, of more than one group."""
    if len(slugs) < max(PAGES, SHARE_OF_PAGES * len(window.tracks)):
        return False
    alone = sum(not window.pages[slug].groups for slug in slugs)
    return alone + len({window.pages[slug].groups[0] for slug in slugs if window.pages[slug].groups}) > 1


def may_be_together(window: Window, falls: Collection[str]) -> bool:
    """Whether it would be the platform, if the pages that look down now turn out to be so."""
    down = set(falls)
    for slug, track in window.tracks.items():
        if slug not in down and slug in window.pasts and looks_down(track, window.pasts[slug]):
            down.add(slug)
    return is_together(window, down)
