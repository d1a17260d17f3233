"""Which times an answer's figures are of, and which were asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import LikewatchError
from bot.imports.examples import press_example
from bot.imports.replay import replay_example
from bot.slack.contract import Reply
from bot.slack.render import block_kit
from handlers.model import AudienceReading, Dated, Figure, Measure, Metric, Reading, Standing, ValidatedReading
from storage.store import Store
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, ask, daily, watch
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import cycle


def words(reply: Reply) -> str:
    return blockkit.words(block_kit.reply_blocks(reply, "likes"))


def fields(reply: Reply) -> dict[str, str]:
    return {label: block_kit.plain(value) for label, value in reply.card.fields}


def test_an_imported_figure_is_not_called_read(store: Store) -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    watch(store, "a", [(day, 9)], polled_at=None, source="import: a.csv", dated=Dated.DAY)
    watch(store, "b", [(day, 8)], polled_at=None, source="import: b.csv")
    watch(store, "c", [(day, 7)], polled_at=None, source="The Cambodia Daily", dated=Dated.MONTH)
    assert "Figure as of 20 November 2026, 4 days ago (imported); source: import: a.csv." in words(
        ask(store, "likes a")
    )
    assert "as of 20 November 2026, 00:00 UTC, 4 days ago (imported)" in words(ask(store, "likes b"))
    assert "Figure published November 2026, this month; source: The Cambodia Daily." in words(ask(store, "likes c"))


def test_figures_known_to_the_day_have_no_hours(store: Store) -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    counts = [(day - timedelta(days=7), 1_000_000), (day - timedelta(days=1), 1_007_000), (day, 1_008_000)]
    watch(store, "a", counts, polled_at=None, source="import: a.csv", dated=Dated.DAY, held=[(day, 90_000_000)])
    reply = ask(store, "likes a")
    assert fields(reply) == {"In 1 day": "+1,000 (+0.1%)", "In 7 days": "+8,000 (+0.8%)"}
    assert "Figure as of 24 November 2026, today (imported)" in words(reply)
    assert "a newer reading says 90,000,000 likes (24 November 2026)." in words(reply)


def test_an_imported_figure_that_a_poll_found_unchanged_was_read(store: Store) -> None:
    watch(store, "a", [(NOW - timedelta(days=4), 9)], source="import: a.csv")
    assert "Figure read 4 minutes ago from Facebook." in words(ask(store, "likes a"))


def test_the_first_figure_is_that_of_all_series_dated_as_it_is(store: Store) -> None:
    old, begun = datetime(2013, 6, 15, tzinfo=UTC), datetime(2015, 8, 22, tzinfo=UTC)
    watch(store, "hunsen", [(begun, 1_000_000), (begun + timedelta(days=30), 1_070_000)], polled_at=None, source="x")
    store.readings.add([older(old, 67_000)])
    said = words(ask(store, "likes hunsen"))
    assert "First figure of June 2013." in said
    assert "Growth and chart go back to 22 August 2015, 00:00 UTC" in said
    store.readings.move_to_history(NOW)
    assert "First figure of June 2013." in words(ask(store, "likes hunsen"))


def test_of_two_series_the_present_one_is_named_as_that(store: Store) -> None:
    begun = NOW - timedelta(days=7)
    for slug in ("hunsen", "samrainsy"):
        watch(store, slug, [(begun, 1_000_000), (NOW, 1_000_100)])
    store.readings.add([older(datetime(2013, 6, 15, tzinfo=UTC), 67_000)])
    said = fields(ask(store, "likes hunsen samrainsy 90d"))
    assert said["Hunsen"] == "no figure is that old (the present series begins: 17 November 2026)"
    assert said["Samrainsy"] == "no figure is that old (first: 17 November 2026)"
    assert "In the 7 days since its present series of figures began it would have" in words(
        ask(store, "trends subscribe hunsen")
    )
    assert "In the 7 days since its first figure it would have" in words(ask(store, "trends subscribe samrainsy"))


def test_who_was_ahead_by_old_figures_is_told_in_the_past(store: Store) -> None:
    march = datetime(2016, 3, 14, tzinfo=UTC)
    watch(store, "a", [(march, 6_400_000)], polled_at=None, dated=Dated.DAY)
    watch(store, "b", [(march, 1_000_000)], polled_at=None, dated=Dated.DAY)
    assert ask(store, "likes a b").card.headline == "A was 5,400,000 likes ahead of B on 14 March 2016"


def test_a_share_has_its_age_and_its_contradiction_and_no_total_of_another_metric(store: Store) -> None:
    example = press_example()
    made = cycle(store, HandClock(NOW), {})
    replay_example(store, made, example, team_id="T1", channel_id="C1", now=NOW)
    made.close()
    said = words(ask(store, "likes hunsen"))
    assert "13 March 2016, 10 years ago, <https://www.phnompenhpost.com" in said
    assert "Other published figures contradict it: /trends alerts hunsen." in said
    day = NOW - timedelta(days=4)
    watch(store, "a", [(day, 14_250_000)], polled_at=None, metric=Metric.FOLLOWERS)
    share = Figure(value=0.576, low=0.5755, high=0.5765)
    audience = AudienceReading(
        page="a", as_of=day, received_at=day, measure=Measure.ALL, shares={"KH": share}, source="Post",
        method="published",
    )  # fmt: skip
    store.audiences.add(audience)
    assert "*All likes:* 57.6% (between 57.55% and 57.65%) from home (Cambodia); from" in words(ask(store, "likes a"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("likes hunsen 0d", "“0d” is no time at all."),
        ("likes hunsen samrainsy 99999d", "“99999d” is too long: at most 9999d."),
        ("trends mute hunsen 5m", "“5m” is no length of time that I know: write hours, days or weeks"),
    ],
)
def test_a_length_of_time_that_cannot_be_is_named_as_that(store: Store, asked: str, said: str) -> None:
    for slug in ("hunsen", "samrainsy"):
        watch(store, slug, daily(1_000, 1))
    with pytest.raises(LikewatchError, match=re.escape(said)):
        ask(store, asked)


def older(at: datetime, count: int) -> ValidatedReading:
    reading = Reading(
        page="hunsen", observed_at=at, received_at=at, count=count, low=count, high=count, metric=Metric.LIKES,
        source="The Cambodia Daily", dated=Dated.MONTH,
    )  # fmt: skip
    return ValidatedReading(reading=reading, standing=Standing.ACCEPTED)


def test_a_period_is_told_of_one_page_too(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000, days=100))
    reply = ask(store, "likes hunsen 90d")
    assert fields(reply)["In 90 days"] == "+90,000 (+4.5%)"
    assert reply.card.plot is not None
    assert reply.card.plot.categories[0] == "31 Aug"
    assert fields(ask(store, "likes hunsen 200d"))["In 200 days"] == "no figure is that old"
    assert "In 90 days" not in fields(ask(store, "likes hunsen"))


def test_growth_over_another_time_than_was_asked_for_is_told_as_that(store: Store) -> None:
    for slug in ("a", "b"):
        watch(store, slug, [(NOW - timedelta(days=300), 1_000), (NOW, 2_000)])
    said = "+1,000 (+100%) in 10 months (no figure from 90 days before)"
    assert fields(ask(store, "likes a b 90d")) == {"A": said, "B": said}
    assert fields(ask(store, "likes a 90d")) == {"In 10 months": "+1,000 (+100%) (no figure from 90 days before)"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("a b c", "I can compare two pages at a time, and these are 3: /likes a b."),
        ("a Sam Rainsy c 90d", "these are 3"),
        ("a b a", "these are 3"),
        ("a a", "“a a” names one page more than once"),
        ("a A 90d", "/likes a shows its own growth."),
    ],
)
def test_what_two_pages_are_not_is_said(store: Store, asked: str, said: str) -> None:
    for slug in ("a", "b", "c"):
        watch(store, slug, daily(1_000, 1))
    watch(store, "rainsy", daily(1_000, 1), name="Sam Rainsy")
    with pytest.raises(LikewatchError, match=re.escape(said)):
        ask(store, f"likes {asked}")
