"""Every limit of Block Kit: what just fits passes, one more is refused where it stands."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeAlias

import pytest
import slackblocks._limits as theirs
from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    ImageBlock,
    MarkdownTextObject,
    Option,
    OverflowMenuElement,
    SectionBlock,
    StaticSelectElement,
)

from bot.workspace import block_kit as ours
from bot.workspace.block_kit import check_blocks, check_metadata

Json: TypeAlias = dict[str, Any]


def words(count: int, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": "x" * count}


def section(**parts: Any) -> Json:
    return {"type": "section", **parts}


def button(**parts: Any) -> Json:
    return {"type": "button", "text": words(2), **parts}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def options(count: int, text: int = 1, value: int = 9) -> list[Json]:
    return [{"text": words(text), "value": str(number).zfill(value)} for number in range(count)]


def select(**parts: Any) -> Json:
    return {"type": "static_select", "placeholder": words(5), "options": options(1), **parts}


def chart(series: int = 1, points: int = 2, *, title: int = 5, name: int = 5, kind: str = "line") -> Json:
    categories = [str(number).zfill(name) for number in range(points)]
    return {
        "type": "data_visualization",
        "title": "x" * title,
        "chart": {
            "type": kind,
            "series": [
                {"name": str(one).zfill(name), "data": [{"label": label, "value": 1} for label in categories]}
                for one in range(series)
            ],
            "axis_config": {"categories": categories},
        },
    }


def pie(segments: int, value: float = 1) -> Json:
    shown = [{"label": str(number), "value": value} for number in range(segments)]
    return {"type": "data_visualization", "title": "x", "chart": {"type": "pie", "segments": shown}}


def table(rows: int, columns: int) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def overflow(count: int) -> Json:
    return section(text=words(1), accessory={"type": "overflow", "options": options(count)})


def confirm(title: int = 1, text: int = 1, label: int = 1) -> Json:
    return {"title": words(title), "text": words(text), "confirm": words(label), "deny": words(label)}


LIMITS = [
    ("blocks", [section(text=words(1))] * 50, [section(text=words(1))] * 51, "/blocks"),
    ("section text", [section(text=words(3000))], [section(text=words(3001))], "/blocks/0/text/text"),
    ("fields", [section(fields=[words(1)] * 10)], [section(fields=[words(1)] * 11)], "/blocks/0/fields"),
    ("field", [section(fields=[words(2000)])], [section(fields=[words(2001)])], "/blocks/0/fields/0/text"),
    (
        "header",
        [{"type": "header", "text": words(150)}],
        [{"type": "header", "text": words(151)}],
        "/blocks/0/text/text",
    ),
    (
        "context",
        [{"type": "context", "elements": [words(1)] * 10}],
        [{"type": "context", "elements": [words(1)] * 11}],
        "/blocks/0/elements",
    ),
    ("actions", [actions(*[button()] * 25)], [actions(*[button()] * 26)], "/blocks/0/elements"),
    ("button text", [actions(button(text=words(75)))], [actions(button(text=words(76)))], "/elements/0/text/text"),
    ("button value", [actions(button(value="x" * 2000))], [actions(button(value="x" * 2001))], "/elements/0/value"),
    (
        "button url",
        [actions(button(url="https://e/".ljust(3000, "x")))],
        [actions(button(url="https://e/".ljust(3001, "x")))],
        "/elements/0/url",
    ),
    ("action_id", [actions(button(action_id="x" * 255))], [actions(button(action_id="x" * 256))], "/action_id"),
    (
        "block_id",
        [{"type": "divider", "block_id": "x" * 255}],
        [{"type": "divider", "block_id": "x" * 256}],
        "block_id",
    ),
    ("options", [actions(select(options=options(100)))], [actions(select(options=options(101)))], "/options"),
    (
        "option text",
        [actions(select(options=options(1, 75)))],
        [actions(select(options=options(1, 76)))],
        "/0/text/text",
    ),
    (
        "option value",
        [actions(select(options=options(1, 1, 150)))],
        [actions(select(options=options(1, 1, 151)))],
        "/options/0/value",
    ),
    (
        "placeholder",
        [actions(select(placeholder=words(150)))],
        [actions(select(placeholder=words(151)))],
        "placeholder",
    ),
    ("overflow", [overflow(5)], [overflow(6)], "/accessory/options"),
    (
        "confirm",
        [actions(button(confirm=confirm(100, 300, 30)))],
        [actions(button(confirm=confirm(101, 300, 30)))],
        "/confirm/title/text",
    ),
    ("series", [chart(6)], [chart(7)], "/chart/series"),
    ("categories", [chart(1, 20)], [chart(1, 21)], "/axis_config/categories"),
    ("chart title", [chart(title=50)], [chart(title=51)], "/blocks/0/title"),
    ("names", [chart(name=20)], [chart(name=21)], "/series/0/name"),
    ("segments", [pie(6)], [pie(7)], "/chart/segments"),
    ("charts", [chart(), chart()], [chart(), chart(), chart()], "/blocks"),
    ("rows", [table(100, 1)], [table(101, 1)], "/blocks/0/rows"),
    ("columns", [table(1, 20)], [table(1, 21)], "/blocks/0/rows/0"),
    (
        "characters",
        [section(text=words(3000))] * 4,
        [*[section(text=words(3000))] * 4, section(text=words(1))],
        "no more than 12000 characters",
    ),
    ("tables", [table(1, 1)], [table(1, 1), table(1, 1)], "only_one_table_allowed"),
]


@pytest.mark.parametrize(("fits", "exceeds", "where"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
def test_it_keeps_slacks_limits(fits: list[Json], exceeds: list[Json], where: str) -> None:
    assert check_blocks(fits) == ()
    assert any(where in fault for fault in check_blocks(exceeds))


def chart_with(**parts: Any) -> Json:
    made = chart()
    made["chart"] |= parts
    return made


def _two_series_with_one_name() -> Json:
    made = chart(2)
    made["chart"]["series"][1]["name"] = made["chart"]["series"][0]["name"]
    return made


def _a_point_missing() -> Json:
    made = chart()
    del made["chart"]["series"][0]["data"][0]
    return made


def _a_point_twice() -> Json:
    made = chart()
    data = made["chart"]["series"][0]["data"]
    data[1] = deepcopy(data[0])
    return made


def _no_number() -> Json:
    made = chart()
    made["chart"]["series"][0]["data"][0]["value"] = float("nan")
    return made


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("text", "must be an object"),
        ({"type": "input"}, "unsupported type: input"),
        (section(), "missing required field: text or fields"),
        (section(text=words(0)), "more than 0 characters"),
        (section(text="plain"), "/blocks/0/text"),
        (section(text=words(1), colour="red"), "invalid additional property: colour"),
        (section(text=words(1, "html")), "must be one of: plain_text, mrkdwn"),
        (section(text={**words(1, "mrkdwn"), "emoji": True}), "is only for plain_text"),
        (section(text={**words(1), "verbatim": True}), "is only for mrkdwn"),
        (section(text=words(1), accessory=select(options=[])), "no fewer than 1 items"),
        ({"type": "header", "text": words(1, "mrkdwn")}, "must be one of: plain_text"),
        ({"type": "image", "image_url": "https://e/x.png"}, "missing required field: alt_text"),
        ({"type": "image", "image_url": "data:x", "alt_text": "x"}, "must be an http or https address"),
        (actions(), "no fewer than 1 items"),
        (actions({"type": "datepicker"}), "unsupported type: datepicker"),
        (actions(button(style="warning")), "must be one of: primary, danger"),
        (actions(button(url="javascript:x")), "must be an http or https address"),
        (actions(button(value=7)), "must be a string"),
        (actions(button(action_id="a"), button(action_id="a")), "action_id must be unique: a"),
        (actions(select(initial_option=options(2)[1])), "must be one of the options"),
        (chart(kind="scatter"), "must be one of: line, bar, area, pie"),
        (chart_with(series=[]), "no fewer than 1 items"),
        (_two_series_with_one_name(), "series names must be unique"),
        (_a_point_missing(), "exactly one point for each category"),
        (_a_point_twice(), "exactly one point for each category"),
        (_no_number(), "must be a finite number"),
        (pie(2, value=0), "must be greater than 0"),
    ],
)
def test_it_names_what_is_wrong(block: Any, fault: str) -> None:
    assert any(fault in found for found in check_blocks([block]))


def test_block_ids_are_unique_in_a_message() -> None:
    assert "block_id must be unique: a" in check_blocks([{"type": "divider", "block_id": "a"}] * 2)[0]


def test_it_takes_everything_that_slacks_own_models_write() -> None:
    written = [
        HeaderBlock(text="Header"),
        SectionBlock(
            text="*bold*", fields=["a", "b"], accessory=OverflowMenuElement(options=[Option(value="a", text="A")])
        ),
        DividerBlock(),
        ImageBlock(image_url="https://example.org/x.png", alt_text="x", title="X"),
        ContextBlock(elements=[MarkdownTextObject(text="x", verbatim=True)]),
        ActionsBlock(
            elements=[
                ButtonElement(
                    text="Go",
                    action_id="go",
                    value="1",
                    style="danger",
                    confirm=ConfirmObject(title="Sure?", text="*Really*?", confirm="Yes", deny="No"),
                ),
                StaticSelectElement(placeholder="Choose", options=[Option(value="a", text="A")], action_id="s"),
            ]
        ),
    ]
    assert check_blocks([block.to_dict() for block in written]) == ()


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ("x", "must be an object"),
        ({"event_type": "x"}, "missing required field: event_payload"),
        ({"event_type": "x", "event_payload": {}, "more": 1}, "invalid additional property: more"),
        ({"event_type": "", "event_payload": {}}, "more than 0 characters"),
        ({"event_type": "x", "event_payload": []}, "must be an object"),
        ({"event_type": "x", "event_payload": {"key": "x" * 16_000}}, "bytes"),
    ],
)
def test_it_checks_metadata(metadata: object, fault: str) -> None:
    assert any(fault in found for found in check_metadata(metadata))


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (ours.MAX_BLOCKS, theirs.MESSAGE_BLOCKS_MAX_ITEMS),
        (ours.MAX_CHARTS, theirs.MESSAGE_DATA_VISUALIZATIONS_MAX_ITEMS),
        (ours.MAX_HEADER, theirs.HEADER_TEXT_MAX_LENGTH),
        (ours.MAX_FIELDS, theirs.SECTION_FIELDS_MAX_ITEMS),
        (ours.MAX_FIELD, theirs.SECTION_FIELDS_ITEM_MAX_LENGTH),
        (ours.MAX_CONTEXT, theirs.CONTEXT_ELEMENTS_MAX_ITEMS),
        (ours.MAX_ACTIONS, theirs.ACTIONS_ELEMENTS_MAX_ITEMS),
        (ours.MAX_TEXT, theirs.SECTION_TEXT_MAX_LENGTH),
        (ours.MAX_ID, theirs.BLOCK_ID_MAX_LENGTH),
        (ours.MAX_BUTTON_TEXT, theirs.BUTTON_TEXT_MAX_LENGTH),
        (ours.MAX_BUTTON_VALUE, theirs.BUTTON_VALUE_MAX_LENGTH),
        (ours.MAX_URL, theirs.BUTTON_URL_MAX_LENGTH),
        (ours.MAX_ALT_TEXT, theirs.IMAGE_ALT_TEXT_MAX_LENGTH),
        (ours.MAX_OPTIONS, theirs.SELECT_OPTIONS_MAX_ITEMS),
        (ours.MAX_OVERFLOW, theirs.OVERFLOW_OPTIONS_MAX_ITEMS),
        (ours.MAX_OPTION_TEXT, theirs.OPTION_TEXT_MAX_LENGTH),
        (ours.MAX_OPTION_VALUE, theirs.OPTION_VALUE_MAX_LENGTH),
        (ours.MAX_PLACEHOLDER, theirs.SELECT_PLACEHOLDER_MAX_LENGTH),
        (ours.MAX_CONFIRM_TITLE, theirs.CONFIRMATION_TITLE_MAX_LENGTH),
        (ours.MAX_CONFIRM_TEXT, theirs.CONFIRMATION_TEXT_MAX_LENGTH),
        (ours.MAX_CONFIRM_BUTTON, theirs.CONFIRMATION_CONFIRM_MAX_LENGTH),
        (ours.MAX_CHART_TITLE, theirs.DATA_VISUALIZATION_TITLE_MAX_LENGTH),
        (ours.MAX_CATEGORIES, theirs.DATA_VISUALIZATION_CATEGORIES_MAX_ITEMS),
        (ours.MAX_CHART_LABEL, theirs.DATA_VISUALIZATION_SERIES_NAME_MAX_LENGTH),
        (ours.MAX_AXIS_LABEL, theirs.DATA_VISUALIZATION_AXIS_LABEL_MAX_LENGTH),
        (ours.MAX_ROWS, theirs.TABLE_ROWS_MAX_ITEMS),
        (ours.MAX_COLUMNS, theirs.TABLE_COLUMNS_MAX_ITEMS),
    ],
)
def test_a_second_opinion_knows_the_same_limits(here: int, there: int) -> None:
    assert here == there


def test_where_the_sources_conflict_ours_is_the_stricter() -> None:
    assert ours.MAX_SERIES < theirs.DATA_VISUALIZATION_SERIES_MAX_ITEMS
    assert ours.MAX_SEGMENTS < theirs.DATA_VISUALIZATION_SEGMENTS_MAX_ITEMS
