"""What truly happened: events with the window in which telling them is right, and episodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Duty(StrEnum):
    """What a rule owes an event."""

    REQUIRED = "required"  # right when told, missed when not
    WELCOME = "welcome"  # right when told, not missed when not
    EITHER = "either"  # the "may" band: telling it is neither right nor wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that truly happened.

    An alert is about it if told between ``opens`` and ``closes``. ``seen`` is its first sign (where the "may" band
    begins), ``met`` the first instant at which the definition is met (``seen`` where it never is). ``platform`` is
    there where it matters; ``value`` a milestone, or how large the thing was.
    """

    kind: str
    duty: Duty
    page: str
    rival: str = ""
    platform: str = ""
    opens: datetime
    seen: datetime
    met: datetime
    closes: datetime
    value: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch of instants (hours or days) in the "may" band; ``met`` is the first that meets the definition."""

    first: int
    met: int | None
    last: int
    most: float


def episodes(sizes: Iterable[tuple[int, float, bool]], *, apart: int) -> Iterator[Episode]:
    """Join instants of the "may" band (index, size, whether the definition is met) no more than ``apart`` apart."""
    running: Episode | None = None
    for index, size, meets in sizes:
        if running is None or index - running.last > apart:
            if running is not None:
                yield running
            running = Episode(first=index, met=index if meets else None, last=index, most=size)
        else:
            met = index if meets and running.met is None else running.met
            running = Episode(first=running.first, met=met, last=index, most=max(running.most, size))
    if running is not None:
        yield running
