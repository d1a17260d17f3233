from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from storage.errors import AlreadyDone
from storage.store import Store
from storage.values import AuditEntry
from tests.labs.standins.samples import HOUR, NOON

ENTRY = AuditEntry(
    at=NOON, team_id="T1", channel_id="C1", user_id="U1", action="mute", subject="hunsen", request="1.2.3"
)


def mute_again(store: Store) -> None:
    with store.write():
        store.subscriptions.mute("T1", "C1", "hunsen", until=NOON + HOUR)
        store.audit.add(ENTRY)


def test_a_request_that_comes_again_undoes_what_it_did(database: Path) -> None:
    store = Store.open(database)
    store.audit.add(ENTRY)
    store.close()
    store = Store.open(database)
    with pytest.raises(AlreadyDone):
        mute_again(store)
    assert store.subscriptions.muted("T1", "C1", "hunsen", NOON) is None
    assert store.audit.recent() == (ENTRY,)
    store.close()


def test_other_requests_and_what_came_from_nobodys_request_are_noted(cambodia: Store) -> None:
    for entry in (ENTRY, replace(ENTRY, request="1.2.4"), replace(ENTRY, team_id="T2")):
        cambodia.audit.add(entry)
    for _ in range(2):
        cambodia.audit.add(replace(ENTRY, request=""))
    assert len(cambodia.audit.recent()) == 5
