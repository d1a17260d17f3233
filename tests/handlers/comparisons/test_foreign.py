"""The three foreign comparisons on lists by country and on published figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.comparisons.foreign_share_of_new import COMPARISON
from handlers.contract import Names
from handlers.model import Alert, AudienceReading, Figure, Measure, Metric, Page
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import START, Replay, audience, by_country, page, reading, scene


def _kinds(replay: Replay) -> list[str]:
    return [alert.kind for alert in replay.alerts]


def _day(alert: Alert) -> float:
    return (alert.at - START) / timedelta(days=1)


def _published(
    day: float, *, new: int | None = None, home: int | None = None, home_share: float | None = None, step: float = 0
) -> AudienceReading:
    """A newspaper's figure for page "a": ``home`` of ``new`` likes, or a share of all likes rounded to ``step``."""
    shares = (
        {} if home_share is None else {"KH": Figure(value=home_share, low=home_share - step, high=home_share + step)}
    )
    return AudienceReading(
        page="a",
        as_of=START + timedelta(days=day),
        received_at=START + timedelta(days=day),
        measure=Measure.ALL if new is None else Measure.NEW,
        days=None if new is None else 30,
        likes={} if home is None else {"KH": Figure(value=home, low=home, high=home)},
        shares=shares,
        total=None if new is None else Figure(value=new, low=new, high=new),
        source="a newspaper",
        method="published",
    )


def _replay(*arrivals: AudienceReading, home: str | None = "KH") -> Replay:
    replay = Replay((page("a", home=home),))
    for arrival in arrivals:
        replay.arrive(arrival)
    return replay


# The share of new likes, from lists by country


def test_a_steady_inflow_tells_nothing() -> None:
    assert _kinds(audience(120, lambda _: 700, lambda _: 250)) == []


def test_new_likes_that_turn_foreign_are_told_within_days_and_once() -> None:
    replay = audience(100, lambda _: 700, lambda day: 250 if day < 60 else 2_500)
    assert _kinds(replay).count("new_foreign_share") == 1
    alert = next(alert for alert in replay.alerts if alert.kind == "new_foreign_share")
    assert 60 <= _day(alert) <= 63
    share, baseline = alert.fact("share"), alert.fact("baseline")
    assert share.low is not None
    assert share.low < share.value
    assert baseline.value == pytest.approx(250 / 950, abs=0.01)
    assert alert.fact("numerator").value + alert.fact("home").value + alert.fact("unlisted").value == pytest.approx(
        alert.fact("denominator").value
    )
    assert [fact.about for fact in alert.facts_named("country")] == ["IN", "PH"]


@pytest.mark.parametrize("clean", [True, False])
def test_days_that_cannot_be_compared_are_left_out_of_the_sentence_too(*, clean: bool) -> None:
    replay = Replay((page("a"),))
    home, abroad, total = 210_000.0, 75_000.0, 300_000.0
    for day in range(70):
        came = 250 if day < 60 else 2_500
        jump = 40_000 if not clean and day == 60 else 0  # of people without a country
        home, abroad, total = home + 700, abroad + came, total + (700 + came) * 1.02 + jump
        replay.arrive(by_country("a", day, total, {"KH": home, "IN": abroad * 0.6, "PH": abroad * 0.4}))
    words = Names(page=str.title, country=lambda code: {"KH": "Cambodia"}.get(code, code))
    alert = next(alert for alert in replay.alerts if alert.kind == "new_foreign_share")
    period = alert.fact("period").value
    said, further = headline(alert, words), lines(alert, words)
    if clean:
        assert alert.facts_named("counted_days") == ()
        assert "whose lists can be compared" not in said
    else:
        assert alert.fact("counted_days").value == period - 1
        assert f"new likes on the {period - 1:.0f} of {period:.0f} days, " in said
        assert ", whose lists can be compared came from accounts" in said
    assert any(line.startswith("The other days are in none of these figures") for line in further) is not clean


