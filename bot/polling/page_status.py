"""Find out from polls what concerns a page beside its count: trouble of its own, the end of it, and a new name.

A platform that is down, a refused token and a used-up allowance are the operator's trouble, and no news about a page.
A failure is a page's own if two things hold:

- The platform answers for other pages.
- At most half of its pages began to fail at about the same time.

If a platform has only one page, there is nothing to compare with. Then only what the platform said of that page counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from bot.platforms.contract import Failure, Reason
from bot.polling.fetcher import BatchAnswer
from handlers.model import PageStatus, PageTrouble
from storage.store import Store

LATELY = timedelta(hours=1)
"""A platform is up if it answered for some page within this time, or within two polls of its slowest page."""

TOGETHER = timedelta(days=2)
"""Failures that began within this time may have begun together."""

_TROUBLES: Mapping[Reason, PageTrouble] = MappingProxyType(
    {
        Reason.PAGE_GONE: PageTrouble.UNAVAILABLE,
        Reason.PAGE_MOVED: PageTrouble.MERGED,
        Reason.COUNT_HIDDEN: PageTrouble.HIDDEN,
        Reason.UNREACHABLE: PageTrouble.UNREAD,
        Reason.PAYLOAD_CHANGED: PageTrouble.UNREAD,
    }
)


def page_statuses(answers: Sequence[BatchAnswer], store: Store) -> tuple[PageStatus, ...]:
    """Return the page statuses that these answers show.

    Call it before the answers' outcomes are recorded: it compares the answers with the polls before.
    """
    failing = store.pages.failing()
    by_platform: dict[str, list[BatchAnswer]] = {}
    for answer in answers:
        by_platform.setdefault(answer.platform, []).append(answer)
    found = [status for answer in answers for status in (*_read_again(answer, failing), *_renamed(answer))]
    for of_platform in by_platform.values():
        found += _in_trouble(of_platform, failing, store)
    return tuple(found)


def _read_again(answer: BatchAnswer, failing: frozenset[str]) -> Iterator[PageStatus]:
    for reading in answer.fetched.readings if failing else ():
        if reading.page in failing:
            yield PageStatus(page=reading.page, at=answer.asked_at, trouble=None)


def _renamed(answer: BatchAnswer) -> Iterator[PageStatus]:
    handles = answer.fetched.handles
    if not handles:
        return
    for account in answer.accounts:
        handle = handles.get(account.page, account.handle)
        if handle.casefold() != account.handle.casefold():
            yield PageStatus(page=account.page, at=answer.asked_at, trouble=PageTrouble.RENAMED, detail=handle)


def _in_trouble(answers: Sequence[BatchAnswer], failing: frozenset[str], store: Store) -> Iterator[PageStatus]:
    failures = [
        (answer, failure) for answer in answers for failure in answer.fetched.failures if failure.reason in _TROUBLES
    ]
    if not failures or not _are_their_own([failure for _, failure in failures], answers, failing, store):
        return
    for answer, failure in failures:
        yield PageStatus(
            page=failure.page, at=answer.asked_at, trouble=_TROUBLES[failure.reason], detail=failure.moved_to
        )


def _are_their_own(
    failures: Sequence[Failure], answers: Sequence[BatchAnswer], failing: frozenset[str], store: Store
) -> bool:
    """Return whether these failures of one platform are the pages' own."""
    now = max(answer.asked_at for answer in answers)
    slowest = max(account.poll_every for answer in answers for account in answer.accounts)
    coverage = store.pages.poll_coverage(
        answers[0].platform, answered_since=now - max(LATELY, 2 * slowest), failing_since=now - TOGETHER
    )
    if coverage.accounts == 1:
        return _TROUBLES[failures[0].reason] is not PageTrouble.UNREAD
    failed = coverage.failing + sum(failure.page not in failing for failure in failures)
    answers_others = coverage.answered > 0 or any(answer.fetched.readings for answer in answers)
    return answers_others and failed <= max(1, coverage.accounts // 2)
