"""An alert as a text: what is chained when it is raised, and what a bundle shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.evidence.records import instant_text
from handlers.model import Alert, Dated, Fact, Parameter


def alert_value(alert: Alert) -> dict[str, Any]:
    """Everything an alert says, for JSON: instants in UTC, numbers as they are."""
    return {
        "at": instant_text(alert.at),
        "dated": alert.dated.value,
        "facts": [fact_value(fact) for fact in alert.facts],
        "feature": alert.feature,
        "key": alert.key,
        "kind": alert.kind,
        "others": list(alert.others),
        "page": alert.page,
        "parameters": [
            {"name": parameter.name, "unit": parameter.unit, "value": number(parameter.value)}
            for parameter in alert.parameters
        ],
        "rival": alert.rival,
        "rule": alert.rule,
        "story": alert.story,
        "threshold": alert.threshold,
        "tuned": alert.tuned,
    }


def alert_of(value: Mapping[str, Any]) -> Alert:
    """The alert of such a value. Raises ``LookupError``, ``TypeError`` or ``ValueError`` for any other."""
    return Alert(
        key=value["key"],
        story=value["story"],
        kind=value["kind"],
        feature=value["feature"],
        page=value["page"],
        rival=value["rival"],
        others=tuple(value["others"]),
        at=datetime.fromisoformat(value["at"]),
        dated=Dated(value["dated"]),
        facts=tuple(
            Fact(
                name=fact["name"],
                value=_back(fact["value"]),
                unit=fact["unit"],
                low=_back(fact["low"]),
                high=_back(fact["high"]),
                about=fact["about"],
                at=None if fact["at"] is None else datetime.fromisoformat(fact["at"]),
                dated=Dated(fact["dated"]),
                source=fact["source"],
                url=fact["url"],
            )
            for fact in value["facts"]
        ),
        rule=value["rule"],
        parameters=tuple(
            Parameter(name=one["name"], value=_back(one["value"]), unit=one["unit"]) for one in value["parameters"]
        ),
        threshold=value["threshold"],
        tuned=value["tuned"],
    )


def fact_value(fact: Fact) -> dict[str, Any]:
    """A figure of an alert, for JSON."""
    return {
        "about": fact.about,
        "at": None if fact.at is None else instant_text(fact.at),
        "dated": fact.dated.value,
        "high": number(fact.high),
        "low": number(fact.low),
        "name": fact.name,
        "source": fact.source,
        "unit": fact.unit,
        "url": fact.url,
        "value": number(fact.value),
    }


def _back(value: Any) -> Any:
    """The number that ``number`` wrote."""
    return float(value) if isinstance(value, str) else value


def number(value: float | None) -> float | int | str | None:
    """Whole numbers without a point, whether they were kept as one or not; JSON knows no infinity."""
    if value is None or isinstance(value, int):
        return value
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
