from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.backtest.from_store import past_alerts, rivals
from bot.errors import LikewatchError
from bot.imports.replay import by_instant
from handlers.comparisons.milestone import COMPARISON as MILESTONE
from handlers.comparisons.overtake import COMPARISON as OVERTAKE
from handlers.contract import Verdict, Window
from handlers.model import Page
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, cycle, reading
from tests.labs.standins.rules.crowd import COMPARISON as CROWD
from tests.labs.standins.rules.crowd import CrowdParameters, CrowdState

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def watch(store: Store, *slugs: str) -> None:
    with store.write():
        for slug in slugs:
            store.pages.add(Page(slug=slug, name=slug, platform="told", groups=("cambodia",)), None, at=START)


def test_stored_readings_are_seen_once_an_hour(store: Store) -> None:
    watch(store, "hunsen")
    read = [reading("hunsen", 40_000 + minute, START + minute * MINUTE) for minute in range(0, 300, 15)]
    made = cycle(store, HandClock(START + DAY), {}, comparisons=())
    made.add_figures(by_instant(read, ()))
    made.close()
    looked: list[int] = []

    def look(window: Window, _state: CrowdState, _parameters: CrowdParameters) -> Verdict[CrowdState] | None:
        looked.append(window.series_states["hunsen"].last.count)
        return None

    rule = replace(CROWD, compare=look)
    past_alerts(store, ["hunsen"], START, START + DAY, [rule])
    assert looked == [40_045 + 60 * hour for hour in range(5)]


@pytest.mark.parametrize(
    ("pages", "days", "instead"),
    [
        (60, 150, "60 pages, too many .* Ask for a shorter period, 100d at most, or for one page of the group"),
        (101, 1, "101 pages, too many .* Ask for one page of the group; it is held against its nearest rivals"),
    ],
)
def test_more_than_can_be_waited_for_is_refused_with_what_to_ask_instead(
    store: Store, pages: int, days: int, instead: str
) -> None:
    slugs = [f"page-{number}" for number in range(pages)]
    watch(store, *slugs)
    with pytest.raises(LikewatchError, match=instead):
        past_alerts(store, slugs, START, START + days * DAY, [MILESTONE])


def test_what_it_names_instead_is_gone_through(store: Store) -> None:
    slugs = [f"page-{number}" for number in range(60)]
    watch(store, *slugs)
    assert past_alerts(store, slugs, START, START + 100 * DAY, [MILESTONE]) == []


def test_a_page_of_a_large_group_is_held_against_its_nearest_rivals(store: Store) -> None:
    slugs = [f"page-{number:03}" for number in range(120)]
    watch(store, *slugs)
    counts = {slug: 1_000_000 + 10_000 * number for number, slug in enumerate(slugs)}
    made = cycle(store, HandClock(START + 4 * DAY), {}, comparisons=())
    made.add_figures(
        by_instant(
            [
                reading(slug, count + (400 if slug == "page-060" else 1) * hour, START + timedelta(hours=hour))
                for slug, count in counts.items()
                for hour in range(0, 72, 6)
            ],
            (),
        )
    )
    made.close()
    chosen = rivals(store, ["page-060"], 90 * DAY)
    assert len(chosen.compared) == 61
    assert chosen.left_out == 58
    assert {"page-061", "page-062", "page-059"} <= {page.slug for page in chosen.compared}
    told = past_alerts(store, ["page-060"], START - 86 * DAY, START + 4 * DAY, [OVERTAKE])
    assert {alert.rival for alert in told if alert.kind == "overtake"} == {"page-061"}


def test_all_rivals_of_a_small_group_are_looked_at(store: Store) -> None:
    watch(store, "a", "b", "c")
    found = rivals(store, ["a"], 90 * DAY)
    assert ({page.slug for page in found.compared}, found.left_out) == ({"b", "c"}, 0)
