"""Block Kit's blocks and message metadata, checked as Slack checks them; only the blocks that the bot may use.

https://docs.slack.dev/reference/block-kit/blocks. A block that Slack knows and the bot does not use is refused too:
nobody would have looked at how the page shows it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence

from bot.workspace.charts import check_chart, check_table
from bot.workspace.model import Json
from bot.workspace.objects import (
    MAX_ALT_TEXT,
    MAX_ID,
    MAX_TEXT,
    PLAIN,
    Faults,
    check_element,
    check_picture,
    check_text,
)

MAX_BLOCKS = 50
MAX_CHARACTERS = 12_000
"""In all texts together; what Slack adds for the blocks around them is not published (slackapi/bolt-js#2509, #2867)."""
MAX_CHARTS = 2
MAX_TABLES = 1
MAX_HEADER = 150
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_CONTEXT, MAX_ACTIONS = 10, 25
MAX_METADATA_BYTES = 16_000

_ACTIONS = ("button", "static_select", "overflow")


def check_blocks(blocks: object) -> tuple[str, ...]:
    """Everything wrong with a message's blocks, each with its JSON pointer; empty for blocks that Slack would take."""
    faults = Faults()
    if not isinstance(blocks, list):
        faults.add("/blocks", "must be a list")
        return tuple(faults.messages)
    if len(blocks) > MAX_BLOCKS:
        faults.add("/blocks", f"no more than {MAX_BLOCKS} items allowed")
    for index, block in enumerate(blocks):
        _check_block(faults, f"/blocks/{index}", block)
    known = [block for block in blocks if isinstance(block, dict)]
    _check_unique(faults, "/blocks", "block_id", known)
    if sum(block.get("type") == "data_visualization" for block in known) > MAX_CHARTS:
        faults.add("/blocks", f"no more than {MAX_CHARTS} data_visualization blocks allowed")
    if sum(block.get("type") == "table" for block in known) > MAX_TABLES:
        faults.add("/blocks", "only_one_table_allowed")
    return (*faults.messages, *check_length(blocks))


def check_length(blocks: object) -> tuple[str, ...]:
    """What is wrong with the length of a message's blocks together: one fault, or none."""
    if (length := _characters(blocks)) <= MAX_CHARACTERS:
        return ()
    return (
        f"[ERROR] no more than {MAX_CHARACTERS} characters allowed in all texts, not {length} [json-pointer:/blocks]",
    )


def _characters(value: object) -> int:
    if isinstance(value, dict):
        own = value.get("text")
        return len(own) if isinstance(own, str) else sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list) else 0


def check_metadata(metadata: object) -> tuple[str, ...]:
    """Everything wrong with a message's metadata (https://docs.slack.dev/messaging/message-metadata)."""
    faults = Faults()
    if faults.shape(metadata, "/metadata", required=("event_type", "event_payload")):
        faults.string("/metadata/event_type", metadata["event_type"], MAX_ID)
        if not isinstance(metadata["event_payload"], dict):
            faults.add("/metadata/event_payload", "must be an object")
        elif not all(_is_carried(value) for value in metadata["event_payload"].values()):
            faults.add("/metadata/event_payload", "holds scalars, objects of scalars, or lists of such objects")
        if len(json.dumps(metadata)) > MAX_METADATA_BYTES:
            faults.add("/metadata", f"must be less than {MAX_METADATA_BYTES + 1} bytes")
    return tuple(faults.messages)


def _is_carried(value: object) -> bool:
    """What Slack's own types let metadata hold: no list of plain words, nothing deeper than a list of objects."""
    scalar = (str, int, float, bool)
    listed = value if isinstance(value, list) else [value]
    if not isinstance(value, list) and isinstance(value, scalar):
        return True
    return all(isinstance(one, dict) and all(isinstance(inner, scalar) for inner in one.values()) for one in listed)


def with_ids(blocks: Sequence[Json]) -> tuple[Json, ...]:
    """The blocks with an id wherever the bot gave none, as Slack stores them."""
    return tuple(_with_ids(block) for block in blocks)


