"""Which alerts with another threshold are of the same event as those with the default."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.backtest.compare import ThresholdComparison, pair_alerts
from bot.rules.thresholds import tuned
from handlers.discovery import all_comparisons
from handlers.model import Alert
from tests.labs.standins.histories import scene


def as_set(alert: Alert, *, later: timedelta) -> Alert:
    moved = told_at(alert, alert.at + later)
    return replace(moved, key=f"rule>5:{moved.key}", tuned=True)


def told_at(alert: Alert, at: datetime) -> Alert:
    """The same at another time, as it would have been told then."""
    return replace(alert, key=alert.key.replace(alert.at.isoformat(), at.isoformat()), at=at)


@pytest.mark.parametrize("kind", ["surge", "purge", "new_foreign_share", "country_share"])
@pytest.mark.parametrize(
    ("later", "same"),
    [(timedelta(0), True), (timedelta(hours=5), True), (timedelta(days=-6), True), (timedelta(days=8), False)],
)
def test_an_event_told_some_days_later_is_the_same_event(kind: str, later: timedelta, same: bool) -> None:
    default = scene(kind)
    other = as_set(default, later=later)
    found = pair_alerts([default, other])
    assert found.both == ([(other, default)] if same else [])
    assert (found.as_set, found.by_default) == (([], []) if same else ([other], [default]))
    assert found.at_another_time() == ([other] if same and later else [])


def test_one_event_is_beside_one_other_and_that_of_another_page_beside_none() -> None:
    default = scene("surge")
    near, far = as_set(default, later=timedelta(hours=3)), as_set(default, later=timedelta(days=3))
    foreign = replace(near, key=near.key.replace(default.page, "stranger"), page="stranger")
    found = pair_alerts([far, default, near, foreign])
    assert found.both == [(near, default)]
    assert found.as_set == [foreign, far]


def test_of_two_events_a_week_apart_each_is_beside_itself() -> None:
    """With the other threshold both are told, with the default only the second."""
    first, second = scene("surge"), told_at(scene("surge"), scene("surge").at + timedelta(days=6))
    found = pair_alerts([second, as_set(first, later=timedelta(0)), as_set(second, later=timedelta(0))])
    assert found.both == [(as_set(second, later=timedelta(0)), second)]
    assert found.as_set == [as_set(first, later=timedelta(0))]
    assert found.at_another_time() == []


def test_a_setting_is_shown_as_people_write_it() -> None:
    rules = all_comparisons()
    compared = ThresholdComparison(rules, tuned(rules, {"foreign": 40.0}))
    assert "foreign>40" in "".join(compared.lines())
