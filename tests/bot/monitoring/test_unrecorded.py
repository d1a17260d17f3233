"""When readings cannot be recorded, the operators get a message, gaps are stored if possible, and polls get rarer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.monitoring.health import Health, health
from bot.monitoring.heartbeat import Heartbeat
from bot.monitoring.outages import PlatformOutages, RecordingOutage
from tests.labs.standins.evidence_newsroom import HOUR, EvidenceNewsroom, evidence_newsroom

DISKS = ("disk", "main")
MINUTE = timedelta(minutes=1)


class Watched:
    """Two pages that are due each hour, with a check each minute. ``polls`` are the instants of the reads."""

    def __init__(self, kept: EvidenceNewsroom) -> None:
        self.kept = kept
        self.beat = Heartbeat(kept.cycle.run_due, kept.clock)
        self.told: list[str] = []
        self.away = False
        self.outages = PlatformOutages(kept.store, kept.clock, title=str.title, post=self._tell)
        self.recording = RecordingOutage(self.beat.pulse, kept.clock, post=self._tell)
        self.polls: list[timedelta] = []
        self._minutes = 0

    def fill(self, disk: str, *, full: bool = True) -> None:
        getattr(self.kept, disk).full = full

    def go_on_for(self, length: timedelta) -> None:
        for _ in range(length // MINUTE):
            self.kept.clock.move(MINUTE)
            self._minutes += 1
            self.kept.count(1_000 + self._minutes, 5_000 + self._minutes)
            before = len(self.kept.graph.requests)
            self.beat.run_due()
            if len(self.kept.graph.requests) > before:
                self.polls.append(self._minutes * MINUTE)
            self.outages.check()
            self.recording.check()

    def health(self) -> Health:
        return health(self.kept.store, self.beat.pulse(), self.kept.clock.now())

    def troubles(self) -> set[str]:
        board = self.kept.store.readings.page_snapshots(["hunsen", "samrainsy"])
        return {latest.trouble.reason for latest in board if latest.trouble}

    def _tell(self, sentence: str) -> bool:
        if not self.away:
            self.told.append(sentence)
        return not self.away


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with evidence_newsroom(tmp_path / "kept") as kept:
        made = Watched(kept)
        made.go_on_for(2 * HOUR)
        made.polls.clear()
        yield made


@pytest.mark.parametrize("disk", DISKS)
def test_the_operators_hear_of_it_once_and_once_that_it_is_over(watched: Watched, disk: str) -> None:
    watched.fill(disk)
    watched.go_on_for(10 * HOUR)
    watched.fill(disk, full=False)
    watched.go_on_for(3 * HOUR)
    began, ended = watched.told
    assert began.startswith("Readings cannot be recorded. The ")
    assert "disk is full." in began
    assert ended.startswith("Readings are recorded again. That was impossible for ")


@pytest.mark.parametrize("disk", DISKS)
def test_who_could_not_be_told_is_told_later(watched: Watched, disk: str) -> None:
    watched.fill(disk)
    watched.away = True
    watched.go_on_for(2 * HOUR)
    watched.away = False
    watched.go_on_for(HOUR)
    assert len(watched.told) == 1


@pytest.mark.parametrize("disk", DISKS)
def test_the_health_says_so_between_two_polls_as_well_and_only_then(watched: Watched, disk: str) -> None:
    assert watched.health().reasons == ()
    watched.fill(disk)
    watched.go_on_for(5 * HOUR + 7 * MINUTE)
    (reason,) = watched.health().reasons
    assert "cannot be recorded" in reason
    assert "disk is full." in reason
    assert watched.health().dark == ()
    watched.fill(disk, full=False)
    watched.go_on_for(2 * HOUR)
    assert watched.health().reasons == ()


def test_where_only_the_evidence_cannot_be_written_the_polls_are_recorded_as_failed(watched: Watched) -> None:
    watched.fill("disk")
    watched.go_on_for(10 * HOUR)
    assert watched.troubles() == {"unrecorded"}
    assert 9 <= len(watched.polls) <= 10
    watched.fill("disk", full=False)
    watched.go_on_for(2 * HOUR)
    assert watched.troubles() == set()


def test_where_nothing_can_be_written_it_is_asked_ever_more_rarely(watched: Watched) -> None:
    watched.fill("main")
    watched.go_on_for(10 * HOUR)
    gaps = [later - earlier for earlier, later in pairwise(watched.polls)]
    assert gaps[:5] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 15 * MINUTE]
    assert set(gaps[5:]) == {15 * MINUTE}
    assert watched.beat.pulse().failures["unrecorded"] == 2 * len(watched.polls)


def test_the_next_time_the_rests_begin_anew(watched: Watched) -> None:
    for _ in range(2):
        watched.fill("main")
        watched.polls.clear()
        watched.go_on_for(3 * HOUR)
        assert watched.polls[1] - watched.polls[0] == MINUTE
        watched.fill("main", full=False)
        watched.go_on_for(2 * HOUR)
