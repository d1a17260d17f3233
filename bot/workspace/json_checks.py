"""Checks from which the shape of a JSON document is declared. ``block_kit.py`` declares Slack's shapes with them.

A check takes a value and the JSON pointer of its place, and yields one fault for each thing that is wrong.
A fault reads like Slack's: ``[ERROR] must be less than 76 characters [json-pointer:/blocks/0/elements/1/text/text]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, str], Iterator[str]]


def fault(at: str, what: str) -> str:
    """Return one fault in Slack's wording. ``at`` is a JSON pointer."""
    return f"[ERROR] {what} [json-pointer:{at}]"


def string(most: int) -> Check:
    """Check for a text of 1 to ``most`` characters."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield fault(at, "must be a string")
        elif not value:
            yield fault(at, "must be more than 0 characters")
        elif len(value) > most:
            yield fault(at, f"must be less than {most + 1} characters")

    return check


def web_address(most: int) -> Check:
    """Check for an http or https address of at most ``most`` characters."""
    length = string(most)

    def check(value: Any, at: str) -> Iterator[str]:
        yield from length(value, at)
        if isinstance(value, str) and not value.startswith(("https://", "http://")):
            yield fault(at, "must be an http or https address")

    return check


def one_of(*allowed: str) -> Check:
    """Check for one of these words."""

    def check(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield fault(at, f"must be one of: {', '.join(allowed)}")

    return check


def flag(value: Any, at: str) -> Iterator[str]:
    """Check for true or false."""
    if not isinstance(value, bool):
        yield fault(at, "must be true or false")


def number(value: Any, at: str) -> Iterator[str]:
    """Check for a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        yield fault(at, "must be a finite number")


def positive(value: Any, at: str) -> Iterator[str]:
    """Check for a finite number above 0."""
    faults = list(number(value, at))
    yield from faults
    if not faults and value <= 0:
        yield fault(at, "must be greater than 0")


def refused(what: str) -> Check:
    """Refuse a field that is there, and say ``what`` is wrong with it."""

    def check(_value: Any, at: str) -> Iterator[str]:
        yield fault(at, what)

    return check


def items(each: Check, *, most: int) -> Check:
    """Check for a list of 1 to ``most`` values, each of which passes ``each``."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield fault(at, "must be a list")
        elif not value:
            yield fault(at, "no fewer than 1 items allowed")
        elif len(value) > most:
            yield fault(at, f"no more than {most} items allowed")
        else:
            for index, one in enumerate(value):
                yield from each(one, f"{at}/{index}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Check) -> Check:
    """Check for an object with these fields and no others; ``rules`` see an object whose fields are all right."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault(at, "must be an object")
            return
        faults = [fault(at, f"invalid additional property: {name}") for name in sorted(set(value) - set(known))]
        faults += [fault(at, f"missing required field: {name}") for name in required if name not in value]
        for name in [name for name in known if name in value]:
            faults += known[name](value[name], f"{at}/{name}")
        yield from faults
        if not faults:
            for rule in rules:
                yield from rule(value, at)

    return check


def by_type(variants: Mapping[str, Check]) -> Check:
    """Check an object by the variant that its field ``type`` names. The variant does not list ``type`` itself."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault(at, "must be an object")
            return
        kind = value.get("type")
        if isinstance(kind, str) and kind in variants:
            yield from variants[kind]({name: field for name, field in value.items() if name != "type"}, at)
        else:
            yield fault(f"{at}/type", f"unsupported type: {kind}; must be one of: {', '.join(variants)}")

    return check


def unique(values: Iterable[Any], at: str, what: str) -> Iterator[str]:
    """Yield a fault for each value that is there more than once. ``what`` names the values."""
    seen = list(map(str, values))
    for repeated in sorted({value for value in seen if seen.count(value) > 1}):
        yield fault(at, f"{what} must be unique: {repeated}")
