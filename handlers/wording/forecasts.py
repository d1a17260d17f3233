"""Sentences of a forecast: the days it expects, its basis, and how earlier forecasts did."""

from __future__ import annotations

from datetime import datetime

from handlers.contract import Names, Wording
from handlers.model import Alert
from handlers.wording.numbers import MONTHS, count, percent
from handlers.wording.phrases import is_rounded, on, span


def _headline(alert: Alert, words: Names) -> str:
    page, rival = words.page(alert.page), words.page(alert.rival or "")
    low, middle, high = (alert.fact(name).at or alert.at for name in ("eta_low", "eta", "eta_high"))
    when = f"{_between(low, high)}, as likely before {_day_near(middle, high)} as after"
    held = _record(alert)
    said = f"Going by the last four weeks, {page} passes {rival} {when}."
    return f"{said} {held}" if held else said


def _between(low: datetime, high: datetime) -> str:
    """Write an interval of days without repeating the month or year: ``"between 2 and 23 December 2026"``."""
    if low.date() == high.date():
        return f"around {high.day} {MONTHS[high.month - 1]} {high.year}"
    first = f"{low.day}"
    if (low.year, low.month) != (high.year, high.month):
        first += f" {MONTHS[low.month - 1]}"
    if low.year != high.year:
        first += f" {low.year}"
    return f"between {first} and {high.day} {MONTHS[high.month - 1]} {high.year}"


def _day_near(at: datetime, high: datetime) -> str:
    if (at.year, at.month) != (high.year, high.month):
        return f"{at.day} {MONTHS[at.month - 1]}"
    teens = range(11, 14)
    ending = "th" if at.day in teens else {1: "st", 2: "nd", 3: "rd"}.get(at.day % 10, "th")
    return f"the {at.day}{ending}"


def _record(alert: Alert) -> str:
    """Write the record of earlier forecasts: ``"7 of our last 10 forecasts held."``; empty if none has ended."""
    for held, ended in zip(alert.facts_named("held"), alert.facts_named("ended"), strict=True):
        if ended.value == 1:
            return "Our last forecast held." if held.value else "Our last forecast did not hold."
        return f"{count(held.value)} of our last {count(ended.value)} forecasts held."
    return ""


def _lines(alert: Alert, words: Names) -> tuple[str, ...]:
    gap, pace, chance = alert.fact("gap"), alert.fact("pace"), alert.fact("chance")
    page, rival = words.page(alert.page), words.page(alert.rival or "")
    rounding = f"; rounding allows {span(gap, count)}" if is_rounded(gap) else ""
    behind = f"{page} is {count(gap.value)} {gap.unit} behind {rival} {on(gap)}{rounding}"
    likely = f"The chance of a passing within 30 days is put at {percent(chance.value, digits=0)}."
    said = [
        f"{behind}; in the four weeks before, the gap closed by {count(pace.value)} a day.",
        f"{likely} Of ten such forecasts about eight should hold and two should not: a forecast, no promise.",
        "Nothing is forecast while the pace is unsteady, or soon after a surge or a purge of either page.",
    ]
    if not alert.facts_named("ended"):
        said.append("No forecast in this group has ended yet.")
    return tuple(said)


CLOSING_IN = Wording(headline=_headline, lines=_lines)
