"""The one SQLite of this process: the one that sqlite-utils uses, which is pysqlite3's where that is installed.

Every file of ours imports ``sqlite3`` from here. Two copies of SQLite that open one file in one process break each
other's locks (https://sqlite.org/howtocorrupt.html#_multiple_copies_of_sqlite_linked_into_the_same_application).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3  # noqa: TID251 (its types describe pysqlite3's as well)
else:
    from sqlite_utils.utils import sqlite3

__all__ = ["has_wal_reset_bug", "sqlite3"]

# SQLite stores None and bytes as they are. The module still searches for an adapter for each of them, and the search
# takes longer than storing the value. These two adapters end the search at once, in C.
sqlite3.register_adapter(type(None), {None: None}.__getitem__)
sqlite3.register_adapter(bytes, bytes)


def has_wal_reset_bug(version: tuple[int, int, int]) -> bool:
    """Return whether this SQLite can damage a database when two connections write or checkpoint at the same moment.

    https://sqlite.org/wal.html#walresetbug: since 3.7.0; fixed in 3.51.3, and in 3.50.7 and 3.44.6.
    """
    major, minor, patch = version
    fixed = {(3, 44): 6, (3, 50): 7, (3, 51): 3}.get((major, minor))
    return patch < fixed if fixed is not None else (3, 7) <= (major, minor) < (3, 52)
