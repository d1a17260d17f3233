"""Block Kit's charts and tables, checked as Slack checks them.

https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block and …/table-block. Where the sources conflict
(6 or 12 series and segments) the stricter one holds, so that what passes here passes there.
"""

from __future__ import annotations

import math

from bot.workspace.model import Json
from bot.workspace.objects import Faults

MAX_TITLE = 50
MAX_SERIES = MAX_SEGMENTS = 6
MAX_CATEGORIES = 20
MAX_NAME = 20
MAX_AXIS_LABEL = 50
MAX_ROWS, MAX_COLUMNS = 100, 20
MAX_CELL = 3000
WITH_AXES = ("line", "bar", "area")


def check_chart(faults: Faults, at: str, block: Json) -> None:
    """A ``data_visualization`` block."""
    if not faults.shape(block, at, required=("type", "title", "chart"), optional=("block_id",)):
        return
    faults.string(f"{at}/title", block["title"], MAX_TITLE)
    chart, here = block["chart"], f"{at}/chart"
    kind = chart.get("type") if isinstance(chart, dict) else None
    if kind == "pie":
        _check_pie(faults, here, chart)
    elif kind in WITH_AXES:
        _check_axes_chart(faults, here, chart)
    else:
        faults.add(f"{here}/type", f"must be one of: {', '.join(WITH_AXES)}, pie")


def _check_pie(faults: Faults, at: str, chart: Json) -> None:
    if not faults.shape(chart, at, required=("type", "segments")):
        return
    labels = []
    for index, segment in enumerate(faults.items(f"{at}/segments", chart["segments"], MAX_SEGMENTS)):
        here = f"{at}/segments/{index}"
        if not faults.shape(segment, here, required=("label", "value")):
            continue
        faults.string(f"{here}/label", segment["label"], MAX_NAME)
        _check_number(faults, f"{here}/value", segment["value"])
        if _is_number(segment["value"]) and segment["value"] <= 0:
            faults.add(f"{here}/value", "must be greater than 0")
        labels.append(segment["label"])
    _check_unique(faults, f"{at}/segments", labels, "segment labels")


def _check_axes_chart(faults: Faults, at: str, chart: Json) -> None:
    if not faults.shape(chart, at, required=("type", "series", "axis_config")):
        return
    categories = _check_axes(faults, f"{at}/axis_config", chart["axis_config"])
    names = []
    for index, series in enumerate(faults.items(f"{at}/series", chart["series"], MAX_SERIES)):
        here = f"{at}/series/{index}"
        if not faults.shape(series, here, required=("name", "data")):
            continue
        faults.string(f"{here}/name", series["name"], MAX_NAME)
        names.append(series["name"])
        _check_points(faults, f"{here}/data", series["data"], categories)
    _check_unique(faults, f"{at}/series", names, "series names")


def _check_axes(faults: Faults, at: str, axes: object) -> list[object]:
    if not faults.shape(axes, at, required=("categories",), optional=("x_label", "y_label")):
        return []
    for name in ("x_label", "y_label"):
        if name in axes:
            faults.string(f"{at}/{name}", axes[name], MAX_AXIS_LABEL)
    categories = faults.items(f"{at}/categories", axes["categories"], MAX_CATEGORIES)
    for index, category in enumerate(categories):
        faults.string(f"{at}/categories/{index}", category, MAX_NAME)
    _check_unique(faults, f"{at}/categories", categories, "categories")
    return categories


def _check_points(faults: Faults, at: str, points: object, categories: list[object]) -> None:
    labels = []
    for index, point in enumerate(faults.items(at, points, MAX_CATEGORIES)):
        if faults.shape(point, f"{at}/{index}", required=("label", "value")):
            faults.string(f"{at}/{index}/label", point["label"], MAX_NAME)
            _check_number(faults, f"{at}/{index}/value", point["value"])
            labels.append(point["label"])
    if sorted(map(str, labels)) != sorted(map(str, categories)):
        faults.add(at, "must have exactly one point for each category")


def check_table(faults: Faults, at: str, block: Json) -> None:
    """A ``table`` block of ``raw_text`` cells."""
    if not faults.shape(block, at, required=("type", "rows"), optional=("block_id", "column_settings")):
        return
    for row, cells in enumerate(faults.items(f"{at}/rows", block["rows"], MAX_ROWS)):
        for column, cell in enumerate(faults.items(f"{at}/rows/{row}", cells, MAX_COLUMNS)):
            here = f"{at}/rows/{row}/{column}"
            if faults.shape(cell, here, required=("type", "text")):
                faults.one_of(f"{here}/type", cell["type"], ("raw_text",))
                faults.string(f"{here}/text", cell["text"], MAX_CELL)
    settings = block.get("column_settings", [{}])
    for index, setting in enumerate(faults.items(f"{at}/column_settings", settings, MAX_COLUMNS)):
        here = f"{at}/column_settings/{index}"
        if faults.shape(setting, here, required=(), optional=("align", "is_wrapped")):
            faults.one_of(f"{here}/align", setting.get("align", "left"), ("left", "center", "right"))
            faults.flag(f"{here}/is_wrapped", setting.get("is_wrapped", False))


def _check_unique(faults: Faults, at: str, names: list[object], what: str) -> None:
    if len({str(name) for name in names}) != len(names):
        faults.add(at, f"{what} must be unique")


def _check_number(faults: Faults, at: str, value: object) -> None:
    if not _is_number(value):
        faults.add(at, "must be a finite number")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
