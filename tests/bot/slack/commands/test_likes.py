from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.contract import Reply
from bot.slack.render import block_kit
from handlers.model import AudienceReading, Dated, Figure, Measure, Metric
from storage.store import Store
from storage.values import PollOutcome, PollTrouble, Subscription, Target
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, ask, daily, watch

HOUR = timedelta(hours=1)
HOURS_AGO = NOW - timedelta(hours=2)


def words(reply: Reply) -> str:
    """Everything the answer says."""
    return blockkit.words(block_kit.reply_blocks(reply, "likes"))


def fields(reply: Reply) -> dict[str, str]:
    return {label: block_kit.plain(value) for label, value in reply.card.fields}


def queries(reply: Reply) -> list[str]:
    elements = [
        element for block in block_kit.blocks(reply.card) if block["type"] == "actions" for element in block["elements"]
    ]
    return [element["value"] for element in elements]


def test_it_answers_with_count_age_source_and_growth(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000), name="Hun Sen")
    reply = ask(store, "likes hunsen")
    assert reply.card.headline == "Hun Sen: 2,108,800 likes"
    assert "Figure read 4 minutes ago from Facebook." in words(reply)
    assert fields(reply) == {
        "In 24 hours": "+1,000 (+0.05%)",
        "In 7 days": "+7,000 (+0.3%)",
        "In 30 days": "+30,000 (+1.4%)",
    }
    assert reply.card.plot is not None
    assert len(reply.card.plot.categories) <= 20
    assert reply.card.plot.series[0].values[-1] == 2_108_800
    assert reply.shareable
    assert reply.notice is None


def test_growth_is_over_the_time_that_truly_passed(store: Store) -> None:
    last = NOW - timedelta(minutes=4)
    watch(store, "hunsen", [(last - timedelta(days=12), 1_000_000), (last, 1_012_000)])
    assert fields(ask(store, "likes hunsen")) == {"In 12 days": "+12,000 (+1.2%)"}


def test_no_growth_is_told_without_an_earlier_figure(store: Store) -> None:
    watch(store, "hunsen", [(NOW - timedelta(hours=2), 1_000_000)])
    reply = ask(store, "likes hunsen")
    assert reply.card.fields == ()
    assert "Watched since 24 November 2026, 07:00 UTC. Growth is shown once" in words(reply)


def test_an_unchanged_count_is_as_young_as_its_last_poll(store: Store) -> None:
    watch(store, "hunsen", [(NOW - timedelta(days=3), 1_000_000)])
    reply = ask(store, "likes hunsen")
    assert "read 4 minutes ago" in words(reply)
    assert fields(reply) == {"In 24 hours": "no change"}


def test_an_imported_figure_says_when_it_was_published_and_by_whom(store: Store) -> None:
    watch(
        store,
        "hunsen",
        [(datetime(2016, 2, 2, tzinfo=UTC), 2_108_800)],
        polled_at=None,
        dated=Dated.DAY,
        rounding=50,
        source="The Cambodia Daily",
        url="https://english.cambodiadaily.com/x",
    )
    said = words(ask(store, "likes hunsen"))
    assert (
        "Figure published 2 February 2016, 10 years ago; source: "
        "<https://english.cambodiadaily.com/x|The Cambodia Daily>. Rounded there (± 50)." in said
    )


def test_growth_of_rounded_figures_is_about(store: Store) -> None:
    first = datetime(2016, 3, 8, tzinfo=UTC)
    watch(store, "a", [(first, 3_000_000), (first + timedelta(days=9), 3_200_000)], polled_at=None, rounding=50_000)
    watch(store, "b", [(first, 3_000_000), (first + timedelta(days=9), 3_050_000)], polled_at=None, rounding=50_000)
    assert fields(ask(store, "likes a")) == {"In 9 days": "about +200,000 (+6.7%)"}
    assert fields(ask(store, "likes b")) == {"In 9 days": "no change beyond the rounding"}


