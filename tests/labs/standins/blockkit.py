"""What is wrong with blocks, and what a reader could click in them. The limits are judged by the local workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.workspace.block_kit import check_blocks

LIVE = re.compile(r"<([@#!]|https?:|mailto:)[^>]*>")
_TORN = re.compile(r"[<>]|&(?!(?:amp|lt|gt);)")


def faults(blocks: list[dict[str, Any]]) -> list[str]:
    """What Slack would refuse or show wrongly, in words; empty if nothing."""
    found = list(check_blocks(blocks))
    for text in _objects(blocks, "mrkdwn"):
        if _TORN.search(re.sub(r"<[^<>]*>", "", text["text"])):
            found.append(f"torn or unescaped markup in {text['text']!r}")
        if not text.get("verbatim"):
            found.append(f"Slack would look for links and mentions in {text['text']!r}")
    actions = [
        element["action_id"] for block in blocks for element in block.get("elements", []) if "action_id" in element
    ]
    if len(set(actions)) < len(actions):
        found.append("an action_id is there twice")
    return found


def live(blocks: list[dict[str, Any]]) -> list[str]:
    """Every mention, link or date in any mrkdwn text."""
    return [match[0] for text in mrkdwn_texts(blocks) for match in LIVE.finditer(text)]


def mrkdwn_texts(blocks: list[dict[str, Any]]) -> list[str]:
    """Every mrkdwn text in the blocks."""
    return [text["text"] for text in _objects(blocks, "mrkdwn")]


def words(blocks: list[dict[str, Any]]) -> str:
    """Everything the blocks say, one text a line; of a chart its title."""
    said = _objects(blocks, "mrkdwn", "plain_text", "data_visualization")
    return "\n".join(text["text"] if "text" in text else text["title"] for text in said)


def _objects(value: Any, *types: str) -> Iterator[dict[str, Any]]:
    """The objects of these types, wherever in the blocks."""
    if isinstance(value, dict):
        if value.get("type") in types:
            yield value
        for inner in value.values():
            yield from _objects(inner, *types)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner, *types)