def test_it_is_armed_again_after_30_calm_days() -> None:
    replay = audience(260, lambda _: 700, lambda day: 2_500 if 60 <= day < 75 or day >= 230 else 250)
    assert [round(_day(alert)) // 100 for alert in replay.alerts if alert.kind == "new_foreign_share"] == [0, 2]


def test_a_small_page_needs_600_foreign_likes() -> None:
    assert "new_foreign_share" not in _kinds(audience(90, lambda _: 10, lambda day: 3 if day < 80 else 50))


def _twisted(twist: Callable[[int, dict[str, float]], Mapping[str, float]]) -> Replay:
    replay = Replay((page("a"),))
    for day in range(90):
        home, abroad = 210_000.0 + 700 * day, 75_000.0 + 250 * day
        likes = twist(day, {"KH": home, "IN": abroad * 0.6, "PH": abroad * 0.4})
        replay.arrive(by_country("a", day, (home + abroad) * 1.05, likes))
    return replay


@pytest.mark.parametrize(
    "twist",
    [
        pytest.param(
            lambda day, likes: likes | {"IN": likes["IN"] + 12_000} if day >= 60 else likes, id="coverage step"
        ),
        pytest.param(lambda day, likes: {c: n for c, n in likes.items() if c != "KH" or day != 60}, id="home missing"),
        pytest.param(lambda day, likes: likes | {"KH": likes["KH"] - 9_000} if day >= 60 else likes, id="home purge"),
        pytest.param(
            lambda day, likes: likes | {"KH": likes["KH"] - 9_000, "IN": likes["IN"] + 9_000} if day >= 60 else likes,
            id="re-attribution",
        ),
        pytest.param(lambda day, likes: {c: n / 10 for c, n in likes.items()} if day == 60 else likes, id="a tenth"),
    ],
)
def test_what_is_no_inflow_tells_nothing(twist: Callable[[int, dict[str, float]], Mapping[str, float]]) -> None:
    assert _kinds(_twisted(twist)) == []


def test_a_stale_copy_of_the_list_tells_nothing() -> None:
    replay = Replay((page("a"),))
    for day in range(60):
        copied = 30 if 30 <= day < 35 else day
        likes = {"KH": 210_000.0 + 700 * copied, "IN": 45_000.0 + 150 * copied, "PH": 30_000.0 + 100 * copied}
        replay.arrive(by_country("a", day, 300_000 + 970 * day, likes))
    assert _kinds(replay) == []


def test_a_list_without_a_total_uses_the_pages_accepted_count() -> None:
    replay = Replay((page("a"),))
    home, abroad = 210_000, 75_000
    for day in range(90):
        home, abroad = home + 700, abroad + (250 if day < 80 else 2_500)
        total = round((home + abroad) * 1.02)
        replay.arrive(reading("a", 24 * day + 3, total))
        likes = by_country("a", day, total, {"KH": home, "IN": abroad - 5_000, "PH": 5_000})
        received = START + timedelta(days=day, hours=4)
        replay.arrive(replace(likes, total=None, received_at=received))
        replay.restart()
    assert "new_foreign_share" in _kinds(replay)


def test_a_list_that_comes_late_belongs_to_the_total_of_its_own_day() -> None:
    """Lists come two days later; meanwhile a surge from home is under way, which the total already counts."""
    replay = Replay((page("a"),))
    totals, lists = list[float](), list[dict[str, float]]()
    home, abroad = 210_000.0, 75_000.0
    for day in range(60):
        home, abroad = home + (8_000 if 40 <= day < 50 else 700), abroad + 250
        totals.append(round((home + abroad) * 1.05))
        lists.append({"KH": home, "IN": abroad * 0.6, "PH": abroad * 0.4})
    for hour in range(60 * 24):
        day, part = divmod(hour, 24)
        step = totals[day] - totals[day - 1] if day else 0
        replay.arrive(reading("a", hour, round(totals[day] + step * (part / 24 - 1)) if day else round(totals[0])))
        if part == 1 and day > 2:
            late = by_country("a", day - 2, 0, lists[day - 3])
            replay.arrive(replace(late, total=None, received_at=START + timedelta(hours=hour, minutes=5)))
    known = replay.rule_states["foreign_share_of_new", "a"].progress.totals
    assert len(known) > 50
    for as_of, total in known.items():
        assert total == pytest.approx(totals[(as_of - START).days - 1], abs=2)


def test_an_episode_ends_where_nothing_new_comes_for_30_days() -> None:
    """The page shrinks after its first campaign, at home and abroad; five months later comes another."""

    def abroad(day: int) -> float:
        return 2_500 if 60 <= day < 70 or day >= 200 else 250 if day < 60 else -60

    replay = audience(230, lambda day: 700 if day < 70 else -150, abroad)
    told = [round(_day(alert)) for alert in replay.alerts if alert.kind == "new_foreign_share"]
    assert len(told) == 2
    assert told[0] < 70
    assert told[1] >= 200
    countries = [round(_day(alert)) for alert in replay.alerts if alert.kind == "country_share"]
    assert [day for day in countries if day >= 200]


# The share of new likes, as published


def test_a_published_figure_is_compared_with_the_share_of_all_likes() -> None:
    replay = _replay(_published(0, home_share=0.576, step=0.0005), _published(0, new=779_000, home=157_331))
    (alert,) = replay.alerts
    assert alert.fact("share").value == pytest.approx(0.798, abs=0.0005)
    assert alert.fact("baseline").value == pytest.approx(0.424)
    assert alert.fact("numerator").value == 621_669


def test_a_published_figure_waits_for_the_share_of_all_likes() -> None:
    replay = _replay(_published(0, new=779_000, home=157_331))
    assert replay.alerts == []
    replay.arrive(_published(0, home_share=0.576))
    assert _kinds(replay) == ["new_foreign_share"]


WEEKLY = replace(_published(30, new=180_000, home=100_000), days=7)
MONTHLY = replace(_published(30, new=779_000, home=157_331), days=28, source="another newspaper")
ELSEWHERE = replace(WEEKLY, source="another newspaper", likes={"KH": Figure(value=20_000, low=20_000, high=20_000)})


@pytest.mark.parametrize("second", [MONTHLY, ELSEWHERE], ids=["of another period", "of another newspaper"])
@pytest.mark.parametrize("share_first", [True, False])
@pytest.mark.parametrize("usual_first", [True, False])
def test_every_figure_to_the_same_day_is_judged_in_whatever_order_they_come(
    second: AudienceReading, *, share_first: bool, usual_first: bool
) -> None:
    figures = (WEEKLY, second) if usual_first else (second, WEEKLY)
    share = _published(29, home_share=0.58), _published(30, home_share=0.58)
    arrivals = (share[0], *figures) if share_first else (*figures, share[1])
    together, one_by_one = Replay((page("a"),), (COMPARISON,)), Replay((page("a"),), (COMPARISON,))
    together.arrive(*arrivals)
    for turn in (1, 2):  # the second time nothing is new
        for each in arrivals:
            one_by_one.arrive(each)
            one_by_one.restart()
        assert [alert.fact("share").source for alert in one_by_one.alerts] == ["another newspaper"], turn
    assert [alert.facts for alert in together.alerts] == [alert.facts for alert in one_by_one.alerts]
    assert together.rule_states == one_by_one.rule_states


@pytest.mark.parametrize(
    ("new", "home"),
    [pytest.param(779_000, 400_000, id="less than 15 points above"), pytest.param(700, 140, id="fewer than 600")],
)
def test_published_figures_below_the_thresholds_tell_nothing(new: int, home: int) -> None:
    assert _replay(_published(0, home_share=0.576), _published(0, new=new, home=home)).alerts == []


def test_a_late_published_figure_wakes_nothing() -> None:
    replay = _replay(
        _published(0, home_share=0.576), _published(40, new=10_000, home=5_700), _published(30, new=10_000, home=100)
    )
    assert replay.alerts == []
    assert len(replay.known.audiences["a"]) == 3


# The threshold of the share of new likes

RISE_OF_12_POINTS = (_published(0, home_share=0.576), _published(0, new=100_000, home=45_600))


@pytest.mark.parametrize(
    ("limit", "told"), [pytest.param(None, [], id="15 unless set"), (10, [10.0]), (12, [12.0]), (13, [])]
)
def test_a_channel_may_set_how_many_points_are_news(limit: float | None, told: list[float]) -> None:
    rule = COMPARISON if limit is None else COMPARISON.tuned(limit)
    replay = Replay((page("a"),), (rule,))
    replay.arrive(*RISE_OF_12_POINTS)
    assert [alert.threshold for alert in replay.alerts] == told


def test_an_alert_tells_the_limit_in_force() -> None:
    alert = scene("new_foreign_share")
    assert alert.threshold == 15.0
    assert "at least 15 points above" in alert.rule
    replay = Replay((page("a"),), (COMPARISON.tuned(10),))
    replay.arrive(*RISE_OF_12_POINTS)
    (tuned,) = replay.alerts
    assert "at least 10 points above" in tuned.rule
    limits = {parameter.name: parameter.value for parameter in tuned.parameters}
    assert limits["rise on the baseline"] == pytest.approx(0.1)
    assert limits["episode over below"] == pytest.approx(0.08 * 10 / 15)


def test_the_numbers_of_the_rule_count_what_the_lists_count() -> None:
    followers = (replace(each, metric=Metric.FOLLOWERS) for each in RISE_OF_12_POINTS)
    replay = Replay((page("a"),), (COMPARISON.tuned(10),))
    replay.arrive(*followers)
    (alert,) = replay.alerts
    assert {parameter.unit for parameter in alert.parameters if parameter.name == "new followers from abroad"} == {
        "followers"
    }
    assert not any("likes" in f"{parameter.name} {parameter.unit}" for parameter in alert.parameters)


# The share of all likes


def test_an_audience_that_shifts_abroad_is_told_once() -> None:
    replay = audience(75, lambda _: 100, lambda day: 40 if day < 40 else 1_500)
    assert _kinds(replay).count("total_foreign_share") == 1


def test_a_share_that_rises_because_home_likes_were_removed_is_no_shift() -> None:
    assert _kinds(_twisted(lambda day, likes: likes | {"KH": likes["KH"] - max(0, day - 50) * 1_500})) == []


# Majority


def test_a_home_share_that_falls_below_half_is_told_once_for_good() -> None:
    replay = _replay(*(_published(day, home_share=share, step=0.0005) for day, share in enumerate((0.57, 0.499))))
    assert _kinds(replay) == ["foreign_majority"]
    for day, share in enumerate((0.6, 0.4, 0.6, 0.4), start=200):
        replay.arrive(_published(day, home_share=share))
    assert _kinds(replay) == ["foreign_majority"]


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param([(0.42, 0.0005)], id="the first share known"),
        pytest.param([(0.42, 0.0005), (0.6, 0.0005)], id="home gaining"),
        pytest.param([(0.57, 0.0005), (0.499, 0.005)], id="half is within the rounding"),
        pytest.param([(0.503, 0.005), (0.49, 0.0005)], id="never known above half"),
    ],
)
def test_without_a_certain_fall_below_half_nothing_is_told(shares: list[tuple[float, float]]) -> None:
    arrivals = (_published(day, home_share=share, step=step) for day, (share, step) in enumerate(shares))
    assert _replay(*arrivals).alerts == []


