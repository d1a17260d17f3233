"""The state of the evidence at a glance, for ``likewatch doctor``. The audit looks closer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.evidence.timestamps import read_stamp
from bot.text import phrases
from storage.errors import StoreError
from storage.store import Store

_LATE = timedelta(days=1)
"""How long a time-stamp may be missing before somebody should look: Likewatch requests one every hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One line: what is the case, and what to do. ``is_fault`` is None where the line only informs."""

    is_fault: bool | None
    what: str
    todo: str = ""


def evidence_status(store: Store, *, tsa_url: str, now: datetime) -> Iterator[StatusLine]:
    """Yield whether the newest readings rest on the newest evidence, and how far time-stamps cover it."""
    try:
        head, anchor, stamp = store.evidence.head(), store.evidence_anchor(), store.evidence.newest_stamp()
        is_whole = anchor is None or store.evidence.digest_of(anchor.sequence) == anchor.digest
    except StoreError as error:
        todo = "run `likewatch evidence audit`: it lists everything that is wrong"
        yield StatusLine(is_fault=True, what=f"Evidence: {error}", todo=todo)
        return
    if not is_whole:
        yield StatusLine(
            is_fault=True,
            what="Evidence: the newest readings rest on a link of the chain that is missing",
            todo="the file was lost, altered or replaced: `likewatch evidence audit` lists what is missing",
        )
    if head is None:
        yield StatusLine(is_fault=None, what="Evidence: none yet; it begins with the first poll")
        return
    replies = phrases.several(store.evidence.row_counts()["replies"], "reply", "replies")
    stored = f"{phrases.several(head.sequence, 'link')}, {replies} stored"
    if stamp is None and not tsa_url:
        yield StatusLine(
            is_fault=None,
            what=f"Evidence: {stored}; no outside authority has time-stamped it",
            todo="set LIKEWATCH_TSA_URL to a time-stamping authority; docs/evidence.md explains what that adds",
        )
        return
    last = None if stamp is None else read_stamp(stamp).at
    uncovered = head.sequence - stamp.sequence - 1 if stamp else head.sequence  # 1: the link that notes the stamp
    if uncovered > 0 and (last is None or now - last > _LATE):
        when = f"the last is of {phrases.instant(last)}" if last else "there is none yet"
        yield StatusLine(
            is_fault=bool(tsa_url),
            what=f"Evidence: {stored}, but {phrases.several(uncovered, 'link')} without a time-stamp ({when})",
            todo="the log shows what LIKEWATCH_TSA_URL answered; Likewatch tries again every hour while it runs",
        )
        return
    assert last is not None  # noqa: S101 (without a stamp, every link is uncovered)
    yield StatusLine(is_fault=False, what=f"Evidence: {stored}, time-stamped up to {phrases.instant(last)}")
