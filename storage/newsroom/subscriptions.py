"""Which channel wants which alerts, and what it does not want to hear for a while."""

from __future__ import annotations

import json
from datetime import datetime
from types import MappingProxyType

from handlers.model import Alert
from storage.schema.database import Database
from storage.schema.rows import Row, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.values import Subscription, Target

_COLUMNS = "team_id, channel_id, target, slug, features, by_user, at, paused, thresholds"
_SELECT = f"SELECT {_COLUMNS} FROM subscriptions"
_ONE = "team_id = ? AND channel_id = ? AND target = ? AND slug = ?"

_OTHERS = "SELECT value FROM json_each(:others)"
_SHARED_GROUPS = f"""
  SELECT group_slug FROM memberships JOIN pages ON pages.id = page_id
  WHERE (slug IN (:page, :rival) OR slug IN ({_OTHERS})) AND removed_at IS NULL
  GROUP BY group_slug HAVING count(*) >= iif(:rival IS NULL, 1, 2)"""


_WANTED_OTHERS = """
  SELECT value FROM json_each(:others) AS other WHERE EXISTS (
    SELECT 1 FROM subscriptions WHERE team_id = :team_id AND channel_id = :channel_id
      AND :feature IN (SELECT value FROM json_each(features))
      AND (target = 'page' AND slug = other.value OR target = 'group' AND slug IN (
        SELECT group_slug FROM memberships JOIN pages ON pages.id = page_id
        WHERE pages.slug = other.value AND removed_at IS NULL)))"""