def test_more_than_half_listed_abroad_needs_three_lists() -> None:
    replay = audience(90, lambda _: 0, lambda _: 2_000)
    alert = next(alert for alert in replay.alerts if alert.kind == "foreign_majority")
    share = alert.fact("share")
    assert share.low is not None
    assert 0.505 < share.value < 0.52
    assert share.low < 0.5 < share.value  # of all likes it need not be more than half, and that is said
    assert _kinds(replay).count("foreign_majority") == 1


# All three


def test_a_page_without_a_home_country_raises_nothing() -> None:
    story = (_published(0, home_share=0.576), _published(0, new=779_000, home=157_331), _published(1, home_share=0.4))
    assert _replay(*story, home=None).alerts == []
    assert len(_replay(*story).alerts) == 2


def test_a_restart_between_any_two_lists_changes_nothing() -> None:
    lists = audience(120, lambda day: 400 if day < 60 else 0, lambda day: 100 if day < 60 else 4_000)
    replay = Replay((page("a"),))
    for each in lists.known.audiences["a"]:
        replay.arrive(each)
        replay.restart()
    assert replay.alerts == lists.alerts
    assert set(_kinds(replay)) == {"new_foreign_share", "total_foreign_share", "foreign_majority", "country_share"}


def test_many_lists_at_once_tell_what_they_would_have_told_day_by_day() -> None:
    lists = audience(100, lambda _: 700, lambda day: 250 if day < 85 else 2_500)
    replay = Replay((page("a"),))
    replay.arrive(*lists.known.audiences["a"])
    assert {alert.key for alert in replay.alerts} == {alert.key for alert in lists.alerts}


