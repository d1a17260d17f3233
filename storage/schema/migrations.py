"""The schema, as sqlite-utils migrations. A migration that was released is never edited: the next one changes it.

Every column named ``…_at``, ``as_of``, ``since``, ``until``, ``next_due`` or ``not_before`` is INTEGER milliseconds
since 1970-01-01T00:00:00Z. ``quarter`` is the quarter of an hour: milliseconds / 900,000.
"""

from __future__ import annotations

import re

import sqlite_utils
from sqlite_utils import Migrations

MIGRATIONS = Migrations("likewatch")

_PAGES = """
CREATE TABLE pages (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  platform TEXT NOT NULL,
  url TEXT NOT NULL,
  home TEXT,
  aliases TEXT NOT NULL,  -- JSON: ["…", …]
  removed_at INTEGER
) STRICT;
CREATE TABLE memberships (
  page_id INTEGER NOT NULL REFERENCES pages,
  group_slug TEXT NOT NULL,
  UNIQUE (page_id, group_slug)
) STRICT;
CREATE INDEX memberships_of_group ON memberships (group_slug);
-- What a page is exactly known as, letter case and a leading @ aside; the best rank (lowest) wins.
CREATE TABLE known_as (
  label TEXT NOT NULL,
  page_id INTEGER NOT NULL REFERENCES pages,
  rank INTEGER NOT NULL,
  PRIMARY KEY (label, page_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_as_of_page ON known_as (page_id);
CREATE TABLE accounts (
  page_id INTEGER PRIMARY KEY REFERENCES pages,
  platform TEXT NOT NULL,
  native_id TEXT NOT NULL,
  handle TEXT NOT NULL,
  url TEXT NOT NULL,
  poll_every INTEGER NOT NULL,  -- milliseconds
  UNIQUE (platform, native_id)
) STRICT;
-- What every poll rewrites, kept narrow and without an index: scanning it is cheaper than keeping one in order.
CREATE TABLE polls (
  page_id INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
  next_due INTEGER NOT NULL,
  polled_at INTEGER,  -- the last time it answered
  trouble TEXT,
  message TEXT,
  trouble_since INTEGER
) STRICT;
"""

_COUNT = """
  count INTEGER NOT NULL,
  below INTEGER NOT NULL,  -- low = count - below
  above INTEGER NOT NULL,  -- high = count + above
  delay INTEGER NOT NULL,  -- received_at = observed_at + delay
  dated TEXT,  -- NULL: the instant is known
  standing TEXT,  -- NULL: accepted
"""

_READINGS = f"""
CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  url TEXT NOT NULL,
  metric TEXT NOT NULL,
  UNIQUE (source, url, metric)
) STRICT;
-- As they arrive: a poll of every page is written side by side. Inside a quarter of an hour by page, so that one
-- page's rows are found by one seek per quarter (storage/series/reading_rows.py).
CREATE TABLE readings (
  quarter INTEGER NOT NULL,
  page_id INTEGER NOT NULL,
  observed_at INTEGER NOT NULL,
  source_id INTEGER NOT NULL,
  {_COUNT}
  PRIMARY KEY (quarter, page_id, observed_at, source_id)
) STRICT, WITHOUT ROWID;
-- Older than the notes' "folded_before": one page's years side by side.
CREATE TABLE history (
  page_id INTEGER NOT NULL,
  observed_at INTEGER NOT NULL,
  source_id INTEGER NOT NULL,
  {_COUNT}
  PRIMARY KEY (page_id, observed_at, source_id)
) STRICT, WITHOUT ROWID;
"""


def _point(name: str, null: str) -> str:
    return f"""
  {name}_at INTEGER{null}, {name}_count INTEGER{null}, {name}_below INTEGER{null}, {name}_above INTEGER{null},
  {name}_source_id INTEGER{null}, {name}_dated TEXT,"""


_LATEST = f"""
-- The series state of each page (handlers.model.SeriesState).
CREATE TABLE latest (
  page_id INTEGER PRIMARY KEY,
  metric TEXT NOT NULL,
  since INTEGER NOT NULL,
  gap REAL,  -- seconds
  gains BLOB NOT NULL,  -- little-endian doubles, likes a day
  held TEXT,  -- JSON: [[at, count, low, high, dated, source, url], …]; NULL: none
  held_metric TEXT,  -- NULL: the series' own
  restarted INTEGER NOT NULL,  -- handlers.model.Restart, or 0; else nothing older than "since" is part of the series
  {_point("last", " NOT NULL")}
  {_point("previous", "")}
  {_point("day", "").rstrip(",")}
) STRICT;
"""

_PASTS = """
-- The history summary of each page (handlers.signals.history.HistorySummary): little-endian doubles.
CREATE TABLE pasts (
  page_id INTEGER PRIMARY KEY REFERENCES pages,
  times BLOB NOT NULL,  -- seconds since 1970
  counts BLOB NOT NULL,
  first INTEGER NOT NULL,  -- days since 1970
  midnights BLOB NOT NULL
) STRICT;
"""

