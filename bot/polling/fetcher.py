"""Ask the platforms: in full batches, with up to 16 calls at once. A platform that asked us to wait is not called."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.evidence.recorder import Recorder
from bot.http.client import Http
from bot.platforms.contract import Failure, Fetched, Platform, RateLimitAction, Reason
from bot.polling.rate_limits import rate_limit_of
from handlers.model import Account
from storage.store import Store

log = logging.getLogger(__name__)

FETCHERS = 16
"""Threads that fetch. Latency, not the client, decides how fast 10,000 pages are read (docs/benchmarks.md)."""

UNKNOWN_BATCH = 50
"""Accounts in a batch of a platform that this Likewatch does not have."""

TIMEOUT = 300.0
"""Seconds for all batches of one cycle. A batch without an answer by then is unreachable, and soon asked again.

Each call has a deadline of its own (``bot.http.client.Limits``). Two things take longer all the same: a name that the
system looks up for minutes, and very many slow answers. The quick platforms must not wait for these.
"""

_CHECK_EVERY = 0.2
"""Seconds between two checks whether the fetcher was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A connected platform. ``missing`` is None, or the sentence that says which setting it lacks."""

    platform: Platform
    http: Http
    missing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """A platform's answer about one batch of accounts. ``asked_at`` is the instant of the call."""

    platform: str
    accounts: Sequence[Account]
    asked_at: datetime
    fetched: Fetched


class FetchingClosed(Exception):
    """The fetcher was closed, so that there is no answer."""


class Fetcher:
    """Fetches batches. The fetcher does not use a refused token again before a restart."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        sources: Mapping[str, Source],
        recorder: Recorder,
        timeout: float = TIMEOUT,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sources = sources
        self._recorder = recorder
        self._timeout = timeout
        self._refused: dict[str, str] = {}
        self._ended = threading.Event()
        self._threads = _threads()

    def close(self) -> None:
        """Start no further call. A call under way ends when its platform's session is closed."""
        self._ended.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def fetch(self, accounts: Sequence[Account], now: datetime) -> list[BatchAnswer]:
        """Return every account's answer. Raise ``FetchingClosed`` once the fetcher is closed."""
        barred = dict(self._barred({account.platform for account in accounts}, now))

        def ask(batch: Sequence[Account]) -> BatchAnswer:
            name, asked_at = batch[0].platform, self._clock.now()
            fetched = _failed(batch, *barred[name]) if name in barred else self._ask(name, batch, asked_at)
            if fetched.rate_limit and fetched.rate_limit.action is RateLimitAction.STOP:
                barred[name] = (Reason.THROTTLED, fetched.rate_limit.message)
            return BatchAnswer(platform=name, accounts=batch, asked_at=asked_at, fetched=fetched)

        batches = list(self._batches(accounts))
        try:
            calls = [self._threads.submit(ask, batch) for batch in batches]
        except RuntimeError:  # no further call may start
            if self._ended.is_set():
                raise FetchingClosed from None
            raise
        self._wait_for(calls)
        if unanswered := sum(not call.done() for call in calls):
            log.error("%d of %d batches had no answer in %.0f seconds", unanswered, len(calls), self._timeout)
            self._threads.shutdown(wait=False, cancel_futures=True)  # a thread that hangs is left behind
            self._threads = _threads()
        return [
            call.result() if call.done() and not call.cancelled() else _unanswered(batch, now)
            for call, batch in zip(calls, batches, strict=True)
        ]

    def _wait_for(self, calls: Sequence[Future[BatchAnswer]]) -> None:
        pending, until = set(calls), self._clock.monotonic() + self._timeout
        while pending and self._clock.monotonic() < until:
            pending = wait(pending, timeout=_CHECK_EVERY).not_done
            if self._ended.is_set():
                raise FetchingClosed

    def _ask(self, name: str, batch: Sequence[Account], asked_at: datetime) -> Fetched:
        source = self._sources[name]
        try:
            with self._recorder.asking(batch, asked_at):
                fetched = source.platform.fetch(source.http, batch, asked_at)
        except Exception as error:  # the polling loop survives what no platform foresaw (ARCHITECTURE, rule 6)
            log.exception("%s: fetching stumbled", name)
            return _failed(
                batch, Reason.PAYLOAD_CHANGED, f"Likewatch stumbled over the answer ({type(error).__name__})."
            )
        for failure in fetched.failures:
            if failure.reason is Reason.AUTH_REFUSED:
                self._refused[name] = failure.message
        return fetched

    def _barred(self, names: set[str], now: datetime) -> Iterator[tuple[str, tuple[Reason, str]]]:
        """Yield each platform that is not to be asked, with the reason."""
        for name in names:
            source = self._sources.get(name)
            rate_limit = rate_limit_of(self._store, name, now)
            if source is None:
                yield name, (Reason.CONFIG, f"This Likewatch does not know the platform {name} any more.")
            elif source.missing:
                yield name, (Reason.CONFIG, source.missing)
            elif name in self._refused:
                yield name, (Reason.AUTH_REFUSED, self._refused[name])
            elif rate_limit and rate_limit.action is RateLimitAction.STOP:
                yield name, (Reason.THROTTLED, rate_limit.message)

    def _batches(self, accounts: Sequence[Account]) -> Iterator[Sequence[Account]]:
        by_platform: dict[str, list[Account]] = {}
        for account in accounts:
            by_platform.setdefault(account.platform, []).append(account)
        for name, of_platform in by_platform.items():
            size = self._sources[name].platform.batch if name in self._sources else UNKNOWN_BATCH
            for start in range(0, len(of_platform), size):
                yield of_platform[start : start + size]


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")


def _unanswered(batch: Sequence[Account], now: datetime) -> BatchAnswer:
    fetched = _failed(batch, Reason.UNREACHABLE, "It did not answer in time; it is asked again soon.")
    return BatchAnswer(platform=batch[0].platform, accounts=batch, asked_at=now, fetched=fetched)


def _failed(batch: Sequence[Account], reason: Reason, message: str) -> Fetched:
    return Fetched(
        readings=(), failures=tuple(Failure(page=account.page, reason=reason, message=message) for account in batch)
    )
