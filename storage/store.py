"""``Store``: the one door to everything remembered. (SKELETON: signatures and meaning; storage helper fills it in.)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from handlers.model import Account, Alert, AudienceReading, Judged, Page, Point, Track
from storage.values import (
    AuditEntry, Delivery, Group, KeptAlert, Latest, Name, Polled, Subscription, Target,
)


class Pages:
    def add(self, page: Page, account: Account | None, *, at: datetime) -> None:
        """Add a page, or bring back an untracked one, or attach an account to a page that had none; due at once.
        A page that exists gets the new name, url, home (if given), and its groups and aliases are added to. """
    def get(self, slug: str) -> Page | None: ...
    def all(self) -> tuple[Page, ...]: "Every page not untracked, by slug."
    def many(self, slugs: Iterable[str]) -> dict[str, Page]: ...
    def find(self, text: str) -> Page | None:
        "Exactly named: slug, alias, name, handle, native id or url, letter case and leading @ aside."
    def names(self) -> tuple[Name, ...]: ...
    def by_account(self, platform: str, native_id: str) -> Page | None: ...
    def account(self, slug: str) -> Account | None: ...
    def rename(self, slug: str, handle: str) -> None: ...
    def remove(self, slug: str, *, at: datetime) -> bool:
        "Stop watching: not polled, not listed; its readings and alerts stay. False if there is no such page."
    def group(self, slug: str) -> Group | None: ...
    def groups(self) -> tuple[Group, ...]: ...
    def due(self, now: datetime, *, platform: str | None = None, limit: int = 100_000) -> tuple[Account, ...]: ...
    def next_due(self) -> datetime | None: ...
    def polled(self, outcomes: Sequence[Polled]) -> None:
        "Record each account's poll and when it is due again. Trouble keeps the `since` of a trouble of the same reason."


class Readings:
    def take(self, rows: Sequence[Judged]) -> int:
        "Store readings (the caller leaves out unchanged and repeated ones); returns how many were new."
    def has(self, page: str, observed_at: datetime, source: str) -> int | None:
        "The count already stored under this key, else None."
    def confirm(self, page: str, instants: Iterable[datetime]) -> None:
        "Held readings that turned out true: they count from now on."
    def tracks(self, slugs: Iterable[str]) -> dict[str, Track]: ...
    def save_tracks(self, tracks: Sequence[Track]) -> None: ...
    def latest(self, slug: str) -> Latest | None: "None if there is no such page."
    def board(self, slugs: Iterable[str]) -> tuple[Latest, ...]: "Highest count first; pages without a count last, by slug."
    def at(self, slug: str, instant: datetime) -> Point | None: "The newest accepted point at or before; same metric as the page's track."
    def series(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]: "Accepted, oldest first."
    def daily(self, slug: str, since: datetime, until: datetime) -> tuple[Point, ...]: "The last accepted point of each UTC day."
    def fold(self, before: datetime) -> int: "Move readings older than this into the per-page history; how many."


class Audiences:
    def add(self, reading: AudienceReading) -> bool: "False if this very reading was there already."
    def recent(self, slug: str, since: datetime) -> tuple[AudienceReading, ...]: "Those since this instant, and always the 12 newest of each measure; oldest first by as_of."


class Alerts:
    def add(self, alerts: Sequence[Alert], *, at: datetime, replayed: bool = False, past: bool = False) -> tuple[Alert, ...]:
        "Keep alerts; those whose key was there already are left alone. Returns the new ones."
    def get(self, key: str) -> KeptAlert | None: ...
    def recent(self, *, page: str | None = None, group: str | None = None, since: datetime | None = None, limit: int = 50) -> tuple[KeptAlert, ...]:
        "Newest `alert.at` first. A page's alerts are those where it is page or rival."


class Memories:
    def get(self, comparison: str, scopes: Iterable[str]) -> dict[str, str]: ...
    def put(self, comparison: str, memories: Mapping[str, str]) -> None: ...


class Subscriptions:
    def put(self, subscription: Subscription) -> Subscription | None: "Save (replacing the same channel's same target); returns what it replaced."
    def get(self, team_id: str, channel_id: str, target: Target, slug: str) -> Subscription | None: ...
    def remove(self, team_id: str, channel_id: str, target: Target, slug: str) -> bool: ...
    def of_channel(self, team_id: str, channel_id: str) -> tuple[Subscription, ...]: ...
    def wanting(self, alert: Alert) -> tuple[Subscription, ...]:
        "Unpaused subscriptions that this alert is for: its page or rival, or a group both are in (its page's groups if it has no rival), and its feature. One per channel."
    def pause(self, team_id: str, channel_id: str, why: str) -> tuple[Subscription, ...]: "Those now paused."
    def resume(self, team_id: str, channel_id: str) -> None: ...
    def mute(self, team_id: str, channel_id: str, page: str, *, until: datetime) -> None: ...
    def unmute(self, team_id: str, channel_id: str, page: str) -> bool: ...
    def muted(self, team_id: str, channel_id: str, page: str, now: datetime) -> datetime | None: ...


class Outbox:
    def put(self, alert: Alert, subscriptions: Iterable[Subscription], *, at: datetime, replayed: bool = False) -> int:
        "One pending delivery per channel (UNIQUE(alert, team, channel)); how many are new."
    def claim(self, now: datetime) -> Delivery | None:
        """The oldest pending delivery of any channel that may be posted to now (not waiting, nothing of it `sending`,
        order kept within the channel), moved to `sending` by a conditional update and committed."""
    def next_at(self, now: datetime) -> datetime | None: "When the next pending delivery may be claimed; None if nothing is pending."
    def sent(self, delivery_id: int, ts: str, *, at: datetime, card_ts: str | None = None) -> None:
        "`card_ts` is the story's card (the message itself when None). The channel may be posted to again 1 s after `at`."
    def again(self, delivery_id: int, *, not_before: datetime, why: str) -> None: "Back to pending; the whole channel waits until then (kept over restarts)."
    def fail(self, delivery_id: int, why: str) -> None: ...
    def drop(self, delivery_id: int, why: str) -> None: ...
    def unsettled(self) -> tuple[Delivery, ...]: "Those found in `sending`: it is not known whether Slack took them."
    def depth(self) -> Mapping[str, int]: "How many deliveries are in each state."


class Audit:
    def add(self, entry: AuditEntry) -> None: ...
    def recent(self, *, team_id: str | None = None, limit: int = 50) -> tuple[AuditEntry, ...]: ...


class Notes:
    """Small facts about the installation (key -> text), and a platform's brake."""
    def get(self, key: str) -> str | None: ...
    def put(self, key: str, value: str) -> None: ...


class Store:
    pages: Pages
    readings: Readings
    audiences: Audiences
    alerts: Alerts
    memories: Memories
    subscriptions: Subscriptions
    outbox: Outbox
    audit: Audit
    notes: Notes

    @classmethod
    def open(cls, path: Path) -> Store:
        "Open for writing (the one writer): lock, create or migrate, check. Raises StoreInUse, StoreTooNew, StoreDamaged, StoreUnavailable."
    @classmethod
    def open_reader(cls, path: Path) -> Store: "Open an existing database read-only (mode=ro), beside a running writer."
    def write(self) -> AbstractContextManager[None]:
        "One BEGIN IMMEDIATE transaction of this thread on the writer connection; joining one already open in this thread. Methods that write open one themselves."
    def is_empty(self) -> bool: "No page was ever added."
    def backup(self, target: Path) -> None: "An online copy, checked with integrity_check and complete, that never overwrites."
    def close(self) -> None: ...