_EVENTS = """
CREATE TABLE audiences (
  id INTEGER PRIMARY KEY,
  page_id INTEGER NOT NULL REFERENCES pages,
  as_of INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  measure TEXT NOT NULL,
  metric TEXT NOT NULL,
  days INTEGER,
  source TEXT NOT NULL,
  method TEXT NOT NULL,
  url TEXT NOT NULL,
  dated TEXT,
  figures TEXT NOT NULL  -- JSON: {"likes": {"KH": [value, low, high]}, "shares": {…}, "total": […] or null}
) STRICT;
CREATE INDEX audiences_of_page ON audiences (page_id, as_of);
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  story TEXT NOT NULL,
  kind TEXT NOT NULL,
  feature TEXT NOT NULL,
  page TEXT NOT NULL,
  rival TEXT,
  at INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  replayed INTEGER NOT NULL,
  past INTEGER NOT NULL,
  evidence TEXT NOT NULL  -- JSON: dated, rule, parameters, facts
) STRICT;
CREATE INDEX alerts_by_instant ON alerts (at);
CREATE INDEX alerts_of_page ON alerts (page, at);
CREATE INDEX alerts_of_rival ON alerts (rival, at);
CREATE TABLE memories (
  comparison TEXT NOT NULL,
  scope TEXT NOT NULL,
  memory TEXT NOT NULL,
  PRIMARY KEY (comparison, scope)
) STRICT, WITHOUT ROWID;
"""

_NEWSROOM = """
CREATE TABLE subscriptions (
  team_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  target TEXT NOT NULL,
  slug TEXT NOT NULL,
  features TEXT NOT NULL,  -- JSON: ["overtake", …]
  thresholds TEXT NOT NULL,  -- JSON: {"foreign": 10.0, …}
  by_user TEXT NOT NULL,
  at INTEGER NOT NULL,
  paused TEXT,
  PRIMARY KEY (team_id, channel_id, target, slug)
) STRICT;
CREATE INDEX subscriptions_to ON subscriptions (slug, target);
CREATE TABLE mutes (
  team_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  page TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (team_id, channel_id, page)
) STRICT;
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY,
  alert_id INTEGER NOT NULL REFERENCES alerts,
  team_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  state TEXT NOT NULL,
  replayed INTEGER NOT NULL,
  claims INTEGER NOT NULL DEFAULT 0,
  queued_at INTEGER NOT NULL,
  claimed_at INTEGER,
  sent_at INTEGER,
  ts TEXT,
  trouble TEXT,
  UNIQUE (alert_id, team_id, channel_id)
) STRICT;
CREATE INDEX deliveries_by_state ON deliveries (state, id, team_id, channel_id);
-- When a channel may be posted to again.
CREATE TABLE channels (
  team_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  PRIMARY KEY (team_id, channel_id)
) STRICT;
CREATE INDEX channels_by_wait ON channels (not_before);
-- The message that carries a story in a channel.
CREATE TABLE cards (
  team_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  story TEXT NOT NULL,
  ts TEXT NOT NULL,
  PRIMARY KEY (team_id, channel_id, story)
) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_of_team ON audit (team_id, id);
CREATE TABLE notes (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
"""


