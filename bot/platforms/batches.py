"""The part that every platform's ``fetch`` shares: errors become failures, and pages do not harm each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.errors import AuthRefused, ConfigError, LikewatchError, PageGone, Throttled, Unreachable
from bot.platforms.contract import Failure, Fetched, RateLimit, RateLimitAction, Reason
from handlers.model import Account, Reading


class PageMoved(PageGone):
    """The platform merged this page into another. ``to`` is the address of the other page, or "" if it is unknown."""

    def __init__(self, message: str, *, to: str) -> None:
        super().__init__(message)
        self.to = to


class CountHidden(PageGone):
    """The page exists and shows no count."""


_REASONS: tuple[tuple[type[LikewatchError], Reason], ...] = (
    (PageMoved, Reason.PAGE_MOVED),
    (CountHidden, Reason.COUNT_HIDDEN),
    (PageGone, Reason.PAGE_GONE),
    (Throttled, Reason.THROTTLED),
    (AuthRefused, Reason.AUTH_REFUSED),
    (ConfigError, Reason.CONFIG),
    (Unreachable, Reason.UNREACHABLE),
)


def failure(account: Account, error: LikewatchError) -> Failure:
    """Return ``error`` as this account's failure."""
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.PAYLOAD_CHANGED)
    moved_to = error.to if isinstance(error, PageMoved) else ""
    return Failure(page=account.page, reason=reason, message=str(error), moved_to=moved_to)


def wait_asked_for(error: Throttled, now: datetime) -> RateLimit:
    """Return the rate limit of a platform that asked to wait: no calls until the wait is over."""
    return RateLimit(action=RateLimitAction.STOP, until=now + error.wait, message=str(error))


def stricter(one: RateLimit | None, other: RateLimit | None) -> RateLimit | None:
    """Return the rate limit that allows less: a stop before a slow-down, then the later end."""
    limits = [limit for limit in (one, other) if limit is not None]
    return max(limits, key=lambda limit: (limit.action is RateLimitAction.STOP, limit.until), default=None)


def read_batch(accounts: Sequence[Account], now: datetime, read: Callable[[Sequence[Account]], Fetched]) -> Fetched:
    """Return ``read(accounts)``. An error that it raises becomes a failure of each account.

    A platform may refuse a whole batch because of one page (``PageGone``). The batch is then halved until that page is
    alone. That takes at most 2·log₂(n) more calls for each such page, where n is the number of accounts.
    """
    if not accounts:
        return Fetched(readings=())
    try:
        return read(accounts)
    except LikewatchError as error:
        if isinstance(error, PageGone) and len(accounts) > 1:
            middle = len(accounts) // 2
            return _together(read_batch(accounts[:middle], now, read), read_batch(accounts[middle:], now, read))
        return Fetched(
            readings=(),
            failures=tuple(failure(account, error) for account in accounts),
            rate_limit=wait_asked_for(error, now) if isinstance(error, Throttled) else None,
        )


def read_each(
    accounts: Sequence[Account],
    now: datetime,
    read: Callable[[Account], tuple[Reading, str]],
    rate_limit: RateLimit | None = None,
) -> Fetched:
    """Return what ``read(account)`` gives for each account: its reading, and its handle as it is now ("" if unknown).

    An error that it raises becomes this account's failure. ``rate_limit`` is that of the whole batch.
    """
    readings: list[Reading] = []
    failures: list[Failure] = []
    handles: dict[str, str] = {}
    for account in accounts:
        try:
            reading, handle = read(account)
        except LikewatchError as error:
            failures.append(failure(account, error))
            if isinstance(error, Throttled):
                rate_limit = stricter(rate_limit, wait_asked_for(error, now))
        else:
            readings.append(reading)
            if handle not in {"", account.handle}:
                handles[account.page] = handle
    return Fetched(readings=tuple(readings), failures=tuple(failures), rate_limit=rate_limit, handles=handles or None)


def _together(one: Fetched, other: Fetched) -> Fetched:
    return Fetched(
        readings=one.readings + other.readings,
        failures=one.failures + other.failures,
        rate_limit=stricter(one.rate_limit, other.rate_limit),
        handles={**(one.handles or {}), **(other.handles or {})} or None,
    )