def test_the_same_answer_grows_older(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    watch(store, "samrainsy", daily(2_094_800, 100))
    for age, hours in (("4 minutes", 0), ("3 hours", 3), ("10 days", 240)):
        said = words(ask(store, "likes hunsen", now=NOW + timedelta(hours=hours)))
        assert f"Figure read {age} ago" in said
        assert f"ahead of Samrainsy (read {age} ago" in said


def test_the_same_question_is_answered_anew_after_every_change(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    later = NOW + timedelta(minutes=5)
    at = datetime(2016, 3, 13, tzinfo=UTC)
    audience = AudienceReading(
        page="hunsen",
        as_of=at,
        received_at=at,
        measure=Measure.ALL,
        shares={"KH": Figure(value=0.5, low=0.5, high=0.5)},
        source="Phnom Penh Post",
        method="published",
    )
    changes: list[Callable[[], object]] = [
        lambda: watch(store, "samrainsy", daily(2_094_800, 100)),
        lambda: watch(store, "samrainsy", [(later, 2_200_000)]),
        lambda: watch(store, "hunsen", [(later, 2_300_000)], polled_at=later),
        lambda: watch(store, "hunsen", [], name="Hun Sen", groups=("asean",)),
        lambda: store.pages.set_handle("hunsen", "anew"),
        lambda: store.pages.record_polls([PollOutcome(page="hunsen", at=later + HOUR, next_due=later + 2 * HOUR)]),
        lambda: store.audiences.add(audience),
        lambda: store.readings.move_to_history(NOW),
        lambda: store.pages.remove("samrainsy", at=later),
        lambda: store.pages.remove("hunsen", at=later),
    ]
    for change in changes:
        ask(store, "likes hunsen", now=later)
        change()
        told = ask(store, "likes hunsen", now=later)
        with store.write():  # where nothing is remembered
            assert told == ask(store, "likes hunsen", now=later)


def test_it_ranks_a_page_among_its_rivals_of_the_same_metric(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000), name="Hun Sen")
    watch(store, "samrainsy", daily(2_094_800, 100), name="Sam Rainsy", polled_at=NOW - timedelta(hours=2))
    watch(store, "third", daily(900_000, 10))
    watch(store, "follower", daily(1_500_000, 10), metric=Metric.FOLLOWERS)
    assert "*Rank:*" not in words(ask(store, "likes follower"))
    said = words(ask(store, "likes samrainsy"))
    assert (
        "2nd of 3 in cambodia by likes; 14,000 behind Hun Sen (read 4 minutes ago); "
        "1,194,800 ahead of Third (read 4 minutes ago)." in said
    )


def test_ranks_within_the_rounding_are_level(store: Store) -> None:
    watch(store, "a", daily(2_000_000, 0), rounding=50_000)
    watch(store, "b", daily(1_990_000, 0), rounding=50_000)
    assert "level with B (read 4 minutes ago), as far as the figures show" in words(ask(store, "likes a"))


def test_a_held_reading_is_shown_as_unconfirmed(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 0), held=[(NOW - timedelta(minutes=4), 21_088_000)])
    reply = ask(store, "likes hunsen")
    assert reply.card.headline == "Hunsen: 2,108,800 likes"
    assert "*Unconfirmed:* a newer reading says 21,088,000 likes" in words(reply)
    assert "Figure read 15 minutes ago from Facebook." in words(reply)


def test_trouble_is_told_and_the_last_figure_kept(store: Store) -> None:
    trouble = PollTrouble(
        reason="page_gone", message="Facebook says the page is not there.", since=NOW - timedelta(hours=5)
    )
    hours_ago = NOW - timedelta(hours=6)
    watch(store, "hunsen", daily(2_108_800, 0, until=hours_ago), trouble=trouble, polled_at=hours_ago)
    said = words(ask(store, "likes hunsen"))
    assert "*Not readable* since <!date^" in said
    assert "the last known figure is shown. Facebook says the page is not there." in said
    assert "read 6 hours ago" in said


def test_a_page_without_a_figure_says_why(store: Store) -> None:
    watch(store, "fresh", [])
    trouble = PollTrouble(reason="page_gone", message="Facebook says the page is not there.", since=NOW)
    watch(store, "gone", [], trouble=trouble)
    assert "its first figure is not in yet" in words(ask(store, "likes fresh"))
    assert "Facebook says the page is not there." in words(ask(store, "likes gone"))


def _exactly(value: float) -> Figure:
    return Figure(value=value, low=value, high=value)


