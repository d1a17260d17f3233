"""What a platform is: one file, ending in ``PLATFORM = Platform(…)``, and this is all of its surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.config.declaration import SettingGroup
from bot.http.client import Http
from handlers.model import Account, Metric, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What somebody pasted, understood: ``key`` is what the platform is asked for (an id or a handle)."""

    platform: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account as its platform describes it now. ``native_id`` is stable, ``handle`` may change."""

    platform: str
    native_id: str
    handle: str
    name: str
    url: str
    count: int
    low: int
    high: int
    metric: Metric


class Reason(StrEnum):
    """Why a page has no reading. Who must act: see ``bot.errors``."""

    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    AUTH_REFUSED = "auth_refused"
    CONFIG = "config"
    PAGE_GONE = "page_gone"
    PAGE_MOVED = "page_moved"
    COUNT_HIDDEN = "count_hidden"
    PAYLOAD_CHANGED = "payload_changed"
    UNRECORDED = "unrecorded"  # the platform answered, and the answer could not be kept: no fault of the platform's


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One page that could not be read this time. ``message`` is a sentence without secrets.

    ``moved_to`` is the address of the page that it was merged into, where the platform said so.
    """

    page: str
    reason: Reason
    message: str
    moved_to: str = ""


class RateLimitAction(StrEnum):
    """What the platform's usage headers ask for: poll half as often, or not at all, until an instant."""

    SLOW = "slow"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A platform asks for fewer calls (``SLOW``) or none (``STOP``) until an instant."""

    action: RateLimitAction
    until: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One batch's outcome: every account asked for is in exactly one of ``readings`` and ``failures``.

    ``handles`` maps the slug of a page to its new handle where that changed.
    """

    readings: tuple[Reading, ...]
    failures: tuple[Failure, ...] = ()
    rate_limit: RateLimit | None = None
    handles: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform's declaration.

    ``parse_reference(text)`` returns None for text that is not this platform's, and raises ``UnknownPage`` for what is
    its own but cannot be watched (a post, a group, an invite link), saying what to paste instead. A bare name or
    ``@name`` belongs to the platform whose ``bare_names`` is true unless the person named another.
    ``resolve(http, reference, now)`` asks the platform once and returns the profile, or raises ``UnknownPage``,
    ``AuthRefused``, ``ConfigError``, ``Throttled``, ``Unreachable`` or ``PayloadChanged``.
    ``fetch(http, accounts, now)`` reads one batch of at most ``batch`` accounts; it never raises for one page, nor
    for the network: whatever went wrong is in ``Fetched``. ``now`` stamps the readings.
    ``ready(values)`` returns None, or the sentence that says which setting is missing and where to get it.
    ``accepts`` says what people may paste: it ends the sentence "for Facebook: …".
    """

    name: str
    title: str
    batch: int
    settings: type[SettingGroup]
    base_url: Callable[[Mapping[str, str]], str]
    needs: str
    bare_names: bool
    parse_reference: Callable[[str], Reference | None]
    ready: Callable[[Mapping[str, str]], str | None]
    resolve: Callable[[Http, Reference, datetime], Profile]
    fetch: Callable[[Http, Sequence[Account], datetime], Fetched]
    accepts: str = ""
