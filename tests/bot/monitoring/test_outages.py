"""The operators get one message when a platform's outage begins, and one when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.monitoring.outages import PlatformOutages
from bot.platforms.contract import Reason
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, track

EVERY = timedelta(minutes=15)


class Operators:
    """Operators who collect their messages. No message reaches them while ``away``."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.away = False

    def tell(self, sentence: str) -> bool:
        if not self.away:
            self.told.append(sentence)
        return not self.away


class Desk:
    """Two platforms with a page each, polled and checked every minute."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store, self.clock = store, clock
        self.operators = Operators()
        self.platforms = {name: ToldPlatform(name) for name in ("one", "two")}
        for name, platform in self.platforms.items():
            platform.counts = {f"page-{name}": 5}
            track(store, f"page-{name}", platform=name, every=EVERY, now=START)
        self.start()

    def start(self) -> None:
        sources = {name: platform.source() for name, platform in self.platforms.items()}
        self.cycle = cycle(self.store, self.clock, sources)
        self.outages = PlatformOutages(self.store, self.clock, title=str.title, post=self.operators.tell)

    def go_on_for(self, minutes: int) -> None:
        for _ in range(minutes):
            self.cycle.run_due()
            self.outages.check()
            self.clock.move(timedelta(minutes=1))


@pytest.fixture
def desk(store: Store, clock: HandClock) -> Desk:
    return Desk(store, clock)


def test_an_outage_is_told_once_and_its_end_once(desk: Desk) -> None:
    desk.go_on_for(60)
    desk.platforms["one"].failures = {"page-one": Reason.UNREACHABLE}
    desk.go_on_for(300)
    desk.platforms["one"].failures = {}
    desk.go_on_for(300)
    began, ended = desk.operators.told
    assert began.startswith("One cannot be read since 02 November, 09:")
    assert "its page failing. It was told to fail." in began
    assert ended.startswith("One is read again. It could not be read for 5 hours")


def test_a_hiccup_is_told_to_nobody(desk: Desk) -> None:
    desk.go_on_for(60)
    desk.platforms["one"].failures = {"page-one": Reason.UNREACHABLE}
    desk.go_on_for(20)
    desk.platforms["one"].failures = {}
    desk.go_on_for(60)
    assert desk.operators.told == []


def test_a_token_that_was_refused_is_told_at_once(desk: Desk) -> None:
    desk.platforms["two"].failures = {"page-two": Reason.AUTH_REFUSED}
    desk.go_on_for(1)
    assert [sentence.split(",")[0] for sentence in desk.operators.told] == ["Two cannot be read"]


def test_each_outage_is_its_own(desk: Desk) -> None:
    for name in ("one", "two", "one"):
        desk.platforms[name].failures = {f"page-{name}": Reason.UNREACHABLE}
        desk.go_on_for(120)
        desk.platforms[name].failures = {}
        desk.go_on_for(120)
    assert [sentence[:12] for sentence in desk.operators.told] == [
        "One cannot b",
        "One is read ",
        "Two cannot b",
        "Two is read ",
        "One cannot b",
        "One is read ",
    ]


def test_a_restart_does_not_tell_it_again(desk: Desk) -> None:
    desk.platforms["one"].failures = {"page-one": Reason.UNREACHABLE}
    desk.go_on_for(120)
    desk.cycle.close()
    desk.start()
    desk.go_on_for(120)
    assert len(desk.operators.told) == 1


def test_who_could_not_be_told_is_told_later(desk: Desk) -> None:
    desk.operators.away = True
    desk.platforms["one"].failures = {"page-one": Reason.UNREACHABLE}
    desk.go_on_for(120)
    desk.operators.away = False
    desk.go_on_for(10)
    assert len(desk.operators.told) == 1


def test_a_page_tracked_during_an_outage_does_not_end_it(desk: Desk) -> None:
    desk.platforms["one"].failures = {"page-one": Reason.UNREACHABLE, "another": Reason.UNREACHABLE}
    desk.go_on_for(120)
    track(desk.store, "another", platform="one", every=EVERY, now=desk.clock.now())
    desk.go_on_for(120)
    assert len(desk.operators.told) == 1
