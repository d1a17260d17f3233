"""The way to Slack: ``pending -> sending -> sent``. A delivery is claimed by an update that only one can win."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from handlers.model import Alert
from storage.alerts import ALERT, alert_of, keep
from storage.database import Database
from storage.rows import Row, to_instant, to_ms
from storage.sqlite import sqlite3
from storage.values import Backlog, Delivery, State, Subscription

PACE = timedelta(seconds=1)
"""Slack takes about one message a second in a channel (https://docs.slack.dev/apis/web-api/rate-limits)."""

_DELIVERY = f"""
  SELECT {ALERT}, deliveries.id, deliveries.team_id, deliveries.channel_id, state, deliveries.replayed, claims,
    claimed_at, deliveries.ts, trouble, cards.ts
  FROM deliveries JOIN alerts ON alerts.id = alert_id LEFT JOIN cards
    ON cards.team_id = deliveries.team_id AND cards.channel_id = deliveries.channel_id AND cards.story = alerts.story"""

_CLAIM = """
  UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = :now WHERE id = (
    SELECT id FROM deliveries WHERE state = 'pending' AND (team_id, channel_id) NOT IN (
      SELECT team_id, channel_id FROM channels WHERE not_before > :now
      UNION ALL SELECT team_id, channel_id FROM deliveries WHERE state = 'sending'
    ) ORDER BY id LIMIT 1
  ) AND state = 'pending' RETURNING id"""

_NEXT = """
  SELECT min(coalesce(not_before, :now)) FROM (
    SELECT DISTINCT team_id, channel_id FROM deliveries WHERE state = 'pending'
    EXCEPT SELECT team_id, channel_id FROM deliveries WHERE state = 'sending'
  ) LEFT JOIN channels USING (team_id, channel_id)"""


class Outbox:
    """What is to be posted, in the order of each channel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, alert: Alert, subscriptions: Iterable[Subscription], *, at: datetime, replayed: bool = False) -> int:
        """One pending delivery per channel (a channel is never given an alert twice); how many are new.

        The alert is kept with them if it was not yet.
        """
        with self._database.write() as db:
            keep(db.conn, alert, at=at, replayed=replayed, past=False)
            alert_id = db.conn.execute("SELECT id FROM alerts WHERE key = ?", (alert.key,)).fetchone()[0]
            return db.conn.executemany(
                "INSERT OR IGNORE INTO deliveries (alert_id, team_id, channel_id, state, replayed, queued_at) "
                "VALUES (?, ?, ?, 'pending', ?, ?)",
                [(alert_id, wish.team_id, wish.channel_id, replayed, to_ms(at)) for wish in subscriptions],
            ).rowcount

    def claim(self, now: datetime) -> Delivery | None:
        """Move the oldest pending delivery that may be posted now to ``sending``, committed; None if there is none.

        Not those of a channel that must wait, nor of one where another is ``sending``: order is kept within a channel,
        and one channel never holds up another.
        """
        with self._database.write() as db:
            claimed = db.conn.execute(_CLAIM, {"now": to_ms(now)}).fetchone()
            if claimed is None:
                return None
            return _delivery(db.conn.execute(f"{_DELIVERY} WHERE deliveries.id = ?", claimed).fetchone())

    def next_at(self, now: datetime) -> datetime | None:
        """When the next pending delivery may be claimed (``now`` if at once).

        None if nothing is pending, or only behind one that is ``sending``: settling that one comes first.
        """
        with self._database.read() as conn:
            next_at = conn.execute(_NEXT, {"now": to_ms(now)}).fetchone()[0]
        return None if next_at is None else max(now, to_instant(next_at))

    def sent(self, delivery_id: int, ts: str, *, at: datetime, card_ts: str | None = None) -> None:
        """Slack took it as ``ts``. ``card_ts`` is the story's card (the message itself when None).

        The channel may be posted to again 1 s after ``at``.
        """
        with self._database.write() as db:
            db.conn.execute(
                "UPDATE deliveries SET state = 'sent', ts = ?, sent_at = ?, trouble = NULL WHERE id = ?",
                (ts, to_ms(at), delivery_id),
            )
            db.conn.execute(
                "INSERT INTO cards SELECT team_id, channel_id, story, ? "
                "FROM deliveries JOIN alerts ON alerts.id = alert_id WHERE deliveries.id = ? "
                "ON CONFLICT DO UPDATE SET ts = excluded.ts",
                (card_ts or ts, delivery_id),
            )
            _wait(db.conn, delivery_id, at + PACE)

    def again(self, delivery_id: int, *, not_before: datetime, why: str) -> None:
        """Back to pending; the whole channel waits until then (kept over restarts)."""
        with self._database.write() as db:
            _settle(db.conn, delivery_id, State.PENDING, why)
            _wait(db.conn, delivery_id, not_before)

    def fail(self, delivery_id: int, why: str) -> None:
        """It cannot be delivered, for good."""
        with self._database.write() as db:
            _settle(db.conn, delivery_id, State.FAILED, why)

    def drop(self, delivery_id: int, why: str) -> None:
        """It is not wanted any more: unsubscribed or muted since."""
        with self._database.write() as db:
            _settle(db.conn, delivery_id, State.DROPPED, why)

    def unsettled(self) -> tuple[Delivery, ...]:
        """Those found in ``sending``: it is not known whether Slack took them."""
        with self._database.read() as conn:
            rows = conn.execute(f"{_DELIVERY} WHERE state = 'sending' ORDER BY deliveries.id").fetchall()
        return tuple(_delivery(row) for row in rows)

    def backlog(self) -> Backlog:
        """What waits, found through the index alone: cheap however much was ever sent."""
        with self._database.read() as conn:
            pending, sending, failed = (
                conn.execute("SELECT count(*) FROM deliveries WHERE state = ?", (state,)).fetchone()[0]
                for state in (State.PENDING, State.SENDING, State.FAILED)
            )
            oldest = conn.execute(
                "SELECT min(queued_at) FROM (SELECT * FROM (SELECT queued_at FROM deliveries WHERE state = 'pending' "
                "ORDER BY id LIMIT 1) UNION ALL SELECT * FROM (SELECT queued_at FROM deliveries "
                "WHERE state = 'sending' ORDER BY id LIMIT 1))"
            ).fetchone()[0]
        return Backlog(
            pending=pending,
            sending=sending,
            failed=failed,
            oldest=None if oldest is None else to_instant(oldest),
        )

    def depth(self) -> Mapping[str, int]:
        """How many deliveries are in each state; every state is named."""
        with self._database.read() as conn:
            counted = dict(conn.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
        return {state.value: counted.get(state.value, 0) for state in State}


def _settle(conn: sqlite3.Connection, delivery_id: int, state: State, why: str) -> None:
    conn.execute("UPDATE deliveries SET state = ?, trouble = ? WHERE id = ?", (state.value, why, delivery_id))


def _wait(conn: sqlite3.Connection, delivery_id: int, until: datetime) -> None:
    """The delivery's channel waits at least until then; a longer wait asked for before still holds."""
    conn.execute(
        "INSERT INTO channels SELECT team_id, channel_id, ? FROM deliveries WHERE id = ? "
        "ON CONFLICT DO UPDATE SET not_before = max(not_before, excluded.not_before)",
        (to_ms(until), delivery_id),
    )


def _delivery(row: Row) -> Delivery:
    *alert, delivery_id, team_id, channel_id, state, replayed, claims, claimed_at, ts, trouble, card_ts = row
    return Delivery(
        id=delivery_id,
        alert=alert_of(tuple(alert)),
        team_id=team_id,
        channel_id=channel_id,
        state=State(state),
        replayed=bool(replayed),
        attempts=claims - 1,
        claimed_at=to_instant(claimed_at),
        ts=ts,
        card_ts=card_ts,
        trouble=trouble,
    )


def doubt_pending(conn: sqlite3.Connection) -> int:
    """Of a restored backup: nobody knows which of the waiting deliveries were posted since. How many wait.

    As ``sending`` since they were queued, each is looked for in its channel before it is posted.
    """
    return conn.execute(
        "UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = queued_at WHERE state = 'pending'"
    ).rowcount
