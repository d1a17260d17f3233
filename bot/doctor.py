"""``likewatch doctor``: what is configured, what is missing, what to do, in plain words."""

from __future__ import annotations

import platform as machine
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.errors import LikewatchError
from bot.evidence.state import state as evidence_state
from bot.platforms.contract import Platform
from bot.settings import Address, Mode, Settings
from storage.errors import StoreError
from storage.lock import is_locked
from storage.store import Store


class Mark(StrEnum):
    """How a finding stands."""

    FINE = "ok"
    NOTE = "--"
    FAULT = "!!"


_MARKS = {True: Mark.FAULT, False: Mark.FINE, None: Mark.NOTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's: what is, and for a fault or a gap what to do."""

    mark: Mark
    what: str
    todo: str = ""

    def __str__(self) -> str:
        return f"[{self.mark}] {self.what}" + (f"\n     -> {self.todo}" if self.todo else "")


def examine(
    settings: Settings,
    platforms: Sequence[Platform],
    check_slack: Callable[[Settings], str],
    now: datetime,
) -> Iterator[Finding]:
    """Look at everything once. ``check_slack`` asks Slack who we are: the answer, or a LikewatchError."""
    yield Finding(mark=Mark.FINE, what=f"Python {machine.python_version()}, SQLite {sqlite3.sqlite_version}")
    running = is_locked(settings.database)
    yield from _database(settings, now, running=running)
    yield from _slack(settings, check_slack)
    if not running and settings.mode is not Mode.SOCKET:
        name, address = (
            ("LIKEWATCH_WORKSPACE", settings.workspace)
            if settings.mode is Mode.WORKSPACE
            else ("LIKEWATCH_HTTP", settings.http)
        )
        yield _port(name, address)
    for platform in platforms:
        yield _platform(platform, settings)


def _database(settings: Settings, now: datetime, *, running: bool) -> Iterator[Finding]:
    path = settings.database
    if not path.exists():
        yield Finding(mark=Mark.NOTE, what=f"No database yet: {path} is made at the first start")
        return
    try:
        store = Store.open_reader(path)
    except StoreError as error:
        yield Finding(mark=Mark.FAULT, what=str(error))
        return
    try:
        pages = store.pages.all()
        state = "Likewatch is running on" if running else "Database"
        yield Finding(mark=Mark.FINE, what=f"{state} {path}: {len(pages)} page(s) watched")
        troubled = [latest for latest in store.readings.board(page.slug for page in pages) if latest.trouble]
        for latest in troubled:
            assert latest.trouble  # noqa: S101 (narrowed by the line above)
            hours = (now - latest.trouble.since).total_seconds() / 3600
            what = f"{latest.page.slug} has not been readable for {hours:.1f} h"
            yield Finding(mark=Mark.FAULT, what=what, todo=latest.trouble.message)
        for remark in evidence_state(store, tsa_url=settings.tsa_url, now=now):
            yield Finding(mark=_MARKS[remark.is_fault], what=remark.what, todo=remark.todo)
        depth = store.outbox.depth()
        waiting = depth.get("pending", 0) + depth.get("sending", 0)
        if waiting:
            yield Finding(mark=Mark.NOTE, what=f"{waiting} alert(s) wait to be posted")
        if depth.get("failed"):
            yield Finding(
                mark=Mark.NOTE,
                what=f"{depth['failed']} alert(s) could not be posted",
                todo="`/trends list` in the channel says why; subscribe it again once that is mended",
            )
    finally:
        store.close()


def _slack(settings: Settings, check_slack: Callable[[Settings], str]) -> Iterator[Finding]:
    if settings.mode is Mode.WORKSPACE:
        yield Finding(
            mark=Mark.NOTE,
            what=f"No Slack tokens: `likewatch run` opens the local workspace at http://{settings.workspace}/",
            todo="to connect to Slack: `likewatch manifest`, then two tokens in .env (README, “Connect to Slack”)",
        )
        return
    try:
        yield Finding(mark=Mark.FINE, what=f"{settings.mode.value}: {check_slack(settings)}")
    except LikewatchError as error:
        yield Finding(mark=Mark.FAULT, what=str(error))


def _port(name: str, address: Address) -> Finding:
    try:
        with socket.create_server((address.host, address.port), reuse_port=False):
            return Finding(mark=Mark.FINE, what=f"{address} is free ({name})")
    except OSError as error:
        return Finding(
            mark=Mark.FAULT,
            what=f"Nothing can listen on {address}: {error.strerror or error}",
            todo=f"stop the program that uses it, or set {name} to another host:port",
        )


def _platform(platform: Platform, settings: Settings) -> Finding:
    missing = platform.ready(settings.platforms)
    if missing:
        return Finding(mark=Mark.NOTE, what=f"{platform.title}: not set up", todo=missing)
    where = platform.base_url(settings.platforms)
    return Finding(mark=Mark.FINE, what=f"{platform.title}: set up ({where})")
