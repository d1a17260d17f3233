"""Whether Likewatch works, and if not, why: what /healthz says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.monitoring.heartbeat import Pulse
from bot.text import phrases
from storage.errors import StoreError
from storage.store import Store
from storage.values import Backlog, SourceState

SLOW_CYCLE = timedelta(minutes=6)
"""A cycle's fetching takes at most five minutes (bot.polling.fetcher), the rest of it seconds."""

LONGEST_SILENCE = timedelta(minutes=1)
"""The bot looks every second for what is due."""

LONGEST_WAIT = timedelta(minutes=15)
"""A channel takes a message a second, and a burst is one message; what waits longer does not get out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """``reasons`` are sentences for the operator; none means that all is well.

    A platform that cannot be read is in ``dark``, and is no reason: nobody mends that by restarting Likewatch.
    """

    reasons: tuple[str, ...]
    sources: tuple[SourceState, ...]
    dark: tuple[SourceState, ...]
    backlog: Backlog | None


def health(store: Store, pulse: Pulse, now: datetime) -> Health:
    """How Likewatch is."""
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
    """Whether nothing at all of a platform can be read: at once where the operator must act, else after two polls.

    Ten minutes more are given, for what mends itself. What answers and cannot be recorded is not dark.
    """
    failing = sum(count for reason, count in source.failing.items() if reason != "unrecorded")
    if failing < source.accounts:
        return False
    if set(source.failing) <= {"auth_refused", "config"}:
        return True
    since = source.newest or source.since or now
    return now - since > 2 * source.fastest + timedelta(minutes=10)


def _cycle(pulse: Pulse, now: datetime) -> Iterator[str]:
    if pulse.running is not None:
        running = timedelta(seconds=pulse.running)
        if running > SLOW_CYCLE:
            yield f"A cycle has been under way for {phrases.duration(running)}; nothing is read meanwhile."
    elif now - pulse.looked_at > LONGEST_SILENCE:
        yield f"Nothing has looked for pages that are due for {phrases.duration(now - pulse.looked_at)}."
    if pulse.stumbled:
        yield f"The last cycle failed ({pulse.stumbled}); the log says more."
    if pulse.unrecorded:
        yield f"What is read cannot be recorded, and nothing is told of it meanwhile. {pulse.unrecorded}"


def _outbox(backlog: Backlog, now: datetime) -> Iterator[str]:
    if backlog.oldest is not None and now - backlog.oldest > LONGEST_WAIT:
        waiting = phrases.several(backlog.pending + backlog.sending, "alert")
        yield (
            f"{waiting} cannot be posted, the oldest for {phrases.duration(now - backlog.oldest)}; "
            "`likewatch doctor` and the log say why."
        )
