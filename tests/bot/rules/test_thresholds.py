from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import LikewatchError
from bot.rules.thresholds import parse_threshold, tuned
from handlers.discovery import all_comparisons
from handlers.parameter_types import Threshold

OVERTAKE = next(rule for rule in all_comparisons() if rule.name == "overtake")


def _threshold(unit: str, mark: str, least: float, most: float) -> Threshold:
    return Threshold(parameter="hours_to_settle", unit=unit, mark=mark, default=least, least=least, most=most, scale=1)


RULES = (
    OVERTAKE,
    replace(OVERTAKE, name="surge", feature="surge", threshold=_threshold("times the usual day", "x", 2.5, 100)),
    replace(OVERTAKE, name="of_new", feature="foreign", threshold=_threshold("points", "", 5, 90)),
    replace(OVERTAKE, name="of_all", feature="foreign", threshold=_threshold("points", "", 1, 30)),
)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("surge>5", ("surge", 5.0)),
        ("surge>5x", ("surge", 5.0)),
        ("surge=5", ("surge", 5.0)),
        ("Surge >= 7.5 times", ("surge", 7.5)),
        ("surge&gt;5", ("surge", 5.0)),
        ("foreign>10 points", ("foreign", 10.0)),
        ("foreign>60", ("foreign", 60.0)),
    ],
)
def test_a_threshold_is_understood_as_people_write_it(text: str, setting: tuple[str, float]) -> None:
    assert parse_threshold(text, RULES) == setting


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("surge", "sets no threshold"),
        ("surge<5", "sets no threshold"),
        ("surge>", "sets no threshold"),
        ("surge>-5", "sets no threshold"),
        ("surge>nan", "sets no threshold"),
        ("surge>5e9", "sets no threshold"),
        ("surge>5 likes", "do not know the unit"),
        ("surge>1", "out of bounds"),
        ("surge>101", "out of bounds"),
        ("overtake>5", "has no threshold"),
        ("gravity>5", "has no threshold"),
    ],
)
def test_what_is_no_threshold_is_refused_with_what_can_be_set(text: str, why: str) -> None:
    with pytest.raises(LikewatchError, match=why) as refused:
        parse_threshold(text, RULES)
    assert "surge>2.5x (times the usual day, from 2.5 to 100)" in str(refused.value)


def test_only_the_rules_that_take_the_limit_are_tuned() -> None:
    assert [rule.name for rule in tuned(RULES, {"foreign": 20})] == ["of_new>20", "of_all>20"]
    assert [rule.name for rule in tuned(RULES, {"foreign": 60, "surge": 5})] == ["surge>5", "of_new>60"]
    assert tuned(RULES, {}) == ()


def test_every_default_that_there_is_can_be_written() -> None:
    for rule in all_comparisons():
        if (threshold := rule.threshold) is not None:
            text = f"{rule.feature}>{threshold.default:g}{threshold.mark}"
            assert parse_threshold(text) == (rule.feature, threshold.default)
