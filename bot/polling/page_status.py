"""What polls found out about pages beside their counts: trouble that is a page's own, new names, and trouble's end.

A platform that is down, a token that was refused or an allowance that is used up is the operator's trouble and no
news about any page. A failure is a page's own where it can only be: the platform answers for others, and no more than
half of its pages began to fail at about the same time. Where a platform has no other page to compare with, only what
it said of this very page counts.
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
"""A platform that answered for some page so long ago, or two polls of the slowest, is not down."""

TOGETHER = timedelta(days=2)
"""Failures that began so long ago or less may have begun together."""

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
    """The notices of these answers. To be asked before their outcomes are recorded: it compares with the last polls."""
    troubled = store.pages.failing()
    by_platform: dict[str, list[BatchAnswer]] = {}
    for answered in answers:
        by_platform.setdefault(answered.platform, []).append(answered)
    found = [notice for answered in answers for notice in (*_read_again(answered, troubled), *_renamed(answered))]
    for together in by_platform.values():
        found += _in_trouble(together, troubled, store)
    return tuple(found)


def _read_again(answered: BatchAnswer, troubled: frozenset[str]) -> Iterator[PageStatus]:
    for reading in answered.fetched.readings if troubled else ():
        if reading.page in troubled:
            yield PageStatus(page=reading.page, at=answered.asked_at, trouble=None)


def _renamed(answered: BatchAnswer) -> Iterator[PageStatus]:
    handles = answered.fetched.handles
    if not handles:
        return
    for account in answered.accounts:
        handle = handles.get(account.page, account.handle)
        if handle.casefold() != account.handle.casefold():
            yield PageStatus(page=account.page, at=answered.asked_at, trouble=PageTrouble.RENAMED, detail=handle)


def _in_trouble(answers: Sequence[BatchAnswer], troubled: frozenset[str], store: Store) -> Iterator[PageStatus]:
    failures = [
        (answered, failure)
        for answered in answers
        for failure in answered.fetched.failures
        if failure.reason in _TROUBLES
    ]
    if not failures or not _are_their_own([failure for _, failure in failures], answers, troubled, store):
        return
    for answered, failure in failures:
        yield PageStatus(
            page=failure.page, at=answered.asked_at, trouble=_TROUBLES[failure.reason], detail=failure.moved_to
        )


def _are_their_own(
    failures: Sequence[Failure], answers: Sequence[BatchAnswer], troubled: frozenset[str], store: Store
) -> bool:
    now = max(answered.asked_at for answered in answers)
    slowest = max(account.poll_every for answered in answers for account in answered.accounts)
    reach = store.pages.poll_coverage(
        answers[0].platform, answered_since=now - max(LATELY, 2 * slowest), failing_since=now - TOGETHER
    )
    if reach.accounts == 1:
        return _TROUBLES[failures[0].reason] is not PageTrouble.UNREAD
    failing = reach.failing + sum(failure.page not in troubled for failure in failures)
    answers_others = reach.answered > 0 or any(answered.fetched.readings for answered in answers)
    return answers_others and failing <= max(1, reach.accounts // 2)
