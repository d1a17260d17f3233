from __future__ import annotations

from pathlib import Path

from storage.store import Store
from storage.values import Telling
from tests.labs.standins.samples import HOUR, MINUTE, NOON


def due(store: Store) -> Telling:
    telling = store.tellings.due(NOON)
    assert telling is not None
    return telling


def test_what_somebody_is_owed_comes_in_its_order(cambodia: Store) -> None:
    assert (cambodia.tellings.due(NOON), cambodia.tellings.next_at()) == (None, None)
    for text in ("one", "two"):
        cambodia.tellings.put("T1", "U1", text, at=NOON)
    told = []
    while telling := cambodia.tellings.due(NOON):
        cambodia.tellings.begin(telling.id)
        cambodia.tellings.told(telling.id)
        told.append((telling.recipient, telling.text, telling.attempts, telling.doubtful))
    assert told == [("U1", "one", 0, False), ("U1", "two", 0, False)]
    assert cambodia.tellings.next_at() is None


def test_what_was_begun_before_a_crash_is_in_doubt(database: Path) -> None:
    store = Store.open(database)
    store.tellings.put("T1", "U1", "one", at=NOON)
    store.tellings.begin(due(store).id)
    store.close()
    store = Store.open(database)
    assert (due(store).doubtful, due(store).attempts) == (True, 1)
    store.close()


def test_one_that_must_wait_holds_up_nobody(cambodia: Store) -> None:
    cambodia.tellings.put("T1", "U1", "one", at=NOON)
    cambodia.tellings.put("T1", "U2", "two", at=NOON)
    cambodia.tellings.again(due(cambodia).id, not_before=NOON + HOUR, doubtful=False, why="ratelimited")
    assert due(cambodia).text == "two"
    cambodia.tellings.fail(due(cambodia).id, "user_disabled")
    assert cambodia.tellings.due(NOON + HOUR - MINUTE) is None
    assert cambodia.tellings.next_at() == NOON + HOUR
