from __future__ import annotations

import pytest

from handlers.contract import Names
from handlers.wording.guard import ForbiddenClaim, guard
from handlers.wording.phrases import CAVEAT
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import SCENES, Replay, page, reading, scene

WORDS = Names(page=str.title, country=lambda code: {"KH": "Cambodia", "IN": "India", "PH": "the Philippines"}[code])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ahead", "B moved ahead of A by 18 likes (1,020 v 1,002), not settled yet."),
        (
            "overtake",
            "B now has more likes than A (1,035 v 1,025), ahead at every reading since 6 May 2024, 10:00 UTC.",
        ),
        (
            "held_off",
            (
                "A has more likes than B again (1,126 v 1,086), ahead at every reading since 6 May 2024, 13:00 UTC: "
                "the lead did not change."
            ),
        ),
        (
            "new_foreign_share",
            (
                "At least 52.7% of A's 12,342 new likes, 23 July to 31 July 2024, came from accounts listed outside "
                "Cambodia (53.7% of those with a country; 26.3% before)."
            ),
        ),
        (
            "total_foreign_share",
            (
                "29.5% of A's likes with a known country are from accounts listed outside Cambodia, up from 26.3% on "
                "24 May 2024."
            ),
        ),
        (
            "foreign_majority",
            (
                "More than half of A's likes with a known country are from accounts listed outside Cambodia: 51.3% "
                "on 17 July 2024."
            ),
        ),
    ],
)
def test_it_says_what_happened_in_one_sentence(kind: str, expected: str) -> None:
    assert headline(scene(kind), WORDS) == expected


@pytest.mark.parametrize("kind", [kind for kind in SCENES if "foreign" in kind])
def test_the_caveat_goes_with_every_foreign_claim(kind: str) -> None:
    assert CAVEAT in lines(scene(kind), WORDS)


def test_rounded_counts_are_said_to_be_rounded() -> None:
    replay = Replay((page("a", "g"), page("b", "g")))
    for hours, theirs in ((0, 1_230_000), (1, 1_260_000), (2, 1_260_000)):
        replay.arrive(reading("a", hours, 1_250_000, width=9_999), reading("b", hours, theirs, width=9_999))
    assert "(1,260,000 v 1,250,000 by rounded figures)" in headline(replay.alerts[0], WORDS)
    assert lines(replay.alerts[0], WORDS)[0] == "The difference is 10,000 likes; rounding allows 1 to 19,999."


@pytest.mark.parametrize(
    "claim",
    [
        "A's new likes are fake.",
        "A bought 600,000 likes.",
        "They were bots.",
        "The likes come from a click farm.",
        "Trolls like A.",
        "A is now the most popular politician.",
        "A paid for them.",
        "Somebody intended this.",
        "A did so on purpose.",
        "These likes are not genuine.",
        "A is under attack.",
        f"{CAVEAT} And A bought likes.",
    ],
)
def test_the_guard_refuses_what_counting_cannot_show(claim: str) -> None:
    with pytest.raises(ForbiddenClaim):
        guard(claim)


def test_the_guard_lets_the_caveat_name_what_it_does_not_claim() -> None:
    guard(CAVEAT)


def test_names_are_quoted_and_not_guarded() -> None:
    loud = Names(page=lambda _: "Bots Weekly", country=lambda _: "Fakeland")
    assert headline(scene("ahead"), loud).startswith("Bots Weekly moved ahead of Bots Weekly")
    assert any("Fakeland" in line for line in lines(scene("new_foreign_share"), loud))
