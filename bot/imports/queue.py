"""Handing an import to the bot that runs, for one process alone writes: a folder beside the database, and renames.

Each order is a folder of its own, which moves from one state to the next by being renamed, so that one side alone can
take it: ``.waiting`` (to be taken by the bot, or back by who ordered it) -> ``.taken`` (the bot is at it, and puts its
answer there). Whoever may write beside the database may hand something over, and may as well write the database.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import Clock, SystemClock
from bot.errors import LikewatchError
from bot.imports.job import ImportJob
from storage.errors import StoreError, StoreInUse
from storage.schema.lock import is_locked

log = logging.getLogger(__name__)

PATIENCE = 120.0
"""Seconds until somebody who waits is told that nobody takes the order: a poll of many pages may take a minute."""

ANSWERS_WITHIN = 900.0
"""Seconds until somebody whose file was taken waits no longer: the largest are imported in a few minutes."""

ABANDONED_AFTER = timedelta(hours=1)
"""What nobody has touched for so long, nobody waits for any more: who ordered it was killed."""

_LOOK_EVERY = 0.3
_ORDER, _FILE, _ANSWER = "order.json", "figures", "answer.json"
_STUMBLED = "I stumbled over this file; nothing of it was kept. Likewatch's log says more."
_ALL_OR_NOTHING = "All of the file is kept or nothing: import it again, what is there already is left alone."
_STOPPED = f"Likewatch stopped before it said what came of the import. {_ALL_OR_NOTHING}"


def queue_import(database: Path, order: ImportJob, held: StoreInUse, clock: Clock | None = None) -> list[str] | None:
    """Let the bot that holds the database carry out an order: its lines; None if the database is free again.

    Raises:
        LikewatchError: what the bot says against it; or it stopped in between, or takes too long.
        StoreInUse: who holds the database takes no orders.

    """
    clock = clock or SystemClock()
    place = _place(database)
    place.mkdir(exist_ok=True)
    name = uuid.uuid4().hex
    unfinished, waiting, taken = (place / f"{name}.{state}" for state in ("unfinished", "waiting", "taken"))
    try:
        unfinished.mkdir()
        (unfinished / _FILE).write_bytes(order.data)
        said = {key: value for key, value in asdict(order).items() if key != "data"}
        (unfinished / _ORDER).write_text(json.dumps(said), encoding="utf-8")
        unfinished.rename(waiting)
        return _answer(database, waiting, taken, held, clock)
    finally:
        for left in (unfinished, waiting, taken):
            shutil.rmtree(left, ignore_errors=True)


def _answer(database: Path, waiting: Path, taken: Path, held: StoreInUse, clock: Clock) -> list[str] | None:
    never, start = threading.Event(), clock.monotonic()
    until = start + PATIENCE
    while not (taken / _ANSWER).exists():
        is_free = not is_locked(database)
        if is_free or (waiting.exists() and clock.monotonic() > until):
            if _moved(waiting, waiting.with_suffix(".unfinished")):
                if is_free:
                    return None
                raise StoreInUse(f"{held} It did not take the file within {PATIENCE / 60:.0f} minutes.")
            if is_free and not (taken / _ANSWER).exists():
                raise LikewatchError(_STOPPED)
        if clock.monotonic() > start + ANSWERS_WITHIN:
            raise LikewatchError(
                f"Likewatch has not said what came of the import within {ANSWERS_WITHIN / 60:.0f} minutes; "
                f"its log may. {_ALL_OR_NOTHING}"
            )
        clock.wait(never, _LOOK_EVERY)
    answer = json.loads((taken / _ANSWER).read_text(encoding="utf-8"))
    if answer["refused"]:
        raise LikewatchError("\n".join(answer["lines"]))
    return list(answer["lines"])


def run_queued(database: Path, carry_out: Callable[[ImportJob], Iterable[str]]) -> None:
    """Carry out what was handed over, the oldest first, and answer; what goes wrong is told to who ordered it."""
    place = _place(database)
    if not place.exists():
        return
    for waiting in sorted(place.glob("*.waiting"), key=lambda path: path.stat().st_mtime):
        taken = waiting.with_suffix(".taken")
        if not _moved(waiting, taken):
            continue  # taken back
        lines, refused = [_STUMBLED], True
        try:
            said = json.loads((taken / _ORDER).read_text(encoding="utf-8"))
            order = ImportJob(**said, data=(taken / _FILE).read_bytes())
            lines, refused = list(carry_out(order)), False
            log.info("Imported %s for %s", order.name, order.by)
        except (LikewatchError, StoreError) as error:
            lines = [str(error)]
        finally:
            _put(taken / _ANSWER, json.dumps({"refused": refused, "lines": lines}))


def end_abandoned(database: Path, now: datetime) -> None:
    """What a bot that died left behind: who waits for it is told, and what nobody waits for is removed.

    To be called by who holds the database, before it takes orders: what is taken then, was taken by one that died.
    """
    for folder in _place(database).glob("*.*"):
        with suppress(OSError):  # who ordered it may be clearing it away
            if now.timestamp() - folder.stat().st_mtime > ABANDONED_AFTER.total_seconds():
                shutil.rmtree(folder, ignore_errors=True)
            elif folder.suffix == ".taken" and not (folder / _ANSWER).exists():
                _put(folder / _ANSWER, json.dumps({"refused": True, "lines": [_STOPPED]}))


def _place(database: Path) -> Path:
    return database.with_name(database.name + ".imports")


def _moved(one: Path, other: Path) -> bool:
    try:
        one.rename(other)
    except OSError:
        return False
    return True


def _put(path: Path, text: str) -> None:
    """The file is there whole or not at all; nobody waits for it any more if its folder is gone."""
    if path.parent.exists():
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
