"""A store in a folder of its own, and the pages of 2016 to fill it with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.model import Account, Page
from storage.store import Store
from tests.labs.standins.samples import NOON


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "likewatch.db"


@pytest.fixture
def fresh_store(database: Path) -> Iterator[Store]:
    store = Store.open(database)
    yield store
    store.close()


@pytest.fixture
def cambodia(fresh_store: Store) -> Store:
    """A store that watches two rivals, one of them polled."""
    hunsen = Page(
        slug="hunsen",
        name="សម្តេច Hun Sen",
        platform="facebook",
        url="https://www.facebook.com/hunsencambodia",
        home="KH",
        groups=("cambodia", "asean"),
        aliases=("Samdech", "the prime minister"),
    )
    account = Account(
        page="hunsen",
        platform="facebook",
        native_id="1400",
        handle="hunsencambodia",
        url="https://www.facebook.com/hunsencambodia",
        poll_every=timedelta(minutes=15),
    )
    rainsy = Page(slug="samrainsy", name="Sam Rainsy", platform="facebook", home="KH", groups=("cambodia",))
    fresh_store.pages.add(hunsen, account, at=NOON)
    fresh_store.pages.add(rainsy, None, at=NOON)
    return fresh_store
