"""A file that is imported while the bot runs: posted to the bot's own HTTP server, imported there, answered here."""

from __future__ import annotations

import json
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.errors import LikewatchError
from bot.http.server import HttpServer, listen
from bot.imports.job import ImportJob
from bot.imports.queue import PATH, TAKEN_WITHIN, ImportQueue, import_route
from bot.imports.request import control_file, control_path, request_import
from storage.errors import StoreInUse
from storage.schema.lock import acquire_lock
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START

JOB = ImportJob(name="figures.csv", data=b"date,page\n\xff", by="ana", page="hunsen", keep_good=True)
HELD = StoreInUse("It is held by process 7.")
TOKEN = "the token"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "likewatch.db"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    lock = acquire_lock(database)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def served(*routes: Route) -> Iterator[int]:
    listening = listen()
    server = HttpServer(Starlette(routes=routes), name="local-http")
    server.start(listening)
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.stop()


@contextmanager
def door(database: Path, queue: ImportQueue, *, taken_within: float = 60) -> Iterator[int]:
    """A process that holds the database and takes imports, while nobody runs them."""
    with (
        locked(database),
        served(import_route(queue, TOKEN, taken_within=taken_within)) as port,
        control_file(database, port, TOKEN),
    ):
        yield port


@contextmanager
def bot(database: Path, run: Callable[[ImportJob], list[str]]) -> Iterator[int]:
    """A process that holds the database, takes imports and runs them until the end of the block."""
    queue, ended = ImportQueue(), threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            queue.run_waiting(run)

    thread = threading.Thread(target=look)
    with door(database, queue) as port:
        thread.start()
        try:
            yield port
        finally:
            ended.set()
            thread.join()


class WatchedQueue(ImportQueue):
    """A queue that says when the first import comes."""

    def __init__(self) -> None:
        super().__init__()
        self._came = threading.Event()
        self._first: Future[list[str]] | None = None

    def put(self, job: ImportJob) -> Future[list[str]]:
        self._first = super().put(job)
        self._came.set()
        return self._first

    def first(self) -> Future[list[str]]:
        assert self._came.wait(30)
        assert self._first is not None
        return self._first


