"""One country's share of new likes, from lists by country and as published."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from handlers.comparisons.foreign_country_share import COMPARISON
from handlers.contract import Names
from handlers.model import AudienceReading
from handlers.signals.new_likes_rule import NewLikesState
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import Replay, by_country, page, published, rounded, scene

WORDS = Names(page=str.title, country=lambda code: {"KH": "Cambodia", "IN": "India"}.get(code, code))
USUAL = {"KH": 700, "IN": 150, "PH": 100}


def _replay(*arrivals: AudienceReading, home: str | None = "KH", limit: float | None = None) -> Replay:
    rule = COMPARISON if limit is None else COMPARISON.tuned(limit)
    replay = Replay((page("a", home=home),), (rule,))
    for arrival in arrivals:
        replay.arrive(arrival)
    return replay


def _lists(days: int, a_day: Callable[[int], Mapping[str, int]]) -> list[AudienceReading]:
    """Daily lists of a page of 300,000 likes; so many new ones a day, and 2% more without a country."""
    listed, total, found = {"KH": 210_000, "IN": 45_000, "PH": 30_000}, 300_000.0, []
    for day in range(days):
        came = a_day(day)
        listed = {country: likes + came[country] for country, likes in listed.items()}
        total += sum(came.values()) * 1.02
        found.append(by_country("a", day, round(total), listed))
    return found


def _countries(replay: Replay) -> list[str]:
    return [alert.fact("share").about for alert in replay.alerts]


def test_a_steady_inflow_tells_nothing() -> None:
    assert _countries(_replay(*_lists(120, lambda _: USUAL))) == []


def test_the_country_that_sends_more_is_told_and_once() -> None:
    replay = _replay(*_lists(110, lambda day: USUAL if day < 60 else USUAL | {"IN": 2_000}))
    assert _countries(replay) == ["IN"]
    alert = replay.alerts[0]
    assert alert.fact("baseline").value == pytest.approx(150 / 950, abs=0.01)
    assert alert.fact("numerator").about == "IN"
    low, high = alert.fact("of_all").low, alert.fact("of_all").high
    assert low is not None
    assert high is not None
    assert 0.15 < low < high < 0.25


def test_one_country_in_the_place_of_another_is_told_though_the_foreign_share_stays() -> None:
    abroad = _lists(110, lambda day: {"KH": 700, "IN": 150, "PH": 250} if day < 60 else {"KH": 700, "IN": 400, "PH": 0})
    assert _countries(_replay(*abroad)) == ["IN"]
    everything = Replay((page("a"),))
    for each in abroad:
        everything.arrive(each)
    assert "new_foreign_share" not in {alert.kind for alert in everything.alerts}


def test_countries_have_episodes_of_their_own() -> None:
    def a_day(day: int) -> Mapping[str, int]:
        return USUAL | ({"IN": 2_000} if 60 <= day < 75 else {}) | ({"PH": 2_000} if day >= 150 else {})

    assert _countries(_replay(*_lists(200, a_day))) == ["IN", "PH"]


def test_a_country_is_armed_again_after_30_calm_days() -> None:
    replay = _replay(*_lists(260, lambda day: USUAL | {"IN": 2_000} if 60 <= day < 75 or day >= 230 else USUAL))
    assert _countries(replay) == ["IN", "IN"]
    assert len({alert.key for alert in replay.alerts}) == 2


def test_the_home_country_is_not_told() -> None:
    assert _countries(_replay(*_lists(110, lambda day: USUAL if day < 60 else USUAL | {"KH": 9_000}))) == []


def test_a_page_without_a_home_country_raises_nothing() -> None:
    lists = _lists(110, lambda day: USUAL if day < 60 else USUAL | {"IN": 2_000})
    assert _countries(_replay(*lists, home=None)) == []


ALL = published(0, shares={"KH": rounded(0.564, 0.001), "IN": rounded(0.115, 0.001)})


@pytest.mark.parametrize(
    ("new", "told"),
    [
        pytest.param(22_932, [], id="15.2% against 11.5%, as of 8 to 13 March 2016"),
        pytest.param(60_000, ["IN"], id="39.7% against 11.5%"),
    ],
)
def test_a_published_figure_is_compared_with_the_countrys_share_of_all(new: int, told: list[str]) -> None:
    arrivals = (ALL, published(5, likes={"KH": 34_069, "IN": new}, total=rounded(151_000, 1_000), days=5))
    assert _countries(_replay(*arrivals)) == told


def test_a_published_figure_waits_for_the_countrys_share_of_all() -> None:
    replay = _replay(published(0, likes={"IN": 60_000}, total=rounded(151_000, 1_000), days=5))
    assert _countries(replay) == []
    replay.restart()
    replay.arrive(ALL)
    assert _countries(replay) == ["IN"]


def test_a_restart_between_any_two_lists_changes_nothing() -> None:
    lists = _lists(110, lambda day: USUAL if day < 60 else USUAL | {"IN": 2_000})
    replay = Replay((page("a"),), (COMPARISON,))
    for each in lists:
        replay.arrive(each)
        replay.restart()
    assert replay.alerts == _replay(*lists).alerts
    state = replay.rule_states["foreign_country_share", "a"]
    assert isinstance(state, NewLikesState)
    assert set(state.watches) == {"IN"}


def test_nobody_gets_it_without_naming_it_and_a_channel_may_set_the_points() -> None:
    assert COMPARISON.opt_in
    arrivals = (ALL, published(5, likes={"IN": 36_000}, total=rounded(151_000, 1_000), days=5))
    assert _countries(_replay(*arrivals)) == []
    (alert,) = _replay(*arrivals, limit=10).alerts
    assert (alert.threshold, alert.tuned) == (10, True)
    assert "at least 10 points above" in alert.rule


def test_it_says_the_country_the_period_and_the_bounds() -> None:
    assert headline(scene("country_share"), WORDS) == (
        "At least 35.9% of A's 14,637 new likes, 24 July to 1 August 2024, came from accounts listed in India "
        "(36.6% of those with a country; 15.8% before)."
    )
    said = lines(scene("country_share"), WORDS)
    assert said[0] == "5,250 of 14,637 new likes were listed in India."
    assert said[2].startswith("Of all likes of the page, ")
    arrivals = (ALL, published(5, likes={"IN": 60_000}, total=rounded(151_000, 1_000), days=5))
    (figure,) = _replay(*arrivals).alerts
    assert headline(figure, WORDS) == (
        "39.7% of A's 151,000 new likes in the 5 days to 11 May 2024 came from accounts listed in India "
        "(11.5% of all its likes then)."
    )