def interactive_elements(block: Json) -> list[Json]:
    """A block's buttons, selects and overflow menus."""
    elements = [*block.get("elements", ()), block.get("accessory")]
    return [element for element in elements if isinstance(element, dict) and element.get("type") in _ACTIONS]


def _with_ids(block: Json) -> Json:
    made = {**block, "block_id": block.get("block_id") or _new_id()}
    if block["type"] == "actions":
        made["elements"] = [_with_action_id(element) for element in block["elements"]]
    elif "accessory" in block:
        made["accessory"] = _with_action_id(block["accessory"])
    return made


def _with_action_id(element: Json) -> Json:
    return {**element, "action_id": element.get("action_id") or _new_id()} if element["type"] in _ACTIONS else element


def _new_id() -> str:
    return secrets.token_urlsafe(4)


def _check_block(faults: Faults, at: str, block: object) -> None:
    if not isinstance(block, dict):
        faults.add(at, "must be an object")
    elif block.get("type") not in _BLOCKS:
        faults.add(f"{at}/type", f"unsupported type: {block.get('type')}; allowed here: {', '.join(_BLOCKS)}")
    else:
        if "block_id" in block:
            faults.string(f"{at}/block_id", block["block_id"], MAX_ID)
        _BLOCKS[block["type"]](faults, at, block)
        _check_unique(faults, at, "action_id", interactive_elements(block))


def _check_unique(faults: Faults, at: str, name: str, holders: Sequence[Json]) -> None:
    ids = [holder[name] for holder in holders if isinstance(holder.get(name), str)]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}):
        faults.add(at, f"{name} must be unique: {repeated}")


def _check_section(faults: Faults, at: str, block: Json) -> None:
    optional = ("block_id", "text", "fields", "accessory", "expand")
    if not faults.shape(block, at, required=("type",), optional=optional):
        return
    if "text" not in block and "fields" not in block:
        faults.add(at, "missing required field: text or fields")
    if "text" in block:
        check_text(faults, f"{at}/text", block["text"], most=MAX_TEXT)
    if "fields" in block:
        for index, field in enumerate(faults.items(f"{at}/fields", block["fields"], MAX_FIELDS)):
            check_text(faults, f"{at}/fields/{index}", field, most=MAX_FIELD)
    if "accessory" in block:
        check_element(faults, f"{at}/accessory", block["accessory"], (*_ACTIONS, "image"))


def _check_header(faults: Faults, at: str, block: Json) -> None:
    if faults.shape(block, at, required=("type", "text"), optional=("block_id",)):
        check_text(faults, f"{at}/text", block["text"], types=PLAIN, most=MAX_HEADER)


def _check_divider(faults: Faults, at: str, block: Json) -> None:
    faults.shape(block, at, required=("type",), optional=("block_id",))


def _check_context(faults: Faults, at: str, block: Json) -> None:
    if not faults.shape(block, at, required=("type", "elements"), optional=("block_id",)):
        return
    for index, element in enumerate(faults.items(f"{at}/elements", block["elements"], MAX_CONTEXT)):
        here = f"{at}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "image":
            check_element(faults, here, element, ("image",))
        else:
            check_text(faults, here, element, most=MAX_TEXT)


def _check_actions(faults: Faults, at: str, block: Json) -> None:
    if faults.shape(block, at, required=("type", "elements"), optional=("block_id",)):
        for index, element in enumerate(faults.items(f"{at}/elements", block["elements"], MAX_ACTIONS)):
            check_element(faults, f"{at}/elements/{index}", element, _ACTIONS)


def _check_image(faults: Faults, at: str, block: Json) -> None:
    required = ("type", "image_url", "alt_text")
    if faults.shape(block, at, required=required, optional=("block_id", "title")):
        check_picture(faults, at, block)
        if "title" in block:
            check_text(faults, f"{at}/title", block["title"], types=PLAIN, most=MAX_ALT_TEXT)


_BLOCKS: dict[str, Callable[[Faults, str, Json], None]] = {
    "section": _check_section,
    "header": _check_header,
    "divider": _check_divider,
    "context": _check_context,
    "actions": _check_actions,
    "image": _check_image,
    "table": check_table,
    "data_visualization": check_chart,
}
