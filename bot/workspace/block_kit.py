"""Block Kit: the blocks that the bot may use and message metadata, checked as Slack checks them.

- Blocks: https://docs.slack.dev/reference/block-kit/blocks
- Elements: https://docs.slack.dev/reference/block-kit/block-elements
- Texts, options, confirmations: https://docs.slack.dev/reference/block-kit/composition-objects
- Metadata: https://docs.slack.dev/messaging/message-metadata

A block that Slack has and the bot does not use is refused: the page could not show it. Slack's sources disagree
about some limits (6 or 12 series and segments). The stricter one holds, so a message that passes here passes on Slack.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from bot.workspace.json_checks import (
    Check,
    by_type,
    fault,
    flag,
    items,
    number,
    one_of,
    positive,
    refused,
    shape,
    string,
    unique,
    web_address,
)
from bot.workspace.model import Json

MAX_BLOCKS = 50
MAX_CHARACTERS = 12_000
"""In all texts together. Slack adds an unpublished number for the blocks around them (slackapi/bolt-js#2509, #2867)."""
MAX_CHARTS, MAX_TABLES = 2, 1
MAX_ID = 255
MAX_TEXT, MAX_HEADER, MAX_ALT_TEXT = 3000, 150, 2000
MAX_URL = 3000
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_CONTEXT, MAX_ACTIONS = 10, 25
MAX_BUTTON_TEXT, MAX_BUTTON_VALUE = 75, 2000
MAX_OPTIONS, MAX_OVERFLOW = 100, 5
MAX_OPTION_TEXT, MAX_OPTION_VALUE = 75, 150
MAX_PLACEHOLDER = 150
MAX_CONFIRM_TITLE, MAX_CONFIRM_TEXT, MAX_CONFIRM_BUTTON = 100, 300, 30
MAX_CHART_TITLE, MAX_AXIS_LABEL = 50, 50
MAX_SERIES = MAX_SEGMENTS = 6
MAX_CATEGORIES, MAX_CHART_LABEL = 20, 20
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 100, 20, 3000
MAX_METADATA_BYTES = 16_000


def _texts(most: int) -> dict[str, Check]:
    return {
        "plain_text": shape({"text": string(most)}, {"emoji": flag, "verbatim": refused("is only for mrkdwn")}),
        "mrkdwn": shape({"text": string(most)}, {"verbatim": flag, "emoji": refused("is only for plain_text")}),
    }


def _text(most: int) -> Check:
    return by_type(_texts(most))


def _plain(most: int) -> Check:
    return by_type({"plain_text": _texts(most)["plain_text"]})


def _options(most: int) -> Check:
    option = shape(
        {"text": _text(MAX_OPTION_TEXT), "value": string(MAX_OPTION_VALUE)},
        {"description": _plain(MAX_OPTION_TEXT)},
    )
    return items(option, most=most)


def _initial_option(select: Json, at: str) -> Iterator[str]:
    if "initial_option" in select and select["initial_option"] not in select["options"]:
        yield fault(f"{at}/initial_option", "must be one of the options, exactly")


def _anything(_value: Any, _at: str) -> Iterator[str]:
    yield from ()


_STYLE = one_of("primary", "danger")
_CONFIRM = shape(
    {
        "title": _plain(MAX_CONFIRM_TITLE),
        "text": _text(MAX_CONFIRM_TEXT),
        "confirm": _plain(MAX_CONFIRM_BUTTON),
        "deny": _plain(MAX_CONFIRM_BUTTON),
    },
    {"style": _STYLE},
)
_INTERACTIVE = {"action_id": string(MAX_ID), "confirm": _CONFIRM}
_PICTURE = {"image_url": web_address(MAX_URL), "alt_text": string(MAX_ALT_TEXT)}
_ACTIONS: dict[str, Check] = {
    "button": shape(
        {"text": _plain(MAX_BUTTON_TEXT)},
        {
            **_INTERACTIVE,
            "value": string(MAX_BUTTON_VALUE),
            "url": web_address(MAX_URL),
            "style": _STYLE,
            "accessibility_label": string(MAX_BUTTON_TEXT),
        },
    ),
    "static_select": shape(
        {"options": _options(MAX_OPTIONS)},
        {**_INTERACTIVE, "placeholder": _plain(MAX_PLACEHOLDER), "initial_option": _anything},
        _initial_option,
    ),
    "overflow": shape({"options": _options(MAX_OVERFLOW)}, _INTERACTIVE),
}


def _text_or_fields(section: Json, at: str) -> Iterator[str]:
    if "text" not in section and "fields" not in section:
        yield fault(at, "missing required field: text or fields")


def _unique_action_ids(block: Json, at: str) -> Iterator[str]:
    elements = interactive_elements(block)
    return unique((one["action_id"] for one in elements if "action_id" in one), at, "action_id")


def _unique_segments(pie: Json, at: str) -> Iterator[str]:
    return unique((segment["label"] for segment in pie["segments"]), f"{at}/segments", "segment labels")


def _points_match_categories(chart: Json, at: str) -> Iterator[str]:
    categories = chart["axis_config"]["categories"]
    yield from unique(categories, f"{at}/axis_config/categories", "categories")
    yield from unique((series["name"] for series in chart["series"]), f"{at}/series", "series names")
    for index, series in enumerate(chart["series"]):
        if sorted(point["label"] for point in series["data"]) != sorted(categories):
            yield fault(f"{at}/series/{index}/data", "must have exactly one point for each category")


_LABEL = string(MAX_CHART_LABEL)
_POINTS = items(shape({"label": _LABEL, "value": number}), most=MAX_CATEGORIES)
_AXES_CHART = shape(
    {
        "series": items(shape({"name": _LABEL, "data": _POINTS}), most=MAX_SERIES),
        "axis_config": shape(
            {"categories": items(_LABEL, most=MAX_CATEGORIES)},
            {"x_label": string(MAX_AXIS_LABEL), "y_label": string(MAX_AXIS_LABEL)},
        ),
    },
    {},
    _points_match_categories,
)
_SEGMENTS = items(shape({"label": _LABEL, "value": positive}), most=MAX_SEGMENTS)
_CHART = by_type(
    {
        "line": _AXES_CHART,
        "bar": _AXES_CHART,
        "area": _AXES_CHART,
        "pie": shape({"segments": _SEGMENTS}, {}, _unique_segments),
    }
)
_CELL = by_type({"raw_text": shape({"text": string(MAX_CELL)})})
_COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})
_BLOCK_ID = {"block_id": string(MAX_ID)}
_BLOCK = by_type(
    {
        "section": shape(
            {},
            {
                **_BLOCK_ID,
                "text": _text(MAX_TEXT),
                "fields": items(_text(MAX_FIELD), most=MAX_FIELDS),
                "accessory": by_type({**_ACTIONS, "image": shape(_PICTURE)}),
                "expand": _anything,
            },
            _text_or_fields,
        ),
        "header": shape({"text": _plain(MAX_HEADER)}, _BLOCK_ID),
        "divider": shape({}, _BLOCK_ID),
        "context": shape(
            {"elements": items(by_type({"image": shape(_PICTURE), **_texts(MAX_TEXT)}), most=MAX_CONTEXT)}, _BLOCK_ID
        ),
        "actions": shape({"elements": items(by_type(_ACTIONS), most=MAX_ACTIONS)}, _BLOCK_ID, _unique_action_ids),
        "image": shape(_PICTURE, {**_BLOCK_ID, "title": _plain(MAX_ALT_TEXT)}),
        "table": shape(
            {"rows": items(items(_CELL, most=MAX_COLUMNS), most=MAX_ROWS)},
            {**_BLOCK_ID, "column_settings": items(_COLUMN, most=MAX_COLUMNS)},
        ),
        "data_visualization": shape({"title": string(MAX_CHART_TITLE), "chart": _CHART}, _BLOCK_ID),
    }
)