def _iso(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', ({column}) / 1000.0, 'unixepoch')"


def _readings_of(table: str) -> str:
    return f"""
  SELECT pages.slug AS page, {_iso("observed_at")} AS instant, count, count - below AS low, count + above AS high,
    coalesce(standing, 'accepted') AS standing, source, sources.url AS url, metric, coalesce(dated, 'instant') AS dated,
    {_iso("observed_at + delay")} AS received
  FROM {table} JOIN pages ON pages.id = page_id JOIN sources ON sources.id = source_id"""


_VIEWS = f"""
CREATE VIEW readings_all AS {_readings_of("history")} UNION ALL {_readings_of("readings")};
CREATE VIEW audiences_all AS
  SELECT slug AS page, {_iso("as_of")} AS instant, measure, metric, days, listed.key AS country,
    json_extract(figures, '$.likes.' || listed.key || '[0]') AS likes,
    json_extract(figures, '$.shares.' || listed.key || '[0]') AS share,
    json_extract(figures, '$.total[0]') AS total, source, method, audiences.url AS url,
    coalesce(dated, 'instant') AS dated, {_iso("received_at")} AS received
  FROM audiences JOIN pages ON pages.id = page_id,
    json_each(json_patch(json_extract(figures, '$.likes'), json_extract(figures, '$.shares'))) AS listed;
CREATE VIEW alerts_all AS
  SELECT {_iso("at")} AS instant, kind, page, rival, feature, story, key, json_extract(evidence, '$.rule') AS rule,
    {_iso("recorded_at")} AS recorded, replayed, past
  FROM alerts;
"""


@MIGRATIONS(name="0001_first_version")
def first_version(db: sqlite_utils.Database) -> None:
    """Create the tables of version 0.1."""
    for script in (_PAGES, _READINGS, _LATEST, _PASTS, _EVENTS, _NEWSROOM, _VIEWS):
        db.executescript(script)


@MIGRATIONS(name="0002_marks")
def marks(db: sqlite_utils.Database) -> None:
    """Store new points of history summaries side by side, in the order of arrival."""
    db.executescript(
        """
        ALTER TABLE pasts ADD COLUMN newest REAL NOT NULL DEFAULT 0;  -- seconds since 1970
        CREATE TABLE marks (
          page_id INTEGER NOT NULL,
          at REAL NOT NULL,  -- seconds since 1970
          count REAL NOT NULL
        ) STRICT;
        """
    )


_DELIVERY = """
-- A wait holds from the instant it was asked for: a clock that was set back must not make an hour of a second.
ALTER TABLE channels ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX subscriptions_paused ON subscriptions (team_id, channel_id) WHERE paused IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (team_id, channel_id, id) WHERE state = 'pending';
-- Slack's id of the request that made the change: whatever Slack or anybody else sends again has one effect.
ALTER TABLE audit ADD COLUMN request TEXT;
CREATE UNIQUE INDEX audit_of_request ON audit (team_id, request) WHERE request IS NOT NULL;
-- What a person is to be told in direct messages, or a channel in a line.
CREATE TABLE tellings (
  id INTEGER PRIMARY KEY,
  team_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  doubtful INTEGER NOT NULL,  -- 1: an attempt was begun whose outcome is not known
  trouble TEXT
) STRICT;
CREATE INDEX tellings_waiting ON tellings (not_before) WHERE state = 'pending';
"""


@MIGRATIONS(name="0003_delivery")
def delivery(db: sqlite_utils.Database) -> None:
    """Add waits that a changed clock cannot stretch, ids of requests, and notices."""
    db.executescript(_DELIVERY)


@MIGRATIONS(name="0004_memories")
def version_of_0003(db: sqlite_utils.Database) -> None:
    """Give the rule states of a database that was at 0003 the number 0, the version of their form."""
    _add_version(db, 0)


@MIGRATIONS(name="0005_memories")
def version_of_0004(db: sqlite_utils.Database) -> None:
    """Give the rule states of a database that was at 0004 the number 1."""
    _add_version(db, 1)


_NAMES = """
ALTER TABLE latest RENAME TO series_states;
ALTER TABLE pasts RENAME TO history_summaries;
ALTER TABLE marks RENAME TO history_points;
ALTER TABLE tellings RENAME TO notices;
DROP INDEX tellings_waiting;
CREATE INDEX notices_waiting ON notices (not_before) WHERE state = 'pending';
CREATE TABLE rule_states (
  comparison TEXT NOT NULL,
  scope TEXT NOT NULL,
  version INTEGER NOT NULL,  -- of the form of the text: the comparison's "version" when it was stored
  state TEXT NOT NULL,  -- what the comparison's "dump" returned
  PRIMARY KEY (comparison, scope)
) STRICT, WITHOUT ROWID;
INSERT INTO rule_states SELECT comparison, scope, version, memory FROM memories;
DROP TABLE memories;
"""


@MIGRATIONS(name="0006_names")
def names(db: sqlite_utils.Database) -> None:
    """Give each table the name of its concept, and number the rule states of a database that was at 0005 with 2."""
    _add_version(db, 2)
    db.executescript(_NAMES)


def _add_version(db: sqlite_utils.Database, version: int) -> None:
    """Give all rule states a number, unless an earlier migration of this very run numbered them.

    Only the comparison that wrote a rule state can read its text, so a migration changes the number alone.
    """
    if "version" not in db.table("memories").columns_dict:
        db.execute(f"ALTER TABLE memories ADD COLUMN version INTEGER NOT NULL DEFAULT {version}")


_JOURNAL = """
-- Everything that the rules were given, in the order in which it arrived (storage/series/journal.py).
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;
CREATE TABLE journal_pages (
  slug TEXT NOT NULL,
  entry INTEGER NOT NULL,  -- before which the page was this
  page TEXT NOT NULL,  -- JSON; null: not watched
  PRIMARY KEY (slug, entry)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal_rule_states (
  entry INTEGER NOT NULL,  -- after which the state was set, or forgotten where it is NULL
  comparison TEXT NOT NULL,
  scope TEXT NOT NULL,
  version INTEGER,
  state TEXT
) STRICT;
"""


@MIGRATIONS(name="0007_journal")
def journal(db: sqlite_utils.Database) -> None:
    """Create the journal, and copy what is derived now. A later change of these tables must change the copies too."""
    db.executescript(_JOURNAL)
    for table in ("series_states", "history_summaries", "history_points", "rule_states"):
        created = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        db.execute(re.sub(rf'(?<=^CREATE TABLE )"?{table}"?', f"baseline_{table}", created))
        db.execute(f"INSERT INTO baseline_{table} SELECT * FROM {table}")
    db.execute("INSERT INTO notes SELECT 'journal_began', coalesce(max(id), 0) FROM alerts")
