"""The database files of an installation. Backup and restore take the list from here, so that they forget none."""

from __future__ import annotations

from pathlib import Path


def evidence_beside(database: Path) -> Path:
    """Return the path of a database's evidence: ``likewatch.db`` -> ``likewatch.evidence.db``, in the same folder."""
    return database.with_name(f"{database.stem}.evidence{database.suffix or '.db'}")


def files_of(database: Path) -> tuple[Path, ...]:
    """Return the paths of all database files, in the order in which they must be copied.

    The evidence comes last. It is written before the readings that rest on it, so a later copy contains all of it.
    """
    return (database, evidence_beside(database))
