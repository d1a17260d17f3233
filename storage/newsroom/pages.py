"""Pages, their accounts and groups, and when each account is polled."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from handlers.model import Account, Page
from storage.errors import StoreError
from storage.newsroom.notes import Notes
from storage.schema.database import Database
from storage.schema.ids import Ids
from storage.schema.rows import Row, from_span, optional_instant, to_instant, to_ms, to_span
from storage.schema.sqlite import sqlite3
from storage.values import Group, PageNames, PollCoverage, PollOutcome, SourceState

PAGE = (
    "pages.id, slug, name, pages.platform, pages.url, home, aliases, (SELECT json_group_array(group_slug) FROM "
    "(SELECT group_slug FROM memberships WHERE page_id = pages.id ORDER BY memberships.rowid)) AS groups"
)
"""The columns that ``pages_of`` reads; a query may add others after them."""

PAGE_WIDTH = 8

_ACCOUNT = """
  SELECT page_id, slug, accounts.platform, native_id, handle, accounts.url, poll_every
  FROM accounts JOIN pages ON pages.id = page_id"""
_VERSION = "pages"
"""The note that counts the changes of pages, accounts and groups."""


class Pages:
    """All pages. A page is tracked until it is removed; its readings and alerts then stay."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._notes = Notes(database)
        database.after_rollback(self._forget)
        self._forget()

    def _forget(self) -> None:
        self._accounts: tuple[int, dict[int, Account]] = (-1, {})

    def add(self, page: Page, account: Account | None, *, at: datetime) -> None:
        """Add a page, track a removed one again, or give a page its account, which is due at once.

        A tracked page gets the new name, url and home, where given; groups and aliases are added to its own.
        Raise StoreError if the account is tracked under another slug.
        """
        with self._database.write() as db:
            other = self.by_account(account.platform, account.native_id) if account else None
            if account is not None and other is not None and other.slug != page.slug:
                raise StoreError(
                    f"The {account.platform} account {account.handle} is already watched as {other.slug}. "
                    "Use that name, or untrack it first."
                )
            page_id = _put_page(db.conn, page)
            if account is not None:
                _put_account(db.conn, page_id, account, at)
            _put_labels(db.conn, page_id)
            self._notes.count_up(_VERSION)

    def version(self) -> int:
        """Return a number that grows with every change of the pages, their accounts or groups."""
        return self._notes.number(_VERSION)

    def get(self, slug: str) -> Page | None:
        """Return a tracked page, or None if there is none of this slug."""
        return self.get_many((slug,)).get(slug)

    def all(self) -> tuple[Page, ...]:
        """Return every tracked page, by slug."""
        return pages_of(self._database.rows(f"SELECT {PAGE} FROM pages WHERE removed_at IS NULL ORDER BY slug"))

    def get_many(self, slugs: Iterable[str]) -> dict[str, Page]:
        """Return the tracked pages of these slugs."""
        rows = self._database.rows(
            f"SELECT {PAGE} FROM json_each(?) AS asked JOIN pages ON slug = asked.value WHERE removed_at IS NULL",
            (json.dumps(list(slugs)),),
        )
        return {page.slug: page for page in pages_of(rows)}

    def find(self, text: str) -> Page | None:
        """Return the page of exactly this name, apart from letter case and a leading @.

        A slug goes before an alias, an alias before the platform's names (handle, native id, url), and these before the
        page's own name. Return None if several pages match equally well, so that nobody gets another page's figures.
        """
        rows = self._database.rows(
            f"SELECT {PAGE}, rank FROM known_as JOIN pages ON pages.id = page_id "
            "WHERE label = ? AND removed_at IS NULL ORDER BY rank LIMIT 2",
            (_folded(text),),
        )
        if not rows or (len(rows) > 1 and rows[0][-1] == rows[1][-1]):
            return None
        return pages_of(rows[:1])[0]

    def names(self) -> tuple[PageNames, ...]:
        """Return each tracked page's slug, name, handle and aliases, by slug."""
        rows = self._database.rows(
            "SELECT slug, name, handle, aliases FROM pages LEFT JOIN accounts ON page_id = pages.id "
            "WHERE removed_at IS NULL ORDER BY slug"
        )
        return tuple(
            PageNames(slug=slug, labels=tuple(dict.fromkeys(filter(None, (slug, name, handle, *json.loads(aliases))))))
            for slug, name, handle, aliases in rows
        )

    def by_account(self, platform: str, native_id: str) -> Page | None:
        """Return the page that polls this account."""
        condition = "accounts.platform = ? AND native_id = ?"
        rows = self._database.rows(
            f"SELECT {PAGE} FROM accounts JOIN pages ON pages.id = page_id WHERE {condition}", (platform, native_id)
        )
        return next(iter(pages_of(rows)), None)

    def account(self, slug: str) -> Account | None:
        """Return a page's account, or None if the page is only imported, removed, or was never added."""
        return self.accounts((slug,)).get(slug)

    def accounts(self, slugs: Iterable[str]) -> dict[str, Account]:
        """Return the accounts of these pages; a page without one is absent."""
        rows = self._database.rows(
            f"{_ACCOUNT} WHERE slug IN (SELECT value FROM json_each(?))", (json.dumps(list(slugs)),)
        )
        return {account.page: account for account in map(_account_of, rows)}

    def set_handle(self, slug: str, handle: str) -> None:
        """Store the new handle of an account that was renamed on its platform; its native id stays."""
        with self._database.write() as db:
            page_id = self._ids.page(db.conn, slug)
            db.conn.execute("UPDATE accounts SET handle = ? WHERE page_id = ?", (handle, page_id))
            if page_id is not None:
                _put_labels(db.conn, page_id)
            self._notes.count_up(_VERSION)

    def remove(self, slug: str, *, at: datetime) -> bool:
        """Stop tracking a page and delete its account; return False if no such page is tracked."""
        with self._database.write() as db:
            removed = db.conn.execute(
                "UPDATE pages SET removed_at = ? WHERE slug = ? AND removed_at IS NULL", (to_ms(at), slug)
            ).rowcount
            db.conn.execute("DELETE FROM accounts WHERE page_id = (SELECT id FROM pages WHERE slug = ?)", (slug,))
            self._notes.count_up(_VERSION)
        return removed == 1

    def group(self, slug: str) -> Group | None:
        """Return a group, or None if it has no tracked page."""
        return next(iter(self._groups("AND group_slug = ?", (slug,))), None)

    def groups(self) -> tuple[Group, ...]:
        """Return every group that has tracked pages, by slug, each with its pages by slug."""
        return self._groups("", ())

    def _groups(self, condition: str, parameters: tuple[str, ...]) -> tuple[Group, ...]:
        rows = self._database.rows(
            "SELECT group_slug, slug FROM memberships JOIN pages ON pages.id = page_id "
            f"WHERE removed_at IS NULL {condition} ORDER BY group_slug, slug",
            parameters,
        )
        return tuple(
            Group(slug=group, pages=tuple(slug for _, slug in members))
            for group, members in groupby(rows, key=itemgetter(0))
        )

    def due(self, now: datetime, *, platform: str | None = None, limit: int = 100_000) -> tuple[Account, ...]:
        """Return the accounts that are due for a poll, the longest overdue first.

        An account that was polled after ``now`` is due too: the clock was set back, and it would wait until then.
        """
        with self._database.read() as conn:
            rows = conn.execute(
                "SELECT page_id FROM polls JOIN accounts USING (page_id) "
                "WHERE (next_due <= :now OR polled_at > :now) AND (:platform IS NULL OR platform = :platform) "
                "ORDER BY next_due, page_id LIMIT :limit",
                {"now": to_ms(now), "platform": platform, "limit": limit},
            ).fetchall()
            accounts = self._all_accounts()
        return tuple([accounts[page_id] for (page_id,) in rows])

    def _all_accounts(self) -> dict[int, Account]:
        """Return every account by its page's id, read again only if the version has changed.

        Benchmark (a) needs this cache: with 10,000 accounts, a cycle without it spends five times as long here.
        """
        version = self.version()
        if self._accounts[0] != version:
            self._accounts = (version, {row[0]: _account_of(row) for row in self._database.rows(_ACCOUNT)})
        return self._accounts[1]

    def next_due(self) -> datetime | None:
        """Return when the next account is due, or None if no page has an account."""
        return optional_instant(self._database.value("SELECT min(next_due) FROM polls"))

    def failing(self) -> frozenset[str]:
        """Return the pages whose last poll brought no count."""
        rows = self._database.rows("SELECT slug FROM polls JOIN pages ON pages.id = page_id WHERE trouble IS NOT NULL")
        return frozenset(slug for (slug,) in rows)

    def poll_coverage(self, platform: str, *, answered_since: datetime, failing_since: datetime) -> PollCoverage:
        """Return how many accounts of a platform answered since one instant, or began to fail since another."""
        row = self._database.row(
            "SELECT count(*), total(polled_at >= ?), total(trouble IS NOT NULL AND trouble_since >= ?) "
            "FROM accounts JOIN polls USING (page_id) WHERE platform = ?",
            (to_ms(answered_since), to_ms(failing_since), platform),
        )
        accounts, answered, failing = row or (0, 0, 0)
        return PollCoverage(accounts=accounts, answered=int(answered), failing=int(failing))

    def sources(self) -> tuple[SourceState, ...]:
        """Return the state of each platform that has accounts, by name. Takes a few ms for 10,000 accounts."""
        rows = self._database.rows(
            "SELECT platform, trouble, count(*), max(polled_at), min(poll_every), min(trouble_since), max(message) "
            "FROM accounts JOIN polls USING (page_id) GROUP BY platform, trouble ORDER BY platform, count(*) DESC"
        )
        return tuple(_source_state(name, list(together)) for name, together in groupby(rows, key=itemgetter(0)))

    def record_polls(self, outcomes: Sequence[PollOutcome]) -> None:
        """Store each account's poll and when it is due again. A failure for the same reason keeps its ``since``."""
        with self._database.write() as db:
            ids = self._ids.pages(db.conn, [outcome.page for outcome in outcomes])
            answered: defaultdict[tuple[datetime, datetime], list[int]] = defaultdict(list)
            for outcome in outcomes:
                if outcome.trouble is None and outcome.page in ids:
                    answered[outcome.at, outcome.next_due].append(ids[outcome.page])
            for (at, due), pages in answered.items():  # a batch at a time: its accounts share their instants
                db.conn.execute(
                    "UPDATE polls SET polled_at = ?, next_due = ?, trouble = NULL, message = NULL, "
                    "trouble_since = NULL WHERE page_id IN (SELECT value FROM json_each(?))",
                    (to_ms(at), to_ms(due), json.dumps(pages)),
                )
            db.conn.executemany(
                "UPDATE polls SET next_due = ?1, trouble_since = iif(trouble IS ?2, trouble_since, ?4), trouble = ?2, "
                "message = ?3 WHERE page_id = ?5",
                [
                    (
                        to_ms(outcome.next_due),
                        outcome.trouble.reason,
                        outcome.trouble.message,
                        to_ms(outcome.trouble.since),
                        ids.get(outcome.page),
                    )
                    for outcome in outcomes
                    if outcome.trouble is not None
                ],
            )


