"""Stored bytes, read again, give the readings of the time, even after failed requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.errors import Unreachable
from bot.evidence.bundle import export
from bot.evidence.recorder import Recorder
from bot.evidence.store_audit import StoreAudit
from bot.evidence.verification import Verification
from bot.http.client import Http
from bot.imports.job import reread_import
from bot.platforms import bluesky
from bot.platforms.facebook import platform as facebook
from bot.polling.fetcher import Source
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.graph import Graph, GraphPage
from tests.labs.standins.loopback import serving
from tests.labs.standins.newsroom import START, cycle, track

HOUR = timedelta(hours=1)


class Halting(Http):
    """Bluesky, which refuses every request that names ``did:plc:x``, and answers none of it while it is ``silent``."""

    silent = False
    followers: Mapping[str, int] = {}

    def _exchange(
        self,
        method: str,  # noqa: ARG002 (whatever is asked)
        path: str,  # noqa: ARG002
        params: Sequence[tuple[str, str]],
        body: str | bytes | None,  # noqa: ARG002
        content_type: str = "",  # noqa: ARG002
    ) -> tuple[int, Mapping[str, str], bytes]:
        actors = [actor for _, actor in params]
        if "did:plc:x" in actors:
            if self.silent and len(actors) == 2:
                raise Unreachable("No answer.")
            return 400, {}, b'{"error": "InvalidRequest", "message": "Error: actors/0 must be a valid did"}'
        profiles = [
            {"did": actor, "handle": f"{actor[-1]}.example", "followersCount": count}
            for actor in actors
            if (count := self.followers.get(actor)) is not None
        ]
        return 200, {}, json.dumps({"profiles": profiles}).encode()


def faults(store: Store) -> list[str]:
    found = list(StoreAudit(store, reread_import).run(lambda _done, _total: None))
    for alert in store.alerts.recent(limit=-1):
        found += Verification(export(store, alert, reread_import), reread_import).run()
    return [str(fault) for fault in found]


def test_a_half_of_a_batch_that_got_no_answer_does_not_get_the_other_halfs(store: Store, clock: HandClock) -> None:
    recorder = Recorder(store.evidence, clock)
    http = Halting({}, "http://127.0.0.1:9", record=recorder.of("bluesky"))
    sources = {"bluesky": Source(platform=bluesky.PLATFORM, http=http, missing=None)}
    polling = cycle(store, clock, sources, recorder=recorder)
    for slug in ("x", "y", "a", "b"):
        track(store, slug, platform="bluesky", native_id=f"did:plc:{slug}", groups=("g",), every=HOUR, now=START)
    for hour in range(60):
        http.followers = {"did:plc:a": 2_100_000 + 10 * hour, "did:plc:b": 2_090_000 + 400 * hour}
        http.silent = hour > 25
        clock.move(HOUR)
        polling.run_all()
    assert {"overtake", "ahead"} <= {stored.alert.kind for stored in store.alerts.recent(limit=-1)}
    assert faults(store) == []


def test_pages_that_are_asked_for_in_another_order_than_the_alphabets_are_read_alike(
    store: Store, clock: HandClock
) -> None:
    recorder = Recorder(store.evidence, clock)
    graph = Graph(token="T")
    with serving(graph) as url:
        values = {"FACEBOOK_ACCESS_TOKEN": "T", "FACEBOOK_API_URL": url}
        http = Http(values, facebook.base_url(values), record=recorder.of("facebook"))
        sources = {"facebook": Source(platform=facebook.PLATFORM, http=http, missing=None)}
        polling = cycle(store, clock, sources, recorder=recorder)
        for slug, number in (("samrainsy", "7002"), ("hunsen", "7001")):
            track(store, slug, platform="facebook", native_id=number, groups=("cambodia",), every=HOUR, now=START)
        for hour in range(60):
            graph.put(GraphPage(id="7001", username="hunsen", name="Hun Sen", fan_count=2_090_000 + 400 * hour))
            graph.put(GraphPage(id="7002", username="samrainsy", name="Sam Rainsy", fan_count=2_100_000 + 10 * hour))
            clock.move(HOUR)
            polling.run_all()
        http.close()
        polling.close()
    assert len(store.alerts.recent()) == 2
    assert faults(store) == []
