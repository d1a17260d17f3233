"""Find out whether Likewatch works, and the reasons if it does not: the content of /healthz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.monitoring.heartbeat import Pulse
from bot.text import durations, phrases
from storage.errors import StoreError
from storage.store import Store
from storage.values import Backlog, SourceState

SLOW_CYCLE = timedelta(minutes=6)
"""A longer cycle is a fault: fetching takes at most five minutes (bot.polling.fetcher), and the rest seconds."""

LONGEST_SILENCE = timedelta(minutes=1)
"""A longer time without a check for due pages is a fault: the bot checks every second."""

LONGEST_WAIT = timedelta(minutes=15)
"""A delivery that waits longer is a fault: a channel takes a message each second, and a burst is one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of Likewatch. ``reasons`` are sentences for the operator; without one, Likewatch works.

    ``dark`` are the platforms of which no page can be read. They are no reasons, because a restart does not help.
    """

    reasons: tuple[str, ...]
    sources: tuple[SourceState, ...]
    dark: tuple[SourceState, ...]
    backlog: Backlog | None


def health(store: Store, pulse: Pulse, now: datetime) -> Health:
    """Return the state of Likewatch."""
    try:
        with store.read():
            sources, backlog = store.pages.sources(), store.outbox.backlog()
    except StoreError as error:
        return Health(reasons=(*_cycle(pulse, now), str(error)), sources=(), dark=(), backlog=None)
    return Health(
        reasons=(*_cycle(pulse, now), *_outbox(backlog, now)),
        sources=sources,
        dark=tuple(source for source in sources if is_dark(source, now)),
        backlog=backlog,
    )


def is_dark(source: SourceState, now: datetime) -> bool:
    """Return whether no page of a platform can be read: at once if the operator must act, else after two polls.

    Ten more minutes are allowed, because most faults end by themselves. A page that answers and cannot be recorded does
    not count as unreadable.
    """
    failing = sum(count for reason, count in source.failing.items() if reason != "unrecorded")
    if failing < source.accounts:
        return False
    if set(source.failing) <= {"auth_refused", "config"}:
        return True
    since = source.newest or source.since or now
    return now - since > 2 * source.shortest_interval + timedelta(minutes=10)


def _cycle(pulse: Pulse, now: datetime) -> Iterator[str]:
    if pulse.running is not None:
        running = timedelta(seconds=pulse.running)
        if running > SLOW_CYCLE:
            yield f"A cycle has been running for {durations.duration(running)}; no page is read meanwhile."
    elif now - pulse.checked_at > LONGEST_SILENCE:
        yield f"For {durations.duration(now - pulse.checked_at)}, Likewatch has not checked which pages are due."
    if pulse.error:
        yield f"The last cycle failed ({pulse.error}); the log says more."
    if pulse.unrecorded:
        yield f"Readings cannot be recorded, and no page raises alerts meanwhile. {pulse.unrecorded}"


def _outbox(backlog: Backlog, now: datetime) -> Iterator[str]:
    if backlog.oldest is not None and now - backlog.oldest > LONGEST_WAIT:
        waiting = phrases.several(backlog.pending + backlog.sending, "alert")
        yield (
            f"{waiting} cannot be posted, the oldest for {durations.duration(now - backlog.oldest)}; "
            "`likewatch doctor` and the log say why."
        )
