"""Cases 23 to 26: a disk that is full or broken, a database that somebody locks, a second process."""

from __future__ import annotations

import errno
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from storage.schema.sqlite import sqlite3
from tests.labs.faults.bots import NotSeen, until
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.kill_steps import account, make_due, ready, slugs
from tests.labs.faults.newsrooms import Newsroom, living, newsroom
from tests.labs.faults.platform_faults import read
from tests.labs.faults.strace import SYNCS, WRITES, at_call, attached, was_injected

LOCKED = 11.0
"""Seconds; longer than the ten that SQLite waits for a lock."""

GOES_ON_WITHIN = 200.0
"""Seconds. What could not be stored is asked for again after two minutes (bot/polling/poll_schedule.py)."""

PAGES = 40
CALLS, QUICK_CALLS = range(1, 13), (1, 3)
"""The calls of each thread that fail; a poll and a post make some ten of each kind."""

SIDE_BY_SIDE = 3
AT_A_TIME = 4
REACHED_WITHIN, AILING = 60.0, 4.0
"""Seconds until a call is reached, and those that a bot lives on with failing calls."""

SIZE = "3m"


def _full_disk(trial: Trial) -> None:
    """A real file system of 3 MB fills up; what is stored is answered from, and once there is room it goes on."""
    with trial.folder() as folder, newsroom(folder) as room, _small_disk(folder / "disk") as disk:
        room.move_to(disk)
        names = slugs(PAGES)
        room.watch(names, [(desk,) for desk in room.channels(PAGES)], group="race")
        with living(room.bot()) as bot:
            read(room, names)
            filler = disk / "filler"
            _fill(filler)
            for name in names[:10]:
                room.pass_milestone(name)
            bot.wait_for("disk is full")
            room.workspace.say("ana", "newsroom", f"/likes {names[0]}")
            room.workspace.wait_for_message("newsroom", "990,", person="ana")
            filler.unlink()
            room.arrived(GOES_ON_WITHIN)
            room.quiet(GOES_ON_WITHIN)
            bot.stop()
        damage = room.damage()
        trial.expect(not damage, f"the database is damaged: {damage}")
        trial.lost, trial.doubled = len(room.missing()), room.doubled()
        trial.tried += 1


