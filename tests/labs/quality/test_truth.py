"""Planted events are found, and what is not quite one is not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.labs.quality.candidates import true_leads
from tests.labs.quality.events import Duty, Event
from tests.labs.quality.growth import grow
from tests.labs.quality.true_counts import last_milestone, milestones, next_milestone, platform_events, purges, surges
from tests.labs.quality.true_leads import Pair, overtakes, passings
from tests.labs.quality.true_shares import majorities, new_shares, total_shares
from tests.labs.quality.values import DAY, HOUR, START, Burst, Campaign, Fate, Latent, Removal, SimulatedPage, World

PAGE = SimulatedPage(
    slug="hunsen",
    home="KH",
    group="cambodia",
    platform="facebook",
    precision="exact",
    likes=450_000,
    usual=400,
    abroad=0.2,
    flow=0.2,
    drift=0.0,
    poll_hours=1,
    coverage=0.95,
)


def grown(fate: Fate, *, page: SimulatedPage = PAGE, days: int = 80) -> Latent:
    return grow(page, fate, days, random.Random(1))


def pair(*leads: tuple[int, int]) -> Pair:
    """Leads of the first page: (hours, by how much)."""
    return Pair(first="a", second="b", start=START, lead=[by for hours, by in leads for _ in range(hours)])


def of(events: list[Event], duty: Duty) -> list[tuple[str, float]]:
    return [(event.page, (event.met - START) / HOUR) for event in events if event.duty is duty]


@pytest.mark.parametrize(
    ("leads", "required", "either"),
    [
        pytest.param(((200, 5), (400, -5)), [("b", 200)], [], id="held"),
        pytest.param(((200, 5), (72, -5), (300, 5)), [("b", 200), ("a", 272)], [], id="held twice"),
        pytest.param(((200, 5), (71, -5), (300, 5)), [], [("b", 200), ("a", 271)], id="a while, and back"),
        pytest.param(((200, 5), (23, -5), (300, 5)), [], [], id="a flap"),
        pytest.param(((200, 5), (60, 0), (300, 5)), [], [], id="a tie"),
        pytest.param(((200, 5), (60, -5), (9, 0), (60, -5), (200, 5)), [("b", 200), ("a", 329)], [], id="over a tie"),
        pytest.param(((200, 5), (30, -5), (9, 5), (300, -5)), [("b", 200)], [], id="a while, a flap, and held"),
        pytest.param(((200, 5), (20, -5), (9, 5), (300, -5)), [("b", 229)], [], id="flaps, and held"),
        pytest.param(((200, 5), (80, -5), (9, 5), (300, -5)), [("b", 200)], [], id="held, with a flap"),
        pytest.param(((200, 5), (50, -5), (9, 5), (50, -5)), [], [("b", 200)], id="never 72 hours at a stretch"),
        pytest.param(((60, 5), (400, -5)), [], [("b", 60)], id="at the beginning"),
        pytest.param(((200, 5), (9, -5)), [], [("b", 200)], id="at the end"),
    ],
)
def test_an_overtake_is_a_lead_held_for_72_hours(
    leads: tuple[tuple[int, int], ...], required: list[tuple[str, float]], either: list[tuple[str, float]]
) -> None:
    events = [*overtakes(pair(*leads))]
    assert of(events, Duty.REQUIRED) == required
    assert of(events, Duty.EITHER) == either


@pytest.mark.parametrize(("read_again", "duty"), [(12, Duty.REQUIRED), (70, Duty.WELCOME)])
def test_of_real_series_a_passing_is_owed_only_where_both_were_read_while_it_was_news(
    read_again: int, duty: Duty
) -> None:
    """b passes a on the fifth day, and a is read on the first day, and not before day ``read_again``."""
    counts = {
        "a": [(START + day * DAY, 1_000) for day in (0, read_again, 80)],
        "b": [(START + day * DAY, 996 + day) for day in range(80)],
    }
    (event,) = true_leads(counts)
    assert (event.page, event.duty) == ("b", duty)


def test_a_passing_that_came_slowly_could_be_foreseen_and_a_sudden_one_could_not() -> None:
    slow = Pair(first="a", second="b", start=START, lead=[1500 - hour for hour in range(2000)])
    sudden = pair((1500, 1500), (500, -1))
    assert of([*passings(slow)], Duty.REQUIRED) == [("b", 1501)]
    assert of([*passings(sudden)], Duty.REQUIRED) == []
    assert of([*passings(sudden)], Duty.WELCOME) == [("b", 1500)]


@pytest.mark.parametrize(
    ("size", "duties"), [(12.0, [Duty.REQUIRED]), (3.2, [Duty.EITHER]), (0.8, [])], ids=["large", "middling", "small"]
)
def test_a_surge_is_five_usual_days_in_one(size: float, duties: list[Duty]) -> None:
    found = [*surges(grown(Fate(bursts=(Burst(hour=1200, size=size, rise=2, fade=6),))))]
    assert [event.duty for event in found] == duties
    assert all(START + 1200 * HOUR < event.seen <= event.met < START + 1224 * HOUR for event in found)


def test_many_likes_for_a_tiny_page_are_no_surge() -> None:
    tiny = replace(PAGE, likes=9_000, usual=10)
    assert not [*surges(grown(Fate(bursts=(Burst(hour=1200, size=20, rise=2, fade=6),)), page=tiny))]


@pytest.mark.parametrize(
    ("share", "duties"), [(0.02, [Duty.REQUIRED]), (0.005, [Duty.EITHER]), (0.001, [])], ids=["large", "small", "tiny"]
)
def test_a_purge_is_a_loss_of_three_quarters_of_a_percent(share: float, duties: list[Duty]) -> None:
    found = [*purges(grown(Fate(removals=(Removal(hour=1000, hours=6, share=share),))))]
    assert [event.duty for event in found] == duties
    assert all(START + 1000 * HOUR < event.seen <= START + 1006 * HOUR for event in found)


def test_many_pages_purged_together_are_the_platforms_event() -> None:
    pages = [replace(PAGE, slug=f"page{number}", group=f"group{number // 4}") for number in range(8)]
    fates = [Fate(removals=(Removal(hour=1000 + 3 * n, hours=5, share=0.02),) * (n < 6)) for n in range(8)]
    latents = [grown(fate, page=page) for page, fate in zip(pages, fates, strict=True)]
    purged = [event for latent in latents for event in purges(latent)]
    world = World(seed=0, days=80, latents=latents, outages=())
    found = [*platform_events(world, purged)]
    assert [(event.page, event.duty) for event in found] == [("facebook", Duty.REQUIRED)]
    assert not [*platform_events(world, purged[:4])]


def test_a_milestone_is_passed_once_and_only_the_highest_counts() -> None:
    counts = [9_500, 10_100, 9_900, 10_200, *[10_300] * 60, 20_100, 31_000, *[31_000] * 100]
    latent = replace(grown(Fate()), likes=counts)
    found = [(event.value, event.duty) for event in milestones(latent)]
    assert found == [(10_000, Duty.REQUIRED), (20_000, Duty.EITHER), (30_000, Duty.REQUIRED)]


def test_milestones_are_whole_first_digits_from_ten_thousand() -> None:
    assert [next_milestone(likes) for likes in (0, 9_999, 10_000, 99_999, 950_000)] == [
        *(10_000, 10_000, 20_000, 100_000, 1_000_000)
    ]
    assert [last_milestone(likes) for likes in (9_999, 10_000, 123_456, 1_999_999)] == [0, 10_000, 100_000, 1_000_000]


@pytest.mark.parametrize(
    ("strength", "duties"), [(2.0, [Duty.REQUIRED]), (0.2, [Duty.EITHER]), (0.02, [])], ids=["large", "small", "tiny"]
)
def test_a_campaign_abroad_moves_the_share_of_new_likes(strength: float, duties: list[Duty]) -> None:
    busy = replace(PAGE, usual=1_500)
    campaign = Campaign(day=45, days=20, strength=strength, countries=(0, 1))
    found = [*new_shares(grown(Fate(campaigns=(campaign,)), page=busy))]
    assert [event.duty for event in found] == duties
    assert all(START + 45 * DAY < event.seen <= event.met <= START + 56 * DAY for event in found)


def test_a_large_campaign_moves_the_share_of_all_likes_too() -> None:
    campaign = Campaign(day=40, days=20, strength=4.0, countries=(0, 1))
    latent = grown(Fate(campaigns=(campaign,)), days=90)
    assert [event.duty for event in total_shares(latent)] == [Duty.REQUIRED]
    assert not [*total_shares(grown(Fate(), days=90))]


def test_a_majority_abroad_is_passed_once() -> None:
    close = replace(PAGE, abroad=0.46, flow=0.95, usual=3_000, coverage=0.99)
    found = [*majorities(grown(Fate(), page=close, days=120))]
    assert [event.duty for event in found] == [Duty.REQUIRED]
    assert not [*majorities(grown(Fate(), page=replace(close, abroad=0.6), days=120))]
