"""One cycle: gather, decide, apply. Fetching happens with no transaction open; what came of it lands in one.

Live polls, imports and replays all go through ``Cycle.absorb``: the same ledger, the same comparisons, and one write
transaction with the readings, the alerts they caused and the outbox rows.
"""

from __future__ import annotations

import gc
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.brakes import brake_of, put_brake
from bot.clock import Clock
from bot.platforms.contract import Brake, Failure, Fetched, Platform, Reason
from bot.platforms.http import Http
from bot.worlds import KnownWorld
from handlers.decide import Arrivals, Decision, decide
from handlers.model import Account, Alert, Comparison, Standing
from storage.store import Store
from storage.values import Polled, Trouble

log = logging.getLogger(__name__)

FETCHERS = 16
"""Threads that fetch: latency, not the client, decides how fast 10,000 pages are read (docs/benchmarks.md)."""

FRESH = timedelta(days=7)
"""An event older than this when it is found (in imported history) is kept, and not posted as if it were news."""

HISTORY = timedelta(days=150)
"""How far back audience readings are laid before the comparisons: 28 days, the 90 before them, and some slack."""

SOON = timedelta(minutes=2)
"""What could not be reached is tried again after this, or sooner where it is polled more often."""

_STORED = frozenset({Standing.ACCEPTED, Standing.HELD, Standing.LATE, Standing.DOUBTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A platform, connected. ``missing`` is None, or the sentence that says which setting it lacks."""

    platform: Platform
    http: Http
    missing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """What came of a batch: how many readings of each standing, the alerts raised now, and those about the past."""

    standings: Mapping[Standing, int]
    audiences: int
    alerts: tuple[Alert, ...]
    past: tuple[Alert, ...]
    queued: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One poll of what was due."""

    asked: int
    failures: tuple[Failure, ...]
    absorbed: Absorbed


class Cycle:
    """Reads what is due and feeds what came to the comparisons. ``wake`` is called when something is to be posted."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        sources: Mapping[str, Source],
        comparisons: Sequence[Comparison[object]],
        wake: Callable[[], None],
        chance: random.Random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sources = sources
        self._comparisons = comparisons
        self._world = KnownWorld(store, comparisons, HISTORY)
        self._wake = wake
        self._chance = chance
        self._one_at_a_time = threading.Lock()
        self._refused: dict[str, str] = {}
        self._troubles: frozenset[tuple[str, Reason]] = frozenset()
        self._fetchers = ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")

    def close(self) -> None:
        """Stop the fetching threads; what is under way is finished first."""
        self._fetchers.shutdown(cancel_futures=True)

    def run_due(self) -> Report | None:
        """Read every page that is due, store and compare; None if nothing was due."""
        with self._one_at_a_time:
            due = self._store.pages.due(self._clock.now())
            return self._poll(due) if due else None

    def run_all(self) -> Report | None:
        """Read every tracked page now, due or not; None if no page can be polled."""
        with self._one_at_a_time:
            tracked = self._store.pages.due(datetime.max.replace(tzinfo=UTC))
            return self._poll(tracked) if tracked else None

    def absorb(
        self,
        batches: Iterable[tuple[datetime, Arrivals]],
        *,
        replayed: bool = False,
        together: Callable[[], None] = lambda: None,
    ) -> Absorbed:
        """Judge and compare what came, instant by instant, and store it all in one transaction.

        ``batches`` pairs the instant from which figures were known with the figures, oldest first. ``together`` runs
        inside the same transaction. A replay's alerts are dated then and posted; those of an import are posted only
        while fresh.
        """
        batches = [(instant, arrivals) for instant, arrivals in batches if arrivals.readings or arrivals.audiences]
        try:
            self._world.gather(batches)
            decisions: list[Decision] = []
            for instant, arrivals in batches:
                decision = decide(self._world.seen(), arrivals, instant, self._comparisons)
                self._world.grow(decision)
                decisions.append(decision)
            with self._store.write():
                absorbed = self._apply(decisions, replayed=replayed)
                together()
        except BaseException:
            self._world.forget()
            raise
        if absorbed.queued:
            self._wake()
        return absorbed

    def _apply(self, decisions: Sequence[Decision], *, replayed: bool) -> Absorbed:
        now = self._clock.now()
        judged = [judgement for decision in decisions for judgement in decision.judged]
        self._store.readings.take([judgement for judgement in judged if judgement.standing in _STORED])
        for decision in decisions:
            for slug, instants in decision.confirmed.items():
                self._store.readings.confirm(slug, instants)
        self._store.readings.save_tracks(self._world.changed_tracks())
        audiences = [audience for decision in decisions for audience in decision.audiences]
        kept = sum(self._store.audiences.add(audience) for audience in audiences)
        for name, memories in self._world.changed_memories().items():
            self._store.memories.put(name, memories)
        raised = [alert for decision in decisions for alert in decision.alerts]
        news = [alert for alert in raised if replayed or now - alert.at <= FRESH]
        past = [alert for alert in raised if not (replayed or now - alert.at <= FRESH)]
        fresh = self._store.alerts.add(news, at=now, replayed=replayed) if news else ()
        queued = sum(
            self._store.outbox.put(alert, self._store.subscriptions.wanting(alert), at=now, replayed=replayed)
            for alert in fresh
        )
        return Absorbed(
            standings=Counter(judgement.standing for judgement in judged),
            audiences=kept,
            alerts=fresh,
            past=self._store.alerts.add(past, at=now, past=True) if past else (),
            queued=queued,
        )

    def _poll(self, accounts: Sequence[Account]) -> Report:
        now = self._clock.now()
        answers = self._fetch(accounts, now)
        with _uncollected():
            return self._settle(accounts, answers, now)

    def _fetch(self, due: Sequence[Account], now: datetime) -> list[tuple[Sequence[Account], datetime, Fetched]]:
        """Ask the platforms, a batch a call, up to 16 calls at once; nobody is asked who told us to wait."""
        stopped = dict(self._refused_or_missing())
        for name in {account.platform for account in due}:
            pause = brake_of(self._store, name, now)
            if pause and pause.brake is Brake.STOP:
                stopped.setdefault(name, (Reason.THROTTLED, pause.message))

        def ask(batch: Sequence[Account]) -> tuple[Sequence[Account], datetime, Fetched]:
            name = batch[0].platform
            asked_at = self._clock.now()
            if name in stopped:
                reason, message = stopped[name]
                failures = tuple(Failure(page=account.page, reason=reason, message=message) for account in batch)
                return batch, asked_at, Fetched(readings=(), failures=failures)
            source = self._sources[name]
            fetched = source.platform.fetch(source.http, batch, asked_at)
            if fetched.pause and fetched.pause.brake is Brake.STOP:
                stopped[name] = (Reason.THROTTLED, fetched.pause.message)
            return batch, asked_at, fetched

        return list(self._fetchers.map(ask, self._in_batches(due)))

    def _refused_or_missing(self) -> Iterable[tuple[str, tuple[Reason, str]]]:
        for name, source in self._sources.items():
            if source.missing:
                yield name, (Reason.CONFIG, source.missing)
            elif name in self._refused:
                yield name, (Reason.AUTH_REFUSED, self._refused[name])

    def _in_batches(self, due: Sequence[Account]) -> list[Sequence[Account]]:
        by_platform: dict[str, list[Account]] = {}
        for account in due:
            if account.platform in self._sources:
                by_platform.setdefault(account.platform, []).append(account)
        return [
            accounts[start : start + self._sources[name].platform.batch]
            for name, accounts in by_platform.items()
            for start in range(0, len(accounts), self._sources[name].platform.batch)
        ]

    def _settle(
        self, due: Sequence[Account], answers: Sequence[tuple[Sequence[Account], datetime, Fetched]], now: datetime
    ) -> Report:
        failures = tuple(failure for _, _, fetched in answers for failure in fetched.failures)
        self._note_transitions(due, failures)
        arrivals = Arrivals(
            readings=tuple(reading for _, _, fetched in answers for reading in fetched.readings), audiences=()
        )
        outcomes = self._outcomes(answers, now)

        def together() -> None:
            self._store.pages.polled(outcomes)
            for batch, _, fetched in answers:
                for slug, handle in (fetched.handles or {}).items():
                    self._store.pages.rename(slug, handle)
                if fetched.pause:
                    put_brake(self._store, batch[0].platform, fetched.pause)

        absorbed = self.absorb([(now, arrivals)], together=together)
        return Report(asked=len(due), failures=failures, absorbed=absorbed)

    def _outcomes(self, answers: Sequence[tuple[Sequence[Account], datetime, Fetched]], now: datetime) -> list[Polled]:
        """When each page is due again: its cadence with one jitter for all of a platform, so that batches stay full."""
        strides: dict[str, float] = {}
        outcomes: list[Polled] = []
        for batch, asked_at, fetched in answers:
            name = batch[0].platform
            stride = strides.setdefault(name, self._chance.uniform(0.95, 1.05))
            pause = fetched.pause or brake_of(self._store, name, now)
            if pause and pause.brake is Brake.SLOW:
                stride *= 2
            earliest = pause.until if pause and pause.brake is Brake.STOP else asked_at
            troubles = {failure.page: failure for failure in fetched.failures}
            dues = {every: max(asked_at + every * stride, earliest) for every in {one.poll_every for one in batch}}
            soon = max(asked_at + SOON * stride, earliest)
            for account in batch:
                due, failure = dues[account.poll_every], troubles.get(account.page)
                if failure is None:
                    outcomes.append(Polled(page=account.page, at=asked_at, next_due=due))
                    continue
                if failure.reason is Reason.UNREACHABLE:
                    due = min(due, soon)
                trouble = Trouble(reason=failure.reason.value, message=failure.message, since=asked_at)
                outcomes.append(Polled(page=account.page, at=asked_at, next_due=due, trouble=trouble))
        return outcomes

    def _note_transitions(self, due: Sequence[Account], failures: Sequence[Failure]) -> None:
        """Log into and out of trouble, not every poll; a refused token is not used again until a restart."""
        platforms = {account.page: account.platform for account in due}
        troubles: dict[tuple[str, Reason], list[Failure]] = {}
        for failure in failures:
            troubles.setdefault((platforms[failure.page], failure.reason), []).append(failure)
        for (name, reason), failed in troubles.items():
            if reason is Reason.AUTH_REFUSED:
                self._refused.setdefault(name, failed[0].message)
            if (name, reason) not in self._troubles:
                log.warning("%s: %s for %d page(s): %s", name, reason.value, len(failed), failed[0].message)
        polled = set(platforms.values())
        for name, reason in self._troubles - troubles.keys():
            if name in polled:
                log.info("%s: %s is over", name, reason.value)
        self._troubles = frozenset(troubles) | {trouble for trouble in self._troubles if trouble[0] not in polled}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Ten thousand pages are half a million small values, none in a ring: searching them for rings, again and again as
    they grow in number, would take an eighth of the cycle. What is left lying meanwhile is collected right after."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
