"""Block Kit's documented limits, as a judge of what we send; and what a reader could click in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LIVE = re.compile(r"<([@#!]|https?:|mailto:)[^>]*>")


def faults(blocks: list[dict[str, Any]]) -> list[str]:
    """What Slack would refuse, in words; empty if nothing."""
    found = list(_of_message(blocks))
    for block in blocks:
        found += _CHECKS[block["type"]](block)
    return found


def live(blocks: list[dict[str, Any]]) -> list[str]:
    """Every mention, link or date in any mrkdwn text."""
    return [match[0] for text in mrkdwn_texts(blocks) for match in LIVE.finditer(text)]


def mrkdwn_texts(value: Any) -> Iterator[str]:
    """Every mrkdwn text in the blocks."""
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        for inner in value.values():
            yield from mrkdwn_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mrkdwn_texts(inner)


def words(blocks: list[dict[str, Any]]) -> str:
    """Everything the blocks say, one text a line."""
    return "\n".join(_texts(blocks))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") in {"mrkdwn", "plain_text"}:
            yield value["text"]
        if value.get("type") == "data_visualization":
            yield value["title"]
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _of_message(blocks: list[dict[str, Any]]) -> Iterator[str]:
    if not 1 <= len(blocks) <= 50:
        yield f"{len(blocks)} blocks"
    if sum(block["type"] == "data_visualization" for block in blocks) > 2:
        yield "more than 2 charts"
    actions = [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]
    if len(set(actions)) < len(actions):
        yield "action_id twice"


def _length(text: str, limit: int, where: str) -> list[str]:
    return [] if 1 <= len(text) <= limit else [f"{where}: {len(text)} characters"]


def _text(text: dict[str, Any], limit: int, where: str) -> list[str]:
    found = _length(text["text"], limit, where)
    if text["type"] == "mrkdwn":
        bare = re.sub(r"<[^<>]*>", "", text["text"])
        if "<" in bare or ">" in bare or re.search(r"&(?!(amp|lt|gt);)", bare):
            found.append(f"{where}: torn or unescaped markup in {text['text']!r}")
        if not text.get("verbatim"):
            found.append(f"{where}: not verbatim")
    return found


def _header(block: dict[str, Any]) -> list[str]:
    return _text(block["text"], 150, "header")


def _section(block: dict[str, Any]) -> list[str]:
    found = _text(block["text"], 3000, "section") if "text" in block else []
    fields = block.get("fields", [])
    if ("fields" in block and not 1 <= len(fields) <= 10) or not block.keys() & {"text", "fields"}:
        found.append(f"section: {len(fields)} fields")
    return found + [fault for field in fields for fault in _text(field, 2000, "field")]


def _context(block: dict[str, Any]) -> list[str]:
    count = [] if 1 <= len(block["elements"]) <= 10 else [f"context: {len(block['elements'])} elements"]
    return count + [fault for element in block["elements"] for fault in _text(element, 2000, "context")]


def _actions(block: dict[str, Any]) -> list[str]:
    found = [] if 1 <= len(block["elements"]) <= 25 else [f"actions: {len(block['elements'])} elements"]
    for element in block["elements"]:
        found += _length(element["action_id"], 255, "action_id")
        if element["type"] == "button":
            found += _text(element["text"], 75, "button") + _length(element["value"], 2000, "value")
            continue
        found += _text(element["placeholder"], 150, "placeholder")
        found += [] if 1 <= len(element["options"]) <= 100 else ["options"]
        for option in element["options"]:
            found += _text(option["text"], 75, "option") + _length(option["value"], 150, "option value")
    return found


def _chart(block: dict[str, Any]) -> list[str]:
    categories = block["chart"]["axis_config"]["categories"]
    series = block["chart"]["series"]
    found = _length(block["title"], 50, "chart title")
    if not 1 <= len(categories) <= 20 or len(set(categories)) < len(categories):
        found.append(f"chart: {len(categories)} categories")
    if not 1 <= len(series) <= 6 or len({one["name"] for one in series}) < len(series):
        found.append("chart: series")
    for label in (*categories, *(one["name"] for one in series)):
        found += _length(label, 20, "chart label")
    found += [
        f"chart: {one['name']} does not have one value for each category"
        for one in series
        if [point["label"] for point in one["data"]] != categories
    ]
    return found


_CHECKS = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "data_visualization": _chart,
}
