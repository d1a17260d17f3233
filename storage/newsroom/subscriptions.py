"""Subscriptions (which channel wants which alerts) and mutes."""

from __future__ import annotations

import json
from datetime import datetime
from types import MappingProxyType

from handlers.model import Alert
from storage.newsroom.notes import Notes
from storage.schema.database import Database
from storage.schema.rows import Row, optional_instant, to_instant, to_ms
from storage.values import Subscription, Target

_COLUMNS = "team_id, channel_id, target, slug, features, by_user, at, paused, thresholds"
_SELECT = f"SELECT {_COLUMNS} FROM subscriptions"
_ONE = "team_id = ? AND channel_id = ? AND target = ? AND slug = ?"

_OTHERS = "SELECT value FROM json_each(:others)"
_SHARED_GROUPS = f"""
  SELECT group_slug FROM memberships JOIN pages ON pages.id = page_id
  WHERE (slug IN (:page, :rival) OR slug IN ({_OTHERS})) AND removed_at IS NULL
  GROUP BY group_slug HAVING count(*) >= iif(:rival IS NULL, 1, 2)"""


_SUBSCRIBED_OTHERS = """
  SELECT value FROM json_each(:others) AS other WHERE EXISTS (
    SELECT 1 FROM subscriptions WHERE team_id = :team_id AND channel_id = :channel_id
      AND :feature IN (SELECT value FROM json_each(features))
      AND (target = 'page' AND slug = other.value OR target = 'group' AND slug IN (
        SELECT group_slug FROM memberships JOIN pages ON pages.id = page_id
        WHERE pages.slug = other.value AND removed_at IS NULL)))"""
_VERSION = "subscriptions"
"""The note that counts the saved and removed subscriptions."""


