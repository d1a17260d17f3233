"""One cycle: ask the platforms for what is due with no transaction open, then store what came in one transaction."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.clock import Clock
from bot.evidence.recorder import Recorder
from bot.platforms.batches import stricter
from bot.platforms.contract import Failure, RateLimit, Reason
from bot.polling.decide_and_store import NOTHING_ADDED, AddedFigures, Intake, sum_added
from bot.polling.fetcher import BatchAnswer, Fetcher, FetchingClosed, Source
from bot.polling.page_status import page_statuses
from bot.polling.poll_schedule import poll_outcomes, unusable_outcomes
from bot.polling.rate_limits import put_rate_limit, rate_limit_of
from handlers.contract import Comparison
from handlers.decide import Arrivals
from handlers.model import Account
from storage.errors import StoreError
from storage.store import Store

log = logging.getLogger(__name__)

SHORTEST_BACKOFF, LONGEST_BACKOFF = timedelta(minutes=1), timedelta(minutes=15)
"""If a poll cannot be recorded (on a full disk), the cycle pauses for a minute, then for two, four, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """The outcome of one poll. ``unrecorded`` says why it could not be recorded, and is empty if it was."""

    asked: int
    failures: tuple[Failure, ...]
    added: AddedFigures
    unrecorded: str = ""


class Cycle:
    """Polls the pages that are due. It calls ``wake`` when messages wait."""

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
        self.recorder = recorder
        self._intake = Intake(store=store, clock=clock, recorder=recorder, comparisons=comparisons, wake=wake)
        self.add_figures = self._intake.add  # for figures that no poll brought
        self._fetcher = Fetcher(store=store, clock=clock, sources=sources, recorder=recorder)
        self._chance = chance
        self._one_at_a_time = threading.Lock()
        self._troubles = _TroubleLog()
        self._backoff = _Backoff(clock)

    def close(self) -> None:
        """Start no further call. A poll under way ends without its answers."""
        self._fetcher.close()

    def run_due(self) -> PollReport | None:
        """Poll every page that is due. Return None if no page is due."""
        return self._run(self._clock.now())

    def run_all(self) -> PollReport | None:
        """Poll every tracked page now, due or not. Return None if no page can be polled."""
        return self._run(datetime.max.replace(tzinfo=UTC))

    def _run(self, due_by: datetime) -> PollReport | None:
        with self._one_at_a_time:
            if self._backoff.is_on():
                return None
            with self._store.read():
                version = self._store.pages.version()
                accounts = self._store.pages.due(due_by)
            if not accounts:
                return None
            answers: list[BatchAnswer] = []
            try:
                answers = self._fetcher.fetch(accounts, self._clock.now())
                self.recorder.seal()  # on the disk before any reading that rests on it
            except FetchingClosed:
                return None
            except StoreError as error:
                report = self._record_failures(answers, error)
            else:
                report = self._store_or_split(answers, version)
            self._backoff.after(report.unrecorded, min(account.poll_every for account in accounts))
        return report

    def _store_or_split(self, answers: list[BatchAnswer], version: int) -> PollReport:
        """Store all answers together. If that fails, store each alone, so that one bad answer spoils no other.

        The pages of an unusable answer are recorded as failed, so that they are not polled again every second.
        """
        try:
            return self._store_answers(answers, version)
        except StoreError as error:  # no answer's fault: each alone could be stored no better
            return self._record_failures(answers, error)
        except Exception as error:  # one of the two loops that must survive (ARCHITECTURE, rule 6)
            log.exception("The answers of %d batch(es) could not be stored together", len(answers))
            if len(answers) == 1:
                return self._record_failures(answers, error)
            return _sum([self._store_or_split([answer], version) for answer in answers])

    def _store_answers(self, answers: list[BatchAnswer], version: int) -> PollReport:
        with self._store.write():
            answers = self._of_current_accounts(answers, version)
            readings = tuple(reading for answer in answers for reading in answer.fetched.readings)
            newest = max((answer.asked_at for answer in answers), default=self._clock.now())
            figures = Arrivals(readings=readings, page_statuses=page_statuses(answers, self._store))
            added = self._intake.add([(newest, figures)], together=lambda: self._record_polls(answers))
        failures = tuple(failure for answer in answers for failure in answer.fetched.failures)
        self._troubles.log(answers, failures)
        return PollReport(asked=sum(len(answer.accounts) for answer in answers), failures=failures, added=added)

    def _record_failures(self, answers: Sequence[BatchAnswer], why: Exception) -> PollReport:
        """Record every page of these answers as failed, if that much can be written."""
        unrecorded = str(why) if isinstance(why, StoreError) else ""
        outcomes = unusable_outcomes(answers, why)
        try:
            self._store.pages.record_polls(outcomes)
        except StoreError as error:  # not even that: the database's own disk is full, say
            unrecorded = str(error)
        failures = tuple(
            Failure(page=one.page, reason=Reason(one.trouble.reason), message=one.trouble.message)
            for one in outcomes
            if one.trouble
        )
        return PollReport(asked=len(outcomes), failures=failures, added=NOTHING_ADDED, unrecorded=unrecorded)

    def _of_current_accounts(self, answers: list[BatchAnswer], version: int) -> list[BatchAnswer]:
        """Return the answers without the accounts that somebody untracked or replaced during the poll."""
        if self._store.pages.version() == version:
            return answers
        current = self._store.pages.accounts(account.page for answer in answers for account in answer.accounts)

        def is_current(account: Account) -> bool:
            now = current.get(account.page)
            return now is not None and (now.platform, now.native_id) == (account.platform, account.native_id)

        return [_only(answer, {one.page for one in answer.accounts if is_current(one)}) for answer in answers]

    def _record_polls(self, answers: Sequence[BatchAnswer]) -> None:
        """Record when each page is due again, new handles, and the rate limits that platforms asked for."""
        rate_limits: dict[str, RateLimit | None] = {}
        for answer in answers:
            name = answer.platform
            before = rate_limits.setdefault(name, rate_limit_of(self._store, name, answer.asked_at))
            rate_limits[name] = stricter(before, answer.fetched.rate_limit)
            for slug, handle in (answer.fetched.handles or {}).items():
                self._store.pages.set_handle(slug, handle)
        for name, rate_limit in rate_limits.items():
            if rate_limit:
                put_rate_limit(self._store, name, rate_limit)
        jitters = {name: self._chance.uniform(0.95, 1.05) for name in rate_limits}
        self._store.pages.record_polls(
            [
                outcome
                for answer in answers
                for outcome in poll_outcomes(
                    answer, jitter=jitters[answer.platform], rate_limit=rate_limits[answer.platform]
                )
            ]
        )


