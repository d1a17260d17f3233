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
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.clock import Clock
from bot.evidence.recorder import Recorder
from bot.platforms.batches import stricter
from bot.platforms.contract import Failure, RateLimit, Reason
from bot.polling.fetcher import BatchAnswer, Fetcher, FetchingEnded, Source
from bot.polling.page_status import page_statuses
from bot.polling.poll_schedule import outcomes, stumbled
from bot.polling.rate_limits import put_rate_limit, rate_limit_of
from bot.polling.state_cache import StateCache
from bot.rules.channel_rules import RulesInForce
from handlers.contract import Comparison
from handlers.decide import Arrivals, Decision, decide
from handlers.model import Account, Alert, Standing
from storage.errors import StoreError
from storage.store import Store

log = logging.getLogger(__name__)

FRESH = timedelta(days=7)
"""An event older than this when it is found (in imported history) is kept, and not posted as if it were news."""

REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=15)
"""After a poll that could not be recorded (a full disk) the platforms are left alone: a minute, then two, four ..."""

_NOTHING_CAME = Arrivals()
_STORED = frozenset({Standing.ACCEPTED, Standing.HELD, Standing.LATE, Standing.DOUBTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """What came of figures: how many readings of each standing, how many were new, and the alerts they raised.

    ``past`` are alerts about the past, kept and not posted; ``queued`` counts the messages to be posted.
    """

    standings: Mapping[Standing, int]
    stored: int
    audiences: int
    alerts: tuple[Alert, ...]
    past: tuple[Alert, ...]
    queued: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One poll of what was due. ``unrecorded`` says why what came could not be recorded; empty if it was."""

    asked: int
    failures: tuple[Failure, ...]
    absorbed: Absorbed
    unrecorded: str = ""


class Cycle:
    """Reads what is due and feeds what came to the comparisons, and to the variants of them that channels have set.

    ``wake`` is called when something is to be posted.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        sources: Mapping[str, Source],
        recorder: Recorder,
        comparisons: Sequence[Comparison[object]],
        wake: Callable[[], None],
        chance: random.Random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = RulesInForce(store, comparisons)
        self._state = StateCache(store)
        self.recorder = recorder
        self._fetching = Fetcher(store=store, clock=clock, sources=sources, recorder=recorder)
        self._wake = wake
        self._chance = chance
        self._one_at_a_time = threading.Lock()
        self._troubles: frozenset[tuple[str, Reason]] = frozenset()
        self._rest_until = clock.monotonic()
        self._rests_for = timedelta(0)

    def close(self) -> None:
        """Start no further call; a poll under way ends without its answers."""
        self._fetching.close()

    def run_due(self) -> Report | None:
        """Read every page that is due, store and compare; None if nothing was due."""
        return self._run(self._clock.now())

    def run_all(self) -> Report | None:
        """Read every tracked page now, due or not; None if no page can be polled."""
        return self._run(datetime.max.replace(tzinfo=UTC))

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
        batches = [(instant, arrivals) for instant, arrivals in batches if arrivals != _NOTHING_CAME]
        return self._absorb(batches, replayed=replayed, together=together)

    def _absorb(
        self, batches: Sequence[tuple[datetime, Arrivals]], *, replayed: bool, together: Callable[[], None]
    ) -> Absorbed:
        rules = self._rules.now()
        self._state.gather(batches, rules)
        decisions: list[Decision] = []
        for instant, arrivals in batches:
            decision = decide(self._state.snapshot(), arrivals, instant, rules)
            self._state.apply(decision)
            decisions.append(decision)
        with self._store.write():
            absorbed = self._apply(decisions, replayed=replayed)
            self._store.save_evidence_anchor()
            together()
            if absorbed.queued:
                self._store.after_commit(self._wake)  # of the outermost: who is woken sees nothing before it
        self._state.keep()
        return absorbed

    def _apply(self, decisions: Sequence[Decision], *, replayed: bool) -> Absorbed:
        now = self._clock.now()
        readings = [reading for decision in decisions for reading in decision.readings]
        stored = self._store.readings.add([reading for reading in readings if reading.standing in _STORED])
        for decision in decisions:
            for slug, runs in decision.confirmed.items():
                for first, last in runs:
                    self._store.readings.confirm(slug, first, last)
        self._store.series_states.put(self._state.changed_tracks())
        self._store.history_summaries.put(self._state.changed_pasts())
        audiences = [audience for decision in decisions for audience in decision.audiences]
        kept = sum(self._store.audiences.add(audience) for audience in audiences)
        for name, version, rule_states in self._state.changed_memories():
            self._store.rule_states.put(name, version, rule_states)
        raised = [alert for decision in decisions for alert in decision.alerts if self._is_kept(alert)]
        news = [alert for alert in raised if replayed or now - alert.at <= FRESH]
        past = [alert for alert in raised if not (replayed or now - alert.at <= FRESH)]
        fresh = self._store.alerts.add(news, at=now, replayed=replayed) if news else ()
        queued = sum(
            self._store.outbox.put(alert, self._store.subscriptions.matching(alert), at=now, replayed=replayed)
            for alert in fresh
        )
        old = self._store.alerts.add(past, at=now, historical=True) if past else ()
        if fresh or old:
            self.recorder.seal_alerts((*fresh, *old))
        return Absorbed(
            standings=Counter(reading.standing for reading in readings),
            stored=stored,
            audiences=kept,
            alerts=fresh,
            past=old,
            queued=queued,
        )

    def _is_kept(self, alert: Alert) -> bool:
        """What a variant tells of pages that nobody set its threshold for (it looks at whole groups) is no alert."""
        return not alert.tuned or bool(self._store.subscriptions.matching(alert))

    def _run(self, due_by: datetime) -> Report | None:
        with self._one_at_a_time:
            if self._clock.monotonic() < self._rest_until:
                return None
            with self._store.read():
                version = self._store.pages.version()
                accounts = self._store.pages.due(due_by)
            if not accounts:
                return None
            now = self._clock.now()
            answers: list[BatchAnswer] = []
            try:
                answers = self._fetching.fetch(accounts, now)
                self.recorder.seal()  # on the disk before any reading that rests on it
            except FetchingEnded:
                return None
            except StoreError as error:
                report = self._gaps(answers, error)
            else:
                with _uncollected():
                    report = self._settled(answers, version)
            self._rest(report.unrecorded, min(account.poll_every for account in accounts))
        return report

    def _settled(self, answers: list[BatchAnswer], version: int) -> Report:
        """Settle all answers together; where that fails, each batch alone, so that one poisoned answer spoils no other.

        What cannot be used at all is at least recorded, so that it is not asked for again every second.
        """
        try:
            report = self._settle(answers, version)
        except StoreError as error:  # no answer's fault: each alone could be stored no better
            return self._gaps(answers, error)
        except Exception as error:  # one of the two loops that must survive (ARCHITECTURE, rule 6)
            log.exception("What %d batch(es) brought could not be used as a whole", len(answers))
            if len(answers) > 1:
                return _together([self._settled([answered], version) for answered in answers])
            return self._gaps(answers, error)
        return report

    def _gaps(self, answers: Sequence[BatchAnswer], why: Exception) -> Report:
        """Every page of these answers failed, and is recorded as such, if that much can be written."""
        unrecorded = str(why) if isinstance(why, StoreError) else ""
        polled = stumbled(answers, why)
        try:
            self._store.pages.record_polls(polled)
        except StoreError as error:  # not even that: the database's own disk is full, say
            unrecorded = str(error)
        failures = tuple(
            Failure(page=one.page, reason=Reason(one.trouble.reason), message=one.trouble.message)
            for one in polled
            if one.trouble
        )
        return Report(asked=len(polled), failures=failures, absorbed=_NOTHING, unrecorded=unrecorded)

    def _rest(self, unrecorded: str, fastest: timedelta) -> None:
        """Ask ever more rarely while nothing can be recorded: what is asked in vain may use up the allowance."""
        if not unrecorded:
            if self._rests_for:
                log.info("What is read can be recorded again")
            self._rests_for = timedelta(0)
            return
        if not self._rests_for:
            log.error("What is read cannot be recorded: %s", unrecorded)
        longest = max(REST, min(fastest, LONGEST_REST))
        self._rests_for = min(max(REST, 2 * self._rests_for), longest)
        self._rest_until = self._clock.monotonic() + self._rests_for.total_seconds()

    def _settle(self, answers: list[BatchAnswer], version: int) -> Report:
        with self._store.write():
            answers = self._still_true(answers, version)
            failures = tuple(failure for answered in answers for failure in answered.fetched.failures)
            readings = tuple(reading for answered in answers for reading in answered.fetched.readings)
            newest = max((answered.asked_at for answered in answers), default=self._clock.now())
            came = Arrivals(readings=readings, page_statuses=page_statuses(answers, self._store))
            absorbed = self._absorb([(newest, came)], replayed=False, together=lambda: self._note(answers))
        self._note_transitions(answers, failures)
        return Report(asked=sum(len(answered.accounts) for answered in answers), failures=failures, absorbed=absorbed)

    def _still_true(self, answers: list[BatchAnswer], version: int) -> list[BatchAnswer]:
        """Without the answers about accounts that were untracked or replaced while they were asked for."""
        if self._store.pages.version() == version:
            return answers
        current = self._store.pages.accounts(account.page for answered in answers for account in answered.accounts)

        def still(account: Account) -> bool:
            known = current.get(account.page)
            return known is not None and (known.platform, known.native_id) == (account.platform, account.native_id)

        return [
            _only(answered, {account.page for account in answered.accounts if still(account)}) for answered in answers
        ]

    def _note(self, answers: Sequence[BatchAnswer]) -> None:
        """When each page is due again, new handles, and what the platforms asked of us."""
        rate_limits: dict[str, RateLimit | None] = {}
        for answered in answers:
            known = rate_limits.setdefault(
                answered.platform, rate_limit_of(self._store, answered.platform, answered.asked_at)
            )
            rate_limits[answered.platform] = stricter(known, answered.fetched.rate_limit)
            for slug, handle in (answered.fetched.handles or {}).items():
                self._store.pages.set_handle(slug, handle)
        for name, rate_limit in rate_limits.items():
            if rate_limit:
                put_rate_limit(self._store, name, rate_limit)
        strides = {name: self._chance.uniform(0.95, 1.05) for name in rate_limits}
        self._store.pages.record_polls(
            [
                polled
                for answered in answers
                for polled in outcomes(
                    answered, stride=strides[answered.platform], rate_limit=rate_limits[answered.platform]
                )
            ]
        )

    def _note_transitions(self, answers: Sequence[BatchAnswer], failures: Sequence[Failure]) -> None:
        """Log into and out of trouble, not every poll."""
        platforms = {account.page: answered.platform for answered in answers for account in answered.accounts}
        troubles: dict[tuple[str, Reason], list[Failure]] = {}
        for failure in failures:
            troubles.setdefault((platforms[failure.page], failure.reason), []).append(failure)
        for (name, reason), failed in troubles.items():
            if (name, reason) not in self._troubles:
                log.warning("%s: %s for %d page(s): %s", name, reason.value, len(failed), failed[0].message)
        polled = set(platforms.values())
        for name, reason in self._troubles - troubles.keys():
            if name in polled:
                log.info("%s: %s is over", name, reason.value)
        self._troubles = frozenset(troubles) | {trouble for trouble in self._troubles if trouble[0] not in polled}


_NOTHING = Absorbed(standings={}, stored=0, audiences=0, alerts=(), past=(), queued=0)


def _only(answered: BatchAnswer, pages: set[str]) -> BatchAnswer:
    fetched = answered.fetched
    return replace(
        answered,
        accounts=[account for account in answered.accounts if account.page in pages],
        fetched=replace(
            fetched,
            readings=tuple(reading for reading in fetched.readings if reading.page in pages),
            failures=tuple(failure for failure in fetched.failures if failure.page in pages),
            handles={slug: handle for slug, handle in (fetched.handles or {}).items() if slug in pages} or None,
        ),
    )


def _together(reports: Sequence[Report]) -> Report:
    absorbed = [report.absorbed for report in reports]
    return Report(
        asked=sum(report.asked for report in reports),
        failures=tuple(failure for report in reports for failure in report.failures),
        unrecorded=next((report.unrecorded for report in reports if report.unrecorded), ""),
        absorbed=Absorbed(
            standings=sum((Counter(one.standings) for one in absorbed), Counter()),
            stored=sum(one.stored for one in absorbed),
            audiences=sum(one.audiences for one in absorbed),
            alerts=tuple(alert for one in absorbed for alert in one.alerts),
            past=tuple(alert for one in absorbed for alert in one.past),
            queued=sum(one.queued for one in absorbed),
        ),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: a cycle makes a hundred thousand small values and none that refers to itself.

    Looking through them for such rings, again and again while they grow in number, would take an eighth of the cycle.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
