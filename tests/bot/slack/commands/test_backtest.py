from __future__ import annotations

from datetime import timedelta

import pytest

from bot.backtest.from_store import past_alerts
from bot.errors import LikewatchError
from bot.slack.contract import Button, Slash
from bot.slack.discovery import find_command
from bot.slack.render import block_kit
from handlers.discovery import all_comparisons
from storage.store import Store
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, ask, daily, watch


def shown(store: Store, text: str) -> str:
    return blockkit.words(block_kit.blocks(ask(store, text).card))


def rivals(store: Store) -> None:
    """Hun Sen passes Sam Rainsy 20 days ago; then he surges, 10 days ago."""
    hours = range(120 * 24, 0, -3)
    watch(
        store,
        "hunsen",
        [(NOW - timedelta(hours=back), 2_100_400 - 20 * back + (30_000 if back < 240 else 0)) for back in hours],
        name="Hun Sen",
    )
    watch(store, "samrainsy", [(NOW - timedelta(hours=back), 2_090_800 - back) for back in hours], name="Sam Rainsy")
    watch(store, "cameron", daily(3_040_000, 400), name="David Cameron", groups=())


def test_it_tells_the_alerts_that_the_past_would_have_raised(store: Store) -> None:
    rivals(store)
    answer = ask(store, "trends backtest hunsen 60d")
    told = shown(store, "trends backtest hunsen 60d")
    assert answer.card.headline.endswith(" of Hun Sen in the past 60 days")
    assert answer.shareable
    assert "overtake 1" in told
    assert "surge 1" in told
    assert "Hun Sen now has more likes than Sam Rainsy" in told
    assert "David Cameron" not in told
    assert store.alerts.recent() == ()


def test_a_group_is_gone_through_as_one(store: Store) -> None:
    rivals(store)
    assert "overtake 1" in shown(store, "trends backtest cambodia 60d")


def test_what_is_older_than_asked_is_only_there_to_compare_with(store: Store) -> None:
    rivals(store)
    told = shown(store, "trends backtest hunsen 2w")
    assert "overtake" not in told
    assert "surge 1" in told


def test_another_threshold_is_told_beside_the_default(store: Store) -> None:
    rivals(store)
    strict = ask(store, "trends backtest hunsen 60d surge>90")
    assert strict.card.headline == (
        "Hun Sen, the past 60 days: no alert with surge>90x, 1 with the default, surge>3.2x"
    )
    told = blockkit.words(block_kit.blocks(strict.card))
    assert "*Raised only with the default: 1*" in told
    assert "gained 30,480 likes" in told
    assert "Alerts of other kinds are the same with both: ahead 1, closing in 1, overtake 1." in told
    assert "Raised by both" not in told
    alike = shown(store, "trends backtest hunsen 60d surge>5")
    assert "1 alert with surge>5x, 1 with the default, surge>3.2x" in alike.replace("&gt;", ">")
    assert "*Raised by both: 1*" in alike
    assert "Raised only" not in alike


def test_rivals_too_many_to_go_through_are_said_to_be_left_out(store: Store) -> None:
    rivals(store)
    for number in range(120):
        watch(store, f"page-{number}", [(NOW - timedelta(days=1), 1_000 + number)])
    told = shown(store, "trends backtest hunsen 90d")
    assert "Hun Sen now has more likes than Sam Rainsy" in told
    assert "compared with the 61 rivals that are nearest to it by count now, and not with the 60 others" in told
    assert "nearest to it" not in shown(store, "trends backtest cameron 90d")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("trends backtest", "Say which page or group"),
        ("trends backtest cambodia 9000d", "Ask for a shorter period"),
        ("trends backtest hunsen 0d5", "is no period"),
        ("trends backtest hunsen 40000d", "is too long: at most 9999d"),
        ("trends backtest hunsen sometimes", "sets no threshold"),
        ("trends backtest hunsen surge>1", "out of bounds"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(store: Store, text: str, why: str) -> None:
    rivals(store)
    with pytest.raises(LikewatchError, match=why):
        ask(store, text)


def test_a_name_that_nobody_has_is_guessed_at_with_all_that_was_asked(store: Store) -> None:
    rivals(store)
    (button, *_) = ask(store, "trends backtest hunsne 30d surge>5").card.buttons
    assert getattr(button, "query", "") == "trends backtest hunsen 30d surge>5"


def test_a_page_that_was_never_read_has_nothing_to_go_through(store: Store) -> None:
    watch(store, "hunsen", [], name="Hun Sen")
    assert ask(store, "trends backtest hunsen").card.headline.startswith("No reading of Hun Sen is stored")


def test_figures_that_are_all_older_are_a_button_away(store: Store) -> None:
    back = timedelta(days=2_000)
    counts = [(NOW - back + timedelta(hours=hour), 99_000 + hour) for hour in range(0, 1_500, 3)]
    watch(store, "hunsen", counts, name="Hun Sen")
    card = ask(store, "trends backtest hunsen 90d surge>5").card
    assert card.headline == (
        "The newest figure of Hun Sen is of 4 August 2021: in the past 90 days there is nothing to test"
    )
    (button,) = card.buttons
    assert isinstance(button, Button)
    assert button.query == "trends backtest hunsen 2001d surge>5x"
    assert "milestone 1" in shown(store, button.query)


def test_figures_too_many_to_go_through_are_no_button_that_is_refused(store: Store) -> None:
    for number in range(12):
        watch(store, f"page-{number}", [(NOW - timedelta(days=2_000), 99_000 + number)])
    card = ask(store, "trends backtest cambodia 90d").card
    assert "nothing to test" in card.headline
    assert card.buttons == ()


def test_nothing_to_tell_is_told(store: Store) -> None:
    rivals(store)
    assert ask(store, "trends backtest cameron 30d").card.headline == "No alert of David Cameron in the past 30 days"


def test_it_is_answered_when_it_is_done_and_holds_up_nobody() -> None:
    command, _ = find_command(Slash.TRENDS, "backtest hunsen")
    assert command.runs_long


def test_alerts_of_others_are_left_out(store: Store) -> None:
    rivals(store)
    since = NOW - timedelta(days=60)
    ours = past_alerts(store, ["hunsen"], since, NOW, all_comparisons())
    theirs = past_alerts(store, ["samrainsy"], since, NOW, all_comparisons())
    assert {alert.kind for alert in ours} > {alert.kind for alert in theirs if alert.rival} >= {"ahead", "overtake"}
    assert all("hunsen" in {alert.page, alert.rival} for alert in ours)
    assert all("samrainsy" in {alert.page, alert.rival} for alert in theirs)
    assert past_alerts(store, ["cameron"], since, NOW, all_comparisons()) == []
    assert past_alerts(store, ["stranger"], since, NOW, all_comparisons()) == []