def test_everything_again_tells_nothing_again() -> None:
    replay = audience(100, lambda _: 700, lambda day: 250 if day < 85 else 2_500)
    told = list(replay.alerts)
    for each in replay.known.audiences["a"]:
        assert replay.arrive(each).audiences == ()
    assert replay.alerts == told


def test_new_likes_and_all_likes_are_never_confused() -> None:
    words = Names(page=str.title, country=lambda code: {"KH": "Cambodia"}.get(code, code))
    new, everybody = scene("new_foreign_share"), scene("total_foreign_share")
    assert "new likes" in headline(new, words)
    assert "new likes" not in headline(everybody, words)
    assert any("not all likes" in line for line in lines(new, words))
    assert any("all likes of the page, not the new ones" in line for line in lines(everybody, words))


def test_pages_do_not_share_what_is_remembered() -> None:
    replay = Replay((page("a"), Page(slug="b", name="B", platform="facebook", home="KH")))
    replay.arrive(_published(0, home_share=0.57), replace(_published(1, home_share=0.4), page="b"))
    assert replay.alerts == []


# What is not people coming


def _lists(days: int, total_at: Callable[[int], float], listed_at: Callable[[int], Mapping[str, float]]) -> Replay:
    return _replay(*(by_country("a", day, total_at(day), listed_at(day)) for day in range(days)))


