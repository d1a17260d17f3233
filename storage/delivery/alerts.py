"""Alerts, with the facts and parameters that prove them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from handlers.model import Alert, Fact, Parameter
from storage.schema.database import Database
from storage.schema.rows import DATE_TEXTS, DATES, Row, optional_instant, optional_ms, to_instant, to_ms
from storage.schema.sqlite import sqlite3
from storage.values import StoredAlert

ALERT = "alerts.key, alerts.story, kind, feature, page, rival, alerts.at, evidence"
"""The columns that ``alert_of`` reads."""

_STORED = f"SELECT {ALERT}, recorded_at, replayed, past FROM alerts"

_OF_PAGES = "json_array_length(evidence, '$.others') = 0"
"""The condition that an alert is about the page it names. An alert with others is about the platform of that name."""


class Alerts:
    """All alerts that were raised."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, alerts: Sequence[Alert], *, at: datetime, replayed: bool = False, historical: bool = False
    ) -> tuple[Alert, ...]:
        """Store alerts, unless their keys are stored already; return the new ones."""
        with self._database.write() as db:
            return tuple(
                alert
                for alert in alerts
                if store_alert(db.conn, alert, at=at, replayed=replayed, historical=historical)
            )

    def get(self, key: str) -> StoredAlert | None:
        """Return the alert of this key, or None if there is none."""
        row = self._database.row(f"{_STORED} WHERE key = ?", (key,))
        return _stored(row) if row else None

    def recent(
        self, *, page: str | None = None, group: str | None = None, since: datetime | None = None, limit: int = 50
    ) -> tuple[StoredAlert, ...]:
        """Return alerts, the newest ``alert.at`` first.

        An alert is a page's if it names the page as page, rival or one of the others. It is a group's if its page is in
        the group, and its rival too where there is one.
        """
        conditions = ["(:since IS NULL OR alerts.at >= :since)"]
        if page is not None:
            conditions.append(f"((page = :page OR rival = :page) AND {_OF_PAGES} OR {_of_platform('= :page')})")
        if group is not None:
            members = "(SELECT slug FROM memberships JOIN pages ON pages.id = page_id WHERE group_slug = :group)"
            inside = f"page IN {members} AND (rival IS NULL OR rival IN {members})"
            conditions.append(f"({inside} AND {_OF_PAGES} OR {_of_platform(f'IN {members}')})")
        rows = self._database.rows(
            f"{_STORED} WHERE {' AND '.join(conditions)} ORDER BY alerts.at DESC, alerts.id DESC LIMIT :limit",
            {"page": page, "group": group, "since": optional_ms(since), "limit": limit},
        )
        return tuple(map(_stored, rows))


def _of_platform(is_one: str) -> str:
    """Return the condition that an alert is about a platform and that one of its others matches ``is_one``."""
    platforms = f"SELECT platform FROM pages WHERE slug {is_one}"
    others = f"SELECT 1 FROM json_each(evidence, '$.others') WHERE value {is_one}"
    return f"page IN ({platforms}) AND EXISTS ({others})"


def store_alert(conn: sqlite3.Connection, alert: Alert, *, at: datetime, replayed: bool, historical: bool) -> bool:
    """Store one alert inside a write; return False if its key is stored already."""
    stored = conn.execute(
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
    return stored.rowcount == 1


def alert_of(row: Row) -> Alert:
    """Return the alert of the columns ``ALERT``."""
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


def _stored(row: Row) -> StoredAlert:
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
            "parameters": [asdict(parameter) for parameter in alert.parameters],
            "facts": [
                {**asdict(fact), "at": optional_ms(fact.at), "dated": DATE_TEXTS[fact.dated]} for fact in alert.facts
            ],
        },
        ensure_ascii=False,
    )


def _fact(*, at: int | None, dated: str | None, **plain: Any) -> Fact:
    return Fact(at=optional_instant(at), dated=DATES[dated], **plain)
