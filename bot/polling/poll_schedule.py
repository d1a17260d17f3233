"""When each page is to be read again, and what is said of its trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.platforms.contract import RateLimit, RateLimitAction, Reason
from bot.polling.fetcher import BatchAnswer
from storage.errors import StoreError
from storage.values import PollOutcome, PollTrouble

SOON = timedelta(minutes=2)
"""What could not be reached is tried again after this, or sooner where it is polled more often."""


def outcomes(answered: BatchAnswer, *, stride: float, rate_limit: RateLimit | None) -> Iterator[PollOutcome]:
    """Each account of a batch with its next poll: its cadence times ``stride``, doubled while the platform says slow.

    ``stride`` is the jitter (about 1), one for a whole platform, so that its batches stay full.
    """
    asked_at = answered.asked_at
    if rate_limit and rate_limit.action is RateLimitAction.SLOW:
        stride *= 2
    earliest = rate_limit.until if rate_limit and rate_limit.action is RateLimitAction.STOP else asked_at
    dues = {every: max(asked_at + every * stride, earliest) for every in {one.poll_every for one in answered.accounts}}
    soon = max(asked_at + SOON * stride, earliest)
    troubles = {failure.page: failure for failure in answered.fetched.failures}
    for account in answered.accounts:
        due, failure = dues[account.poll_every], troubles.get(account.page)
        if failure is None:
            yield PollOutcome(page=account.page, at=asked_at, next_due=due)
            continue
        if failure.reason is Reason.UNREACHABLE:
            due = min(due, soon)
        trouble = PollTrouble(reason=failure.reason.value, message=failure.message, since=asked_at)
        yield PollOutcome(page=account.page, at=asked_at, next_due=due, trouble=trouble)


def stumbled(answers: Sequence[BatchAnswer], error: Exception) -> list[PollOutcome]:
    """The outcomes of batches that could not be used or kept, through no fault of the platform."""
    reason = Reason.UNRECORDED if isinstance(error, StoreError) else Reason.PAYLOAD_CHANGED
    what = "keep" if reason is Reason.UNRECORDED else "use"
    trouble = f"Likewatch could not {what} what came ({type(error).__name__}); its log says more."
    return [
        PollOutcome(
            page=account.page,
            at=answered.asked_at,
            next_due=answered.asked_at + max(account.poll_every, SOON),
            trouble=PollTrouble(reason=reason.value, message=trouble, since=answered.asked_at),
        )
        for answered in answers
        for account in answered.accounts
    ]