def _listed(day: int) -> dict[str, float]:
    return {"KH": 210_000 + 700 * day, "IN": 45_000 + 150 * day, "PH": 30_000 + 100 * day}


def test_a_small_purge_of_everybody_does_not_make_the_new_likes_foreign() -> None:
    """The platform removes 0.25%, most of them at home, where most are; new likes go on as before."""

    def kept(day: int) -> float:
        return 1.0 if day < 60 else 0.9975

    replay = _lists(
        75,
        lambda day: kept(day) * sum(_listed(day).values()) * 1.05,
        lambda day: {country: likes * kept(day) for country, likes in _listed(day).items()},
    )
    assert "new_foreign_share" not in _kinds(replay)


def test_new_likes_that_a_frozen_total_counts_late_are_counted() -> None:
    """6,000 come from India in two days; the total stands still meanwhile, and catches up on the third."""

    def listed(day: int) -> dict[str, float]:
        usual = _listed(day)
        return usual | {"IN": usual["IN"] + 3_000 * min(max(day - 60, 0), 2)}

    def total(day: int) -> float:
        return 1.05 * sum(listed(60 if day in (61, 62) else day).values())

    replay = _lists(70, total, listed)
    (alert,) = (alert for alert in replay.alerts if alert.kind == "new_foreign_share")
    assert 60 < _day(alert) <= 64
    assert alert.fact("numerator").value > 6_000


def test_a_list_that_accounts_for_more_is_no_shift_and_hides_none() -> None:
    """From day 60 on the lists account for a tenth more; from day 50 on a thousand a day come from India."""

    def listed(day: int, more: float) -> dict[str, float]:
        usual = _listed(day)
        grown = usual | {"IN": usual["IN"] + more * max(day - 50, 0)}
        return {country: likes * (0.85 if day < 60 else 0.935) for country, likes in grown.items()}

    def told(more: float) -> list[Alert]:
        replay = _lists(
            80,
            lambda day: sum(listed(day, more).values()) / (0.85 if day < 60 else 0.935),
            lambda day: listed(day, more),
        )
        return [alert for alert in replay.alerts if alert.kind == "total_foreign_share"]

    assert told(0) == []
    (alert,) = told(1_000)
    assert 60 < _day(alert) < 70


