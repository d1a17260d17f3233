"""Ask the bot that runs, and so holds the database, to import a file.

The bot writes its port and a random token into ``<database>.control``. Only the bot's own user can read that file, and
that user can write the database anyway.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

from bot.clock import Clock, SystemClock
from bot.errors import LikewatchError
from bot.imports.files import refuse_too_large
from bot.imports.job import ImportJob
from bot.imports.queue import PATH, TAKEN_WITHIN
from storage.errors import StoreInUse
from storage.schema.lock import is_locked

ANSWERED_WITHIN = 900.0
"""Seconds until the sender waits no longer: the largest files are imported in a few minutes."""

_LOOK_EVERY = 0.3
_ALL_OR_NOTHING = (
    "Likewatch stores all of a file or nothing. Import the file again: figures that are stored already do not change."
)
_STOPPED = f"Likewatch stopped before it said what came of the import. {_ALL_OR_NOTHING}"
_NO_ANSWER = (
    f"Likewatch has not said what came of the import within {ANSWERED_WITHIN / 60:.0f} minutes; its log may. "
    f"{_ALL_OR_NOTHING}"
)


def control_path(database: Path) -> Path:
    """Return the path of the file that says how to reach the bot that holds a database."""
    return database.with_name(f"{database.name}.control")


@contextmanager
def control_file(database: Path, port: int, token: str) -> Iterator[None]:
    """Say, until the end of the block, on which port of this computer the bot takes imports, and with which token."""
    path = control_path(database)
    path.unlink(missing_ok=True)  # a killed bot left it, perhaps readable for others
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump({"port": port, "token": token}, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def request_import(
    database: Path,
    job: ImportJob,
    held: StoreInUse,
    clock: Clock | None = None,
    *,
    answered_within: float = ANSWERED_WITHIN,
) -> list[str] | None:
    """Return the lines of the bot's answer. Return None if no process holds the database any more.

    ``held`` says which process holds the database.

    Raises:
        StoreInUse: that process did not take the file in time.
        LikewatchError: the bot refused the file, or stopped before it answered.

    """
    refuse_too_large(len(job.data), job.name)
    clock = clock or SystemClock()
    never, until = threading.Event(), clock.monotonic() + TAKEN_WITHIN
    while is_locked(database):
        if (answer := _post(database, job, answered_within)) is not None:
            return answer
        if clock.monotonic() > until:
            raise StoreInUse(
                f"{held} It did not take the file within {TAKEN_WITHIN / 60:.0f} minutes. If it is an older Likewatch, "
                "restart it and import the file again."
            )
        clock.wait(never, _LOOK_EVERY)
    return None


def _post(database: Path, job: ImportJob, answered_within: float) -> list[str] | None:
    """Send the import and return the answer. Return None if no bot took the import."""
    try:
        control = json.loads(control_path(database).read_text(encoding="ascii"))
        port, token = int(control["port"]), str(control["token"])
    except PermissionError as error:
        raise LikewatchError(
            f"{error.filename} cannot be read. While Likewatch runs, only the user who started it can import files."
        ) from error
    except (OSError, LookupError, TypeError, ValueError):
        return None  # the bot starts or stops just now
    options = {name: value for name, value in asdict(job).items() if name != "data"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=answered_within)) as connection:
        try:
            connection.request(
                "POST",
                f"{PATH}?{urlencode({'job': json.dumps(options)})}",
                body=job.data,
                headers={"Authorization": f"Bearer {token}"},
            )
        except OSError:
            return None  # nobody listens there, or the bot stopped before it had the whole file
        try:
            response = connection.getresponse()
            content = response.read()
        except TimeoutError as error:
            raise LikewatchError(_NO_ANSWER) from error
        except (OSError, HTTPException) as error:
            raise LikewatchError(_STOPPED) from error
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE}:
        return None
    if response.status == HTTPStatus.INTERNAL_SERVER_ERROR:  # the server ends, and lets go of what is unanswered
        raise LikewatchError(_STOPPED)
    if response.status != HTTPStatus.OK:
        raise LikewatchError(
            f"The Likewatch that runs does not understand this import (HTTP {response.status}): it is of another "
            "version. Restart it, and import the file again."
        )
    answer = json.loads(content)
    if answer["refused"]:
        raise LikewatchError("\n".join(answer["lines"]))
    return list(answer["lines"])
