from __future__ import annotations

from pathlib import Path

from storage.store import Store
from storage.values import Notice
from tests.labs.standins.samples import HOUR, MINUTE, NOON


def due(store: Store) -> Notice:
    telling = store.notices.due(NOON)
    assert telling is not None
    return telling


def test_what_somebody_is_owed_comes_in_its_order(cambodia: Store) -> None:
    assert (cambodia.notices.due(NOON), cambodia.notices.next_at()) == (None, None)
    for text in ("one", "two"):
        cambodia.notices.put("T1", "U1", text, at=NOON)
    told = []
    while telling := cambodia.notices.due(NOON):
        cambodia.notices.begin_attempt(telling.id)
        cambodia.notices.mark_sent(telling.id)
        told.append((telling.recipient, telling.text, telling.attempts, telling.doubtful))
    assert told == [("U1", "one", 0, False), ("U1", "two", 0, False)]
    assert cambodia.notices.next_at() is None


def test_what_was_begun_before_a_crash_is_in_doubt(database: Path) -> None:
    store = Store.open(database)
    store.notices.put("T1", "U1", "one", at=NOON)
    store.notices.begin_attempt(due(store).id)
    store.close()
    store = Store.open(database)
    assert (due(store).doubtful, due(store).attempts) == (True, 1)
    store.close()


def test_one_that_must_wait_holds_up_nobody(cambodia: Store) -> None:
    cambodia.notices.put("T1", "U1", "one", at=NOON)
    cambodia.notices.put("T1", "U2", "two", at=NOON)
    cambodia.notices.retry(due(cambodia).id, not_before=NOON + HOUR, doubtful=False, why="ratelimited")
    assert due(cambodia).text == "two"
    cambodia.notices.fail(due(cambodia).id, "user_disabled")
    assert cambodia.notices.due(NOON + HOUR - MINUTE) is None
    assert cambodia.notices.next_at() == NOON + HOUR
