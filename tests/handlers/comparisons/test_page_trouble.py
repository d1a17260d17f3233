"""A page's own trouble: told when it lasted, once, and taken back on the same card."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.comparisons.page_trouble import COMPARISON, PageTroubleState
from handlers.contract import Names
from handlers.model import PageStatus, PageTrouble
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import START, Replay, lasting, noticed, page, reading, scene

WORDS = Names(page=lambda name: name.title() if name == "a" else name, country=str)
GONE, UNREAD, HIDDEN, MERGED = PageTrouble.UNAVAILABLE, PageTrouble.UNREAD, PageTrouble.HIDDEN, PageTrouble.MERGED

Polls = list[tuple[float, PageTrouble | None]]


def _kinds(replay: Replay) -> list[str]:
    return [alert.kind for alert in replay.alerts]


def _every(hours: float, trouble: PageTrouble, *, start: float, until: float) -> Polls:
    return [(start + hours * turn, trouble) for turn in range(int((until - start) / hours) + 1)]


@pytest.mark.parametrize(
    ("polls", "kinds"),
    [
        pytest.param([(1, GONE), (2, GONE), (3, None)], [], id="a short hole"),
        pytest.param(_every(1, GONE, start=1, until=24), [], id="23 hours"),
        pytest.param(_every(1, GONE, start=1, until=25), ["page_unavailable"], id="24 hours"),
        pytest.param(_every(1, GONE, start=1, until=400), ["page_unavailable"], id="once, however long"),
        pytest.param(
            [*_every(1, GONE, start=1, until=400), (401, None)], ["page_unavailable", "page_back"], id="and back"
        ),
        pytest.param([(1, None), (2, None)], [], id="read again after nothing that was told"),
        pytest.param(_every(1, UNREAD, start=1, until=99), ["page_unread"], id="no count for a day"),
        pytest.param(
            [*_every(1, GONE, start=1, until=12), (13, UNREAD), *_every(1, GONE, start=14, until=40)],
            ["page_unavailable"],
            id="an answer that never came in between changes nothing",
        ),
        pytest.param(
            [*_every(1, UNREAD, start=1, until=30), *_every(1, GONE, start=31, until=60)],
            ["page_unread", "page_unavailable"],
            id="what the platform says later is told too",
        ),
        pytest.param(
            [*_every(1, GONE, start=1, until=30), *_every(1, UNREAD, start=31, until=90)],
            ["page_unavailable"],
            id="no answer adds nothing to being unavailable",
        ),
        pytest.param([(1, GONE), (26, GONE)], [], id="polls on two days with a hole between"),
        pytest.param([(1, HIDDEN)], [], id="hidden on one poll"),
        pytest.param([(1, HIDDEN), (2, HIDDEN), (3, HIDDEN)], ["page_hidden"], id="hidden on two"),
        pytest.param([(1, HIDDEN), (2, None), (3, HIDDEN)], [], id="hidden on two that are not in a row"),
        pytest.param(
            [(1, HIDDEN), (2, HIDDEN), *_every(1, GONE, start=3, until=26)],
            ["page_hidden"],
            id="then gone: 23 hours",
        ),
        pytest.param(
            [(1, HIDDEN), (2, HIDDEN), *_every(1, GONE, start=3, until=27), (28, None)],
            ["page_hidden", "page_unavailable", "page_back"],
            id="hidden, then gone, then back",
        ),
        pytest.param(
            [(1, HIDDEN), (2, HIDDEN), *((hour, GONE if hour % 12 else HIDDEN) for hour in range(3, 60))],
            ["page_hidden"],
            id="hidden, then gone for less than a day at a time",
        ),
        pytest.param(
            [*_every(1, GONE, start=1, until=25), (26, HIDDEN), (27, GONE), (28, HIDDEN)],
            ["page_unavailable"],
            id="gone, then hidden on two polls that are not in a row",
        ),
        pytest.param([(1, MERGED), (2, MERGED)], ["page_merged"], id="merged, at once"),
        pytest.param([(1, PageTrouble.RENAMED)], ["page_renamed"], id="renamed, at once"),
        pytest.param(
            [(1, GONE), (2, PageTrouble.RENAMED), *_every(1, GONE, start=3, until=25)],
            ["page_renamed", "page_unavailable"],
            id="a new name ends no trouble",
        ),
        pytest.param(
            [*_every(1, GONE, start=1, until=30), (31, None), *_every(1, GONE, start=32, until=60)],
            ["page_unavailable", "page_back", "page_unavailable"],
            id="a second episode",
        ),
    ],
)
def test_it_tells_what_lasted_once_an_episode(polls: Polls, kinds: list[str]) -> None:
    assert _kinds(noticed(*polls)) == kinds


def test_all_of_an_episode_is_one_story_and_another_is_another() -> None:
    polls = [*lasting(GONE), (30.0, None), *((50 + hours, trouble) for hours, trouble in lasting(GONE))]
    first, back, second = noticed(*polls).alerts
    assert first.story == back.story != second.story
    assert len({alert.key for alert in (first, back, second)}) == 3


def test_a_page_polled_once_a_day_needs_two_polls() -> None:
    replay = Replay((page("a"),), (COMPARISON,))
    for day in range(5):
        replay.arrive(reading("a", 24 * day, 5_000 + day))
    for day in (5, 6):
        replay.arrive(PageStatus(page="a", at=START + timedelta(days=day), trouble=GONE))
    assert _kinds(replay) == ["page_unavailable"]


def test_a_page_that_was_read_meanwhile_begins_a_new_episode_whoever_forgot_to_say_so() -> None:
    replay = noticed(*lasting(GONE))
    replay.arrive(reading("a", 100, 14_000_100))
    for hours, trouble in lasting(GONE):
        replay.arrive(PageStatus(page="a", at=START + timedelta(hours=200 + hours), trouble=trouble))
    assert _kinds(replay) == ["page_unavailable", "page_unavailable"]


def test_a_page_never_read_may_be_in_trouble_too() -> None:
    replay = Replay((page("a"),), (COMPARISON,))
    for hours, trouble in lasting(GONE):
        replay.arrive(PageStatus(page="a", at=START + timedelta(hours=hours), trouble=trouble))
    (alert,) = replay.alerts
    assert lines(alert, WORDS) == ()


def test_a_restart_between_any_two_polls_changes_nothing() -> None:
    polls: Polls = [*lasting(UNREAD), *((30 + hours, trouble) for hours, trouble in lasting(GONE)), (90, None)]
    replay = Replay((page("a"),), (COMPARISON,))
    replay.arrive(reading("a", 0, 14_000_000))
    for hours, trouble in polls:
        replay.arrive(PageStatus(page="a", at=START + timedelta(hours=hours), trouble=trouble))
        replay.restart()
    assert replay.alerts == noticed(*polls).alerts
    assert replay.rule_states["page_trouble", "a"] == PageTroubleState()


def test_once_told_nothing_more_is_remembered_poll_by_poll() -> None:
    replay = noticed(*lasting(GONE))
    assert replay.arrive(PageStatus(page="a", at=START + timedelta(hours=40), trouble=GONE)).rule_states == {}


def test_gone_is_said_since_the_last_poll_that_found_the_page_there() -> None:
    polls: Polls = [(1, HIDDEN), (2, HIDDEN), (3, GONE), (4, HIDDEN), *_every(1, GONE, start=5, until=29)]
    hidden, gone = noticed(*polls).alerts
    assert gone.fact("lasted").at == START + timedelta(hours=5)
    assert gone.story == hidden.story


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "page_unavailable",
            (
                "A has not been readable since 6 May 2024, 10:00 UTC: the platform does not tell whether it was "
                "deleted, unpublished or restricted."
            ),
        ),
        (
            "page_unread",
            (
                "A has given no count since 6 May 2024, 10:00 UTC, while other pages of its platform were read: the "
                "platform gives no reason."
            ),
        ),
        ("page_hidden", "A is there, and has shown no count since 6 May 2024, 10:00 UTC."),
        (
            "page_merged",
            "A is not read any more: the platform answers that it was merged into facebook.com/456.",
        ),
        ("page_renamed", "A has a new name on its platform: @a.new.name."),
        ("page_back", "A can be read again since 27 May 2024, 15:00 UTC, after about 21 days."),
    ],
)
def test_it_says_what_was_seen_and_no_more(kind: str, expected: str) -> None:
    assert headline(scene(kind), WORDS) == expected


def test_the_count_from_before_stands() -> None:
    assert lines(scene("page_unavailable"), WORDS) == (
        "Its last count, 14,000,000 likes on 6 May 2024, 09:00 UTC, stands: that it cannot be read is no fall.",
    )
    assert lines(scene("page_back"), WORDS) == ("Its newest count is 14,000,000 likes on 6 May 2024, 09:00 UTC.",)


def test_a_page_that_is_called_like_another_is_not_mistaken_for_it() -> None:
    alert = noticed((1, PageTrouble.RENAMED), detail="a").alerts[0]
    assert headline(alert, WORDS) == "A has a new name on its platform: @a."
