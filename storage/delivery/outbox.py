"""The way to Slack: ``pending -> sending -> sent``. A delivery is claimed by an update that only one can win."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from handlers.model import Alert
from storage.delivery.alerts import ALERT, alert_of, keep
from storage.schema.database import Database
from storage.schema.rows import Row, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.values import Backlog, Delivery, DeliveryState, Subscription

PACE = timedelta(seconds=1)
"""Slack takes about one message a second in a channel (https://docs.slack.dev/apis/web-api/rate-limits)."""

ALONE = "a list that it was in was refused"
"""The trouble of a delivery that is to be posted in a message of its own."""

_DELIVERY = f"""
  SELECT {ALERT}, deliveries.id, deliveries.team_id, deliveries.channel_id, state, deliveries.replayed, claims,
    claimed_at, deliveries.ts, trouble, cards.ts
  FROM deliveries JOIN alerts ON alerts.id = alert_id LEFT JOIN cards
    ON cards.team_id = deliveries.team_id AND cards.channel_id = deliveries.channel_id AND cards.story = alerts.story"""

_HELD = """
  SELECT team_id, channel_id FROM channels WHERE not_before > :now AND asked_at <= :now
  UNION ALL SELECT team_id, channel_id FROM deliveries WHERE state = 'sending'
  UNION ALL SELECT team_id, channel_id FROM subscriptions WHERE paused IS NOT NULL"""
"""The channels that nothing is posted in now: told to wait, in the middle of it, or paused."""

_CLAIM = f"""
  UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = :now WHERE id = (
    SELECT id FROM deliveries WHERE state = 'pending' AND (team_id, channel_id) NOT IN ({_HELD})
      AND team_id NOT IN (
        SELECT team_id FROM channels WHERE channel_id = '' AND not_before > :now AND asked_at <= :now
      )
    ORDER BY id LIMIT 1
  ) AND state = 'pending' RETURNING id"""

_NEXT = """
  SELECT min(max(coalesce(own.not_before, :now), coalesce(everywhere.not_before, :now))) FROM (
    SELECT DISTINCT team_id, channel_id FROM deliveries WHERE state = 'pending'
    EXCEPT SELECT team_id, channel_id FROM deliveries WHERE state = 'sending'
    EXCEPT SELECT team_id, channel_id FROM subscriptions WHERE paused IS NOT NULL
  ) AS waiting
  LEFT JOIN channels AS own
    ON (own.team_id, own.channel_id) = (waiting.team_id, waiting.channel_id) AND own.asked_at <= :now
  LEFT JOIN channels AS everywhere
    ON (everywhere.team_id, everywhere.channel_id) = (waiting.team_id, '') AND everywhere.asked_at <= :now"""

_PAUSED = "((team_id, channel_id) IN (SELECT team_id, channel_id FROM subscriptions WHERE paused IS NOT NULL))"
_STATE = f"iif(state = 'pending' AND {_PAUSED}, 'paused', state)"


class Outbox:
    """What is to be posted, in the order of each channel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, alert: Alert, subscriptions: Iterable[Subscription], *, at: datetime, replayed: bool = False) -> int:
        """One pending delivery per channel (a channel is never given an alert twice); how many are new.

        The alert is kept with them if it was not yet.
        """
        with self._database.write() as db:
            keep(db.conn, alert, at=at, replayed=replayed, historical=False)
            alert_id = db.conn.execute("SELECT id FROM alerts WHERE key = ?", (alert.key,)).fetchone()[0]
            return db.conn.executemany(
                "INSERT OR IGNORE INTO deliveries (alert_id, team_id, channel_id, state, replayed, queued_at) "
                "VALUES (?, ?, ?, 'pending', ?, ?)",
                [(alert_id, wish.team_id, wish.channel_id, replayed, to_ms(at)) for wish in subscriptions],
            ).rowcount

    def claim(self, now: datetime) -> Delivery | None:
        """Move the oldest pending delivery that may be posted now to ``sending``, committed; None if there is none.

        Not those of a channel or a team that must wait, nor of a channel that is paused or where another is
        ``sending``: order is kept within a channel, and one channel never holds up another.
        """
        with self._database.write() as db:
            claimed = db.conn.execute(_CLAIM, {"now": to_ms(now)}).fetchone()
            if claimed is None:
                return None
            return _delivery(db.conn.execute(f"{_DELIVERY} WHERE deliveries.id = ?", claimed).fetchone())

    def claim_behind(self, first: Delivery, *, more_than: int, most: int) -> tuple[Delivery, ...]:
        """Move those that wait behind ``first``, just claimed, to ``sending`` too, if in all there are ``more_than``.

        They are to be posted with it in one message, at most ``most`` in all and in their order: up to the first that
        has a card to be edited, is replayed, or is to be posted alone. Empty where they are fewer.
        """
        if _stands_alone(first):
            return ()
        with self._database.write() as db:
            rows = db.conn.execute(
                f"{_DELIVERY} WHERE state = 'pending' AND deliveries.team_id = ? AND deliveries.channel_id = ? "
                "ORDER BY deliveries.id LIMIT ?",
                (first.team_id, first.channel_id, most - 1),
            ).fetchall()
            behind = tuple(takewhile(lambda one: not _stands_alone(one), map(_delivery, rows)))
            if 1 + len(behind) <= more_than:
                return ()
            claimed_at = None if first.claimed_at is None else to_ms(first.claimed_at)
            db.conn.executemany(
                "UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = ? WHERE id = ?",
                [(claimed_at, one.id) for one in behind],
            )
        return tuple(
            replace(one, state=DeliveryState.SENDING, attempts=one.attempts + 1, claimed_at=first.claimed_at)
            for one in behind
        )

    def next_at(self, now: datetime) -> datetime | None:
        """When the next pending delivery may be claimed (``now`` if at once).

        None if nothing is pending, or only behind one that is ``sending``: settling that one comes first.
        """
        with self._database.read() as conn:
            next_at = conn.execute(_NEXT, {"now": to_ms(now)}).fetchone()[0]
        return None if next_at is None else max(now, to_instant(next_at))

    def mark_sent(self, delivery_id: int, ts: str, *, at: datetime, card_ts: str | None = None) -> None:
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
            _wait(db.conn, delivery_id, at + PACE, at)

    def mark_sent_together(self, delivery_ids: Sequence[int], ts: str, *, at: datetime) -> None:
        """Slack took them in one message, ``ts``, which is no story's card."""
        with self._database.write() as db:
            db.conn.executemany(
                "UPDATE deliveries SET state = 'sent', ts = ?, sent_at = ?, trouble = NULL WHERE id = ?",
                [(ts, to_ms(at), delivery_id) for delivery_id in delivery_ids],
            )
            _wait(db.conn, delivery_ids[0], at + PACE, at)

    def retry(self, delivery_id: int, *, at: datetime, not_before: datetime, why: str) -> None:
        """At ``at`` back to pending; the whole channel waits until ``not_before`` (kept over restarts)."""
        with self._database.write() as db:
            _settle(db.conn, delivery_id, DeliveryState.PENDING, why)
            _wait(db.conn, delivery_id, not_before, at)

    def hold_team(self, team_id: str, *, at: datetime, until: datetime) -> None:
        """All channels of the team wait until then (kept over restarts)."""
        with self._database.write() as db:
            db.conn.execute(f"INSERT INTO channels VALUES (?, '', ?, ?) {_LONGER}", (team_id, to_ms(until), to_ms(at)))

    def fail(self, delivery_id: int, why: str) -> None:
        """It cannot be delivered, for good."""
        with self._database.write() as db:
            _settle(db.conn, delivery_id, DeliveryState.FAILED, why)

    def drop(self, delivery_id: int, why: str) -> None:
        """It is not wanted any more: unsubscribed or muted since."""
        with self._database.write() as db:
            _settle(db.conn, delivery_id, DeliveryState.DROPPED, why)

    def pending(self, team_id: str, channel_id: str) -> tuple[Delivery, ...]:
        """What is pending in a channel, in its order."""
        with self._database.read() as conn:
            rows = conn.execute(
                f"{_DELIVERY} WHERE state = 'pending' AND deliveries.team_id = ? AND deliveries.channel_id = ? "
                "ORDER BY deliveries.id",
                (team_id, channel_id),
            ).fetchall()
        return tuple(map(_delivery, rows))

    def drop_older(self, team_id: str, channel_id: str, *, older_than: datetime, why: str) -> int:
        """Drop what has been pending in a channel since before then; how many."""
        with self._database.write() as db:
            return db.conn.execute(
                "UPDATE deliveries SET state = 'dropped', trouble = ? "
                "WHERE state = 'pending' AND team_id = ? AND channel_id = ? AND queued_at < ?",
                (why, team_id, channel_id, to_ms(older_than)),
            ).rowcount

    def unsettled(self) -> tuple[Delivery, ...]:
        """Those found in ``sending``: it is not known whether Slack took them."""
        with self._database.read() as conn:
            rows = conn.execute(f"{_DELIVERY} WHERE state = 'sending' ORDER BY deliveries.id").fetchall()
        return tuple(_delivery(row) for row in rows)

    def backlog(self) -> Backlog:
        """What waits, found through the index alone: cheap however much was ever sent."""
        with self._database.read() as conn:
            waiting, sending, failed = (
                conn.execute("SELECT count(*) FROM deliveries WHERE state = ?", (state,)).fetchone()[0]
                for state in (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.FAILED)
            )
            paused = conn.execute(
                f"SELECT count(*) FROM deliveries WHERE state = 'pending' AND {_PAUSED}",
            ).fetchone()[0]
            oldest = conn.execute(
                f"SELECT min(queued_at) FROM (SELECT * FROM (SELECT queued_at FROM deliveries WHERE state = 'pending' "
                f"AND NOT {_PAUSED} ORDER BY id LIMIT 1) UNION ALL SELECT * FROM (SELECT queued_at FROM deliveries "
                "WHERE state = 'sending' ORDER BY id LIMIT 1))"
            ).fetchone()[0]
        return Backlog(
            pending=waiting - paused,
            paused=paused,
            sending=sending,
            failed=failed,
            oldest=None if oldest is None else to_instant(oldest),
        )

    def counts_by_state(self) -> Mapping[str, int]:
        """How many deliveries are in each state; every state is named.

        Those ``pending`` in paused channels are counted as "paused", and not as pending.
        """
        with self._database.read() as conn:
            counted = dict(conn.execute(f"SELECT {_STATE}, count(*) FROM deliveries GROUP BY 1").fetchall())
        return {state: counted.get(state, 0) for state in (*(one.value for one in DeliveryState), "paused")}


def _stands_alone(delivery: Delivery) -> bool:
    return delivery.card_ts is not None or delivery.replayed or delivery.trouble == ALONE


def _settle(conn: sqlite3.Connection, delivery_id: int, state: DeliveryState, why: str) -> None:
    conn.execute("UPDATE deliveries SET state = ?, trouble = ? WHERE id = ?", (state.value, why, delivery_id))


_LONGER = """
  ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at, not_before = iif(
    asked_at > excluded.asked_at, excluded.not_before, max(not_before, excluded.not_before))"""
"""A longer wait asked for before still holds, unless the clock was set back since."""


def _wait(conn: sqlite3.Connection, delivery_id: int, until: datetime, at: datetime) -> None:
    """The delivery's channel waits at least until then."""
    conn.execute(
        f"INSERT INTO channels SELECT team_id, channel_id, ?, ? FROM deliveries WHERE id = ? {_LONGER}",
        (to_ms(until), to_ms(at), delivery_id),
    )


def _delivery(row: Row) -> Delivery:
    *alert, delivery_id, team_id, channel_id, state, replayed, claims, claimed_at, ts, trouble, card_ts = row
    return Delivery(
        id=delivery_id,
        alert=alert_of(tuple(alert)),
        team_id=team_id,
        channel_id=channel_id,
        state=DeliveryState(state),
        replayed=bool(replayed),
        attempts=claims - 1,
        claimed_at=None if claimed_at is None else to_instant(claimed_at),
        ts=ts,
        card_ts=card_ts,
        trouble=trouble,
    )


def unsettle_pending(conn: sqlite3.Connection) -> int:
    """Of a restored backup: nobody knows which of the waiting deliveries were posted since. How many wait.

    As ``sending`` since they were queued, each is looked for in its channel before it is posted.
    """
    return conn.execute(
        "UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = queued_at WHERE state = 'pending'"
    ).rowcount