def _source_state(platform: str, rows: Sequence[Row]) -> SourceState:
    """Return a platform's state from its rows: one for each kind of failure, and one for accounts without any."""
    failing = [row for row in rows if row[1] is not None]
    newest = max((row[3] for row in rows if row[3] is not None), default=None)
    return SourceState(
        platform=platform,
        accounts=sum(row[2] for row in rows),
        newest=optional_instant(newest),
        shortest_interval=from_span(min(row[4] for row in rows)),
        failing={row[1]: row[2] for row in failing},
        since=to_instant(min(row[5] for row in failing)) if failing else None,
        message=failing[0][6] if failing else "",
    )


def pages_of(rows: Sequence[Row]) -> tuple[Page, ...]:
    """Return the pages of rows that begin with the columns ``PAGE``."""
    return tuple(
        Page(
            slug=slug,
            name=name,
            platform=platform,
            url=url,
            home=home,
            groups=tuple(json.loads(groups)),
            aliases=tuple(json.loads(aliases)) if aliases != "[]" else (),
        )
        for _, slug, name, platform, url, home, aliases, groups, *_ in rows
    )


def _account_of(row: Row) -> Account:
    _, slug, platform, native_id, handle, url, poll_every = row
    return Account(
        page=slug,
        platform=platform,
        native_id=native_id,
        handle=handle,
        url=url,
        poll_every=from_span(poll_every),
    )


