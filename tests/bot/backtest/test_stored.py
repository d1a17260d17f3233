from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.backtest import past_alerts
from bot.errors import LikewatchError
from bot.feeding import by_instant
from handlers.comparisons.milestone import COMPARISON as MILESTONE
from handlers.contract import Verdict, Window
from handlers.model import Page
from storage.store import Store
from tests.standins.clock import HandClock
from tests.standins.newsroom import START, cycle, reading
from tests.standins.rules.crowd import COMPARISON as CROWD

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "likewatch.db")
    yield opened
    opened.close()


def watch(store: Store, *slugs: str) -> None:
    with store.write():
        for slug in slugs:
            store.pages.add(Page(slug=slug, name=slug, platform="told", groups=("cambodia",)), None, at=START)


def test_stored_readings_are_seen_once_an_hour(store: Store) -> None:
    watch(store, "hunsen")
    read = [reading("hunsen", 40_000 + minute, START + minute * MINUTE) for minute in range(0, 300, 15)]
    made = cycle(store, HandClock(START + DAY), {}, comparisons=())
    made.absorb(by_instant(read, ()))
    made.close()
    looked: list[int] = []

    def look(window: Window, _told: bool) -> Verdict[bool] | None:
        looked.append(window.tracks["hunsen"].last.count)
        return None

    rule = replace(CROWD, compare=look)
    past_alerts(store, ["hunsen"], START, START + DAY, [rule])
    assert looked == [40_045 + 60 * hour for hour in range(5)]


@pytest.mark.parametrize(
    ("pages", "days", "instead"),
    [
        (
            60,
            150,
            "60 pages with their rivals, .* Ask for a shorter period, 100d at most, or for a page that has",
        ),
        (101, 1, "101 pages with their rivals, .* Ask for a page that has fewer rivals: those of a page are the pages"),
    ],
)
def test_more_than_can_be_waited_for_is_refused_with_what_to_ask_instead(
    store: Store, pages: int, days: int, instead: str
) -> None:
    watch(store, *(f"page-{number}" for number in range(pages)))
    with pytest.raises(LikewatchError, match=instead):
        past_alerts(store, ["page-0"], START, START + days * DAY, [MILESTONE])


def test_what_it_names_instead_is_gone_through(store: Store) -> None:
    watch(store, *(f"page-{number}" for number in range(60)))
    assert past_alerts(store, ["page-0"], START, START + 100 * DAY, [MILESTONE]) == []
