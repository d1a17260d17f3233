"""Fetching ends in time, whatever the platforms do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.evidence.recorder import Recorder
from bot.platforms.contract import Reason
from bot.polling.fetcher import Fetcher, FetchingClosed
from storage.store import Store
from tests.labs.standins.newsroom import START, ToldPlatform, track


@contextmanager
def hanging(platform: ToldPlatform) -> Iterator[threading.Event]:
    """Until the block ends, the platform's first batch does not come back; the event is set once it is asked."""
    asked, over = threading.Event(), threading.Event()

    def hang() -> None:
        if not asked.is_set():
            asked.set()
            over.wait()

    platform.while_fetching = hang
    try:
        yield asked
    finally:
        over.set()


def fetching(store: Store, platform: ToldPlatform, *, within: float = 60) -> Fetcher:
    for slug in platform.counts:
        track(store, slug, every=timedelta(hours=1), now=START)
    sources = {platform.declared.name: platform.source()}
    return Fetcher(
        store=store,
        clock=SystemClock(),
        sources=sources,
        recorder=Recorder(store.evidence, SystemClock()),
        timeout=within,
    )


def test_what_hangs_is_unreachable_and_the_rest_is_read(store: Store) -> None:
    platform = ToldPlatform(batch=1)
    platform.counts = {"a": 5, "b": 6}
    fetch = fetching(store, platform, within=0.3)
    with hanging(platform):
        answers = fetch.fetch(store.pages.due(START), START)
        assert sorted(reading.page for one in answers for reading in one.fetched.readings) == ["b"]
        failures = [failure for one in answers for failure in one.fetched.failures]
        assert [(one.page, one.reason) for one in failures] == [("a", Reason.UNREACHABLE)]
        again = fetch.fetch(store.pages.due(START), START)
        assert sorted(reading.page for one in again for reading in one.fetched.readings) == ["a", "b"]
    fetch.close()


def test_closing_waits_for_nobody(store: Store) -> None:
    platform = ToldPlatform()
    platform.counts = {"a": 5}
    fetch = fetching(store, platform)
    with hanging(platform) as asked:

        def close_once_asked() -> None:
            asked.wait()
            fetch.close()

        closing = threading.Thread(target=close_once_asked)
        closing.start()
        with pytest.raises(FetchingClosed):
            fetch.fetch(store.pages.due(START), START)
        closing.join()
    with pytest.raises(FetchingClosed):
        fetch.fetch(store.pages.due(START), START)