def check_blocks(blocks: object) -> tuple[str, ...]:
    """Return everything that is wrong with a message's blocks, each with its JSON pointer."""
    if not isinstance(blocks, list):
        return (fault("/blocks", "must be a list"),)
    faults = []
    if len(blocks) > MAX_BLOCKS:
        faults.append(fault("/blocks", f"no more than {MAX_BLOCKS} items allowed"))
    for index, block in enumerate(blocks):
        faults += _BLOCK(block, f"/blocks/{index}")
    objects = [block for block in blocks if isinstance(block, dict)]
    faults += unique((block["block_id"] for block in objects if "block_id" in block), "/blocks", "block_id")
    kinds = [block.get("type") for block in objects]
    if kinds.count("data_visualization") > MAX_CHARTS:
        faults.append(fault("/blocks", f"no more than {MAX_CHARTS} data_visualization blocks allowed"))
    if kinds.count("table") > MAX_TABLES:
        faults.append(fault("/blocks", "only_one_table_allowed"))
    return (*faults, *check_length(blocks))


def check_length(blocks: object) -> tuple[str, ...]:
    """Return the fault of blocks whose texts together are too long; empty if they are not."""
    length = _characters(blocks)
    if length <= MAX_CHARACTERS:
        return ()
    return (fault("/blocks", f"no more than {MAX_CHARACTERS} characters allowed in all texts, not {length}"),)


def _characters(value: object) -> int:
    if isinstance(value, dict):
        own = value.get("text")
        return len(own) if isinstance(own, str) else sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list) else 0


def check_metadata(metadata: object) -> tuple[str, ...]:
    """Return everything that is wrong with a message's metadata, each with its JSON pointer."""
    return tuple(_METADATA(metadata, "/metadata"))


def _event_payload(payload: Any, at: str) -> Iterator[str]:
    """Slack's own types allow scalars, objects of scalars, and lists of such objects."""
    if not isinstance(payload, dict):
        yield fault(at, "must be an object")
    elif not all(_is_allowed_in_metadata(value) for value in payload.values()):
        yield fault(at, "holds scalars, objects of scalars, or lists of such objects")


def _is_allowed_in_metadata(value: object) -> bool:
    scalar = (str, int, float, bool)
    if isinstance(value, scalar):
        return True
    objects = value if isinstance(value, list) else [value]
    return all(isinstance(one, dict) and all(isinstance(inner, scalar) for inner in one.values()) for one in objects)


def _metadata_size(metadata: Json, at: str) -> Iterator[str]:
    if len(json.dumps(metadata)) > MAX_METADATA_BYTES:
        yield fault(at, f"must be less than {MAX_METADATA_BYTES + 1} bytes")


_METADATA = shape({"event_type": string(MAX_ID), "event_payload": _event_payload}, {}, _metadata_size)


def interactive_elements(block: Json) -> list[Json]:
    """Return a block's buttons, selects and overflow menus."""
    elements = [*block.get("elements", ()), block.get("accessory")]
    return [element for element in elements if isinstance(element, dict) and element.get("type") in _ACTIONS]


def with_ids(blocks: Sequence[Json]) -> tuple[Json, ...]:
    """Return the blocks with an id wherever the bot gave none, as Slack stores them."""
    return tuple(_with_ids(block) for block in blocks)


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