def test_shares_of_all_and_of_new_likes_are_told_apart_with_their_bounds(store: Store) -> None:
    watch(store, "hunsen", daily(3_200_000, 1_000))
    at = datetime(2016, 3, 13, tzinfo=UTC)
    store.audiences.add(
        AudienceReading(
            page="hunsen",
            as_of=at,
            received_at=at,
            measure=Measure.ALL,
            shares={
                "KH": Figure(value=0.564, low=0.5635, high=0.5645),
                "IN": Figure(value=0.115, low=0.1145, high=0.1155),
            },
            source="Phnom Penh Post",
            method="published",
            url="https://www.phnompenhpost.com/x",
            dated=Dated.DAY,
        )
    )
    store.audiences.add(
        AudienceReading(
            page="hunsen",
            as_of=datetime(2016, 3, 8, tzinfo=UTC),
            received_at=at,
            measure=Measure.NEW,
            days=30,
            likes={"KH": _exactly(157_331)},
            total=Figure(value=779_000, low=778_500, high=779_500),
            source="BBC Trending",
            method="published",
            dated=Dated.DAY,
        )
    )
    said = words(ask(store, "likes hunsen"))
    assert (
        "*All likes:* 56.4% (between 56.35% and 56.45%) from home (Cambodia); from abroad at least 11.45%, "
        "at most 43.65% (India 11.5%). 13 March 2016, 10 years ago, <https://www.phnompenhpost.com/x|Phnom Penh Post>."
        in said
    )
    assert (
        "*New likes, the 30 days to 8 March 2016:* 20.2% (between 20.18% and 20.21%) from home (Cambodia), "
        "157,331 of 779,000; from abroad at most 79.82%. 8 March 2016, 10 years ago, BBC Trending." in said
    )
    assert "From abroad is not the same as not genuine" in said


def test_without_a_home_country_no_foreign_share_is_told(store: Store) -> None:
    watch(store, "hunsen", daily(3_200_000, 1_000), home=None)
    assert "No home country is set, so no foreign share can be shown." in words(ask(store, "likes hunsen"))


@pytest.mark.parametrize(
    "text",
    [
        "hunsen",
        "@HunSen",
        "Hun Sen",
        "https://www.facebook.com/hunsen",
        "facebook.com/hunsen/",
        "m.facebook.com/hunsen?ref=x",
    ],
)
def test_it_finds_a_page_by_any_of_its_names(store: Store, text: str) -> None:
    watch(store, "hunsen", daily(3_200_000, 1_000), name="Hun Sen")
    assert ask(store, f"likes {text}").card.headline == "Hun Sen: 3,200,000 likes"


def test_a_typo_gets_did_you_mean(store: Store) -> None:
    watch(store, "hunsen", daily(3_200_000, 1_000), name="Hun Sen")
    watch(store, "samrainsy", daily(2_200_000, 1_000), name="Sam Rainsy")
    reply = ask(store, "likes hunsne")
    assert reply.card.headline == "I watch no page or group called “hunsne”"
    assert queries(reply)[0] == "likes hunsen"
    assert queries(ask(store, "likes hunsen samransy")) == ["likes hunsen samrainsy"]
    assert queries(ask(store, "likes hunsne samrainsy 90d"))[0] == "likes hunsen samrainsy 90d"


def test_a_name_like_none_says_how_to_add_it(store: Store) -> None:
    assert "Nothing is watched yet" in words(ask(store, "likes zzzz"))
    watch(store, "hunsen", daily(3_200_000, 1_000))
    assert "/trends track" in words(ask(store, "likes qqqqqqqqqq"))


def test_it_compares_two_pages(store: Store) -> None:
    watch(store, "samrainsy", daily(2_094_800, 100, days=60, until=HOURS_AGO), name="Sam Rainsy", polled_at=HOURS_AGO)
    watch(store, "hunsen", daily(2_108_800, 1_000, days=100), name="Hun Sen")
    reply = ask(store, "likes Sam Rainsy hunsen 90d")
    assert reply.card.headline == "Hun Sen is 14,000 likes ahead of Sam Rainsy"
    said = words(reply)
    assert "*Hun Sen*: 2,108,800 likes, read 4 minutes ago from Facebook." in said
    assert "*Sam Rainsy*: 2,094,800 likes, read 2 hours ago from Facebook." in said
    assert fields(reply) == {
        "Hun Sen": "+90,000 (+4.5%) in 90 days",
        "Sam Rainsy": "no figure is that old (first: 25 September 2026)",
    }
    assert reply.card.plot is not None
    assert [series.name for series in reply.card.plot.series] == ["Hun Sen", "Sam Rainsy"]