class _TroubleLog:
    """Logs each trouble when it begins and when it ends, not at every poll."""

    def __init__(self) -> None:
        self._troubles: frozenset[tuple[str, Reason]] = frozenset()

    def log(self, answers: Sequence[BatchAnswer], failures: Sequence[Failure]) -> None:
        """Log the troubles that began or ended with these answers, by platform and reason."""
        platforms = {account.page: answer.platform for answer in answers for account in answer.accounts}
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


class _Backoff:
    """Makes polls ever rarer while none can be recorded, since useless calls may use up a platform's allowance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic()
        self._length = timedelta(0)

    def is_on(self) -> bool:
        """Return whether to pause now."""
        return self._clock.monotonic() < self._until

    def after(self, unrecorded: str, fastest: timedelta) -> None:
        """Begin, lengthen or end the pause. ``fastest`` is the shortest interval of the polled pages."""
        if not unrecorded:
            if self._length:
                log.info("Polls can be recorded again")
            self._length = timedelta(0)
            return
        if not self._length:
            log.error("Polls cannot be recorded: %s", unrecorded)
        longest = max(SHORTEST_BACKOFF, min(fastest, LONGEST_BACKOFF))
        self._length = min(max(SHORTEST_BACKOFF, 2 * self._length), longest)
        self._until = self._clock.monotonic() + self._length.total_seconds()


def _only(answer: BatchAnswer, pages: set[str]) -> BatchAnswer:
    """Return the part of an answer that is about these pages."""
    fetched = answer.fetched
    return replace(
        answer,
        accounts=[account for account in answer.accounts if account.page in pages],
        fetched=replace(
            fetched,
            readings=tuple(reading for reading in fetched.readings if reading.page in pages),
            failures=tuple(failure for failure in fetched.failures if failure.page in pages),
            handles={slug: handle for slug, handle in (fetched.handles or {}).items() if slug in pages} or None,
        ),
    )


def _sum(reports: Sequence[PollReport]) -> PollReport:
    return PollReport(
        asked=sum(report.asked for report in reports),
        failures=tuple(failure for report in reports for failure in report.failures),
        unrecorded=next((report.unrecorded for report in reports if report.unrecorded), ""),
        added=sum_added([report.added for report in reports]),
    )
