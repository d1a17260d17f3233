from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage.schema.database import Database
from storage.schema.ids import Ids
from storage.schema.sqlite import sqlite3

SOURCE = ("Facebook Graph API", "https://www.facebook.com/hunsen", "followers")


class Overtaken(Database):
    """A database on which, whenever this thread begins to read, another has just read the same."""

    other: Callable[[], object] = staticmethod(lambda: None)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with super().read() as conn:
            other, self.other = self.other, lambda: None
            other()
            yield conn


def test_two_threads_that_look_up_a_source_at_once_both_find_it(tmp_path: Path) -> None:
    path = tmp_path / "likewatch.db"
    with closing(Database.open(path)) as writer, writer.write() as db:
        known = Ids(writer).source(db.conn, SOURCE)
    with closing(Overtaken(path, writer=None, lock=None)) as database:
        sources, found = Ids(database).sources(), list[object]()
        database.other = lambda: found.append(sources[known])
        found.append(sources[known])
        assert found == [SOURCE, SOURCE]
