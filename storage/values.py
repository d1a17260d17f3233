"""Frozen values that the store takes and returns. Instants are aware UTC datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from handlers.model import Alert, Page, SeriesState


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pages that are rivals. Leads are judged inside a group."""

    slug: str
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNames:
    """All names of a page, for forgiving matching."""

    slug: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollTrouble:
    """A failure to read a page. ``reason`` is a value of ``bot.platforms.contract.Reason``."""

    reason: str
    message: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """The outcome of one account's poll. ``trouble`` is None if the platform answered."""

    page: str
    at: datetime
    next_due: datetime
    trouble: PollTrouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCoverage:
    """The numbers of a platform's accounts: all, answered lately, failing since lately."""

    accounts: int
    answered: int
    failing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """The state of a platform.

    Attributes:
        accounts: the number of its accounts.
        newest: the last time that any of them was read.
        shortest_interval: the shortest interval between two polls of one account.
        failing: reason -> number of accounts that fail for it now.
        since: when the first of these began to fail.
        message: the platform's message for one of these.

    """

    platform: str
    accounts: int
    newest: datetime | None
    shortest_interval: timedelta
    failing: Mapping[str, int]
    since: datetime | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The numbers of deliveries by state, and when the oldest one that waits was queued.

    ``paused`` deliveries wait for paused channels and are counted nowhere else.
    """

    pending: int
    paused: int
    sending: int
    failed: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSnapshot:
    """A page's newest state.

    ``polled_at`` is the last successful poll, or None for a page that is only imported. It may be later than the newest
    reading, because an unchanged count is not stored again.
    """

    page: Page
    series_state: SeriesState | None
    polled_at: datetime | None
    trouble: PollTrouble | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert as stored.

    ``replayed``: a replay raised it. ``historical``: it was found in imported history and is never posted.
    """

    alert: Alert
    recorded_at: datetime
    replayed: bool
    historical: bool


class Target(StrEnum):
    """The kinds of targets of a subscription."""

    PAGE = "page"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A channel's wish for the alerts of a page or a group.

    Attributes:
        features: the features whose alerts the channel wants.
        thresholds: feature -> the channel's own threshold, as people write it (10 for ``foreign>10``).
        paused: None, or a sentence that says why nothing is posted, such as an archived channel.

    """

    team_id: str
    channel_id: str
    target: Target
    slug: str
    features: tuple[str, ...]
    by: str
    at: datetime
    paused: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def matches(self, alert: Alert) -> bool:
        """Return whether the channel gets this alert of its target, by feature and threshold.

        Rules with different thresholds raise several alerts of one event. A channel gets exactly one of them.
        """
        if alert.feature not in self.features:
            return False
        own = self.thresholds.get(alert.feature)
        return alert.threshold is None or own == alert.threshold or (own is None and not alert.tuned)


class DeliveryState(StrEnum):
    """The states of a delivery: ``pending -> sending -> sent``.

    ``failed``: it can never be posted. ``dropped``: it was unsubscribed or muted before it was posted, or its channel
    was paused too long.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert to one channel.

    Attributes:
        attempts: the number of claims before this one.
        claimed_at: the instant of the last claim.
        ts: Slack's message timestamp, once sent.
        card_ts: the timestamp of the story's card in this channel, if an earlier alert of the story was sent there.

    """

    id: int
    alert: Alert
    team_id: str
    channel_id: str
    state: DeliveryState
    replayed: bool
    attempts: int
    claimed_at: datetime | None = None
    ts: str | None = None
    card_ts: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An entry of the audit log. ``action`` is a verb ("track", "subscribe", "import" …).

    ``request`` is Slack's id of the trigger or event, or "" if the change did not come from Slack.
    """

    at: datetime
    team_id: str
    channel_id: str
    user_id: str
    action: str
    subject: str
    detail: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A line that a member or a channel is owed. ``recipient`` is a Slack id; ``text`` is in Slack's markup.

    ``attempts`` counts the attempts before this one. ``doubtful``: the outcome of an attempt is unknown, so the
    recipient may have the line already.
    """

    id: int
    team_id: str
    recipient: str
    text: str
    attempts: int
    doubtful: bool