def _located(located: Callable[[int], float]) -> Replay:
    """A page of 300,000 that gains 120 likes a day, 30 of them abroad; so many more of its foreign ones are located."""

    def listed(day: int) -> dict[str, float]:
        more = sum(map(located, range(day + 1)))
        return {"KH": 180_000 + 90 * day, "IN": 40_000 + 20 * day + 0.6 * more, "PH": 25_000 + 10 * day + 0.4 * more}

    return _lists(90, lambda day: 300_000.0 + 120 * day, listed)


@pytest.mark.parametrize("a_day", [300, 600, 740, 880])
def test_foreign_likes_that_are_only_located_now_are_neither_new_nor_a_shift(a_day: int) -> None:
    """Every step passes for people coming, as the lists and the total agree within 0.3% of the page."""
    assert _kinds(_located(lambda day: a_day * (60 <= day < 76))) == []


@pytest.mark.parametrize("located", [0, 200, 500])
def test_no_more_new_likes_are_told_than_the_total_gained(located: int) -> None:
    """From day 60 on 2,000 a day come from abroad, while more of the page's foreign likes are located."""
    replay = _lists(
        90,
        lambda day: 300_000.0 + 120 * day + 2_000 * max(day - 60, 0),
        lambda day: {
            "KH": 180_000 + 90 * day,
            "IN": 40_000 + 20 * day + (1_200 + located) * max(day - 60, 0),
            "PH": 25_000 + 10 * day + 800 * max(day - 60, 0),
        },
    )
    words = Names(page=str.title, country=str)
    (alert,) = (alert for alert in replay.alerts if alert.kind == "new_foreign_share")
    gained, came, period = (alert.fact(name).value for name in ("denominator", "numerator", "period"))
    assert gained <= 120 * period + 2_000 * min(period, _day(alert) - 60)
    assert came + alert.fact("home").value + alert.fact("unlisted").value == pytest.approx(gained)
    anew = [fact.value for fact in alert.facts_named("relisted")]
    assert anew == ([] if not located else [pytest.approx(located * min(period, _day(alert) - 60))])
    assert sum(fact.value for fact in alert.facts_named("country")) <= came + 1e-6
    assert any(line.startswith("Most: at least, ") for line in lines(alert, words)) is bool(located)
    assert any("more than the page did" in line for line in lines(alert, words)) is bool(located)


@pytest.mark.parametrize(("without_a_country", "lists"), [(0, 1), (5_500, 1), (7_500, 2)])
def test_one_list_is_enough_only_where_its_lower_bound_is_far_above_the_baseline(
    without_a_country: int, lists: int
) -> None:
    """From day 60 on 6,000 a day more come from abroad, 2,000 at home, and perhaps as many without a country."""
    replay = _lists(
        65,
        lambda day: sum(_listed(day).values()) * 1.05 + (8_000 + without_a_country) * max(day - 59, 0),
        lambda day: (
            _listed(day)
            | {"IN": _listed(day)["IN"] + 6_000 * max(day - 59, 0), "KH": _listed(day)["KH"] + 2_000 * max(day - 59, 0)}
        ),
    )
    alert = next(alert for alert in replay.alerts if alert.kind == "new_foreign_share")
    assert _day(alert) == 59 + lists


def test_no_alert_says_that_chance_is_out_of_the_question() -> None:
    for kind in ("new_foreign_share", "country_share"):
        assert "chance" not in scene(kind).rule


@pytest.mark.parametrize("kind", ["total_foreign_share", "foreign_majority"])
def test_the_share_of_the_headline_follows_from_the_figures_that_go_with_it(kind: str) -> None:
    alert = scene(kind)
    share, came, listed, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    assert came.value + home.value == pytest.approx(listed.value)
    assert came.value / listed.value == pytest.approx(share.value)
    assert listed.value + alert.fact("unlisted").value == pytest.approx(alert.fact("total").value)
    assert share.low is not None
    assert share.low == pytest.approx(came.value / alert.fact("total").value)
