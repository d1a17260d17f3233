"""Alerts, whole: with the facts and parameters that prove them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers.model import Alert, Fact, Parameter
from storage.schema.database import Database
from storage.schema.rows import DATE_TEXTS, DATES, Row, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.values import StoredAlert

ALERT = "alerts.key, alerts.story, kind, feature, page, rival, alerts.at, evidence"
"""The columns that ``alert_of`` reads."""

_KEPT = f"SELECT {ALERT}, recorded_at, replayed, past FROM alerts"

_OF_PAGES = "json_array_length(evidence, '$.others') = 0"
"""That an alert is of the page it names; one with others is of the platform of that name."""


class Alerts:
    """Everything that happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, alerts: Sequence[Alert], *, at: datetime, replayed: bool = False, historical: bool = False
    ) -> tuple[Alert, ...]:
        """Keep alerts; those whose key was there already are left alone. Returns the new ones."""
        with self._database.write() as db:
            return tuple(
                alert for alert in alerts if keep(db.conn, alert, at=at, replayed=replayed, historical=historical)
            )

    def get(self, key: str) -> StoredAlert | None:
        """The alert of this key."""
        with self._database.read() as conn:
            row = conn.execute(f"{_KEPT} WHERE key = ?", (key,)).fetchone()
        return _kept(row) if row else None

    def recent(
        self, *, page: str | None = None, group: str | None = None, since: datetime | None = None, limit: int = 50
    ) -> tuple[StoredAlert, ...]:
        """Newest ``alert.at`` first. A page's alerts are those where it is page, rival or one of the others.

        A group's are those of its pages, and where there is a rival both are in the group.
        """
        conditions = ["(:since IS NULL OR alerts.at >= :since)"]
        if page is not None:
            conditions.append(f"((page = :page OR rival = :page) AND {_OF_PAGES} OR {_of_platform('= :page')})")
        if group is not None:
            members = "(SELECT slug FROM memberships JOIN pages ON pages.id = page_id WHERE group_slug = :group)"
            inside = f"page IN {members} AND (rival IS NULL OR rival IN {members})"
            conditions.append(f"({inside} AND {_OF_PAGES} OR {_of_platform(f'IN {members}')})")
        with self._database.read() as conn:
            rows = conn.execute(
                f"{_KEPT} WHERE {' AND '.join(conditions)} ORDER BY alerts.at DESC, alerts.id DESC LIMIT :limit",
                {"page": page, "group": group, "since": None if since is None else to_ms(since), "limit": limit},
            ).fetchall()
        return tuple(_kept(row) for row in rows)


def _of_platform(is_one: str) -> str:
    """That an alert is of a platform, and one of the others it is about ``is_one`` of those meant."""
    platforms = f"SELECT platform FROM pages WHERE slug {is_one}"
    others = f"SELECT 1 FROM json_each(evidence, '$.others') WHERE value {is_one}"
    return f"page IN ({platforms}) AND EXISTS ({others})"


def keep(conn: sqlite3.Connection, alert: Alert, *, at: datetime, replayed: bool, historical: bool) -> bool:
    """Keep one alert inside a write; False if its key was there already."""
    kept = conn.execute(
        "INSERT OR IGNORE INTO alerts "
        "(key, story, kind, feature, page, rival, at, evidence, recorded_at, replayed, past) "
        "VALUES (:key, :story, :kind, :feature, :page, :rival, :at, :evidence, :recorded_at, :replayed, :past)",
        {
            "key": alert.key,
            "story": alert.story,
            "kind": alert.kind,
            "feature": alert.feature,
            "page": alert.page,
            "rival": alert.rival,
            "at": to_ms(alert.at),
            "evidence": _evidence(alert),
            "recorded_at": to_ms(at),
            "replayed": replayed,
            "past": historical,
        },
    )
    return kept.rowcount == 1


def alert_of(row: Row) -> Alert:
    """The alert of the columns ``ALERT``."""
    key, story, kind, feature, page, rival, at, text = row
    evidence = json.loads(text)
    return Alert(
        key=key,
        story=story,
        kind=kind,
        feature=feature,
        page=page,
        rival=rival,
        at=to_instant(at),
        dated=DATES[evidence["dated"]],
        facts=tuple(_fact(**fact) for fact in evidence["facts"]),
        rule=evidence["rule"],
        parameters=tuple(Parameter(**parameter) for parameter in evidence["parameters"]),
        others=tuple(evidence["others"]),
        threshold=evidence["threshold"],
        tuned=evidence["tuned"],
    )


def _kept(row: Row) -> StoredAlert:
    *alert, recorded_at, replayed, historical = row
    return StoredAlert(
        alert=alert_of(tuple(alert)),
        recorded_at=to_instant(recorded_at),
        replayed=bool(replayed),
        historical=bool(historical),
    )


def _evidence(alert: Alert) -> str:
    return json.dumps(
        {
            "dated": DATE_TEXTS[alert.dated],
            "rule": alert.rule,
            "others": alert.others,
            "threshold": alert.threshold,
            "tuned": alert.tuned,
            "parameters": [
                {"name": parameter.name, "value": parameter.value, "unit": parameter.unit}
                for parameter in alert.parameters
            ],
            "facts": [
                {
                    "name": fact.name,
                    "value": fact.value,
                    "unit": fact.unit,
                    "low": fact.low,
                    "high": fact.high,
                    "about": fact.about,
                    "at": None if fact.at is None else to_ms(fact.at),
                    "dated": DATE_TEXTS[fact.dated],
                    "source": fact.source,
                    "url": fact.url,
                }
                for fact in alert.facts
            ],
        },
        ensure_ascii=False,
    )


def _fact(*, at: int | None, dated: str | None, **plain: Any) -> Fact:
    return Fact(at=None if at is None else to_instant(at), dated=DATES[dated], **plain)
