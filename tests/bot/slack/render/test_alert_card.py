from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.evidence.trace import reference
from bot.pages.alert_names import alert_sentence
from bot.slack.contract import Button, Slash
from bot.slack.discovery import find_command, parse_query
from bot.slack.render import block_kit
from bot.slack.render.alert_card import alert_card
from handlers.model import Alert, Dated
from storage.store import Store
from storage.values import StoredAlert
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, daily, overtake, watch
from tests.labs.standins.histories import scene


@pytest.fixture
def rivals(store: Store) -> Store:
    """A store with the two pages of the story."""
    watch(store, "hunsen", daily(2_108_800, 1_000, until=NOW), name="Hun Sen")
    watch(store, "samrainsy", daily(2_094_800, 100, until=NOW), name="Sam Rainsy")
    return store


def kept(alert: Alert, *, replayed: bool = False) -> StoredAlert:
    return StoredAlert(alert=alert, recorded_at=NOW, replayed=replayed, historical=False)


def test_what_happened_to_a_platform_offers_nothing_that_its_name_cannot_answer(store: Store) -> None:
    (button,) = alert_card(kept(scene("platform_event")), store).buttons
    assert isinstance(button, Button)
    assert button.label == "Evidence"


def test_it_says_by_whose_threshold_it_was_told(rivals: Store) -> None:
    alert = replace(scene("surge"), page="hunsen")
    own = "This channel set surge to 5 times the usual day; the default is 3.2."
    assert own not in alert_card(kept(alert), rivals).context
    assert own in alert_card(kept(replace(alert, threshold=5.0, tuned=True)), rivals).context
    purge = replace(scene("purge"), page="hunsen", threshold=2.5, tuned=True)
    assert "This channel set purge to 2.5% of the audience; the default is 0.5." in (
        alert_card(kept(purge), rivals).context
    )


def test_it_says_what_happened_with_figures_dates_and_sources(rivals: Store) -> None:
    card = alert_card(kept(overtake()), rivals)
    shown = block_kit.blocks(card)
    assert blockkit.faults(shown) == []
    assert card.headline.startswith("Hun Sen now has more likes than Sam Rainsy (2,108,800 v 2,094,800")
    assert alert_sentence(overtake(), rivals) == card.headline
    assert [(label, block_kit.plain(value)) for label, value in card.fields] == [
        ("Hun Sen: likes", "2,108,800 likes (2,108,750 to 2,108,850) · 24 November 2026, The Cambodia Daily"),
        ("Sam Rainsy: likes", "2,094,800 likes (2,094,750 to 2,094,850) · 24 November 2026, The Cambodia Daily"),
    ]
    assert "Rule: Ahead at every evaluation" in blockkit.words(shown)
    assert "Replayed" not in blockkit.words(shown)


def test_its_chart_shows_both_pages_up_to_the_alert(rivals: Store) -> None:
    at = NOW - timedelta(days=5)
    plot = alert_card(kept(overtake(at=at)), rivals).plot
    assert plot is not None
    assert [series.name for series in plot.series] == ["Hun Sen", "Sam Rainsy"]
    assert plot.categories[-1] == "19 Nov"
    assert plot.series[0].values[-1] == 2_108_800 - 5 * 1_000


def test_a_replayed_alert_says_so_with_its_date(rivals: Store) -> None:
    card = alert_card(kept(replace(overtake(), dated=Dated.INSTANT), replayed=True), rivals)
    assert (
        "Replayed from published figures: this is what would have been posted on 24 November 2026."
        in block_kit.plain(card.lines[0])
    )


def test_a_later_alert_of_the_story_carries_what_came_before(rivals: Store) -> None:
    first = overtake(at=NOW - timedelta(days=1), kind="ahead")
    rivals.alerts.add([first, overtake(), replace(overtake(), key="another", story="another")], at=NOW)
    said = blockkit.words(block_kit.blocks(alert_card(kept(overtake()), rivals)))
    assert said.count("Before, ") == 1
    assert "Before, 23 November 2026: Hun Sen moved ahead of Sam Rainsy" in said


def test_its_buttons_ask_what_commands_understand(rivals: Store) -> None:
    (actions,) = [
        block for block in block_kit.blocks(alert_card(kept(overtake()), rivals)) if block["type"] == "actions"
    ]
    asked = [find_command(*parse_query(button["value"])) for button in actions["elements"]]
    assert [(command.slash, command.verbs[0], rest) for command, rest in asked] == [
        (Slash.TRENDS, "mute", "hunsen 1h"),
        (Slash.TRENDS, "mute", "hunsen 1d"),
        (Slash.TRENDS, "mute", "hunsen 1w"),
        (Slash.TRENDS, "unsubscribe", "hunsen"),
        (Slash.TRENDS, "evidence", reference(overtake())),
    ]


def test_an_alert_about_pages_no_longer_watched_still_has_a_card(store: Store) -> None:
    card = alert_card(kept(overtake()), store)
    assert card.headline.startswith("hunsen now has more likes than samrainsy")
    assert blockkit.faults(block_kit.blocks(card)) == []
