"""The state of the overtake rule: the order of a group, and the pairs of which the lead may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from handlers.model import Metric
from handlers.signals.count_intervals import LeadReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Which page was ahead (None: equal or overlapping) at every evaluation since ``since``.

    Attributes:
        until: The instant compared at the last evaluation.
        evaluations: The number of counted evaluations.
        read: The newest instants of the two pages at the last counted evaluation.
        before: The pages' readings from before the first evaluation.

    """

    ahead: str | None
    since: datetime
    until: datetime
    evaluations: int
    read: tuple[datetime, datetime]
    before: Mapping[str, LeadReading] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An open pair.

    Attributes:
        leader: The settled leader, None until the two pages were first clearly apart.
        front: The page last seen ahead.
        contest: The instant at which the contest opened, None without one.
        flips: The number of changes of lead within the contest.

    """

    leader: str | None
    streak: Streak | None = None
    front: str | None = None
    contest: datetime | None = None
    flips: int = 0


class Seat(NamedTuple):
    """When a page's present series began, and the newest instant when the page got its place in the order."""

    series: datetime
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertakeState:
    """The state of a group: the order of its pages for each metric (lowest first), their seats, the open pairs."""

    orders: Mapping[Metric, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    seats: Mapping[str, Seat] = field(default_factory=lambda: MappingProxyType({}))
    pairs: Mapping[tuple[str, str], Pair] = field(default_factory=lambda: MappingProxyType({}))


def upgrade(version: int, stored: Any) -> Any:
    """Bring older forms up to date: leaders, contests and flips stay, so that nothing is raised twice.

    | version | a row of ``pairs`` |
    |---|---|
    | 0 | two slugs, leader, front, contest, flips, a streak that is dropped |
    | 1 | the same; streak: ahead, since, until, evaluations, a dropped value, two instants; dropped without a contest |
    | 2 | the same; streak: ahead, since, until, evaluations, two instants, readings before |
    """
    pairs = []
    for one, other, leader, front, contest, flips, streak in stored["pairs"]:
        if version == 0 or (version == 1 and contest is None):
            streak = None  # noqa: PLW2901 - the row as it is from now on
        elif version == 1 and streak is not None:
            streak = [*streak[:4], *streak[5:], []]  # noqa: PLW2901 - the row as it is from now on
        pair = {"leader": leader, "front": front, "contest": contest, "flips": flips, "streak": _streak(streak)}
        pairs.append([[one, other], pair])
    return {**stored, "pairs": pairs}


def _streak(row: Any) -> Any:
    if row is None:
        return None
    ahead, since, until, evaluations, *read, before = row
    names = ("ahead", "since", "until", "evaluations", "read", "before")
    values = (ahead, since, until, evaluations, read, {page: reading for page, *reading in before})
    return dict(zip(names, values, strict=True))
