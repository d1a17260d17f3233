"""/healthz and /metrics, for every state of the cycle, the platforms and the outbox."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from bot.config.field_types import Address
from bot.errors import ConfigError
from bot.http.server import HttpServer, listen
from bot.monitoring.health import Health, health
from bot.monitoring.heartbeat import Heartbeat
from bot.monitoring.metrics import BotMetrics
from bot.monitoring.routes import monitoring_routes
from bot.platforms.contract import Reason
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, subscribe, track
from tests.labs.standins.samples import alert

EVERY = timedelta(minutes=15)


class Newsroom:
    """A cycle that reads pages ``a`` and ``b`` of a scripted platform, with its health."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store, self.clock = store, clock
        self.platform = ToldPlatform()
        self.platform.counts = {"a": 5, "b": 6}
        for slug in self.platform.counts:
            track(store, slug, every=EVERY, now=START)
        self.cycle = cycle(store, clock, {"told": self.platform.source()})
        self.beat = Heartbeat(self.cycle.run_due, clock)

    def health(self) -> Health:
        return health(self.store, self.beat.pulse(), self.clock.now())

    def poll_for(self, length: timedelta) -> None:
        until = self.clock.now() + length
        while self.clock.now() < until:
            self.beat.run_due()
            self.clock.move(timedelta(seconds=30))
        self.beat.run_due()


@pytest.fixture
def newsroom(store: Store, clock: HandClock) -> Iterator[Newsroom]:
    made = Newsroom(store, clock)
    yield made
    made.cycle.close()


def test_a_bot_that_reads_and_posts_is_well(newsroom: Newsroom) -> None:
    newsroom.poll_for(timedelta(hours=1))
    found = newsroom.health()
    assert (found.reasons, found.dark) == ((), ())


def test_a_cycle_that_does_not_end_is_named(newsroom: Newsroom) -> None:
    seen: list[Health] = []

    def hang() -> None:
        newsroom.clock.move(timedelta(minutes=7))
        seen.append(newsroom.health())

    newsroom.platform.while_fetching = hang
    newsroom.beat.run_due()
    assert seen[0].reasons == ("A cycle has been running for 7 minutes; no page is read meanwhile.",)
    assert newsroom.health().reasons == ()


def test_a_scheduler_that_died_is_named(newsroom: Newsroom) -> None:
    newsroom.beat.run_due()
    newsroom.clock.move(timedelta(minutes=3))
    assert newsroom.health().reasons == ("For 3 minutes, Likewatch has not checked which pages are due.",)


def test_a_cycle_that_failed_is_named_until_one_works(clock: HandClock, store: Store) -> None:
    outcomes = [ZeroDivisionError, None]

    def run_due() -> None:
        if (error := outcomes.pop(0)) is not None:
            raise error

    beat = Heartbeat(run_due, clock)
    with pytest.raises(ZeroDivisionError):
        beat.run_due()
    assert health(store, beat.pulse(), clock.now()).reasons == (
        "The last cycle failed (ZeroDivisionError); the log says more.",
    )
    beat.run_due()
    assert health(store, beat.pulse(), clock.now()).reasons == ()


def queue(store: Store, at: datetime) -> None:
    subscribe(store, "hunsen", now=at)
    store.outbox.put(alert(), store.subscriptions.for_channel("T1", "C1"), at=at)


@pytest.mark.parametrize(("minutes", "well"), [(15, True), (16, False)])
@pytest.mark.parametrize("claimed", [True, False])
def test_alerts_that_do_not_get_out_are_named(newsroom: Newsroom, minutes: int, well: bool, claimed: bool) -> None:
    queue(newsroom.store, START)
    if claimed:
        assert newsroom.store.outbox.claim(START)
    newsroom.clock.move(timedelta(minutes=minutes))
    newsroom.beat.run_due()
    reasons = newsroom.health().reasons
    assert not reasons if well else reasons[0].startswith("1 alert cannot be posted, the oldest for 16 minutes")


