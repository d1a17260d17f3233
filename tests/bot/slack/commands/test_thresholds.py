"""Thresholds and opt-in features, as people set, see and take them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest

from bot.errors import LikewatchError
from bot.platforms.contract import Profile
from bot.rules.alert_types import default_features
from bot.slack.contract import Button, Reply, Slash
from bot.slack.discovery import find_command
from bot.slack.render import block_kit
from handlers.model import Alert, AudienceReading, Metric, Reading
from storage.series.timeline import Timeline
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, ask, call, watch
from tests.labs.standins.histories import scene
from tests.labs.standins.tunable import more_rules

__all__ = ["more_rules"]

TEAM, CHANNEL = "T0PAPER", "C0NEWSROOM"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def words(reply: Reply) -> str:
    return blockkit.words(block_kit.reply_blocks(reply, "trends"))


def saved(store: Store, slug: str = "hunsen", target: Target = Target.PAGE) -> Subscription:
    found = store.subscriptions.get(TEAM, CHANNEL, target, slug)
    assert found is not None
    return found


def growing(store: Store) -> None:
    """A page that gains 20 an hour for 70 days, and in the last five of them 21 times as many."""
    hours = 70 * 24
    counts = [
        (NOW - HOUR * (hours - hour), 500_000 + 20 * hour + 400 * max(hour - (hours - 5 * 24), 0))
        for hour in range(hours + 1)
    ]
    watch(store, "hunsen", counts)


def test_a_threshold_is_saved_audited_noticed_and_explained(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    reply = ask(store, "trends subscribe hunsen surge>5x overtake purge > 0.75 %")
    assert saved(store).features == ("overtake", "purge", "surge")
    assert saved(store).thresholds == {"surge": 5, "purge": 0.75}
    assert block_kit.plain(reply.notice or "") == (
        "@U0EDITOR subscribed this channel to hunsen: overtake, purge>0.75%, surge>5x"
    )
    (entry,) = store.audit.recent(team_id=TEAM)
    assert entry.detail == "overtake purge>0.75% surge>5x"
    said = words(reply)
    assert "It gets: overtake, purge&gt;0.75%, surge&gt;5x." in said
    assert "It does not get: foreign, milestone, trouble, figures. /trends subscribe hunsen adds all of them." in said
    assert "surge is posted from 5 times the usual day on. The default is 3.2." in said
    assert "purge is posted from 0.75% of the audience on. The default is 0.5." in said
    assert "*hunsen*: overtake, purge&gt;0.75%, surge&gt;5x" in words(ask(store, "trends list"))


def test_naming_a_feature_again_replaces_its_threshold_and_keeps_the_others(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen overtake surge>5x purge>2%")
    ask(store, "trends subscribe hunsen surge>10x")
    assert saved(store).features == ("overtake", "purge", "surge")
    assert saved(store).thresholds == {"surge": 10, "purge": 2}


def test_naming_a_feature_without_a_threshold_puts_it_back_to_its_default_and_says_so(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen surge>5x purge>2%")
    reply = ask(store, "trends subscribe hunsen surge")
    assert saved(store).thresholds == {"purge": 2}
    assert (
        "surge was surge&gt;5x. You named it without a threshold, so it is back to its default, "
        "3.2 times the usual day." in words(reply)
    )


@pytest.mark.usefixtures("more_rules")
def test_naming_nothing_gives_all_that_is_not_opt_in_and_keeps_what_was_set(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen")
    assert saved(store).features == default_features()
    ask(store, "trends subscribe hunsen hush surge>5x")
    assert set(saved(store).features) == {*default_features(), "hush"}
    ask(store, "trends unsubscribe hunsen overtake")
    ask(store, "trends subscribe hunsen")
    assert set(saved(store).features) == {*default_features(), "hush"}
    assert saved(store).thresholds == {"surge": 5}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("surge>1x", "1 is out of bounds.*surge>3.2x"),
        ("overtake>3", "overtake has no threshold.*surge>3.2x"),
        ("surge>lots", "sets no threshold.*surge>3.2x"),
        ("surge surge>5", "“surge” is there twice"),
    ],
)
def test_what_cannot_be_set_is_said_with_an_example_and_nothing_is_saved(
    store: Store, typed: str, sentence: str
) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    with pytest.raises(LikewatchError, match=sentence):
        ask(store, f"trends subscribe hunsen {typed}")
    assert store.subscriptions.for_channel(TEAM, CHANNEL) == ()


def test_a_feature_is_taken_back_with_its_threshold_and_offered_again_with_it(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen overtake surge>5x purge>2%")
    assert store.rule_states.channel_rule_keys("surge") == {("surge>5", "hunsen")}
    reply = ask(store, "trends unsubscribe hunsen surge")
    assert saved(store).thresholds == {"purge": 2}
    assert "No more: surge. Still: overtake, purge&gt;2%." in words(reply)
    assert store.rule_states.channel_rule_keys("surge") == set()
    (again,) = reply.card.buttons
    assert isinstance(again, Button)
    ask(store, again.query)
    assert saved(store).thresholds == {"surge": 5, "purge": 2}
    (again,) = ask(store, "trends unsubscribe hunsen").card.buttons
    assert isinstance(again, Button)
    assert again.query == "trends subscribe hunsen overtake purge>2% surge>5x"
    assert store.rule_states.channel_rule_keys("surge") | store.rule_states.channel_rule_keys("purge") == set()


def test_a_feature_may_be_taken_back_as_it_is_listed(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen overtake surge>5x")
    ask(store, "trends unsubscribe hunsen surge>5x")
    assert (saved(store).features, saved(store).thresholds) == (("overtake",), {})


def test_the_preview_is_of_the_threshold_and_what_it_tells_is_not_told_again(store: Store) -> None:
    growing(store)
    said = words(ask(store, "trends subscribe hunsen surge>5x"))
    assert "In the past 30 days it would have posted 1 alert here:" in said
    assert "• 19 November 2026, 20:00 UTC: Hunsen gained" in said
    assert store.alerts.recent() == (), "a preview is thrown away"
    assert "would have posted nothing here" in words(ask(store, "trends subscribe hunsen surge>30x"))
    assert store.rule_states.channel_rule_keys("surge") == {("surge>30", "hunsen")}
    assert "would have posted 1 alert here" in words(ask(store, "trends subscribe cambodia surge>5x", channel="C2"))


def stored(kind: str, *, page: str, at: timedelta = 3 * DAY) -> Alert:
    alert = scene(kind)
    return replace(alert, page=page, at=NOW - at, key=f"{alert.key}:{page}", story=f"{alert.story}:{page}")


def test_the_preview_counts_default_rules_as_they_told_it_then(store: Store) -> None:
    watch(store, "hunsen", [(NOW - 60 * DAY, 2_000_000), (NOW - DAY, 2_000_000)])
    default = stored("surge", page="hunsen")
    another = replace(default, key="surge>9", story="surge>9", threshold=9, tuned=True)
    store.alerts.add([default, another, stored("purge", page="hunsen")], at=NOW)
    assert "would have posted 1 alert here" in words(ask(store, "trends subscribe hunsen surge"))
    assert "would have posted nothing here" in words(ask(store, "trends subscribe hunsen surge>9x"))
    assert "would have posted 1 alert here" in words(ask(store, "trends subscribe hunsen surge>9x purge"))


def test_the_preview_of_a_group_honours_what_is_set_for_one_of_its_pages(store: Store) -> None:
    growing(store)
    alone = words(ask(store, "trends subscribe cambodia surge>5x"))
    assert "it would have posted 1 alert here" in alone
    ask(store, "trends subscribe hunsen surge>100x")
    assert "it would have posted nothing here" in words(ask(store, "trends subscribe cambodia surge>5x"))
    ask(store, "trends subscribe hunsen surge>8x")
    assert "it would have posted 1 alert here" in words(ask(store, "trends subscribe cambodia surge>50x"))


def test_alerts_lists_what_a_threshold_raised_only_where_it_was_set(store: Store) -> None:
    watch(store, "hunsen", [(NOW - 60 * DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen surge>9x")
    default = stored("surge", page="hunsen")
    store.alerts.add([default, replace(default, key="surge>9", story="surge>9", threshold=9, tuned=True)], at=NOW)
    here = words(ask(store, "trends alerts hunsen"))
    assert here.count("Hunsen gained") == 2
    assert here.count("(surge&gt;9x)") == 1
    assert words(ask(store, "trends alerts hunsen", channel="C0OTHER")).count("Hunsen gained") == 1


@pytest.mark.usefixtures("more_rules")
def test_list_features_tells_what_may_be_set_and_what_must_be_named(store: Store) -> None:
    said = words(ask(store, "trends list features"))
    assert (
        "*surge*: a page gains in a day several times what it usually gains. Posted from 3.2 times the usual day on. "
        "You may set 2.5 to 100: surge&gt;3.2x" in said
    )
    assert "*hush*: nothing at all. Only where you name it." in said
    assert "Without naming features, a channel gets all but closing, country and hush." in said


def test_a_page_that_is_not_watched_any_more_has_no_variant(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    ask(store, "trends subscribe hunsen surge>5x")
    ask(store, "trends untrack hunsen")
    assert store.rule_states.channel_rule_keys("surge") == set()


class Meanwhile(Timeline):
    """A store's chronicle that notes whether somebody else can write while it is gone through."""

    def __init__(self, store: Store) -> None:
        self._store, self._whole = store, store.timeline
        self.others_could_write: list[bool] = []

    def as_received(
        self, slugs: Iterable[str], since: datetime, until: datetime
    ) -> Iterator[Reading | AudienceReading]:
        written = Event()

        def write() -> None:
            with self._store.write():
                written.set()

        Thread(target=write, daemon=True).start()
        self.others_could_write.append(written.wait(2))
        return self._whole.as_received(slugs, since, until)


