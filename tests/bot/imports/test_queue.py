"""A file that is imported while the bot runs: handed over beside the database, carried out there, answered here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import LikewatchError
from bot.imports.job import ImportJob
from bot.imports.queue import PATIENCE, end_abandoned, queue_import, run_queued
from storage.errors import StoreInUse
from storage.schema.lock import WriterLock
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START

ORDER = ImportJob(name="figures.csv", data=b"date,page\n\xff", by="ana", page="hunsen", keep_good=True)
HELD = StoreInUse("It is held by process 7.")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "likewatch.db"


@contextmanager
def bot(database: Path, carry_out: Callable[[ImportJob], list[str]]) -> Iterator[None]:
    """A process that holds the database and takes orders until the end of the block."""
    lock, ended = WriterLock.take(database), threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            run_queued(database, carry_out)

    thread = threading.Thread(target=look)
    thread.start()
    yield
    ended.set()
    thread.join()
    lock.release()


def left(database: Path) -> list[str]:
    return [path.name for path in database.with_name("likewatch.db.imports").iterdir()]


def test_the_order_arrives_whole_and_the_answer_comes_back(database: Path) -> None:
    came: list[ImportJob] = []

    def carry_out(order: ImportJob) -> list[str]:
        came.append(order)
        return ["Kept: 1 count.", "Ünïcode"]

    with bot(database, carry_out):
        assert queue_import(database, ORDER, HELD) == ["Kept: 1 count.", "Ünïcode"]
    assert came == [ORDER]
    assert left(database) == []


def test_what_the_bot_refuses_is_said_to_who_ordered_it(database: Path) -> None:
    def refuse(_order: ImportJob) -> list[str]:
        raise LikewatchError("figures.csv is empty.")

    with bot(database, refuse), pytest.raises(LikewatchError, match=r"figures\.csv is empty\."):
        queue_import(database, ORDER, HELD)
    assert left(database) == []


def test_what_nobody_foresaw_is_answered_all_the_same(database: Path) -> None:
    lock = WriterLock.take(database)

    def stumble() -> None:
        while not list(database.with_name("likewatch.db.imports").glob("*.waiting")):
            threading.Event().wait(0.02)
        with pytest.raises(ZeroDivisionError):
            run_queued(database, lambda _order: [str(1 // 0)])

    database.with_name("likewatch.db.imports").mkdir()
    thread = threading.Thread(target=stumble)
    thread.start()
    with pytest.raises(LikewatchError, match="Likewatch's log says more"):
        queue_import(database, ORDER, HELD)
    thread.join()
    lock.release()


def test_where_the_database_is_free_again_the_order_is_taken_back(database: Path) -> None:
    assert queue_import(database, ORDER, HELD) is None
    run_queued(database, lambda _order: pytest.fail("it was taken back"))
    assert left(database) == []


def test_where_nobody_takes_it_that_is_said_and_it_is_taken_back(database: Path) -> None:
    lock, clock = WriterLock.take(database), HandClock(START)
    with pytest.raises(StoreInUse, match=r"process 7\. It did not take the file within 2 minutes"):
        queue_import(database, ORDER, HELD, clock)
    lock.release()
    assert clock.monotonic() > PATIENCE
    assert left(database) == []


def test_where_the_bot_stops_at_it_nobody_waits_for_ever(database: Path) -> None:
    place = database.with_name("likewatch.db.imports")
    place.mkdir()

    class Taking(HandClock):
        def wait(self, event: threading.Event, seconds: float) -> bool:
            for waiting in place.glob("*.waiting"):
                waiting.rename(waiting.with_suffix(".taken"))
                lock.release()
            return super().wait(event, seconds)

    lock = WriterLock.take(database)
    with pytest.raises(LikewatchError, match=r"stopped before it said what came of the import.*import it again"):
        queue_import(database, ORDER, HELD, Taking(START))
    assert left(database) == []


class Restarting(HandClock):
    """While it waits the bot takes the order and dies, and another holds the database at once."""

    def __init__(self, database: Path, *, ends_abandoned: bool) -> None:
        super().__init__(datetime.now(UTC))  # the files' times are the machine's
        self._place = database.with_name("likewatch.db.imports")
        self._database = database
        self._ends_abandoned = ends_abandoned

    def wait(self, event: threading.Event, seconds: float) -> bool:
        for waiting in self._place.glob("*.waiting"):
            waiting.rename(waiting.with_suffix(".taken"))
            if self._ends_abandoned:
                end_abandoned(self._database, self.now())
        return super().wait(event, seconds)


def test_where_the_bot_stops_at_it_and_starts_again_at_once_that_is_said(database: Path) -> None:
    lock, clock = WriterLock.take(database), Restarting(database, ends_abandoned=True)
    with pytest.raises(LikewatchError, match=r"stopped before it said what came of the import"):
        queue_import(database, ORDER, HELD, clock)
    lock.release()
    assert clock.monotonic() < PATIENCE
    assert left(database) == []


def test_where_what_was_taken_is_not_answered_nobody_waits_for_ever(database: Path) -> None:
    lock, clock = WriterLock.take(database), Restarting(database, ends_abandoned=False)
    with pytest.raises(LikewatchError, match=r"has not said what came of the import within 15 minutes"):
        queue_import(database, ORDER, HELD, clock)
    lock.release()
    assert left(database) == []


@pytest.mark.parametrize("state", ["unfinished", "waiting", "taken"])
def test_what_a_killed_import_left_behind_is_cleared_away_at_the_next_start(database: Path, state: str) -> None:
    folder = database.with_name("likewatch.db.imports") / f"abc.{state}"
    folder.mkdir(parents=True)
    (folder / "figures").write_bytes(b"somebody's figures")
    now = datetime.now(UTC)
    end_abandoned(database, now)
    assert left(database) == [folder.name], "somebody may be waiting for it"
    end_abandoned(database, now + timedelta(hours=2))
    assert left(database) == []


def test_nothing_handed_over_is_nothing_to_do(database: Path) -> None:
    run_queued(database, lambda _order: pytest.fail("there is none"))
    end_abandoned(database, START)