def _put_page(conn: sqlite3.Connection, page: Page) -> int:
    known = conn.execute("SELECT aliases FROM pages WHERE slug = ?", (page.slug,)).fetchone()
    aliases = list(dict.fromkeys([*(json.loads(known[0]) if known else ()), *page.aliases]))
    page_id: int = conn.execute(
        "INSERT INTO pages (slug, name, platform, url, home, aliases) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (slug) DO UPDATE SET name = excluded.name, platform = excluded.platform, "
        "url = iif(excluded.url = '', url, excluded.url), home = coalesce(excluded.home, home), "
        "aliases = excluded.aliases, removed_at = NULL RETURNING id",
        (page.slug, page.name, page.platform, page.url, page.home, json.dumps(aliases, ensure_ascii=False)),
    ).fetchone()[0]
    conn.executemany(
        "INSERT OR IGNORE INTO memberships (page_id, group_slug) VALUES (?, ?)",
        [(page_id, group) for group in page.groups],
    )
    return page_id


def _put_account(conn: sqlite3.Connection, page_id: int, account: Account, at: datetime) -> None:
    conn.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (page_id) DO UPDATE SET "
        "platform = excluded.platform, native_id = excluded.native_id, handle = excluded.handle, url = excluded.url, "
        "poll_every = excluded.poll_every",
        (page_id, account.platform, account.native_id, account.handle, account.url, to_span(account.poll_every)),
    )
    conn.execute(
        "INSERT INTO polls (page_id, next_due) VALUES (?, ?) "
        "ON CONFLICT (page_id) DO UPDATE SET next_due = excluded.next_due",
        (page_id, to_ms(at)),
    )


def _put_labels(conn: sqlite3.Connection, page_id: int) -> None:
    """Store the labels by which a page is found: slug, aliases, the platform's names for it, its own name."""
    slug, name, url, aliases, *platforms_own = conn.execute(
        "SELECT slug, name, pages.url, aliases, handle, native_id, accounts.url "
        "FROM pages LEFT JOIN accounts ON page_id = pages.id WHERE pages.id = ?",
        (page_id,),
    ).fetchone()
    ranked = ((slug,), json.loads(aliases), (url, *platforms_own), (name,))
    ranks: dict[str, int] = {}
    for rank, labels in enumerate(ranked):
        for label in filter(None, labels):
            ranks.setdefault(_folded(label), rank)
    conn.execute("DELETE FROM known_as WHERE page_id = ?", (page_id,))
    conn.executemany(
        "INSERT INTO known_as (label, page_id, rank) VALUES (?, ?, ?)",
        [(label, page_id, rank) for label, rank in ranks.items()],
    )


def _folded(label: str) -> str:
    return label.strip().removeprefix("@").casefold()
