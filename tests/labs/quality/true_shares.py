"""What truly happened to where a page's likes are from: of the new ones, of all of them, and a majority abroad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from tests.labs.quality.events import Duty, Episode, Event, episodes
from tests.labs.quality.values import DAY, HOURS_A_DAY, START, Latent

WINDOWS = (7, 28)
_BASELINE_DAYS, _BASELINE_LEAST = 90, 28
_NEW, _MAY_NEW = 0.20, 0.08
_NEAR, _FEWEST, _LEAST_SHARE = 0.6, 1000, 0.001
_NEW_APART = 30
_ALL, _MAY_ALL, _ALL_DAYS, _ALL_APART = 0.03, 0.012, 30, 21
_LATE = timedelta(hours=96)
"""Lists are up to 72 h late, and a rule may want a second one."""

_HALF, _MINORITY, _MAJORITY, _STAYS_DAYS = 0.5, 0.475, 0.525, 14
_SHOWN = 0.505
_NAMED = 0.95
"""How much of what is abroad the 45 largest countries hold, or a little less."""

_TIME_TO_TELL = 7 * DAY


def new_shares(latent: Latent) -> Iterator[Event]:
    """The share from abroad of 7 or 28 days' new likes, 20 points above its own 90 days before (8: may).

    At least 28 days before must be known, else the page's share of all likes is its past, and the event may be told;
    while the page is known for less than 28 (or 7) days, all of them are its newest 28 (or 7).
    1,000 foreign new likes and 0.1% of the audience are required; 60% of that for the "may" band. Days in the "may"
    band up to 30 days apart are one event. The window: from its first day until 96 h after its last.
    """
    abroad = [0.0, *accumulate(latent.new_abroad)]
    new = [0.0, *accumulate(map(sum, zip(latent.new_abroad, latent.new_at_home, strict=True)))]

    def sizes() -> Iterator[tuple[int, float, bool]]:
        for day in range(1, len(abroad)):
            found = [_rise(latent, abroad, new, day, min(window, day)) for window in WINDOWS]
            told = [(rise, meets) for rise, meets in found if rise >= _MAY_NEW]
            if told:
                yield day, max(rise for rise, _ in told), any(meets for _, meets in told)

    for episode in episodes(sizes(), apart=_NEW_APART):
        yield _event("new_foreign_share", latent, episode, _days(episode.last) + _LATE)


def _rise(latent: Latent, abroad: Sequence[float], new: Sequence[float], day: int, window: int) -> tuple[float, bool]:
    """By how much the share rose (0 where too few came), and whether that meets the definition."""
    came = abroad[day] - abroad[day - window]
    floor = max(_FEWEST, _LEAST_SHARE * latent.likes[day * HOURS_A_DAY])
    if came < _NEAR * floor:
        return 0.0, False
    before, after = max(day - window - _BASELINE_DAYS, 0), day - window
    is_known = after - before >= _BASELINE_LEAST
    past = (abroad[after] - abroad[before]) / max(new[after] - new[before], 1.0) if is_known else share(latent, after)
    rise = came / max(new[day] - new[day - window], came) - past
    return rise, is_known and rise >= _NEW and came >= floor


def share(latent: Latent, day: int) -> float:
    """The share of all likes that is from abroad, at that day's midnight."""
    return latent.abroad[day] / (latent.abroad[day] + latent.at_home[day])


def total_shares(latent: Latent) -> Iterator[Event]:
    """The share of all likes from abroad, 3 points above the lowest of the 30 days before (1.2: may).

    Days in the "may" band up to 21 days apart are one event. The window: from its first day until 96 h after its last.
    """
    shares = [share(latent, day) for day in range(len(latent.abroad))]

    def sizes() -> Iterator[tuple[int, float, bool]]:
        for day, now in enumerate(shares):
            rise = now - min(shares[max(day - _ALL_DAYS, 0) : day + 1])
            if rise >= _MAY_ALL:
                yield day, rise, rise >= _ALL

    for episode in episodes(sizes(), apart=_ALL_APART):
        yield _event("total_foreign_share", latent, episode, _days(episode.last) + _LATE)


def majorities(latent: Latent) -> Iterator[Event]:
    """The share of all likes from abroad goes from below 47.5% to above 52.5% and stays there for 14 days.

    It is required where the lists, which account for only some of the likes, could show it: where more than half of all
    likes were listed abroad 14 days before the history ends or earlier. Passing a half without all of that may be told.
    The window: from the day on which it passes a half for good until the history ends. A page is told of once; where it
    was above a half from the beginning, never.
    """
    shares = [share(latent, day) for day in range(len(latent.abroad))]
    below = next((day for day, now in enumerate(shares) if now < _HALF), None)
    if below is None:
        return
    first = next((day for day in range(below, len(shares)) if shares[day] > _HALF), None)
    if first is None:
        return
    above = next((day for day in range(first, len(shares)) if shares[day] > _MAJORITY), None)
    stays = above is not None and above + _STAYS_DAYS < len(shares)
    if above is None or not stays:
        yield _event("foreign_majority", latent, _episode(first, None, shares), _days(len(shares)))
        return
    since = max(day for day in range(above) if shares[day] <= _HALF) + 1
    remains = min(shares[above : above + _STAYS_DAYS]) > _MAJORITY - 0.005
    shown = max(shares[: len(shares) - _STAYS_DAYS]) * latent.page.coverage * _NAMED > _SHOWN
    meets = remains and shown and min(shares[:since]) < _MINORITY
    episode = _episode(since, since if meets else None, shares)
    yield _event("foreign_majority", latent, episode, _days(len(shares)))
    if first < since:  # it passed a half for a while before
        yield _event("foreign_majority", latent, _episode(first, None, shares), _days(since))


def _episode(first: int, met: int | None, shares: Sequence[float]) -> Episode:
    return Episode(first=first, met=met, last=first, most=max(shares[first:]))


def _days(day: int) -> datetime:
    return START + day * DAY


def _event(kind: str, latent: Latent, episode: Episode, closes: datetime) -> Event:
    seen = _days(episode.first)
    met = seen if episode.met is None else _days(episode.met)
    in_time = _days(len(latent.abroad) - 1) - met >= _TIME_TO_TELL
    duty = Duty.EITHER if episode.met is None else Duty.REQUIRED if in_time else Duty.WELCOME
    return Event(
        kind=kind,
        duty=duty,
        page=latent.page.slug,
        opens=seen,
        seen=seen,
        met=met,
        closes=closes,
        value=episode.most,
    )
