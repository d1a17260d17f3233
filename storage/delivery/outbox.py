"""The outbox: alerts on their way to Slack, ``pending -> sending -> sent``.

A claim is one UPDATE, so that of two claims only one can get a delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from handlers.model import Alert
from storage.delivery.alerts import ALERT, alert_of, store_alert
from storage.schema.database import Database
from storage.schema.rows import Row, optional_instant, optional_ms, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.values import Backlog, Delivery, DeliveryState, Subscription

ALONE = "a list that it was in was refused"
"""The ``trouble`` of a delivery that must be posted in a message of its own."""

_DELIVERY = f"""
  SELECT {ALERT}, deliveries.id, deliveries.team_id, deliveries.channel_id, state, deliveries.replayed, claims,
    claimed_at, deliveries.ts, trouble, cards.ts
  FROM deliveries JOIN alerts ON alerts.id = alert_id LEFT JOIN cards
    ON cards.team_id = deliveries.team_id AND cards.channel_id = deliveries.channel_id AND cards.story = alerts.story"""

_HELD = """
  SELECT team_id, channel_id FROM channels WHERE not_before > :now AND asked_at <= :now
  UNION ALL SELECT team_id, channel_id FROM deliveries WHERE state = 'sending'
  UNION ALL SELECT team_id, channel_id FROM subscriptions WHERE paused IS NOT NULL"""
"""The channels that must wait, that are paused, or that have a delivery in ``sending``."""

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
_OF_CHANNEL = (
    f"{_DELIVERY} WHERE state = 'pending' AND deliveries.team_id = ? AND deliveries.channel_id = ? "
    "ORDER BY deliveries.id LIMIT ?"
)
_MARK_SENT = "UPDATE deliveries SET state = 'sent', ts = ?, sent_at = ?, trouble = NULL WHERE id = ?"
_OLDEST = f"""
  SELECT min(queued_at) FROM (
    SELECT * FROM (SELECT queued_at FROM deliveries WHERE state = 'pending' AND NOT {_PAUSED} ORDER BY id LIMIT 1)
    UNION ALL SELECT * FROM (SELECT queued_at FROM deliveries WHERE state = 'sending' ORDER BY id LIMIT 1)
  )"""


class Outbox:
    """All deliveries. Each channel gets its own in the order in which they were queued."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, alert: Alert, subscriptions: Iterable[Subscription], *, at: datetime, replayed: bool = False) -> int:
        """Queue one delivery per channel and return how many are new; a channel never gets an alert twice.

        The alert is stored too if it was not yet.
        """
        with self._database.write() as db:
            store_alert(db.conn, alert, at=at, replayed=replayed, historical=False)
            alert_id = db.conn.execute("SELECT id FROM alerts WHERE key = ?", (alert.key,)).fetchone()[0]
            return db.conn.executemany(
                "INSERT OR IGNORE INTO deliveries (alert_id, team_id, channel_id, state, replayed, queued_at) "
                "VALUES (?, ?, ?, 'pending', ?, ?)",
                [(alert_id, wish.team_id, wish.channel_id, replayed, to_ms(at)) for wish in subscriptions],
            ).rowcount

    def claim(self, now: datetime) -> Delivery | None:
        """Move the oldest pending delivery that may be posted now to ``sending``, or None if there is none.

        A channel is skipped if it or its team must wait, if it is paused, or if another delivery of it is ``sending``.
        So the order within a channel is kept, and no channel holds up another.
        """
        with self._database.write() as db:
            claimed = db.conn.execute(_CLAIM, {"now": to_ms(now)}).fetchone()
            if claimed is None:
                return None
            return _delivery(db.conn.execute(f"{_DELIVERY} WHERE deliveries.id = ?", claimed).fetchone())

    def claim_behind(self, first: Delivery, *, more_than: int, most: int) -> tuple[Delivery, ...]:
        """Move the deliveries behind ``first``, just claimed, to ``sending``, to be posted with it in one message.

        Nothing is claimed unless there are ``more_than`` in all; ``most`` is the limit. The list ends before the first
        delivery that edits a card, is replayed, or must be posted alone.
        """
        if _stands_alone(first):
            return ()
        with self._database.write() as db:
            rows = db.conn.execute(_OF_CHANNEL, (first.team_id, first.channel_id, most - 1)).fetchall()
            behind = tuple(takewhile(lambda one: not _stands_alone(one), map(_delivery, rows)))
            if 1 + len(behind) <= more_than:
                return ()
            db.conn.executemany(
                "UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = ? WHERE id = ?",
                [(optional_ms(first.claimed_at), one.id) for one in behind],
            )
        return tuple(
            replace(one, state=DeliveryState.SENDING, attempts=one.attempts + 1, claimed_at=first.claimed_at)
            for one in behind
        )

    def next_at(self, now: datetime) -> datetime | None:
        """Return when the next pending delivery may be claimed; ``now`` if at once.

        Return None if none is pending, or if each waits behind one that is ``sending``, which must be settled first.
        """
        next_at = self._database.value(_NEXT, {"now": to_ms(now)})
        return None if next_at is None else max(now, to_instant(next_at))

    def mark_sent(
        self, delivery_id: int, ts: str, *, at: datetime, pace: timedelta, card_ts: str | None = None
    ) -> None:
        """Record that Slack accepted the message as ``ts``. ``card_ts`` is the story's card; None: this message.

        The next message may be posted to the channel ``pace`` after ``at``.
        """
        with self._database.write() as db:
            db.conn.execute(_MARK_SENT, (ts, to_ms(at), delivery_id))
            db.conn.execute(
                "INSERT INTO cards SELECT team_id, channel_id, story, ? "
                "FROM deliveries JOIN alerts ON alerts.id = alert_id WHERE deliveries.id = ? "
                "ON CONFLICT DO UPDATE SET ts = excluded.ts",
                (card_ts or ts, delivery_id),
            )
            _wait(db.conn, delivery_id, at + pace, at)

    def mark_sent_together(self, delivery_ids: Sequence[int], ts: str, *, at: datetime, pace: timedelta) -> None:
        """Record that Slack accepted these deliveries in one message, which is no story's card."""
        with self._database.write() as db:
            db.conn.executemany(_MARK_SENT, [(ts, to_ms(at), delivery_id) for delivery_id in delivery_ids])
            _wait(db.conn, delivery_ids[0], at + pace, at)

    def retry(self, delivery_id: int, *, at: datetime, not_before: datetime, why: str) -> None:
        """Move a delivery back to ``pending`` at ``at``. Its channel waits until ``not_before``."""
        with self._database.write() as db:
            self._settle(delivery_id, DeliveryState.PENDING, why)
            _wait(db.conn, delivery_id, not_before, at)

    def hold_team(self, team_id: str, *, at: datetime, until: datetime) -> None:
        """Let all channels of the team wait until an instant, also over a restart."""
        self._database.change(
            f"INSERT INTO channels VALUES (?, '', ?, ?) {_LONGER}", (team_id, to_ms(until), to_ms(at))
        )

    def fail(self, delivery_id: int, why: str) -> None:
        """Record that a delivery can never be posted."""
        self._settle(delivery_id, DeliveryState.FAILED, why)

    def drop(self, delivery_id: int, why: str) -> None:
        """Record that nobody wants a delivery any more: it was unsubscribed or muted."""
        self._settle(delivery_id, DeliveryState.DROPPED, why)

    def _settle(self, delivery_id: int, state: DeliveryState, why: str) -> None:
        self._database.change(
            "UPDATE deliveries SET state = ?, trouble = ? WHERE id = ?", (state.value, why, delivery_id)
        )

    def pending(self, team_id: str, channel_id: str) -> tuple[Delivery, ...]:
        """Return a channel's pending deliveries, in their order."""
        return tuple(map(_delivery, self._database.rows(_OF_CHANNEL, (team_id, channel_id, -1))))

    def drop_older(self, team_id: str, channel_id: str, *, older_than: datetime, why: str) -> int:
        """Drop a channel's pending deliveries that were queued before an instant; return how many."""
        return self._database.change(
            "UPDATE deliveries SET state = 'dropped', trouble = ? "
            "WHERE state = 'pending' AND team_id = ? AND channel_id = ? AND queued_at < ?",
            (why, team_id, channel_id, to_ms(older_than)),
        )

    def unsettled(self) -> tuple[Delivery, ...]:
        """Return the deliveries in ``sending``: it is unknown whether Slack accepted them."""
        return tuple(map(_delivery, self._database.rows(f"{_DELIVERY} WHERE state = 'sending' ORDER BY deliveries.id")))

    def backlog(self) -> Backlog:
        """Return what waits. The query reads an index alone, so it stays fast however much was ever sent."""
        count = "SELECT count(*) FROM deliveries WHERE state = ?"
        value = self._database.value
        with self._database.read():
            pending, sending, failed = (
                value(count, (state,)) for state in (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.FAILED)
            )
            paused = value(f"{count} AND {_PAUSED}", (DeliveryState.PENDING,))
            oldest = optional_instant(value(_OLDEST))
        return Backlog(pending=pending - paused, paused=paused, sending=sending, failed=failed, oldest=oldest)

    def counts_by_state(self) -> Mapping[str, int]:
        """Return how many deliveries are in each state; every state is named.

        Pending deliveries of paused channels are counted as "paused" instead.
        """
        counted: dict[str, int] = dict(self._database.rows(f"SELECT {_STATE}, count(*) FROM deliveries GROUP BY 1"))
        return {state: counted.get(state, 0) for state in (*(one.value for one in DeliveryState), "paused")}


def _stands_alone(delivery: Delivery) -> bool:
    return delivery.card_ts is not None or delivery.replayed or delivery.trouble == ALONE


_LONGER = """
  ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at, not_before = iif(
    asked_at > excluded.asked_at, excluded.not_before, max(not_before, excluded.not_before))"""
"""A longer wait from an earlier request still holds, unless the clock was set back since."""


def _wait(conn: sqlite3.Connection, delivery_id: int, until: datetime, at: datetime) -> None:
    """Let the delivery's channel wait at least until an instant."""
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
        claimed_at=optional_instant(claimed_at),
        ts=ts,
        card_ts=card_ts,
        trouble=trouble,
    )


def unsettle_pending(conn: sqlite3.Connection) -> int:
    """Move all pending deliveries of a restored backup to ``sending``; return how many.

    Some may have been posted since the backup, so reconciliation searches the channel for each of them first.
    """
    return conn.execute(
        "UPDATE deliveries SET state = 'sending', claims = claims + 1, claimed_at = queued_at WHERE state = 'pending'"
    ).rowcount
