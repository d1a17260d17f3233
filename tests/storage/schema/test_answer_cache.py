from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from storage.store import Store
from tests.storage.test_transactions import Failed, elsewhere, undone


class Asked:
    """Asks for a note, and counts how often."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.times = 0

    def __call__(self) -> str | None:
        return self._store.cached("colour", self._ask)

    def _ask(self) -> str | None:
        self.times += 1
        return self._store.notes.get("colour")


@pytest.fixture
def ask(fresh_store: Store) -> Asked:
    return Asked(fresh_store)


def test_the_same_is_looked_up_once(fresh_store: Store, ask: Asked) -> None:
    fresh_store.notes.put("colour", "red")
    assert [ask(), elsewhere(ask), ask()] == ["red"] * 3
    assert ask.times == 1


def test_nothing_is_an_answer_as_well(ask: Asked) -> None:
    assert [ask(), ask()] == [None, None]
    assert ask.times == 1


def test_every_commit_has_it_looked_up_again(fresh_store: Store, ask: Asked) -> None:
    for colour in ("red", "blue", "green"):
        fresh_store.notes.put("colour", colour)
        assert [ask(), ask()] == [colour] * 2
    assert ask.times == 3


def test_what_is_not_committed_is_seen_by_its_own_thread_alone(fresh_store: Store, ask: Asked) -> None:
    fresh_store.notes.put("colour", "red")
    assert ask() == "red"
    with undone(fresh_store):
        fresh_store.notes.put("colour", "blue")
        assert ask() == "blue"
        assert elsewhere(ask) == "red"
    assert ask() == "red"


def test_what_is_read_together_stays_of_one_instant(fresh_store: Store, ask: Asked) -> None:
    fresh_store.notes.put("colour", "red")
    with fresh_store.read():
        elsewhere(lambda: fresh_store.notes.put("colour", "blue"))
        assert elsewhere(ask) == "blue"
        assert ask() == "red"
    assert [ask(), elsewhere(ask)] == ["blue"] * 2


def test_a_question_that_fails_is_asked_again(fresh_store: Store, ask: Asked) -> None:
    def fail() -> str:
        raise Failed

    with suppress(Failed):
        fresh_store.cached("colour", fail)
    fresh_store.notes.put("colour", "red")
    assert ask() == "red"


def test_a_reader_beside_another_process_believes_nothing_it_found_before(database: Path, fresh_store: Store) -> None:
    reader = Store.open_reader(database)
    ask = Asked(reader)
    for colour in ("red", "blue"):
        fresh_store.notes.put("colour", colour)
        assert ask() == colour
    reader.close()


def test_many_different_questions_are_all_answered(fresh_store: Store) -> None:
    for number in range(2_500):
        assert fresh_store.cached(number, lambda asked=number: asked) == number  # type: ignore[misc]


def test_nobody_is_told_less_than_was_committed_before_they_asked(fresh_store: Store) -> None:
    fresh_store.notes.put("count", "0")
    committed, ended = [0], threading.Event()
    wrong: list[tuple[int, int]] = []

    def read() -> None:
        while not ended.is_set():
            before = committed[0]
            told = int(fresh_store.cached("count", lambda: fresh_store.notes.get("count")) or 0)
            if not before <= told <= committed[0] + 1:
                wrong.append((before, told))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    switches = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads take turns often: readers that find all remembered would hold up the writer
    try:
        for number in range(1, 200):
            fresh_store.notes.put("count", str(number))
            committed[0] = number
    finally:
        sys.setswitchinterval(switches)
        ended.set()
        for reader in readers:
            reader.join()
    assert wrong == []
