"""A newsroom with evidence: two rivals on a Graph stand-in, polled hour by hour until one passes the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlite_utils

from bot.evidence.recorder import Recorder
from bot.http.client import Http
from bot.platforms.facebook import platform as facebook
from bot.polling.cycle import Cycle
from bot.polling.fetcher import Source
from storage.errors import StoreUnavailable
from storage.evidence import Evidence, Head, NewRecord, Stamp
from storage.schema.database import Database
from storage.schema.files import evidence_beside
from storage.store import Store
from tests.labs.standins.clock import HandClock
from tests.labs.standins.graph import Graph, GraphPage
from tests.labs.standins.loopback import serving
from tests.labs.standins.newsroom import START, cycle, track

HOUR = timedelta(hours=1)
TOKEN = "EAAB-token-nobody-may-see"
SECRET = "app-secret-nobody-may-see"


class Disk(Evidence):
    """The evidence on a disk that may be ``full``."""

    full = False

    def seal(
        self, records: Sequence[NewRecord], compose: Callable[[int, bytes | None], bytes], *, stamp: Stamp | None = None
    ) -> Head:
        if self.full:
            raise StoreUnavailable("The disk is full.")
        return super().seal(records, compose, stamp=stamp)


class MainDisk(Database):
    """The database on a disk that may be ``full``: it is read all the same."""

    full = False

    @contextmanager
    def write(self) -> Iterator[sqlite_utils.Database]:
        if self.full:
            raise StoreUnavailable("The main disk is full.")
        with super().write() as db:
            yield db


@dataclass(slots=True, kw_only=True)
class EvidenceNewsroom:
    """The pages ``hunsen`` (7001) and ``samrainsy`` (7002), and everything that watches them."""

    path: Path
    store: Store
    clock: HandClock
    graph: Graph
    recorder: Recorder
    disk: Disk
    main: MainDisk
    cycle: Cycle

    def count(self, hunsen: int, samrainsy: int) -> None:
        """Set the followers of both pages."""
        for number, slug, followers in (("7001", "hunsen", hunsen), ("7002", "samrainsy", samrainsy)):
            self.graph.put(GraphPage(id=number, username=slug, name=slug.title(), fan_count=followers))

    def poll(self) -> None:
        """Let an hour pass, and poll both pages."""
        self.clock.move(HOUR)
        self.cycle.run_all()

    def overtaken(self) -> None:
        """Let Hun Sen's page catch up over a day, pass the other, and stay ahead: two alerts."""
        for hour in range(60):
            self.count(2_090_000 + 400 * hour, 2_100_000 + 10 * hour)
            self.poll()


@contextmanager
def evidence_newsroom(folder: Path) -> Iterator[EvidenceNewsroom]:
    """Run all of it in this folder."""
    folder.mkdir(exist_ok=True)
    with ExitStack() as closing:
        graph = Graph(token=TOKEN, app_secret=SECRET)
        url = closing.enter_context(serving(graph))
        clock = HandClock(START)
        path = folder / "likewatch.db"
        store = Store(main := MainDisk.open(path), disk := Disk.open(evidence_beside(path)))
        closing.callback(store.close)
        recorder = Recorder(store.evidence, clock, secrets=(TOKEN, SECRET))
        values = {"FACEBOOK_ACCESS_TOKEN": TOKEN, "FACEBOOK_APP_SECRET": SECRET, "FACEBOOK_API_URL": url}
        http = Http(values, facebook.base_url(values), record=recorder.of("facebook"))
        closing.callback(http.close)
        source = Source(platform=facebook.PLATFORM, http=http, missing=None)
        polling = cycle(store, clock, {"facebook": source}, recorder=recorder)
        closing.callback(polling.close)
        for slug, number in (("hunsen", "7001"), ("samrainsy", "7002")):
            track(store, slug, platform="facebook", native_id=number, groups=("cambodia",), every=HOUR, now=START)
        yield EvidenceNewsroom(
            path=path,
            store=store,
            clock=clock,
            graph=graph,
            recorder=recorder,
            disk=disk,
            main=main,
            cycle=polling,
        )