@contextmanager
def _small_disk(place: Path) -> Iterator[Path]:
    """A tmpfs of 3 MB; ``NotSeen`` where none may be mounted."""
    place.mkdir()
    mounted = subprocess.run(
        [_tool("mount"), "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise NotSeen(f"no small disk can be mounted here ({mounted.stderr.strip()}): run it as root")
    try:
        yield place
    finally:
        subprocess.run([_tool("umount"), "--lazy", str(place)], check=True)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotSeen(f"{name} is not installed, so there is no small disk to fill")
    return found


def _fill(filler: Path) -> None:
    """Take every byte that is left."""
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def _locked(trial: Trial) -> None:
    """Another program holds the write lock for longer than SQLite waits."""
    with ready(trial, PAGES) as room, living(room.bot()) as bot:
        read(room, slugs(PAGES))
        with closing(sqlite3.connect(room.database, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            for slug in slugs(PAGES)[:10]:
                room.pass_milestone(slug)
            time.sleep(LOCKED)
            other.execute("ROLLBACK")
        room.arrived(GOES_ON_WITHIN)
        room.quiet(GOES_ON_WITHIN)
        bot.stop()
        trial.lost, trial.doubled = len(room.missing()), room.doubled()
        trial.tried += 1


def _failing_calls(trial: Trial) -> None:
    """Each thread's Nth write or sync fails, for every N; and for a while every one of them, in a bot that goes on."""
    numbers: Sequence[int] = QUICK_CALLS if trial.quick else CALLS
    tries = [(call, error, number) for call, error in _FAILURES[: 2 if trial.quick else None] for number in numbers]
    parts = [Trial(quick=trial.quick) for _ in range(SIDE_BY_SIDE)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for done in [pool.submit(_fail, part, tries[nth::SIDE_BY_SIDE]) for nth, part in enumerate(parts)]:
            done.result()
    for part in parts:
        trial.tried += part.tried
        trial.lost += part.lost
        trial.doubled += part.doubled
        trial.faults += part.faults
    _fail_for_a_while(trial)


_FAILURES = (
    (SYNCS, "error=EIO"),
    (WRITES, "error=ENOSPC"),
    (SYNCS, "error=ENOSPC"),
    (WRITES, "error=EIO"),
)


def _fail(trial: Trial, tries: Sequence[tuple[str, str, int]]) -> None:
    """One bot after the other meets one failure in each of its threads, and is killed; the last one meets none."""
    if not tries:
        return
    with ready(trial, AT_A_TIME * len(tries)) as room:
        for nth, (call, error, number) in enumerate(tries):
            what = f"{call} {error.removeprefix('error=')} at {number}"
            for slug in slugs(AT_A_TIME * len(tries))[AT_A_TIME * nth : AT_A_TIME * (nth + 1)]:
                room.pass_milestone(slug)
            _ail(room, trial, what, partial(_under, room, call, error, number))
            damage = room.damage()
            trial.expect(not damage, f"{what}: the database is damaged: {damage}")
            trial.tried += 1
        account(room, trial, seconds=GOES_ON_WITHIN)


def _under(room: Newsroom, call: str, error: str, number: int, log: Path) -> Sequence[str]:
    return at_call(call, error, number, *_files(room), log=log)


def _ail(room: Newsroom, trial: Trial, what: str, under: Callable[[Path], Sequence[str]]) -> None:
    """A bot whose calls fail: it goes on, or ends at its start with a sentence."""
    log = room.folder / "strace.log"
    log.unlink(missing_ok=True)
    make_due(room)  # what could not be stored would rest for two minutes
    bot = room.bot(under=under(log))
    try:
        until(lambda: was_injected(log) or not bot.running, REACHED_WITHIN, f"{what}: such a call")
        if bot.ended(AILING):
            said = bot.said()
            trial.expect("Error: " in said and "Traceback" not in said, f"{what}: it ended with {said[-200:]}")
    finally:
        bot.kill()


def _fail_for_a_while(trial: Trial) -> None:
    """No sync reaches the disk for some seconds; then it does, and the same bot tells what it owes."""
    with ready(trial, AT_A_TIME) as room, living(room.bot()) as bot:
        log = room.folder / "strace.log"
        with attached(bot.pid, SYNCS, "error=EIO", *_files(room), log=log):
            for slug in slugs(AT_A_TIME):
                room.pass_milestone(slug)
            until(lambda: was_injected(log), 30, "a sync to fail")
            time.sleep(AILING)
        room.arrived(GOES_ON_WITHIN)
        room.quiet(GOES_ON_WITHIN)
        bot.stop()
        trial.lost += len(room.missing())
        trial.doubled += room.doubled()
        trial.tried += 1


def _files(room: Newsroom) -> tuple[Path, Path]:
    return room.database, room.database.with_name(room.database.name + "-wal")


def _two_processes(trial: Trial) -> None:
    with ready(trial, PAGES) as room, living(room.bot()) as first:
        for _ in range(3):
            second = room.bot()
            trial.expect(second.ended(30), "a second process goes on beside the first")
            second.kill()
            said = second.said()
            trial.expect(second.exit_code == 1, f"the second process ended with {second.exit_code}")
            trial.expect(str(first.pid) in said and "in use" in said, f"it said: {said[-200:]}")
            trial.tried += 1
        for slug in slugs(PAGES)[:4]:
            room.pass_milestone(slug)
        room.arrived()
        room.quiet()
        first.stop()
        trial.lost, trial.doubled = len(room.missing()), room.doubled()


CASES = (
    Case(
        number="23",
        name="disk full (tmpfs of 3 MB)",
        expected="old figures are answered, the log says so, it goes on once there is room",
        run=_full_disk,
        seconds=67,
    ),
    Case(
        number="24",
        name="database locked for longer than SQLite waits",
        expected="tried again, nothing lost",
        run=_locked,
        seconds=130,
    ),
    Case(
        number="25",
        name="every Nth write and sync fails (EIO, ENOSPC)",
        expected="it goes on or says why it cannot start; integrity_check is ok",
        run=_failing_calls,
        seconds=150,
    ),
    Case(
        number="26",
        name="two processes on one database",
        expected="the second ends with a sentence that names the first",
        run=_two_processes,
    ),
)
