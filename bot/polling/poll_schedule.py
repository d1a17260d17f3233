"""When each page is to be read again, and why it could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.platforms.contract import RateLimit, RateLimitAction, Reason
from bot.polling.fetcher import BatchAnswer
from storage.errors import StoreError
from storage.values import PollOutcome, PollTrouble

SOON = timedelta(minutes=2)
"""An unreachable page is polled again after this time, or sooner if its interval is shorter."""


def poll_outcomes(answer: BatchAnswer, *, jitter: float, rate_limit: RateLimit | None) -> Iterator[PollOutcome]:
    """Yield each account of a batch with its next poll.

    The next poll is due after ``poll_every * jitter``, twice that while the platform asks for fewer calls, and never
    before the platform may be asked again. ``jitter`` is about 1 and the same for a whole platform: its batches stay
    full.
    """
    asked_at = answer.asked_at
    if rate_limit and rate_limit.action is RateLimitAction.SLOW:
        jitter *= 2
    earliest = rate_limit.until if rate_limit and rate_limit.action is RateLimitAction.STOP else asked_at
    dues = {every: max(asked_at + every * jitter, earliest) for every in {one.poll_every for one in answer.accounts}}
    soon = max(asked_at + SOON * jitter, earliest)
    failures = {failure.page: failure for failure in answer.fetched.failures}
    for account in answer.accounts:
        due, failure = dues[account.poll_every], failures.get(account.page)
        if failure is None:
            yield PollOutcome(page=account.page, at=asked_at, next_due=due)
            continue
        if failure.reason is Reason.UNREACHABLE:
            due = min(due, soon)
        trouble = PollTrouble(reason=failure.reason.value, message=failure.message, since=asked_at)
        yield PollOutcome(page=account.page, at=asked_at, next_due=due, trouble=trouble)


def unusable_outcomes(answers: Sequence[BatchAnswer], error: Exception) -> list[PollOutcome]:
    """Return the outcomes of answers that Likewatch could not use or store, through no fault of the platform."""
    reason = Reason.UNRECORDED if isinstance(error, StoreError) else Reason.PAYLOAD_CHANGED
    what = "keep" if reason is Reason.UNRECORDED else "use"
    message = f"Likewatch could not {what} what came ({type(error).__name__}); its log says more."
    return [
        PollOutcome(
            page=account.page,
            at=answer.asked_at,
            next_due=answer.asked_at + max(account.poll_every, SOON),
            trouble=PollTrouble(reason=reason.value, message=message, since=answer.asked_at),
        )
        for answer in answers
        for account in answer.accounts
    ]
