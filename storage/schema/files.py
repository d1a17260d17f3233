"""The files that hold what is remembered: named here alone, so that whoever copies or restores them forgets none."""

from __future__ import annotations

from pathlib import Path


def evidence_beside(database: Path) -> Path:
    """The evidence of a database: ``likewatch.db`` -> ``likewatch.evidence.db``, in the same folder."""
    return database.with_name(f"{database.stem}.evidence{database.suffix or '.db'}")


def files_of(database: Path) -> tuple[Path, ...]:
    """Every database file of an installation, in the order in which they must be copied.

    The evidence comes last: it is written before the readings that rest on it, so a later copy of it lacks none.
    """
    return (database, evidence_beside(database))
