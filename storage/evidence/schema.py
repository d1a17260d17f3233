"""The tables of the evidence. A migration that was released is never edited: the next one changes it.

Every column beside the texts follows from the texts, so that the audit can compare each column with a text.
"""

from __future__ import annotations

import sqlite_utils
from sqlite_utils import Migrations

EVIDENCE_MIGRATIONS = Migrations("likewatch-evidence")

_TABLES = """
-- One link of the chain: the text names the records of a cycle and the digest of the manifest before.
CREATE TABLE manifests (
  sequence INTEGER PRIMARY KEY,  -- 1, 2, 3 …
  digest BLOB NOT NULL,  -- SHA-256 of the text
  text BLOB NOT NULL  -- deflated JSON
) STRICT;
-- What was asked and what came, or what was imported; in the order in which the manifest names them.
CREATE TABLE records (
  sequence INTEGER NOT NULL REFERENCES manifests,
  place INTEGER NOT NULL,  -- 1, 2, 3 …: where the manifest names it
  asked_at INTEGER,  -- milliseconds since 1970: observed_at of the readings that came of it; NULL: of no poll
  key_sequence INTEGER,  -- the record whose text is this one's dictionary
  key_place INTEGER,
  text BLOB NOT NULL,  -- deflated JSON
  UNIQUE (sequence, place)
) STRICT;
CREATE INDEX records_by_asking ON records (asked_at);
-- The bytes that came, each once.
CREATE TABLE replies (
  digest BLOB NOT NULL UNIQUE,  -- SHA-256 of the bytes
  seen INTEGER NOT NULL REFERENCES manifests (sequence),  -- the last in whose cycle they came
  key BLOB,  -- the digest of the reply that is this one's dictionary
  data BLOB NOT NULL  -- deflated
) STRICT;
CREATE INDEX replies_by_key ON replies (key) WHERE key IS NOT NULL;
CREATE TABLE stamps (
  sequence INTEGER PRIMARY KEY REFERENCES manifests,
  response BLOB NOT NULL,  -- DER of the RFC 3161 TimeStampResp over the manifest's text
  root BLOB NOT NULL  -- DER of the certificate that it was checked against
) STRICT;
"""


@EVIDENCE_MIGRATIONS(name="0001_first_version")
def first_version(db: sqlite_utils.Database) -> None:
    """Create the tables of the first version."""
    db.executescript(_TABLES)