class Subscriptions:
    """All subscriptions and mutes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notes = Notes(database)

    def put(self, subscription: Subscription) -> Subscription | None:
        """Save a subscription, and return the one of the same channel and target that it replaced."""
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
            self._notes.count_up(_VERSION)
        return replaced

    def get(self, team_id: str, channel_id: str, target: Target, slug: str) -> Subscription | None:
        """Return the channel's subscription to this target."""
        row = self._database.row(f"{_SELECT} WHERE {_ONE}", (team_id, channel_id, target.value, slug))
        return _subscription(row) if row else None

    def remove(self, team_id: str, channel_id: str, target: Target, slug: str) -> bool:
        """Unsubscribe; return False if there was no such subscription."""
        with self._database.write():
            removed = self._database.change(
                f"DELETE FROM subscriptions WHERE {_ONE}", (team_id, channel_id, target.value, slug)
            )
            self._notes.count_up(_VERSION)
        return removed == 1

    def for_channel(self, team_id: str, channel_id: str) -> tuple[Subscription, ...]:
        """Return a channel's subscriptions, paused or not: pages before groups, by slug."""
        rows = self._database.rows(
            f"{_SELECT} WHERE team_id = ? AND channel_id = ? ORDER BY target DESC, slug", (team_id, channel_id)
        )
        return tuple(map(_subscription, rows))

    def version(self) -> int:
        """Return a number that grows whenever a subscription is saved or removed."""
        return self._notes.number(_VERSION)

    def with_thresholds(self) -> tuple[Subscription, ...]:
        """Return the subscriptions of all channels, paused or not, that have a threshold of their own."""
        rows = self._database.rows(f"{_SELECT} WHERE thresholds != '{{}}' ORDER BY team_id, channel_id, slug")
        return tuple(map(_subscription, rows))

    def matching(self, alert: Alert) -> tuple[Subscription, ...]:
        """Return the subscriptions that get this alert, paused or not, at most one per channel.

        Rules with different thresholds raise several alerts of one event. Each channel gets exactly one of them.
        """
        return tuple(one for one in self.matching_event(alert) if one.matches(alert))

    def matching_event(
        self, alert: Alert, team_id: str | None = None, channel_id: str = ""
    ) -> tuple[Subscription, ...]:
        """Return the subscription of each channel that wants this event, whatever its threshold, paused or not.

        With ``team_id``, search this channel alone.

        A subscription wants the event if it has the alert's feature and one of these targets, in order of precedence:

        1. the alert's page,
        2. its rival or one of its others,
        3. a group of both page and rival, or without a rival any group of the page.
        """
        # Of one channel, the query is fast even if ten thousand others are subscribed.
        here = "" if team_id is None else "team_id = :team_id AND channel_id = :channel_id AND "
        rows = self._database.rows(
            f"{_SELECT} WHERE {here}(target = 'page' AND (slug IN (:page, :rival) OR slug IN ({_OTHERS})) "
            f"OR target = 'group' AND slug IN ({_SHARED_GROUPS})) "
            "AND :feature IN (SELECT value FROM json_each(features)) "
            "ORDER BY slug IS :page DESC, target DESC, slug",
            {
                "page": None if alert.others else alert.page,  # with others, a platform's name: a page may have it too
                "rival": alert.rival,
                "others": json.dumps(alert.others),
                "feature": alert.feature,
                "team_id": team_id,
                "channel_id": channel_id,
            },
        )
        first: dict[tuple[str, str], Row] = {}
        for row in rows:
            first.setdefault(row[:2], row)
        return tuple(map(_subscription, first.values()))

    def is_for_channel(self, team_id: str, channel_id: str, alert: Alert) -> bool:
        """Return whether the channel gets this alert."""
        return any(one.matches(alert) for one in self.matching_event(alert, team_id, channel_id))

    def is_subscribed(self, team_id: str, channel_id: str, alert: Alert) -> bool:
        """Return whether the channel wants the alert's event, whatever its threshold.

        An alert may have been queued before the channel changed its threshold. It was for the channel then.
        """
        return bool(self.matching_event(alert, team_id, channel_id))

    def subscribed_others(self, team_id: str, channel_id: str, alert: Alert) -> tuple[str, ...]:
        """Return the alert's ``others`` to which the channel is subscribed, by the page or by a group."""
        parameters = {"others": json.dumps(alert.others), "feature": alert.feature}
        rows = self._database.rows(_SUBSCRIBED_OTHERS, {**parameters, "team_id": team_id, "channel_id": channel_id})
        return tuple(slug for (slug,) in rows)

    def pause(self, team_id: str, channel_id: str, why: str) -> tuple[Subscription, ...]:
        """Pause a channel for a reason: its alerts wait in the outbox. Return the subscriptions paused by this call."""
        with self._database.write() as db:
            rows = db.conn.execute(
                "UPDATE subscriptions SET paused = ? WHERE team_id = ? AND channel_id = ? AND paused IS NULL "
                f"RETURNING {_COLUMNS}",
                (why, team_id, channel_id),
            ).fetchall()
        return tuple(map(_subscription, rows))

    def resume(self, team_id: str, channel_id: str) -> bool:
        """End a channel's pause; return False if it was not paused."""
        resumed = self._database.change(
            "UPDATE subscriptions SET paused = NULL WHERE team_id = ? AND channel_id = ? AND paused IS NOT NULL",
            (team_id, channel_id),
        )
        return resumed > 0

    def mute(self, team_id: str, channel_id: str, page: str, *, until: datetime) -> None:
        """Mute a page in a channel until an instant."""
        self._database.change(
            "INSERT OR REPLACE INTO mutes (team_id, channel_id, page, until) VALUES (?, ?, ?, ?)",
            (team_id, channel_id, page, to_ms(until)),
        )

    def unmute(self, team_id: str, channel_id: str, page: str) -> bool:
        """End a mute; return False if there was none."""
        ended = self._database.change(
            "DELETE FROM mutes WHERE team_id = ? AND channel_id = ? AND page = ?", (team_id, channel_id, page)
        )
        return ended == 1

    def muted(self, team_id: str, channel_id: str, page: str, now: datetime) -> datetime | None:
        """Return until when a page is muted in a channel, or None if it is not muted now."""
        return optional_instant(
            self._database.value(
                "SELECT until FROM mutes WHERE team_id = ? AND channel_id = ? AND page = ? AND until > ?",
                (team_id, channel_id, page, to_ms(now)),
            )
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
