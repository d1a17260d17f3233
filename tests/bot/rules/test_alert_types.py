from __future__ import annotations

import pytest

from bot.errors import LikewatchError
from bot.rules.alert_types import amount, catalogue, default_features, features, parse_features, written
from handlers.comparisons.foreign_share_of_new import COMPARISON as FOREIGN
from handlers.comparisons.overtake import COMPARISON as OVERTAKE
from handlers.comparisons.platform_event import COMPARISON as PLATFORM_EVENT
from handlers.comparisons.purge import COMPARISON as PURGE
from handlers.comparisons.surge import COMPARISON as SURGE
from tests.labs.standins.rules.crowd import COMPARISON as CROWD
from tests.labs.standins.rules.hush import COMPARISON as HUSH
from tests.labs.standins.tunable import more_rules

__all__ = ["more_rules"]

RULES = (FOREIGN, OVERTAKE, SURGE, PURGE, CROWD, HUSH)


@pytest.mark.parametrize(
    ("typed", "named", "thresholds"),
    [
        ("", (), {}),
        ("overtake", ("overtake",), {}),
        ("Surge, OVERTAKE", ("overtake", "surge"), {}),
        ("surge>5x", ("surge",), {"surge": 5}),
        ("surge>5", ("surge",), {"surge": 5}),
        ("SURGE>5X,", ("surge",), {"surge": 5}),
        ("surge > 5x overtake", ("overtake", "surge"), {"surge": 5}),
        ("surge >5 x, purge> 0.75%", ("surge", "purge"), {"surge": 5, "purge": 0.75}),
        ("surge>5 times the usual day overtake", ("overtake", "surge"), {"surge": 5}),
        ("purge>0,75 %", ("purge",), {"purge": 0.75}),
        ("overtake,surge>5x,purge>2%", ("overtake", "surge", "purge"), {"surge": 5, "purge": 2}),
        ("surge>=5x", ("surge",), {"surge": 5}),
        ("surge=5", ("surge",), {"surge": 5}),
        ("surge>5 surge>5x", ("surge",), {"surge": 5}),
        ("foreign>10%", ("foreign",), {"foreign": 10}),
        ("foreign > 10 % surge>5 times", ("foreign", "surge"), {"foreign": 10, "surge": 5}),
        ("foreign>10 points", ("foreign",), {"foreign": 10}),
        ("crowd>2500k hush", ("crowd", "hush"), {"crowd": 2500}),
    ],
)
def test_features_are_read_with_their_thresholds(
    typed: str, named: tuple[str, ...], thresholds: dict[str, float]
) -> None:
    asked = parse_features(typed.split(), RULES)
    limits = {name: limit for name, limit in asked.items() if limit is not None}
    assert (tuple(asked), limits) == (named, thresholds)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            "milestones!",
            "“milestones!” is not a feature. The features are: foreign, overtake, surge, purge",
        ),
        ("surges>5", "“surges>5” is not a feature"),
        (">5", "“>5” is not a feature"),
        ("overtake>10", "overtake has no threshold. What can be set.*surge>3.2x"),
        ("surge>1x", "“surge>1x”: 1 is out of bounds. What can be set.*surge>3.2x .*from 2.5 to 100"),
        ("surge>5%", "I do not know the unit “%” of surge"),
        ("surge>", "“surge>” sets no threshold"),
        ("surge>many", "“surge>many” sets no threshold"),
        ("surge surge>5x", "“surge” is there twice"),
        ("surge>4 surge>5", "“surge” is there twice"),
    ],
)
def test_what_is_no_feature_or_no_threshold_is_named(typed: str, sentence: str) -> None:
    with pytest.raises(LikewatchError, match=sentence):
        parse_features(typed.split(), RULES)


def test_a_catalogue_joins_what_is_said_of_one_feature() -> None:
    known = catalogue([PURGE, OVERTAKE, HUSH, PLATFORM_EVENT])
    assert list(known) == ["purge", "overtake", "hush"]
    assert known["purge"].summary == f"{PURGE.summary}; many pages of one platform fall together"
    assert known["purge"].threshold is PURGE.threshold
    assert [feature.opt_in for feature in known.values()] == [False, False, True]


@pytest.mark.usefixtures("more_rules")
def test_what_is_opt_in_does_not_come_by_itself() -> None:
    assert set(features()) - set(default_features()) == {"closing", "country", "hush"}


def test_thresholds_are_written_as_people_write_them() -> None:
    assert [written("surge", limit) for limit in (None, 5.0, 3.25)] == ["surge", "surge>5x", "surge>3.25x"]
    assert [written(feature, 10) for feature in ("overtake", "of a later version")] == [
        "overtake",
        "of a later version",
    ]
    assert PURGE.threshold
    assert SURGE.threshold
    assert amount(PURGE.threshold, 0.75) == "0.75% of the audience"
    assert amount(SURGE.threshold, 5.0) == "5 times the usual day"