class Subscriptions:
    """The newsrooms' wishes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, subscription: Subscription) -> Subscription | None:
        """Save (replacing the same channel's same target); returns what it replaced."""
        with self._database.write() as db:
            replaced = self.get(subscription.team_id, subscription.channel_id, subscription.target, subscription.slug)
            db.table("subscriptions").upsert(
                {
                    "team_id": subscription.team_id,
                    "channel_id": subscription.channel_id,
                    "target": subscription.target.value,
                    "slug": subscription.slug,
                    "features": json.dumps(subscription.features),
                    "by_user": subscription.by,
                    "at": to_ms(subscription.at),
                    "paused": subscription.paused,
                    "thresholds": json.dumps(dict(subscription.thresholds)),
                },
                pk=("team_id", "channel_id", "target", "slug"),
            )
            _changed(db.conn)
        return replaced

    def get(self, team_id: str, channel_id: str, target: Target, slug: str) -> Subscription | None:
        """The channel's subscription to this target."""
        with self._database.read() as conn:
            row = conn.execute(f"{_SELECT} WHERE {_ONE}", (team_id, channel_id, target.value, slug)).fetchone()
        return _subscription(row) if row else None

    def remove(self, team_id: str, channel_id: str, target: Target, slug: str) -> bool:
        """Unsubscribe; False if there was no such subscription."""
        with self._database.write() as db:
            key = (team_id, channel_id, target.value, slug)
            removed = db.conn.execute(f"DELETE FROM subscriptions WHERE {_ONE}", key).rowcount
            _changed(db.conn)
        return removed == 1

    def for_channel(self, team_id: str, channel_id: str) -> tuple[Subscription, ...]:
        """All of a channel's, paused or not: pages before groups, by slug."""
        with self._database.read() as conn:
            rows = conn.execute(
                f"{_SELECT} WHERE team_id = ? AND channel_id = ? ORDER BY target DESC, slug", (team_id, channel_id)
            ).fetchall()
        return tuple(_subscription(row) for row in rows)

    def version(self) -> int:
        """A number that grows whenever a subscription is saved or removed: what was made of them still holds."""
        with self._database.read() as conn:
            row = conn.execute("SELECT value FROM notes WHERE key = 'subscriptions'").fetchone()
        return int(row[0]) if row else 0

    def with_thresholds(self) -> tuple[Subscription, ...]:
        """Those of all channels, paused or not, that set a threshold of their own."""
        with self._database.read() as conn:
            rows = conn.execute(f"{_SELECT} WHERE thresholds != '{{}}' ORDER BY team_id, channel_id, slug").fetchall()
        return tuple(_subscription(row) for row in rows)

    def matching(self, alert: Alert) -> tuple[Subscription, ...]:
        """The subscriptions that this alert is for, paused or not, at most one per channel.

        Where a rule told the same event by other thresholds too, exactly one of those alerts is for a channel.
        """
        return tuple(one for one in self.matching_event(alert) if one.matches(alert))

    def matching_event(self, alert: Alert) -> tuple[Subscription, ...]:
        """The subscriptions whose thresholds say which alerts of this event their channels get: one for each channel.

        Paused or not, they want the alert's feature of its page (these go first), of its rival, of any of the others it
        is about, or of a group that page and rival are both in (of any group of theirs if it has no rival).
        """
        return self._concerned(alert)

    def is_for_channel(self, team_id: str, channel_id: str, alert: Alert) -> bool:
        """Whether the alert is for this channel: without looking at the ten thousand others that it may be for."""
        return any(one.matches(alert) for one in self._concerned(alert, team_id, channel_id))

    def is_subscribed(self, team_id: str, channel_id: str, alert: Alert) -> bool:
        """Whether the channel is subscribed to the alert's feature of what it is about, by whatever threshold.

        Of an alert that was put into its outbox before the channel set another: it was for this channel then.
        """
        return bool(self._concerned(alert, team_id, channel_id))

    def subscribed_others(self, team_id: str, channel_id: str, alert: Alert) -> tuple[str, ...]:
        """Those of the alert's ``others`` that the channel hears of, by themselves or by a group."""
        with self._database.read() as conn:
            rows = conn.execute(
                _WANTED_OTHERS,
                {
                    "others": json.dumps(alert.others),
                    "feature": alert.feature,
                    "team_id": team_id,
                    "channel_id": channel_id,
                },
            ).fetchall()
        return tuple(slug for (slug,) in rows)

    def _concerned(self, alert: Alert, team_id: str | None = None, channel_id: str = "") -> tuple[Subscription, ...]:
        here = "" if team_id is None else "team_id = :team_id AND channel_id = :channel_id AND "
        with self._database.read() as conn:
            rows = conn.execute(
                f"{_SELECT} WHERE {here}(target = 'page' AND (slug IN (:page, :rival) OR slug IN ({_OTHERS})) "
                f"OR target = 'group' AND slug IN ({_SHARED_GROUPS})) "
                "AND :feature IN (SELECT value FROM json_each(features)) "
                "ORDER BY slug IS :page DESC, target DESC, slug",
                {
                    "page": None if alert.others else alert.page,  # a platform's name, and perhaps a page's slug too
                    "rival": alert.rival,
                    "others": json.dumps(alert.others),
                    "feature": alert.feature,
                    "team_id": team_id,
                    "channel_id": channel_id,
                },
            ).fetchall()
        first: dict[tuple[str, str], Row] = {}
        for row in rows:
            first.setdefault(row[:2], row)
        return tuple(_subscription(row) for row in first.values())

    def pause(self, team_id: str, channel_id: str, why: str) -> tuple[Subscription, ...]:
        """Post nothing to a channel, for a reason: what comes waits in the outbox.

        Returns those that this paused, not those paused before.
        """
        with self._database.write() as db:
            rows = db.conn.execute(
                "UPDATE subscriptions SET paused = ? WHERE team_id = ? AND channel_id = ? AND paused IS NULL "
                f"RETURNING {_COLUMNS}",
                (why, team_id, channel_id),
            ).fetchall()
        return tuple(_subscription(row) for row in rows)

    def resume(self, team_id: str, channel_id: str) -> bool:
        """Post to a channel again; False if it was not paused."""
        with self._database.write() as db:
            resumed = db.conn.execute(
                "UPDATE subscriptions SET paused = NULL WHERE team_id = ? AND channel_id = ? AND paused IS NOT NULL",
                (team_id, channel_id),
            ).rowcount
        return resumed > 0

    def mute(self, team_id: str, channel_id: str, page: str, *, until: datetime) -> None:
        """Say nothing of a page in a channel until an instant."""
        with self._database.write() as db:
            db.table("mutes").upsert(
                {"team_id": team_id, "channel_id": channel_id, "page": page, "until": to_ms(until)},
                pk=("team_id", "channel_id", "page"),
            )

    def unmute(self, team_id: str, channel_id: str, page: str) -> bool:
        """End a mute; False if there was none."""
        with self._database.write() as db:
            return (
                db.conn.execute(
                    "DELETE FROM mutes WHERE team_id = ? AND channel_id = ? AND page = ?", (team_id, channel_id, page)
                ).rowcount
                == 1
            )

    def muted(self, team_id: str, channel_id: str, page: str, now: datetime) -> datetime | None:
        """Until when a page is muted in a channel; None if it is not, or no longer."""
        with self._database.read() as conn:
            row = conn.execute(
                "SELECT until FROM mutes WHERE team_id = ? AND channel_id = ? AND page = ? AND until > ?",
                (team_id, channel_id, page, to_ms(now)),
            ).fetchone()
        return to_instant(row[0]) if row else None


def _changed(conn: sqlite3.Connection) -> None:
    conn.execute(
        "INSERT INTO notes (key, value) VALUES ('subscriptions', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1"
    )


def _subscription(row: Row) -> Subscription:
    team_id, channel_id, target, slug, features, by, at, paused, thresholds = row
    return Subscription(
        team_id=team_id,
        channel_id=channel_id,
        target=Target(target),
        slug=slug,
        features=tuple(json.loads(features)),
        by=by,
        at=to_instant(at),
        paused=paused,
        thresholds=MappingProxyType(json.loads(thresholds)),
    )
