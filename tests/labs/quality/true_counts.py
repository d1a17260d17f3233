"""What truly happened to a page's total: surges, purges, milestones; and purges of a whole platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from tests.labs.quality.events import Duty, Event, episodes
from tests.labs.quality.values import DAY, HOUR, HOURS_A_DAY, START, Latent, World

_NEAR = 0.6
"""How much of a floor (500 likes, 0.2% of the audience) suffices for the "may" band."""

_BASELINE_DAYS = 28
_SURGE, _MAY_SURGE = 5.0, 2.5
_SURGE_APART, _SURGE_LATE = 72, timedelta(hours=48)
_PURGE, _MAY_PURGE = 0.0075, 0.002
_PURGE_HOURS, _PURGE_APART, _PURGE_LATE = 48, 120, timedelta(hours=72)
_FEWEST = 500
_MILESTONE_LATE, _TOGETHER = 7 * DAY, 48
_PLATFORM_PAGES, _PLATFORM_SHARE, _PLATFORM_LATE = 5, 0.2, 7 * DAY
_TIME_TO_TELL = 3 * DAY


def surges(latent: Latent) -> Iterator[Event]:
    """A 24 h gain of 5 times the median of the 28 daily gains before (2.5: may), of 500 likes and 0.2% or more.

    Gains of 60% of that floor may be told. Hours in the "may" band less than 72 h apart are one surge. The window: from
    its first hour until 48 h after its last, in which it is still true that the page *gained* so much in a day.
    """
    likes = latent.likes

    def sizes() -> Iterator[tuple[int, float, bool]]:
        for hour in range((_BASELINE_DAYS + 1) * HOURS_A_DAY, len(likes)):
            gain = likes[hour] - likes[hour - HOURS_A_DAY]
            floor = max(_FEWEST, 0.002 * likes[hour])
            if gain < _NEAR * floor:
                continue
            ratio = gain / max(_usual(likes, hour), 1.0)
            if ratio >= _MAY_SURGE:
                yield hour, ratio, ratio >= _SURGE and gain >= floor

    for episode in episodes(sizes(), apart=_SURGE_APART):
        yield _event("surge", latent, episode.first, episode.met, episode.last, late=_SURGE_LATE, value=episode.most)


def _usual(likes: Sequence[int], hour: int) -> float:
    """The median of the 28 daily gains before the newest."""
    marks = likes[hour - (_BASELINE_DAYS + 1) * HOURS_A_DAY : hour : HOURS_A_DAY]
    gains = sorted(after - before for before, after in pairwise(marks))
    middle = len(gains) // 2
    return (gains[middle - 1] + gains[middle]) / 2


def purges(latent: Latent) -> Iterator[Event]:
    """A loss of 0.75% of the audience within 48 h (0.2%: may) and of 500 likes (300: may).

    Hours in the "may" band up to 5 days apart are one purge. The window: from its first hour until 72 h after its last.
    """
    likes = latent.likes

    def sizes() -> Iterator[tuple[int, float, bool]]:
        for hour in range(1, len(likes)):
            highest = max(likes[max(hour - _PURGE_HOURS, 0) : hour])
            lost = highest - likes[hour]
            if lost >= _NEAR * _FEWEST and lost >= _MAY_PURGE * highest:
                yield hour, lost / highest, lost >= _FEWEST and lost >= _PURGE * highest

    for episode in episodes(sizes(), apart=_PURGE_APART):
        yield _event("purge", latent, episode.first, episode.met, episode.last, late=_PURGE_LATE, value=episode.most)


def _event(
    kind: str, latent: Latent, first: int, met: int | None, last: int, *, late: timedelta, value: float
) -> Event:
    end = START + (len(latent.likes) - 1) * HOUR
    seen, true = START + first * HOUR, START + (first if met is None else met) * HOUR
    duty = Duty.EITHER if met is None else Duty.WELCOME if end - true < _TIME_TO_TELL else Duty.REQUIRED
    return Event(
        kind=kind,
        duty=duty,
        page=latent.page.slug,
        platform=latent.page.platform,
        opens=seen,
        seen=seen,
        met=true,
        closes=START + last * HOUR + late,
        value=value,
        note=f"of {latent.likes[first]:,} likes",
    )


def platform_events(world: World, purged: Sequence[Event]) -> Iterator[Event]:
    """5 pages and 20% of the pages of one platform, of two groups or more, purged within 48 h.

    It is required where purges that are required themselves suffice, and may be told where it takes smaller ones. The
    window: from the purge that makes it so, until 7 days after. ``page`` is the platform's name.
    """
    groups = {latent.page.slug: latent.page.group for latent in world.latents}
    for platform in sorted({latent.page.platform for latent in world.latents}):
        here = [event for event in purged if event.platform == platform]
        watched = sum(latent.page.platform == platform for latent in world.latents)
        needed = max(_PLATFORM_PAGES, _PLATFORM_SHARE * watched)
        large = _waves([event for event in here if event.duty is not Duty.EITHER], needed, groups)
        for seen in _waves(here, needed, groups):
            met = next((at for at in large if timedelta(0) <= at - seen <= 4 * DAY), None)
            yield Event(
                kind="platform_event",
                duty=Duty.EITHER if met is None else Duty.REQUIRED,
                page=platform,
                platform=platform,
                opens=seen,
                seen=seen,
                met=met or seen,
                closes=(met or seen) + _PLATFORM_LATE,
            )


def _waves(purged: Sequence[Event], needed: float, groups: Mapping[str, str]) -> list[datetime]:
    """When enough pages had been purged together; one instant for one wave."""
    found: list[datetime] = []
    ordered = sorted(purged, key=lambda event: event.seen)
    for event in ordered:
        together = {one.page for one in ordered if timedelta(0) <= event.seen - one.seen <= timedelta(hours=48)}
        enough = len(together) >= needed and len({groups[page] for page in together}) > 1
        if enough and (not found or event.seen - found[-1] > _PLATFORM_LATE):
            found.append(event.seen)
    return found


def milestones(latent: Latent) -> Iterator[Event]:
    """The first passing of d times 10 to the k (d = 1 to 9, k = 4 and more), never again.

    Of several within 48 h only the highest is required. The window: from the passing until 7 days after.
    """
    highest, passed = latent.likes[0], defaultdict[int, list[int]](list)
    following = next_milestone(highest)
    for hour, likes in enumerate(latent.likes):
        while likes >= following:
            passed[hour].append(following)
            following = next_milestone(following)
    last = len(latent.likes) - 1
    for hour, values in passed.items():
        exceeded = any(hour < later <= hour + _TOGETHER for later in passed)
        for value in values:
            duty = Duty.EITHER if exceeded or value < values[-1] else Duty.REQUIRED
            if duty is Duty.REQUIRED and (last - hour) * HOUR < _TIME_TO_TELL:
                duty = Duty.WELCOME
            at = START + hour * HOUR
            yield Event(
                kind="milestone",
                duty=duty,
                page=latent.page.slug,
                opens=at - HOUR,
                seen=at,
                met=at,
                closes=at + _MILESTONE_LATE,
                value=value,
            )


def next_milestone(likes: float) -> int:
    """The lowest milestone above."""
    step: int = 10 ** max(len(str(int(likes))) - 1, 4)
    return (int(likes) // step + 1) * step


def last_milestone(likes: float) -> int:
    """The highest milestone not above; 0 where there is none."""
    step: int = 10 ** max(len(str(int(likes))) - 1, 4)
    return int(likes) // step * step
