"""What the store remembers beside the newsroom's nouns, as frozen values. Instants are aware UTC datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from handlers.model import Alert, Page, SeriesState


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pages that are rivals; leads are judged inside a group."""

    slug: str
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNames:
    """Everything a page may be called, for forgiving matching."""

    slug: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollTrouble:
    """Why a page could not be read, since when; ``reason`` is a ``bot.platforms.contract.Reason`` value."""

    reason: str
    message: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """One account was asked at ``at``; it is due again at ``next_due``. ``trouble`` is None where it answered."""

    page: str
    at: datetime
    next_due: datetime
    trouble: PollTrouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCoverage:
    """How many accounts of a platform are polled, answered lately, and have begun to fail not long ago."""

    accounts: int
    answered: int
    failing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How a platform stands: ``newest`` is the last time that any of its ``accounts`` was read.

    ``failing`` maps reasons to how many accounts fail for them now, ``since`` is when the first of these began to, and
    ``message`` says why, of one of them. ``shortest_interval`` is the shortest cadence that any of them has.
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
    """What waits to be posted, since when the oldest of it does, and how many could not be posted at all.

    ``paused`` wait for channels that nothing can be posted in; they are counted nowhere else.
    """

    pending: int
    paused: int
    sending: int
    failed: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSnapshot:
    """A page's newest state: its series, when it was last asked and last answered, and what is wrong if anything.

    ``polled_at`` is the last successful poll (None for a page that is only imported): an unchanged count is
    younger than its reading.
    """

    page: Page
    series_state: SeriesState | None
    polled_at: datetime | None
    trouble: PollTrouble | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert as stored.

    ``replayed``: raised by a replay, dated then. ``historical``: found in imported history, and never posted.
    """

    alert: Alert
    recorded_at: datetime
    replayed: bool
    historical: bool


class Target(StrEnum):
    """What a channel subscribes to."""

    PAGE = "page"
    GROUP = "group"


def _no_thresholds() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A channel wants a page's or a group's alerts. ``features`` are the features it wants.

    ``thresholds`` maps those of them that it set a threshold of its own for to that limit, as people write it (10 for
    ``foreign>10``). ``paused`` is None, or the sentence that says why nothing is posted (the channel is archived, say).
    """

    team_id: str
    channel_id: str
    target: Target
    slug: str
    features: tuple[str, ...]
    by: str
    at: datetime
    paused: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=_no_thresholds)

    def matches(self, alert: Alert) -> bool:
        """Whether it wants an alert of what it is about: of its features, and raised by the threshold that holds here.

        Of a rule and its variants, which tell the same event each by its own threshold, it takes exactly one.
        """
        if alert.feature not in self.features:
            return False
        own = self.thresholds.get(alert.feature)
        return alert.threshold is None or own == alert.threshold or (own is None and not alert.tuned)


class DeliveryState(StrEnum):
    """Where a delivery stands: ``pending -> sending -> sent``.

    ``failed`` is for good; ``dropped`` was unsubscribed or muted before it was posted, or waited too long for a channel
    that nothing could be posted in.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert to one channel.

    ``ts`` is Slack's message timestamp once sent; ``card_ts`` that of the story's card in this channel if an earlier
    alert of the story was sent there. ``claimed_at`` is the instant of the last claim, ``attempts`` counts the claims
    before this one.
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
    """Who changed what, when, from where. ``action`` is a verb ("track", "subscribe", "import" …).

    ``request`` is Slack's own id of what was asked (a trigger or an event); "" where it did not come from Slack.
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
    """A line that a member or a channel (``recipient``, by Slack's id) is to be told; ``text`` is in Slack's markup.

    ``doubtful``: an attempt was begun and its outcome is not known, so they may have been told. ``attempts`` counts
    the attempts before this one.
    """

    id: int
    team_id: str
    recipient: str
    text: str
    attempts: int
    doubtful: bool
