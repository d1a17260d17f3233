"""A database as it is after months of polling: written in bulk, because a real start would take months."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.platforms.facebook import SOURCE
from handlers.model import Metric, Point, Track
from storage.store import Store
from storage.values import Polled
from tests.bench.graph import watched

PAGES = 10_000
RIVALS = 5
HOUR = timedelta(hours=1)
HOT_HOURS = 48
ASKED = "hunsen"

# One row a page and hour; the n-th page begins at 1,000,000 + 37 n likes and gains 3 + n % 5 an hour.
_COUNT = "1000000 + 37 * pages.id + hour * (3 + pages.id % 5)"
_AT = ":start + hour * 3600000"
_HOURS = """
CREATE TEMP TABLE hours AS
WITH RECURSIVE hours (hour) AS (SELECT 0 UNION ALL SELECT hour + 1 FROM hours WHERE hour < :last) SELECT hour FROM hours"""
_SOURCES = f"INSERT INTO sources SELECT id, '{SOURCE}', url, '{Metric.FOLLOWERS}' FROM pages WHERE true ON CONFLICT DO NOTHING"
_HISTORY = f"""
INSERT INTO history SELECT pages.id, {_AT}, pages.id, {_COUNT}, 0, 0, 0, NULL, NULL
FROM pages CROSS JOIN hours WHERE hour < :hot ORDER BY pages.id, hour"""
_READINGS = f"""
INSERT INTO readings SELECT ({_AT}) / 900000, pages.id, {_AT}, pages.id, {_COUNT}, 0, 0, 0, NULL, NULL
FROM hours CROSS JOIN pages WHERE hour >= :hot ORDER BY hour, pages.id"""


def fill(path: Path, *, hours: int) -> None:
    """Hourly readings of every page up to now: the last two days as they arrived, the rest folded by page."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - (hours - 1) * HOUR
    with closing(Store.open(path)) as store:
        _watch(store, start, now)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.executescript(_FILL)
        db.execute(_HOURS, (hours - 1,))
        times = {"start": int(start.timestamp() * 1000), "hot": hours - HOT_HOURS}
        db.execute(_HISTORY, times)
        db.execute(_READINGS, times)
        folded = times["start"] + times["hot"] * 3_600_000
        db.execute("INSERT INTO notes VALUES ('folded_before', ?)", (str(folded),))
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _watch(store: Store, start: datetime, now: datetime) -> None:
    hours = (now - start) // HOUR
    with store.write():
        tracks, polls = [], []
        for n in range(PAGES):
            slug = ASKED if n == 0 else f"page{n:05}"
            page, account = watched(n, group=f"race{n // RIVALS:04}", poll_every=HOUR, slug=slug)
            store.pages.add(page, account, at=start)
            tracks.append(_track(slug, account.url, n + 1, start, hours))
            polls.append(Polled(page=slug, at=now, next_due=now + HOUR, trouble=None))
        store.readings.save_tracks(tracks)
        store.pages.polled(polls)


def _track(slug: str, url: str, page_id: int, start: datetime, hours: int) -> Track:
    def point(hour: int) -> Point:
        count = 1_000_000 + 37 * page_id + hour * (3 + page_id % 5)
        return Point(at=start + hour * HOUR, count=count, low=count, high=count, source=SOURCE, url=url)

    return Track(
        page=slug,
        metric=Metric.FOLLOWERS,
        since=start,
        last=point(hours),
        previous=point(hours - 1),
        day=point(hours - 3),
        gains=(24.0 * (3 + page_id % 5),) * 14,
        gap=HOUR.total_seconds(),
    )
