"""Whose word a figure is: stated by what it came from, or worked out by a rule; and by what kind of thing it came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]
"""A fact or a reading as a bundle's JSON has it."""


def is_stated(fact: Values, readings: Sequence[Values]) -> bool:
    """Whether a fact is the very number that one of the readings behind it states; else a rule worked it out.

    What has no bounds (a milestone, a limit) is a rule's own number, whatever it rests on.
    """
    if fact["unit"] == "days":
        return any(fact["value"] == reading.get("days") for reading in readings)
    return fact["low"] is not None and any(fact["value"] in _numbers(reading) for reading in readings)


def _numbers(reading: Values) -> Iterator[Any]:
    if reading["kind"] == "count":
        yield reading["count"]
        return
    for figure in (*reading["likes"].values(), *reading["shares"].values(), reading["total"]):
        if figure is not None:
            yield figure[0]


def has_replies(readings: Sequence[Values]) -> bool:
    """Whether a platform's reply is behind one of them."""
    return any(behind["what"] == "reply" for reading in readings for behind in reading["behind"])


def has_imports(readings: Sequence[Values]) -> bool:
    """Whether a file that somebody imported is behind one of them."""
    return any(behind["what"] != "reply" for reading in readings for behind in reading["behind"])
