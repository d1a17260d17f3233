from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from handlers.model import Page
from storage.errors import StoreError
from storage.store import Store
from storage.values import AuditEntry, Subscription
from tests.standins.samples import DAY, MINUTE, NOON, alert, judged, point, track, wish


T = TypeVar("T")


def elsewhere(ask: Callable[[], T]) -> T:
    """Ask in another thread, while this one goes on holding what it holds."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(ask).result(timeout=5)


def test_others_read_what_is_committed_while_a_transaction_is_open(fresh_store: Store) -> None:
    fresh_store.notes.put("colour", "red")
    with fresh_store.write():
        fresh_store.notes.put("colour", "blue")
        assert fresh_store.notes.get("colour") == "blue"
        assert elsewhere(lambda: fresh_store.notes.get("colour")) == "red"
    assert elsewhere(lambda: fresh_store.notes.get("colour")) == "blue"


def test_a_transaction_lands_whole_or_not_at_all(cambodia: Store) -> None:
    with pytest.raises(ZeroDivisionError), cambodia.write():
        cambodia.readings.take([judged(NOON, 5)])
        cambodia.readings.save_tracks([track(point(NOON, 5))])
        cambodia.alerts.add([alert()], at=NOON)
        cambodia.outbox.put(alert(), [wish()], at=NOON)
        _ = 1 / 0
    assert cambodia.readings.has("hunsen", NOON, "Graph API") is None
    assert cambodia.readings.tracks(["hunsen"]) == {}
    assert cambodia.alerts.recent() == ()
    assert cambodia.outbox.claim(NOON) is None


def test_what_fails_inside_a_transaction_is_undone_alone(fresh_store: Store) -> None:
    with fresh_store.write():
        fresh_store.notes.put("outer", "kept")
        with pytest.raises(RuntimeError), fresh_store.write():
            fresh_store.notes.put("inner", "undone")
            raise RuntimeError
    assert fresh_store.notes.get("outer") == "kept"
    assert fresh_store.notes.get("inner") is None


def test_ids_of_an_undone_transaction_are_forgotten(fresh_store: Store) -> None:
    def page(slug: str) -> Page:
        return Page(slug=slug, name=slug, platform="facebook")

    for undone in (fresh_store.write, lambda: fresh_store.write()):
        with pytest.raises(RuntimeError), undone():
            fresh_store.pages.add(page("undone"), None, at=NOON)
            fresh_store.readings.take([judged(NOON, 5, page="undone", source="undone")])
            raise RuntimeError
    fresh_store.pages.add(page("kept"), None, at=NOON)
    fresh_store.pages.add(page("undone"), None, at=NOON)
    fresh_store.readings.take([judged(NOON, 7, page="kept", source="kept")])
    fresh_store.readings.save_tracks([track(point(NOON, 7, source="kept"), page="kept")])
    assert fresh_store.readings.at("kept", NOON) == point(NOON, 7, source="kept")
    assert fresh_store.readings.has("undone", NOON, "kept") is None


def test_ids_of_an_undone_part_of_a_transaction_are_forgotten(fresh_store: Store) -> None:
    with fresh_store.write():
        with pytest.raises(RuntimeError), fresh_store.write():
            fresh_store.pages.add(Page(slug="undone", name="", platform="facebook"), None, at=NOON)
            fresh_store.readings.take([judged(NOON, 5, page="undone", source="undone")])
            raise RuntimeError
        fresh_store.pages.add(Page(slug="kept", name="", platform="facebook"), None, at=NOON)
        fresh_store.readings.take([judged(NOON, 7, page="kept", source="kept")])
        fresh_store.readings.save_tracks([track(point(NOON, 7, source="kept"), page="kept")])
    assert fresh_store.readings.at("kept", NOON) == point(NOON, 7, source="kept")
    assert fresh_store.readings.has("undone", NOON, "undone") is None


def test_threads_of_every_kind_get_along(cambodia: Store, tmp_path: Path) -> None:
    """A cycle, a fold, a sender, commands that change and commands that ask: none is locked out, nothing is lost."""
    rounds = 40
    start = threading.Barrier(6)

    def cycle() -> None:
        start.wait()
        for number in range(rounds):
            at = NOON + number * MINUTE
            happened = alert(f"key{number}", at=at)
            with cambodia.write():
                cambodia.readings.take([judged(at, number)])
                cambodia.readings.save_tracks([track(point(at, number))])
                cambodia.alerts.add([happened], at=at)
                cambodia.outbox.put(happened, [wish()], at=at)

    def fold() -> None:
        start.wait()
        for number in range(rounds):
            cambodia.readings.fold(NOON + number * MINUTE)

    def send() -> None:
        start.wait()
        now = NOON + DAY
        for _ in range(3 * rounds):
            now += timedelta(seconds=2)
            if delivery := cambodia.outbox.claim(now):
                cambodia.outbox.sent(delivery.id, f"{delivery.id}.0", at=now)

    def change() -> None:
        start.wait()
        for number in range(rounds):
            cambodia.subscriptions.put(wish(channel=f"C{number}"))
            cambodia.audit.add(
                AuditEntry(at=NOON, team_id="T1", channel_id="C1", user_id="U1", action="subscribe", subject="hunsen")
            )

    def ask() -> None:
        start.wait()
        for _ in range(rounds):
            series = cambodia.readings.series("hunsen", NOON, NOON + DAY)
            assert [at.count for at in series] == list(range(len(series))), "never a gap, wherever rows are kept"
            cambodia.readings.board(["hunsen", "samrainsy"])
            cambodia.outbox.depth()

    with ThreadPoolExecutor(6) as threads:
        for running in [threads.submit(run) for run in (cycle, fold, send, change, ask, ask)]:
            running.result(timeout=60)
    assert len(cambodia.readings.series("hunsen", NOON, NOON + DAY)) == rounds
    assert len(cambodia.audit.recent(limit=1000)) == rounds
    assert sum(cambodia.outbox.depth().values()) == rounds
    cambodia.backup(tmp_path / "copy.db")


def test_one_of_many_wins_each_delivery(cambodia: Store) -> None:
    wishes: list[Subscription] = [wish(channel=f"C{number}") for number in range(30)]
    cambodia.outbox.put(alert(), wishes, at=NOON)

    def claim(_: int) -> list[int]:
        won = []
        while delivery := cambodia.outbox.claim(NOON):
            won.append(delivery.id)
        return won

    with ThreadPoolExecutor(4) as senders:
        won = [delivery for claimed in senders.map(claim, range(4)) for delivery in claimed]
    assert len(won) == len(set(won)) == 30


def test_a_failed_change_leaves_the_store_usable(cambodia: Store) -> None:
    account = cambodia.pages.account("hunsen")
    with pytest.raises(StoreError):
        cambodia.pages.add(Page(slug="twin", name="Twin", platform="facebook"), account, at=NOON)
    cambodia.notes.put("still", "here")
    assert elsewhere(lambda: cambodia.notes.get("still")) == "here"
