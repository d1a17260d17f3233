"""Stand-ins for what a cycle needs: a platform that answers what it is told, and pages to watch on it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.config.field_types import SettingGroup
from bot.evidence.recorder import Recorder
from bot.http.client import Http
from bot.platforms.contract import Failure, Fetched, Platform, Profile, RateLimit, Reason, Reference
from bot.polling.cycle import Cycle
from bot.polling.fetcher import Source
from handlers.contract import Comparison
from handlers.discovery import all_comparisons
from handlers.model import Account, Metric, Page, Reading
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins.clock import HandClock

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class ToldPlatform:
    """A platform whose counts, failures and pause are set by the test; remembers what it was asked, batch by batch."""

    def __init__(self, name: str = "told", *, batch: int = 50) -> None:
        self.counts: dict[str, int] = {}
        self.failures: dict[str, Reason] = {}
        self.handles: dict[str, str] = {}
        self.rate_limit: RateLimit | None = None
        self.rate_limits: deque[RateLimit | None] = deque()  # of the next batches, before ``rate_limit``
        self.asked: list[tuple[str, ...]] = []
        self.while_fetching: Callable[[], None] = lambda: None
        self.declared = Platform(
            name=name,
            title=name.title(),
            batch=batch,
            settings=SettingGroup,
            base_url=lambda _: "http://127.0.0.1:9",
            needs="Nothing.",
            bare_names=False,
            parse_reference=lambda text: Reference(platform=name, key=text),
            resolve=self._resolve,
            fetch=self._fetch,
            accepts="any word",
        )

    def source(self, *, missing: str | None = None) -> Source:
        return Source(platform=self.declared, http=Http({}, "http://127.0.0.1:9"), missing=missing)

    def _resolve(self, _http: Http, reference: Reference, _now: datetime) -> Profile:
        count = self.counts[reference.key]
        return Profile(
            platform=self.declared.name,
            native_id=reference.key,
            handle=reference.key,
            name=reference.key.title(),
            url=f"https://told.example/{reference.key}",
            count=count,
            low=count,
            high=count,
            metric=Metric.FOLLOWERS,
        )

    def _fetch(self, _http: Http, accounts: Sequence[Account], now: datetime) -> Fetched:
        self.asked.append(tuple(account.page for account in accounts))
        self.while_fetching()
        failed = [account for account in accounts if account.page in self.failures]
        return Fetched(
            readings=tuple(
                reading(account.page, self.counts[account.page], now, source=self.declared.name)
                for account in accounts
                if account not in failed
            ),
            failures=tuple(
                Failure(page=account.page, reason=self.failures[account.page], message="It was told to fail.")
                for account in failed
            ),
            rate_limit=self.rate_limits.popleft() if self.rate_limits else self.rate_limit,
            handles={account.page: new for account in accounts if (new := self.handles.get(account.page))} or None,
        )


def reading(page: str, count: int, at: datetime, *, source: str = "told") -> Reading:
    """An exact reading, received when it was observed."""
    return Reading(
        page=page,
        observed_at=at,
        received_at=at,
        count=count,
        low=count,
        high=count,
        metric=Metric.FOLLOWERS,
        source=source,
    )


def track(
    store: Store,
    slug: str,
    *,
    platform: str = "told",
    native_id: str = "",
    groups: tuple[str, ...] = (),
    every: timedelta,
    now: datetime,
) -> None:
    """A page with an account, due at once."""
    page = Page(slug=slug, name=slug.title(), platform=platform, groups=groups)
    account = Account(
        page=slug,
        platform=platform,
        native_id=native_id or slug,
        handle=slug,
        url=f"https://told.example/{slug}",
        poll_every=every,
    )
    store.pages.add(page, account, at=now)


def subscribe(store: Store, slug: str, *, target: Target = Target.PAGE, now: datetime = START) -> None:
    """#newsroom wants every alert of a page or a group."""
    features = tuple(sorted({comparison.feature for comparison in all_comparisons()}))
    store.subscriptions.put(
        Subscription(team_id="T1", channel_id="C1", target=target, slug=slug, features=features, by="U1", at=now)
    )


def cycle(
    store: Store,
    clock: HandClock,
    sources: Mapping[str, Source],
    *,
    wake: Callable[[], None] = lambda: None,
    comparisons: Sequence[Comparison[Any]] | None = None,
    recorder: Recorder | None = None,
) -> Cycle:
    """A cycle over these sources with these comparisons, by default all, and a jitter that repeats."""
    return Cycle(
        store=store,
        clock=clock,
        sources=sources,
        recorder=recorder or Recorder(store.evidence, clock),
        comparisons=all_comparisons() if comparisons is None else comparisons,
        wake=wake,
        chance=random.Random(7),
    )
