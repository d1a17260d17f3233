"""Alerts, their facts and readings as JSON: what the chain stores of an alert, and what a bundle states."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from bot.evidence.records import instant_text
from bot.evidence.reread import AnyReading, instant_of
from handlers.model import Alert, Dated, Fact, Figure, Parameter, Reading

JsonValue = Mapping[str, Any]
"""An alert, a fact or a reading, as its JSON states it."""

_EXACT = 2**53  # a float of this size or more may stand for several whole numbers


def alert_value(alert: Alert) -> dict[str, Any]:
    """Return everything that an alert states. Instants are in UTC.

    A new field of ``Alert`` appears here by itself. It would change the value of every stored alert, and an audit would
    call these alerts altered.
    """
    return {**_fields(alert), "threshold": alert.threshold}  # 25.0 keeps its point: older versions stored it so


def fact_value(fact: Fact) -> dict[str, Any]:
    """Return everything that a fact of an alert states."""
    return _fields(fact)


def reading_value(reading: AnyReading) -> dict[str, Any]:
    """Return what a reading states, and what the bytes behind the reading must state when they are read again."""
    received_at = max(reading.received_at, instant_of(reading))  # nobody received a figure before its instant
    value = _fields(replace(reading, received_at=received_at))
    value.pop("method", None)  # how an audience was read is no claim of its source
    return {"kind": "count" if isinstance(reading, Reading) else "audience", **value}


def alert_of(value: JsonValue) -> Alert:
    """Return the alert that a value states. Raise ``LookupError``, ``TypeError`` or ``ValueError`` for another."""
    return Alert(
        **{
            **value,
            "others": tuple(value["others"]),
            "at": datetime.fromisoformat(value["at"]),
            "dated": Dated(value["dated"]),
            "facts": tuple(map(_fact_of, value["facts"])),
            "parameters": tuple(Parameter(**{**one, "value": _number_of(one["value"])}) for one in value["parameters"]),
        }
    )


def is_stated(fact: JsonValue, readings: Sequence[JsonValue]) -> bool:
    """Return whether one of the readings behind a fact states its number. Otherwise the rule worked it out.

    A fact without bounds (a milestone, a limit) is always the rule's own number.
    """
    if fact["unit"] == "days":
        return any(fact["value"] == reading.get("days") for reading in readings)
    return fact["low"] is not None and any(fact["value"] in _numbers(reading) for reading in readings)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _json(getattr(value, field.name)) for field in fields(value)}


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _json(one) for name, one in sorted(value.items())}
    if isinstance(value, Figure):
        return [_json(number) for number in (value.value, value.low, value.high)]
    return _fields(value) if is_dataclass(value) else value


def _number(value: float) -> float | int | str:
    """Return whole numbers without a point: the store may return an int for a float. JSON has no infinity."""
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _number_of(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def _fact_of(value: JsonValue) -> Fact:
    numbers = {name: _number_of(value[name]) for name in ("value", "low", "high")}
    at = None if value["at"] is None else datetime.fromisoformat(value["at"])
    return Fact(**{**value, **numbers, "at": at, "dated": Dated(value["dated"])})


def _numbers(reading: JsonValue) -> Iterator[Any]:
    if reading["kind"] == "count":
        yield reading["count"]
        return
    for figure in (*reading["likes"].values(), *reading["shares"].values(), reading["total"]):
        if figure is not None:
            yield figure[0]
