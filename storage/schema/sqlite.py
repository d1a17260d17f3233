"""The one SQLite of this process: the one that sqlite-utils uses, which is pysqlite3's wherever that is installed.

Every file of ours takes ``sqlite3`` from here. Two copies of SQLite that open one file in one process break each
other's locks (https://sqlite.org/howtocorrupt.html#_multiple_copies_of_sqlite_linked_into_the_same_application).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3  # noqa: TID251 (its types describe pysqlite3's as well)
else:
    from sqlite_utils.utils import sqlite3

__all__ = ["has_wal_reset_bug", "sqlite3"]

# None and bytes are themselves in SQLite, but the module looks for somebody who knows better at each of them, which
# takes longer than storing it. These two answer at once, in C.
sqlite3.register_adapter(type(None), {None: None}.__getitem__)
sqlite3.register_adapter(bytes, bytes)


def has_wal_reset_bug(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite can damage a database to which two connections write or checkpoint at the same moment.

    https://sqlite.org/wal.html#walresetbug: from 3.7.0; mended in 3.51.3, and in 3.50.7 and 3.44.6.
    """
    major, minor, patch = version
    mended = {(3, 44): 6, (3, 50): 7, (3, 51): 3}.get((major, minor))
    return patch < mended if mended is not None else (3, 7) <= (major, minor) < (3, 52)
