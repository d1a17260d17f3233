"""Published figures held against each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.comparisons.reconciliation import COMPARISON
from handlers.contract import Names
from handlers.model import AudienceReading, Dated, Metric, Reading
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import Replay, contradiction, page, published, reading, rounded, scene

WORDS = Names(page=str.title, country=lambda code: {"KH": "Cambodia"}.get(code, code))

BEFORE = published(0, shares={"KH": rounded(0.576, 0.001)}, total=rounded(3_003_000, 5_000))
AFTER = published(5, shares={"KH": rounded(0.564, 0.001)})
NEW = published(5, likes={"KH": 34_069}, total=rounded(151_000, 1_000), days=5)


def _replayed(*arrivals: AudienceReading | Reading) -> Replay:
    replay = Replay((page("a", home=None),), (COMPARISON,))
    for each in arrivals:
        replay.arrive(each)
        replay.restart()
    return replay


def _told(*arrivals: AudienceReading | Reading) -> int:
    return len(_replayed(*arrivals).alerts)


def test_the_figures_of_march_2016_leave_room_for_45_700_to_52_500() -> None:
    implied = scene("contradiction").fact("implied")
    assert (round(implied.low or 0, -2), round(implied.high or 0, -2)) == (45_700, 52_500)
    assert round(implied.value) == 49_128


@pytest.mark.parametrize(
    ("home", "told"),
    [
        pytest.param(34_069, 1, id="below"),
        pytest.param(49_000, 0, id="within"),
        pytest.param(45_000, 0, id="less than a tenth below"),
        pytest.param(57_000, 0, id="less than a tenth above"),
        pytest.param(60_000, 1, id="above"),
    ],
)
def test_a_count_outside_what_the_others_leave_open_is_told(home: int, told: int) -> None:
    assert [alert.kind for alert in contradiction(home).alerts if alert.feature == "figures"] == [
        "contradiction"
    ] * told


@pytest.mark.parametrize(
    ("arrivals", "told"),
    [
        pytest.param((BEFORE, AFTER, NEW), 1, id="the count last"),
        pytest.param((BEFORE, NEW, AFTER), 1, id="the share last"),
        pytest.param((BEFORE, AFTER, NEW, published(9, shares={"KH": rounded(0.56, 0.01)})), 1, id="once"),
        pytest.param((BEFORE, NEW), 0, id="no share at the end"),
        pytest.param((AFTER, NEW), 0, id="no share at the beginning"),
        pytest.param((replace(BEFORE, total=None), AFTER, NEW), 0, id="no total"),
        pytest.param((reading("a", 70, 3_003_000), replace(BEFORE, total=None), AFTER, NEW), 1, id="the page's own"),
        pytest.param((reading("a", 80, 3_003_000), replace(BEFORE, total=None), AFTER, NEW), 0, id="too far from it"),
        pytest.param((replace(BEFORE, dated=Dated.MONTH), AFTER, NEW), 0, id="known only by its month"),
        pytest.param((BEFORE, AFTER, replace(NEW, metric=Metric.FOLLOWERS)), 0, id="of another metric"),
        pytest.param((BEFORE, AFTER, replace(NEW, total=None)), 0, id="no denominator"),
        pytest.param((BEFORE, AFTER, replace(NEW, days=9)), 0, id="another period"),
    ],
)
def test_it_needs_shares_at_both_ends_and_a_total(arrivals: tuple[AudienceReading, ...], told: int) -> None:
    assert _told(*arrivals) == told


def test_a_polled_page_knows_its_total_of_weeks_ago() -> None:
    polls = [reading("a", hours, 3_000_000 + 10 * hours) for hours in range(0, 24 * 30, 4)]
    long_ago = replace(BEFORE, total=None, as_of=BEFORE.as_of + timedelta(days=5))
    at_the_end = replace(AFTER, as_of=AFTER.as_of + timedelta(days=5))
    new = replace(NEW, as_of=NEW.as_of + timedelta(days=5))
    replay = _replayed(*polls, long_ago, at_the_end, new)
    (alert,) = replay.alerts
    total = alert.fact("total")
    assert total.value == pytest.approx(3_000_000 + 10 * 24 * 5, abs=200)
    assert total.at == long_ago.as_of.replace(hour=0)


def test_another_count_of_the_same_period_is_another_contradiction() -> None:
    assert _told(BEFORE, AFTER, NEW, replace(NEW, likes=published(0, likes={"KH": 30_000}).likes)) == 2


def test_the_most_exact_of_several_shares_of_a_day_is_used() -> None:
    vague = replace(BEFORE, shares={"KH": rounded(0.5, 0.2)}, source="another newspaper")
    (alert,) = _replayed(vague, BEFORE, AFTER, NEW).alerts
    assert alert.fact("share_before").value == 0.576


def test_it_says_that_they_do_not_fit_and_not_which_is_wrong() -> None:
    alert = scene("contradiction")
    assert headline(alert, WORDS) == (
        "Published figures about A do not fit together: 34,069 new likes from Cambodia in the 5 days to 11 May 2024, "
        "where the shares and totals leave room for about 45,700 to 52,500."
    )
    assert lines(alert, WORDS) == (
        (
            "The share listed in Cambodia was 57.6% of 3,003,000 likes on 6 May 2024 and 56.4% on 11 May 2024, after "
            "151,000 new ones: that makes about 45,700 to 52,500 more from there, rounding included."
        ),
        "Which of the figures is wrong cannot be told from them.",
        "They may also be of different hours of their days, or count removals differently.",
    )


@given(
    total=st.integers(min_value=100_000, max_value=5_000_000),
    share=st.floats(min_value=0.05, max_value=0.95),
    gained=st.integers(min_value=2_000, max_value=500_000),
    of_them=st.floats(min_value=0, max_value=1),
)
def test_figures_that_were_truly_counted_never_contradict_each_other(
    total: int, share: float, gained: int, of_them: float
) -> None:
    home, came = total * share, gained * of_them
    after = (home + came) / (total + gained)
    told = _told(
        published(0, shares={"KH": rounded(round(share, 3), 0.001)}, total=rounded(round(total, -3), 1_000)),
        published(5, shares={"KH": rounded(round(after, 3), 0.001)}),
        published(5, likes={"KH": round(came)}, total=rounded(round(gained, -3), 1_000), days=5),
    )
    assert told == 0