def test_likes_and_followers_are_not_compared(store: Store) -> None:
    watch(store, "a", daily(2_000_000, 100))
    watch(store, "b", daily(1_000_000, 100), metric=Metric.FOLLOWERS)
    reply = ask(store, "likes a b")
    assert reply.card.headline == "A and B"
    assert reply.card.plot is None
    assert "no gap is shown" in words(reply)


def test_figures_of_different_dates_are_compared_when_both_were_known(store: Store) -> None:
    old = datetime(2016, 2, 2, tzinfo=UTC)
    early = [(old - timedelta(days=9), 2_000_100), (old, 2_108_800)]
    watch(store, "a", [*early, (old + timedelta(days=900), 9_600_000)], polled_at=None)
    watch(store, "b", [(old - timedelta(days=9), 2_065_000), (old, 2_094_800)], polled_at=None)
    reply = ask(store, "likes b a")
    assert reply.card.headline == "A was 14,000 likes ahead of B on 2 February 2016, 00:00 UTC"
    assert reply.card.plot is not None
    assert reply.card.plot.categories[-1] == "2 Feb"
    assert "The newest figures are of different dates" in words(reply)
    assert "ahead of B (read 10 years ago, on 2 February 2016), by figures of different dates" in words(
        ask(store, "likes a")
    )
    assert ask(store, "likes cambodia").card.plot is None
    watch(store, "c", [(old + timedelta(days=100), 5)], polled_at=None)
    assert ask(store, "likes a c").card.headline == "A and C"


def test_a_pair_needs_two_figures(store: Store) -> None:
    watch(store, "a", daily(2_000_000, 100))
    watch(store, "b", [])
    assert ask(store, "likes a b").card.headline == "No figure yet for B"


def test_a_group_is_a_board(store: Store) -> None:
    watch(store, "samrainsy", daily(2_094_800, 100, until=HOURS_AGO), name="Sam Rainsy", polled_at=HOURS_AGO)
    watch(store, "hunsen", daily(2_108_800, 1_000), name="Hun Sen")
    reply = ask(store, "likes Cambodia")
    assert reply.card.headline == "cambodia: 2 pages"
    assert (
        "1. *Hun Sen* (hunsen): 2,108,800 likes, read 4 minutes ago; +7,000 (+0.3%) in 7 days\n"
        "2. *Sam Rainsy* (samrainsy): 2,094,800 likes, read 2 hours ago; +700 (+0.03%) in 7 days" in words(reply)
    )
    assert reply.card.plot is not None
    assert reply.card.plot.categories == ("Hun Sen", "Sam Rainsy")


def _subscribe(store: Store, target: Target, slug: str) -> None:
    store.subscriptions.put(
        Subscription(
            team_id="T0PAPER",
            channel_id="C0NEWSROOM",
            target=target,
            slug=slug,
            features=("overtake",),
            by="U0EDITOR",
            at=NOW,
        )
    )


def test_the_leaderboard_is_of_the_channels_groups(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    watch(store, "cameron", daily(1_000_000, 1_000), groups=("britain",))
    everything = words(ask(store, "likes"))
    assert "*cambodia*" in everything
    assert "*britain*" in everything
    _subscribe(store, Target.GROUP, "britain")
    assert ask(store, "likes").card.headline == "britain: 1 page"
    assert "*cambodia*" in words(ask(store, "likes", channel="C0OTHER"))
    _subscribe(store, Target.PAGE, "hunsen")
    assert "*cambodia*" in words(ask(store, "likes"))


def test_a_groups_board_tells_the_growth_of_the_period_asked_for(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000))
    watch(store, "samrainsy", [(NOW - timedelta(days=4), 2_000_000), (NOW, 2_000_400)])
    assert "+30,000 (+1.4%) in 30 days" in words(ask(store, "likes cambodia 30d"))
    assert "+7,000 (+0.3%) in 7 days" in words(ask(store, "likes cambodia"))
    assert "no figure from 30 days before" in words(ask(store, "likes cambodia 30d"))


def test_the_leaderboard_without_groups_is_of_all_pages(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 1_000), groups=())
    assert "1. *Hunsen* (hunsen): 2,108,800 likes, read 4 minutes ago" in words(ask(store, "likes"))


def test_an_empty_store_says_how_to_start(store: Store) -> None:
    assert ask(store, "likes").card.headline == "No page is watched yet"
