"""A database as it is after months of polling; filled in bulk, because polling it would take months."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.platforms.facebook.platform import SOURCE
from handlers.model import Metric, Point, SeriesState
from storage.schema.rows import to_ms
from storage.schema.sqlite import sqlite3
from storage.store import Store
from storage.values import PollOutcome
from tests.labs.bench.graph import watched

PAGES = 10_000
RIVALS = 5
ASKED = "hunsen"
OTHERS = tuple(f"page{n:05}" for n in range(1, PAGES))
HOUR = timedelta(hours=1)
HOT_HOURS = 48

# The page of the id n begins at 1,000,000 + 37 n likes and gains 3 + n % 5 an hour. Its source has its own id.
_HOURS = """
CREATE TEMP TABLE hours AS
WITH RECURSIVE one (hour) AS (SELECT 0 UNION ALL SELECT hour + 1 FROM one WHERE hour < :last)
SELECT hour, :start + hour * 3600000 AS at FROM one"""
_COUNTED = """
CREATE TEMP VIEW counted AS
SELECT id AS page_id, hour, at, 1000000 + 37 * id + hour * (3 + id % 5) AS count FROM pages CROSS JOIN hours"""
_HISTORY = """
INSERT INTO history SELECT page_id, at, page_id, count, 0, 0, 0, NULL, NULL FROM counted
WHERE hour < :hot ORDER BY page_id, at"""
_READINGS = """
INSERT INTO readings SELECT at / 900000, page_id, at, page_id, count, 0, 0, 0, NULL, NULL FROM counted
WHERE hour >= :hot ORDER BY at, page_id"""


def fill(path: Path, *, hours: int) -> int:
    """Hourly readings of every page up to now: the last two days as they arrived, the rest folded; how many."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - (hours - 1) * HOUR
    hot = hours - HOT_HOURS
    spans = {"start": to_ms(start), "last": hours - 1, "hot": hot}
    with closing(Store.open(path)) as store, store.write():
        _watch(store, start, now)
        store.notes.put("folded_before", str(to_ms(start + hot * HOUR)))
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(_HOURS, spans)
        db.execute(_COUNTED)
        filled = db.execute(_HISTORY, spans).rowcount + db.execute(_READINGS, spans).rowcount
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return filled


def _watch(store: Store, start: datetime, now: datetime) -> None:
    hours = (now - start) // HOUR
    tracks, polls = [], []
    for n in range(PAGES):
        slug = OTHERS[n - 1] if n else ASKED
        page, account = watched(n, group=f"race{n // RIVALS:04}", poll_every=HOUR, slug=slug)
        store.pages.add(page, account, at=start)
        tracks.append(_track(slug, account.url, n + 1, start, hours))
        polls.append(PollOutcome(page=slug, at=now, next_due=now + HOUR, trouble=None))
    store.series_states.put(tracks)
    store.pages.record_polls(polls)


def _track(slug: str, url: str, page_id: int, start: datetime, hours: int) -> SeriesState:
    def point(hour: int) -> Point:
        count = 1_000_000 + 37 * page_id + hour * (3 + page_id % 5)
        return Point(at=start + hour * HOUR, count=count, low=count, high=count, source=SOURCE, url=url)

    return SeriesState(
        page=slug,
        metric=Metric.FOLLOWERS,
        since=start,
        last=point(hours),
        previous=point(hours - 1),
        day=point(hours - 3),
        gains=(24.0 * (3 + page_id % 5),) * 14,
        gap=HOUR.total_seconds(),
    )
