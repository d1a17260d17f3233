"""An alert as a text: what is chained when it is raised, and what a bundle shows."""

from __future__ import annotations

import math
from typing import Any

from bot.evidence.texts import written
from handlers.model import Alert, Fact


def alert_value(alert: Alert) -> dict[str, Any]:
    """Everything an alert says, for JSON: instants in UTC, numbers as they are."""
    return {
        "at": written(alert.at),
        "dated": alert.dated.value,
        "facts": [_fact(fact) for fact in alert.facts],
        "feature": alert.feature,
        "key": alert.key,
        "kind": alert.kind,
        "others": list(alert.others),
        "page": alert.page,
        "parameters": [
            {"name": parameter.name, "unit": parameter.unit, "value": _number(parameter.value)}
            for parameter in alert.parameters
        ],
        "rival": alert.rival,
        "rule": alert.rule,
        "story": alert.story,
        "threshold": alert.threshold,
        "tuned": alert.tuned,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "about": fact.about,
        "at": None if fact.at is None else written(fact.at),
        "dated": fact.dated.value,
        "high": _number(fact.high),
        "low": _number(fact.low),
        "name": fact.name,
        "source": fact.source,
        "unit": fact.unit,
        "url": fact.url,
        "value": _number(fact.value),
    }


def _number(value: float | None) -> float | int | str | None:
    """Whole numbers without a point, whether they were kept as one or not; JSON knows no infinity."""
    if value is None or isinstance(value, int):
        return value
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
