from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from handlers.model import Page
from storage.errors import StoreError
from storage.store import Store
from storage.values import AuditEntry
from tests.labs.standins.samples import DAY, MINUTE, NOON, alert, judged, point, track, wish

T = TypeVar("T")
ROUNDS = 40


class Failed(Exception):
    """What goes wrong in the middle of a transaction."""


@contextmanager
def undone(store: Store) -> Iterator[None]:
    """A transaction that fails at its end, or a part of one."""
    with suppress(Failed), store.write():
        yield
        raise Failed


def elsewhere(ask: Callable[[], T]) -> T:
    """Ask in another thread, while this one goes on holding what it holds."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(ask).result(timeout=5)


def count_once(store: Store, name: str) -> None:
    """A new page with a new source, counted once."""
    store.pages.add(Page(slug=name, name=name, platform="facebook"), None, at=NOON)
    store.readings.add([judged(NOON, 7, page=name, source=name)])
    store.series_states.put([track(point(NOON, 7, source=name), page=name)])


def test_others_read_what_is_committed_while_a_transaction_is_open(fresh_store: Store) -> None:
    fresh_store.notes.put("colour", "red")
    with fresh_store.write():
        fresh_store.notes.put("colour", "blue")
        assert fresh_store.notes.get("colour") == "blue"
        assert elsewhere(lambda: fresh_store.notes.get("colour")) == "red"
    assert elsewhere(lambda: fresh_store.notes.get("colour")) == "blue"


def test_what_is_to_follow_a_commit_follows_the_outermost_one(fresh_store: Store) -> None:
    seen: list[str | None] = []

    def look() -> None:
        seen.append(elsewhere(lambda: fresh_store.notes.get("colour")))

    with fresh_store.write():
        with fresh_store.write():
            fresh_store.notes.put("colour", "blue")
            fresh_store.after_commit(look)
        assert seen == []
    assert seen == ["blue"]
    fresh_store.after_commit(look)
    assert seen == ["blue"] * 2


def test_what_is_to_follow_a_commit_does_not_follow_one_that_failed_or_another(fresh_store: Store) -> None:
    called: list[bool] = []
    with undone(fresh_store):
        fresh_store.after_commit(lambda: called.append(True))
    fresh_store.notes.put("colour", "blue")
    assert called == []


def test_what_is_read_together_is_of_one_instant(fresh_store: Store) -> None:
    fresh_store.notes.put("colour", "red")
    with fresh_store.read():
        assert fresh_store.notes.get("colour") == "red"
        elsewhere(lambda: fresh_store.notes.put("colour", "blue"))
        assert fresh_store.notes.get("colour") == "red"
    assert fresh_store.notes.get("colour") == "blue"


def test_a_thread_that_writes_while_it_reads_sees_what_it_wrote(fresh_store: Store) -> None:
    with fresh_store.read(), fresh_store.write():
        fresh_store.notes.put("colour", "green")
        assert fresh_store.notes.get("colour") == "green"


def test_a_transaction_lands_whole_or_not_at_all(cambodia: Store) -> None:
    with undone(cambodia):
        cambodia.readings.add([judged(NOON, 5)])
        cambodia.series_states.put([track(point(NOON, 5))])
        cambodia.alerts.add([alert()], at=NOON)
        cambodia.outbox.put(alert(), [wish()], at=NOON)
    assert cambodia.readings.stored_count("hunsen", NOON, "Graph API") is None
    assert cambodia.series_states.get(["hunsen"]) == {}
    assert cambodia.alerts.recent() == ()
    assert cambodia.outbox.claim(NOON) is None


def test_what_fails_inside_a_transaction_is_undone_alone(fresh_store: Store) -> None:
    with fresh_store.write():
        fresh_store.notes.put("outer", "kept")
        with undone(fresh_store):
            fresh_store.notes.put("inner", "undone")
    assert fresh_store.notes.get("outer") == "kept"
    assert fresh_store.notes.get("inner") is None


def test_pages_and_sources_of_an_undone_transaction_are_forgotten(fresh_store: Store) -> None:
    with undone(fresh_store):
        count_once(fresh_store, "undone")
        assert fresh_store.readings.point_at("undone", NOON) is not None
    assert fresh_store.readings.point_at("undone", NOON) is None
    count_once(fresh_store, "kept")
    assert fresh_store.readings.point_at("kept", NOON) == point(NOON, 7, source="kept")
    assert fresh_store.readings.stored_count("undone", NOON, "kept") is None


def test_pages_and_sources_of_an_undone_part_are_forgotten(fresh_store: Store) -> None:
    with fresh_store.write():
        with undone(fresh_store):
            count_once(fresh_store, "undone")
        count_once(fresh_store, "kept")
    assert fresh_store.readings.point_at("undone", NOON) is None
    assert fresh_store.readings.point_at("kept", NOON) == point(NOON, 7, source="kept")


def test_a_failed_change_leaves_the_store_usable(cambodia: Store) -> None:
    account = cambodia.pages.account("hunsen")
    with pytest.raises(StoreError):
        cambodia.pages.add(Page(slug="twin", name="Twin", platform="facebook"), account, at=NOON)
    cambodia.notes.put("still", "here")
    assert elsewhere(lambda: cambodia.notes.get("still")) == "here"


def test_threads_of_every_kind_get_along(cambodia: Store, tmp_path: Path) -> None:
    roles = (cycle, fold, send, change, ask, ask)
    with ThreadPoolExecutor(len(roles)) as threads:
        for running in [threads.submit(role, cambodia) for role in roles]:
            running.result(timeout=60)
    assert len(cambodia.readings.points("hunsen", NOON, NOON + DAY)) == ROUNDS
    assert len(cambodia.audit.recent(limit=1000)) == ROUNDS
    assert sum(cambodia.outbox.counts_by_state().values()) == ROUNDS
    cambodia.backup(tmp_path / "copy.db")


def cycle(store: Store) -> None:
    for number in range(ROUNDS):
        at = NOON + number * MINUTE
        happened = alert(f"key{number}", at=at)
        with store.write():
            store.readings.add([judged(at, number)])
            store.series_states.put([track(point(at, number))])
            store.alerts.add([happened], at=at)
            store.outbox.put(happened, [wish()], at=at)


def fold(store: Store) -> None:
    for number in range(ROUNDS):
        store.readings.move_to_history(NOON + number * MINUTE)


def send(store: Store) -> None:
    for number in range(3 * ROUNDS):
        now = NOON + DAY + number * timedelta(seconds=2)
        if delivery := store.outbox.claim(now):
            store.outbox.mark_sent(delivery.id, f"{delivery.id}.0", at=now, pace=timedelta(seconds=1))


def change(store: Store) -> None:
    for number in range(ROUNDS):
        store.subscriptions.put(wish(channel=f"C{number}"))
        store.audit.add(
            AuditEntry(at=NOON, team_id="T1", channel_id="C1", user_id="U1", action="subscribe", subject="hunsen")
        )


def ask(store: Store) -> None:
    for _ in range(ROUNDS):
        series = store.readings.points("hunsen", NOON, NOON + DAY)
        assert [at.count for at in series] == list(range(len(series))), "never a gap, wherever rows are kept"
        store.readings.page_snapshots(["hunsen", "samrainsy"])
        store.outbox.counts_by_state()


def test_one_of_many_wins_each_delivery(cambodia: Store) -> None:
    cambodia.outbox.put(alert(), [wish(channel=f"C{number}") for number in range(30)], at=NOON)

    def claim(_: int) -> list[int]:
        won = []
        while delivery := cambodia.outbox.claim(NOON):
            won.append(delivery.id)
        return won

    with ThreadPoolExecutor(4) as senders:
        won = [delivery for claimed in senders.map(claim, range(4)) for delivery in claimed]
    assert len(won) == len(set(won)) == 30
