"""How the evidence stands, in plain words, at a glance; the audit looks closer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.evidence.timestamps import read_stamp
from bot.text import phrases
from storage.errors import StoreError
from storage.store import Store

_LATE = timedelta(days=1)
"""Without a time-stamp for this long, somebody should look at it: one is asked for every hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One line: what is, and what to do about it. ``is_fault``: it needs somebody; None: it is merely to be known."""

    is_fault: bool | None
    what: str
    todo: str = ""


def evidence_status(store: Store, *, tsa_url: str, now: datetime) -> Iterator[StatusLine]:
    """Whether the newest readings rest on the newest evidence, and how far time-stamps cover it."""
    try:
        head, anchor, stamp = store.evidence.head(), store.evidence_anchor(), store.evidence.newest_stamp()
        there = anchor is None or store.evidence.digest_of(anchor.sequence) == anchor.digest
    except StoreError as error:
        yield StatusLine(is_fault=True, what=f"Evidence: {error}", todo="`likewatch evidence audit` says what else")
        return
    if not there:
        yield StatusLine(
            is_fault=True,
            what="Evidence: the newest readings rest on a link of the chain that is not there",
            todo="it was lost, altered or replaced by an older file: `likewatch evidence audit` says what is missing",
        )
    if head is None:
        yield StatusLine(is_fault=None, what="Evidence: none yet; it begins with the first poll")
        return
    counted = store.evidence.row_counts()
    kept = f"{phrases.several(head.sequence, 'link')}, {phrases.several(counted['replies'], 'reply', 'replies')} kept"
    if stamp is None and not tsa_url:
        yield StatusLine(
            is_fault=None,
            what=f"Evidence: {kept}; nobody outside has time-stamped it",
            todo="set LIKEWATCH_TSA_URL to a time-stamping authority; docs/evidence.md says what it is worth",
        )
        return
    last = None if stamp is None else read_stamp(stamp).at
    uncovered = head.sequence - stamp.sequence - 1 if stamp else head.sequence  # 1: the link that tells of the stamp
    if uncovered > 0 and (last is None or now - last > _LATE):
        when = f"the last is of {phrases.instant(last)}" if last else "there is none yet"
        yield StatusLine(
            is_fault=bool(tsa_url),
            what=f"Evidence: {kept}, but {phrases.several(uncovered, 'link')} without a time-stamp ({when})",
            todo="see the log for what LIKEWATCH_TSA_URL answered; it is asked every hour while Likewatch runs",
        )
        return
    assert last is not None  # noqa: S101 (without a stamp, every link is uncovered)
    yield StatusLine(is_fault=False, what=f"Evidence: {kept}, time-stamped up to {phrases.instant(last)}")
