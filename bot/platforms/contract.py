"""The contract of a platform: one file that ends in ``PLATFORM = Platform(…)``. This module is its whole surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.config.field_types import SettingGroup
from bot.http.client import Http
from handlers.model import Account, Metric, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The account that a pasted text means. ``key`` is its id or handle on the platform."""

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
    """Why a page has no reading. ``bot.errors`` says who must act."""

    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    AUTH_REFUSED = "auth_refused"
    CONFIG = "config"
    PAGE_GONE = "page_gone"
    PAGE_MOVED = "page_moved"
    COUNT_HIDDEN = "count_hidden"
    PAYLOAD_CHANGED = "payload_changed"
    UNRECORDED = "unrecorded"  # the platform answered, and the answer could not be stored: the platform is not at fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A page that could not be read this time. ``message`` is a sentence without secrets.

    ``moved_to`` is the address of the page that this one was merged into, or "".
    """

    page: str
    reason: Reason
    message: str
    moved_to: str = ""


class RateLimitAction(StrEnum):
    """The two kinds of rate limit."""

    SLOW = "slow"  # poll half as often
    STOP = "stop"  # make no calls


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A platform's request for fewer calls, or for none, until an instant."""

    action: RateLimitAction
    until: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The outcome of one batch: every account of the batch is in exactly one of ``readings`` and ``failures``.

    ``handles`` maps the slug of a page to its new handle, for pages whose handle changed.
    """

    readings: tuple[Reading, ...]
    failures: tuple[Failure, ...] = ()
    rate_limit: RateLimit | None = None
    handles: Mapping[str, str] | None = None


def _nothing_missing(_values: Mapping[str, str]) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The declaration of one platform.

    ``batch``: the most accounts that one call of ``fetch`` may read.
    ``settings``: the group of settings that the platform declares. The functions get their texts by name (``values``).
    ``base_url(values)``: the address of the API.
    ``needs``: sentences for the docs about what an operator must have.
    ``accepts``: the texts that people may paste, as the end of the sentence "for Facebook: …".
    ``bare_names``: whether a bare name or ``@name`` means this platform, unless the person names another.
    ``parse_reference(text)``: the account that a pasted text means, or None if the text is not about this platform. It
    raises ``UnknownPage`` for an address of the platform that is no page (a post, a group), with what to paste instead.
    ``missing_setting(values)``: the sentence that says which setting is missing and where to get its value, or None.
    ``resolve(http, reference, now)``: the profile, from one call. It raises ``UnknownPage``, ``AuthRefused``,
    ``ConfigError``, ``Throttled``, ``Unreachable`` or ``PayloadChanged``.
    ``fetch(http, accounts, now)``: one batch, whose readings are stamped with ``now``. It raises nothing for a page or
    for the network, because every error is a failure in ``Fetched``.
    """

    name: str
    title: str
    batch: int
    settings: type[SettingGroup]
    base_url: Callable[[Mapping[str, str]], str]
    needs: str
    bare_names: bool
    parse_reference: Callable[[str], Reference | None]
    resolve: Callable[[Http, Reference, datetime], Profile]
    fetch: Callable[[Http, Sequence[Account], datetime], Fetched]
    accepts: str
    missing_setting: Callable[[Mapping[str, str]], str | None] = _nothing_missing