class LongWaits(HandClock):
    """A clock by which every wait takes a minute."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return super().wait(event, max(seconds, 60))


def never(_job: ImportJob) -> list[str]:
    pytest.fail("nothing was to be imported")


def test_the_job_arrives_whole_and_the_answer_comes_back(database: Path) -> None:
    came: list[ImportJob] = []

    def run(job: ImportJob) -> list[str]:
        came.append(job)
        return ["Kept: 1 count.", "Ünïcode"]

    with bot(database, run):
        assert request_import(database, JOB, HELD) == ["Kept: 1 count.", "Ünïcode"]
        umlaut = replace(JOB, name="Zähl & Maß?.csv", data=b"", by="អាណា", page=None)
        assert request_import(database, umlaut, HELD) == ["Kept: 1 count.", "Ünïcode"]
    assert came == [JOB, umlaut]
    assert not control_path(database).exists()


def test_what_the_bot_refuses_is_said_to_who_imports(database: Path) -> None:
    def refuse(_job: ImportJob) -> list[str]:
        raise LikewatchError("figures.csv is empty.")

    with bot(database, refuse), pytest.raises(LikewatchError, match=r"figures\.csv is empty\."):
        request_import(database, JOB, HELD)


def test_what_nobody_foresaw_is_answered_all_the_same(database: Path) -> None:
    queue = WatchedQueue()
    with door(database, queue), ThreadPoolExecutor() as threads:
        answer = threads.submit(request_import, database, JOB, HELD)
        assert queue.first()
        with pytest.raises(ZeroDivisionError):
            queue.run_waiting(lambda _job: [str(1 // 0)])
        with pytest.raises(LikewatchError, match="Likewatch's log says more"):
            answer.result()


def test_where_the_database_is_free_again_nobody_is_asked(database: Path) -> None:
    assert request_import(database, JOB, HELD) is None


def test_where_nobody_takes_imports_that_is_said(database: Path) -> None:
    clock = HandClock(START)
    said = r"process 7\. It did not take the file within 2 minutes\. If it is an older Likewatch, restart it"
    with locked(database), pytest.raises(StoreInUse, match=said):
        request_import(database, JOB, HELD, clock)
    assert clock.monotonic() > TAKEN_WITHIN


def test_where_nobody_runs_the_import_that_is_said_and_it_is_taken_back(database: Path) -> None:
    queue = ImportQueue()
    with door(database, queue, taken_within=0.05):
        with pytest.raises(StoreInUse, match=r"process 7\. It did not take the file within 2 minutes"):
            request_import(database, JOB, HELD, LongWaits(START))
        queue.run_waiting(never)


def test_where_the_bot_stops_before_it_begins_the_import_is_taken_back(database: Path) -> None:
    queue = WatchedQueue()
    with ThreadPoolExecutor() as threads:
        with door(database, queue):
            answer = threads.submit(request_import, database, JOB, HELD)
            assert queue.first()
            queue.close()
        assert answer.result() is None, "whoever imports can do it without the bot"
    queue.run_waiting(never)
    assert queue.put(JOB).cancelled(), "a bot that stops takes no more"


def test_where_the_bot_stops_at_it_nobody_waits_for_ever(database: Path) -> None:
    ended, begun = threading.Event(), threading.Event()

    def hang(_job: ImportJob) -> list[str]:
        begun.set()
        ended.wait(30)
        return []

    queue = WatchedQueue()
    with ThreadPoolExecutor() as threads:
        with door(database, queue):
            answer = threads.submit(request_import, database, JOB, HELD)
            assert queue.first()
            threads.submit(queue.run_waiting, hang)
            assert begun.wait(30)
        with pytest.raises(
            LikewatchError, match=r"stopped before it said what came of the import.*Import the file again"
        ):
            answer.result()
        ended.set()


def test_where_what_was_taken_is_not_answered_nobody_waits_for_ever(database: Path) -> None:
    ended = threading.Event()

    def hang(_job: ImportJob) -> list[str]:
        ended.wait(30)
        return []

    with bot(database, hang):
        with pytest.raises(LikewatchError, match=r"has not said what came of the import within 15 minutes"):
            request_import(database, JOB, HELD, answered_within=0.2)
        ended.set()


def test_whoever_leaves_before_the_import_begins_takes_it_back(database: Path) -> None:
    queue = WatchedQueue()
    with door(database, queue) as port:
        connection = HTTPConnection("127.0.0.1", port)
        job = '{"name":"figures.csv","by":"ana"}'.replace('"', "%22")
        connection.request("POST", f"{PATH}?job={job}", body=b"1", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = queue.first()
        connection.close()
        with pytest.raises(CancelledError):
            answer.result(30)


def test_what_a_killed_bot_left_behind_disturbs_nobody(database: Path) -> None:
    with listen() as closed:
        port = closed.getsockname()[1]
    with locked(database), control_file(database, port, TOKEN), pytest.raises(StoreInUse, match="did not take"):
        request_import(database, JOB, HELD, LongWaits(START))
    control_path(database).write_text("{")
    with locked(database), pytest.raises(StoreInUse, match="did not take"):
        request_import(database, JOB, HELD, LongWaits(START))
    (database.with_name("likewatch.db.imports") / "abc.waiting").mkdir(parents=True)  # as older versions had it
    with bot(database, lambda job: [job.name]):
        assert request_import(database, JOB, HELD) == ["figures.csv"]
    assert request_import(database, JOB, HELD) is None


def test_whoever_imports_waits_for_a_bot_that_only_starts(database: Path) -> None:
    class Starting(HandClock):
        def wait(self, event: threading.Event, seconds: float) -> bool:
            threads.enter_context(control_file(database, port, TOKEN))
            return super().wait(event, seconds)

    with ExitStack() as threads, bot(database, lambda job: [job.name]) as port:
        control_path(database).unlink()
        assert request_import(database, JOB, HELD, Starting(START)) == ["figures.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_only_the_bot_s_own_user_can_read_the_token(database: Path) -> None:
    path = control_path(database)
    path.write_text("left by a killed bot, readable for all")
    path.chmod(0o644)
    with control_file(database, 1, TOKEN):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert TOKEN in path.read_text()


def post(port: int, *, token: str = TOKEN, job: str = "{}", length: str | None = None, body: bytes = b"") -> int:
    connection = HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}"} | ({"Content-Length": length} if length else {})
    connection.request("POST", f"{PATH}?job={job}", body=body, headers=headers)
    response = connection.getresponse()
    status, answer = response.status, response.read()
    connection.close()
    if status == 200:
        assert json.loads(answer)["refused"]
        assert "at most 200 MB are imported at once" in json.loads(answer)["lines"][0]
    return status


def test_requests_that_are_not_ours_change_nothing(database: Path) -> None:
    named = '{"name":"figures.csv","by":"ana"}'.replace('"', "%22")
    with bot(database, never) as port:
        assert post(port, token="another") == 401
        assert post(port, token="\u00e4") == 401
        assert post(port) == 400
        assert post(port, job="%7B") == 400
        assert post(port, job=named.replace("by", "who")) == 400
        assert post(port, job=named, length="200000001") == 200, "refused before a byte of it is read"


def test_a_file_too_large_is_refused_here(database: Path) -> None:
    with locked(database), pytest.raises(LikewatchError, match="at most 200 MB are imported at once"):
        request_import(database, replace(JOB, data=b"\0" * 200_000_001), HELD)


def test_a_bot_of_another_version_says_so(database: Path) -> None:
    with (
        locked(database),
        served() as port,
        control_file(database, port, TOKEN),
        pytest.raises(LikewatchError, match=r"another version\. Restart it, and import the file again"),
    ):
        request_import(database, JOB, HELD)


def test_another_program_on_the_port_of_a_killed_bot_is_no_answer(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ThreadPoolExecutor() as threads:

        def answer() -> None:
            connection, _ = taken.accept()
            connection.recv(1 << 16)
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.close()

        threads.submit(answer)
        with (
            locked(database),
            control_file(database, taken.getsockname()[1], TOKEN),
            pytest.raises(LikewatchError, match="Import the file again"),
        ):
            request_import(database, JOB, HELD)


def test_imports_run_one_after_the_other(database: Path) -> None:
    under_way = threading.Lock()

    def run(job: ImportJob) -> list[str]:
        assert under_way.acquire(blocking=False)
        threading.Event().wait(0.05)
        under_way.release()
        return [job.name]

    names = [f"{number}.csv" for number in range(4)]
    with bot(database, run), ThreadPoolExecutor() as threads:
        answers = [threads.submit(request_import, database, replace(JOB, name=name), HELD) for name in names]
        assert [answer.result() for answer in answers] == [[name] for name in names]


def test_nothing_that_waits_is_nothing_to_do() -> None:
    ImportQueue().run_waiting(never)
