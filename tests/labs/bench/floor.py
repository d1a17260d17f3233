"""The least that a poll cycle could do, plainly: ask with 16 threads, parse, store the counts at once."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from bot.platforms.facebook.platform import VERSION
from storage.schema.sqlite import sqlite3
from tests.labs.bench.graph import SECRET, TOKEN, number_of

THREADS = 16
BATCH = 50
FIELDS = "id,name,username,link,fan_count,followers_count,has_transitioned_to_new_page_experience"
PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()

_TABLE = """
CREATE TABLE readings (
  observed_at INTEGER NOT NULL, page_id INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (observed_at, page_id)
) WITHOUT ROWID"""


class Floor:
    """Compares nothing, checks nothing, and remembers nothing but the counts."""

    def __init__(
        self, url: str, pages: int, session: requests.Session, threads: ThreadPoolExecutor, db: sqlite3.Connection
    ) -> None:
        self._url = f"{url}/{VERSION}/"
        self._batches = [range(start, min(start + BATCH, pages)) for start in range(0, pages, BATCH)]
        self._session = session
        self._threads = threads
        self._db = db

    def cycle(self) -> None:
        now = time.time_ns()
        rows = [(now, page, count) for counts in self.fetch() for page, count in counts]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO readings VALUES (?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def fetch(self) -> list[list[tuple[int, int]]]:
        return list(self._threads.map(self._ask, self._batches))

    def _ask(self, numbers: range) -> list[tuple[int, int]]:
        batch = [{"method": "GET", "relative_url": f"{number_of(n)}?fields={FIELDS}"} for n in numbers]
        form = {
            "batch": json.dumps(batch),
            "include_headers": "false",
            "access_token": TOKEN,
            "appsecret_proof": PROOF,
        }
        answer = self._session.post(self._url, data=form, timeout=30)
        pages = (json.loads(item["body"]) for item in json.loads(answer.content))
        return [(int(page["id"]), page["followers_count"]) for page in pages]


@contextmanager
def floor_on(url: str, path: Path, pages: int) -> Iterator[Floor]:
    with (
        requests.Session() as session,
        ThreadPoolExecutor(THREADS) as threads,
        closing(sqlite3.connect(path, isolation_level=None)) as db,
    ):
        session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(_TABLE)
        yield Floor(url, pages, session, threads, db)