def test_no_cycle_waits_for_what_begins_when_a_page_is_watched_again(store: Store) -> None:
    profile = Profile(
        platform="facebook",
        native_id="4242",
        handle="hunsencambodia",
        name="Samdech Hun Sen",
        url="https://www.facebook.com/hunsencambodia",
        count=14_100_000,
        low=14_100_000,
        high=14_100_000,
        metric=Metric.LIKES,
    )
    command, text = find_command(Slash.TRENDS, "track @hunsencambodia as hunsen in cambodia")
    asked = replace(call("trends track"), text=text, profile=profile, poll_every=HOUR)
    command.run(asked, store, NOW)
    growing(store)
    ask(store, "trends subscribe cambodia surge>5x")
    ask(store, "trends untrack hunsen")
    assert store.rule_states.channel_rule_keys("surge") == set()
    meanwhile = store.timeline = Meanwhile(store)
    command.run(asked, store, NOW)
    assert store.rule_states.channel_rule_keys("surge") == {("surge>5", "hunsen")}
    assert meanwhile.others_could_write == [True]


def test_what_a_page_and_its_group_both_bring_is_said(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY * days, 2_000_000 - days) for days in range(9, 0, -1)])
    ask(store, "trends subscribe cambodia")
    assert "come with the subscription to cambodia" in words(ask(store, "trends subscribe hunsen foreign>10"))
    assert "still come with the subscription to cambodia" in words(ask(store, "trends unsubscribe hunsen"))


def test_a_page_without_a_figure_in_the_period_is_not_called_quiet(store: Store) -> None:
    watch(store, "hunsen", [(NOW - DAY * days, 2_000_000 - days) for days in (400, 399, 398)])
    said = words(ask(store, "trends subscribe hunsen"))
    assert "there was nothing to judge" in said
    assert "posted nothing" not in said
    assert "there is nothing to test" in words(ask(store, "trends backtest hunsen 90d"))


@pytest.mark.parametrize(
    ("period", "why"),
    [
        ("3y", "no length of time that I know: write hours, days or weeks"),
        ("0d", "is no time at all"),
        ("-5d", "is no period: write 90d, or 12w"),
        ("2016", "is no period: write 90d, or 12w"),
    ],
)
def test_what_is_no_period_is_said_to_be_none(store: Store, period: str, why: str) -> None:
    watch(store, "hunsen", [(NOW - DAY, 2_000_000)])
    with pytest.raises(LikewatchError, match=why):
        ask(store, f"trends backtest hunsen {period}")