def test_a_platform_that_is_down_is_dark_after_two_polls_and_no_reason_to_restart(newsroom: Newsroom) -> None:
    newsroom.poll_for(timedelta(minutes=1))
    newsroom.platform.failures = {"a": Reason.UNREACHABLE, "b": Reason.UNREACHABLE}
    newsroom.poll_for(timedelta(minutes=38))
    assert newsroom.health().dark == ()
    newsroom.poll_for(timedelta(minutes=5))
    found = newsroom.health()
    assert ([source.platform for source in found.dark], found.reasons) == (["told"], ())


def test_a_refused_token_is_dark_at_once(newsroom: Newsroom) -> None:
    newsroom.platform.failures = {"a": Reason.AUTH_REFUSED, "b": Reason.AUTH_REFUSED}
    newsroom.beat.run_due()
    assert [source.platform for source in newsroom.health().dark] == ["told"]


def test_one_page_in_trouble_makes_no_platform_dark(newsroom: Newsroom) -> None:
    newsroom.platform.failures = {"a": Reason.UNREACHABLE}
    newsroom.poll_for(timedelta(hours=3))
    assert newsroom.health().dark == ()


@contextmanager
def served(newsroom: Newsroom) -> Iterator[str]:
    numbers = BotMetrics(lambda: (newsroom.health(), newsroom.beat.pulse(), newsroom.clock.now()))
    sockets = [listen(), listen()]
    server = HttpServer(Starlette(routes=monitoring_routes(newsroom.health, numbers)), name="local-http")
    server.start(*sockets)
    try:
        yield f"http://127.0.0.1:{sockets[-1].getsockname()[1]}"
    finally:
        server.stop()


def asked(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 (on loopback)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_healthz_says_200_or_503_with_the_reasons(newsroom: Newsroom) -> None:
    newsroom.beat.run_due()
    with served(newsroom) as url:
        status, body = asked(f"{url}/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok", "reasons": [], "cannot_be_read": []})
        newsroom.clock.move(timedelta(minutes=5))
        status, body = asked(f"{url}/healthz")
    assert status == 503
    assert json.loads(body)["reasons"] == ["For 5 minutes, Likewatch has not checked which pages are due."]


def test_healthz_is_answered_while_the_database_is_not(newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.beat.run_due()
    newsroom.store.close()
    (tmp_path / "likewatch.db").write_bytes(b"no database any more" * 500)
    with served(newsroom) as url:
        status, body = asked(f"{url}/healthz")
        assert status == 503
        assert "Restore a backup" in json.loads(body)["reasons"][0]
        assert asked(f"{url}/metrics")[0] == 200


def test_metrics_are_what_prometheus_reads(newsroom: Newsroom) -> None:
    newsroom.platform.failures = {"b": Reason.PAGE_GONE}
    newsroom.beat.run_due()
    queue(newsroom.store, START)
    newsroom.clock.move(timedelta(seconds=20))
    with served(newsroom) as url:
        status, body = asked(f"{url}/metrics")
    assert status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }
    assert samples[("likewatch_healthy",)] == 1
    assert samples[("likewatch_cycle_timestamp_seconds",)] == START.timestamp()
    assert samples[("likewatch_cycle_pages",)] == 2
    assert samples[("likewatch_read_failures_total", "page_gone")] == 1
    assert samples[("likewatch_source_pages", "told")] == 2
    assert samples[("likewatch_source_age_seconds", "told")] == 20
    assert samples[("likewatch_source_failing_pages", "told", "page_gone")] == 1
    assert samples[("likewatch_outbox_deliveries", "pending")] == 1
    assert samples[("likewatch_outbox_oldest_age_seconds",)] == 20
    if Path("/proc/self/stat").exists():
        assert samples[("process_resident_memory_bytes",)] > 1_000_000


def test_an_address_in_use_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="LIKEWATCH_METRICS"):
            listen(address, "LIKEWATCH_METRICS")


@pytest.mark.skipif(not socket.has_ipv6, reason="this computer has no IPv6")
def test_an_ipv6_address_is_not_reached_over_ipv4() -> None:
    with listen(Address(host="::", port=0)) as listening, pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", listening.getsockname()[1]), timeout=5)
