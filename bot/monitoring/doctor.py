"""``likewatch doctor``: a list of findings, each with what is set up or wrong, and what to do."""

from __future__ import annotations

import platform as machine
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from rapidfuzz import process

from bot.config.field_types import Address, Setting
from bot.config.settings import DEFAULT_ENV_FILE, Mode, Settings, names_in
from bot.errors import LikewatchError
from bot.evidence.status import evidence_status
from bot.evidence.timestamps import roots_in
from bot.monitoring.health import is_dark
from bot.platforms.contract import Platform
from bot.text import durations, phrases
from storage.errors import StoreError
from storage.schema.lock import is_locked
from storage.schema.sqlite import has_wal_reset_bug, sqlite3
from storage.store import Store
from storage.values import Backlog, SourceState

_MOST_PAGES = 20
"""At most this many failing pages of a platform are named one by one."""

SERVING = "serving"
"""The note in the database that says how the bot is reached: the workspace's address, or the mode for Slack."""


class CheckResult(StrEnum):
    """The mark of a finding."""

    FINE = "ok"
    NOTE = "--"
    FAULT = "!!"


_MARKS = {True: CheckResult.FAULT, False: CheckResult.FINE, None: CheckResult.NOTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: ``what`` the state is, and for a fault or a gap what ``todo``."""

    mark: CheckResult
    what: str
    todo: str = ""

    def __str__(self) -> str:
        return f"[{self.mark}] {self.what}" + (f"\n     -> {self.todo}" if self.todo else "")


def _fine(what: str) -> Check:
    return Check(mark=CheckResult.FINE, what=what)


def _note(what: str, todo: str = "") -> Check:
    return Check(mark=CheckResult.NOTE, what=what, todo=todo)


def _fault(what: str, todo: str = "") -> Check:
    return Check(mark=CheckResult.FAULT, what=what, todo=todo)


def examine(
    settings: Settings,
    platforms: Sequence[Platform],
    check_slack: Callable[[Settings], str],
    now: datetime,
) -> Iterator[Check]:
    """Check everything once. ``check_slack`` asks Slack which app this is, and returns the answer or raises."""
    yield _fine(f"Python {machine.python_version()}")
    yield sqlite(sqlite3.sqlite_version_info)
    running = settings.database.is_file() and is_locked(settings.database)
    titles = {platform.name: platform.title for platform in platforms}
    yield from _database(settings, titles, now, running=running)
    yield from _roots(settings)
    yield from _slack(settings, check_slack)
    yield _editors(settings)
    if not running:
        if settings.mode is Mode.WORKSPACE:
            yield _port("LIKEWATCH_WORKSPACE", settings.workspace)
        elif settings.mode is Mode.HTTP:
            yield _port("LIKEWATCH_HTTP", settings.http)
        yield _port("LIKEWATCH_METRICS", settings.metrics)
    if settings.mode is not Mode.WORKSPACE and not settings.operators_channel:
        yield _note(
            "No channel gets a message when a platform cannot be read; only the log and this command say so",
            "set LIKEWATCH_OPERATORS_CHANNEL to a channel's id, and invite Likewatch there",
        )
    for platform in platforms:
        yield _platform(platform, settings)


def unknown_settings(environ: Mapping[str, str], env_file: Path, declared: Iterable[Setting]) -> Iterator[Check]:
    """Find names in the environment and the file that are no settings, and a file that does not exist.

    A missing file of the default name is no fault.
    """
    if not env_file.is_file() and env_file != DEFAULT_ENV_FILE:
        what = f"{env_file} does not exist, so no setting is read from it"
        yield _fault(what, "name the file that holds the settings with --env-file")
    names = [setting.name for setting in declared]
    for name in sorted({*environ, *names_in(env_file)} - {*names}):
        if name.startswith("LIKEWATCH_"):
            near = process.extractOne(name, names)
            todo = f"did you mean {near[0]}?" if near else ""
            yield _fault(f"{name} is no setting of Likewatch, and is not read", todo)


def _roots(settings: Settings) -> Iterator[Check]:
    """Check that the authority's root certificate can be read."""
    if settings.tsa_roots is None:
        return
    try:
        roots_in(settings.tsa_roots)
    except LikewatchError as error:
        yield _fault(
            str(error), "set it to a PEM file with the authority's root certificate, got from the authority itself"
        )


def sqlite(version: tuple[int, int, int]) -> Check:
    """Return the finding about this version of SQLite."""
    named = f"SQLite {'.'.join(map(str, version))}"
    if not has_wal_reset_bug(version):
        return _fine(named)
    return _note(
        f"{named} has a bug: two programs that write to one database at once can damage it",
        "Likewatch is safe, because it writes through one connection; let nothing else write to its database, and "
        "use a Python for which `pip install pysqlite3` brings SQLite 3.51.3 or newer",
    )


def _database(settings: Settings, titles: Mapping[str, str], now: datetime, *, running: bool) -> Iterator[Check]:
    path = settings.database
    if not path.parent.is_dir():
        yield _fault(
            f"The folder of the database, {path.parent}, does not exist",
            "make the folder, or set LIKEWATCH_DATABASE to a file in another",
        )
        return
    if path.is_dir():
        yield _fault(
            f"{path} is a folder, not a database", f"set LIKEWATCH_DATABASE to a file, such as {path / 'likewatch.db'}"
        )
        return
    if not path.exists():
        yield _note(f"No database yet: {path} is made at the first start")
        return
    try:
        store = Store.open_reader(path)
    except StoreError as error:
        yield _fault(str(error), "`likewatch restore BACKUP` puts a backup in its place and keeps the present file")
        return
    try:
        serving = store.notes.get(SERVING)
        state = f"Likewatch is running{f' ({serving})' if serving else ''} on" if running else "Database"
        yield _fine(f"{state} {path}: {len(store.pages.all())} page(s) watched")
        for source in store.pages.sources():
            yield from _source(source, titles.get(source.platform, source.platform), store, now)
        yield from _outbox(store.outbox.backlog(), now)
        for remark in evidence_status(store, tsa_url=settings.tsa_url, now=now):
            yield Check(mark=_MARKS[remark.is_fault], what=remark.what, todo=remark.todo)
    finally:
        store.close()


def _source(source: SourceState, title: str, store: Store, now: datetime) -> Iterator[Check]:
    """Report the failing pages of a platform: one line for all of them, or one a page."""
    if is_dark(source, now):
        since = f", since {durations.ago(source.newest, now)}" if source.newest else ""
        pages = phrases.several(source.accounts, "page")
        what = f"{title}: none of its pages can be read ({pages}{since})"
        yield _fault(what, source.message)
        return
    troubled = store.pages.failing() if source.failing else ()
    failing = [one for one in store.readings.page_snapshots(sorted(troubled)) if one.page.platform == source.platform]
    for latest in failing[:_MOST_PAGES]:
        if latest.trouble:
            lasted = durations.duration(now - latest.trouble.since)
            what = f"{title}: {latest.page.slug} has not been readable for {lasted}"
            yield _fault(what, latest.trouble.message)
    if len(failing) > _MOST_PAGES:
        yield _fault(f"{title}: {len(failing) - _MOST_PAGES} more pages cannot be read")


def _outbox(backlog: Backlog, now: datetime) -> Iterator[Check]:
    if backlog.oldest is not None:
        waiting = phrases.several(backlog.pending + backlog.sending, "alert")
        what = f"{waiting} not posted yet, the oldest queued {durations.ago(backlog.oldest, now)}"
        yield _note(what)
    if backlog.paused:
        yield _note(
            f"{phrases.several(backlog.paused, 'alert')} for channels in which nothing can be posted",
            "`/trends list` in the channel says why; invite Likewatch or subscribe again, and posting goes on",
        )
    if backlog.failed:
        yield _note(
            f"{phrases.several(backlog.failed, 'alert')} could not be posted",
            "the log says why, and /trends alerts shows them",
        )


def _slack(settings: Settings, check_slack: Callable[[Settings], str]) -> Iterator[Check]:
    if settings.mode is Mode.WORKSPACE:
        yield _note(
            f"No Slack tokens: `likewatch run` opens the local workspace at http://{settings.workspace}/",
            "to connect to Slack: `likewatch manifest`, then two tokens in .env (README, “Connect to Slack”)",
        )
        return
    try:
        yield _fine(f"{settings.mode.value}: {check_slack(settings)}")
    except LikewatchError as error:
        yield _fault(str(error))


def _editors(settings: Settings) -> Check:
    if settings.editors.nobody:
        return _fault(
            "Nobody may track, untrack or mute pages: LIKEWATCH_EDITORS is not set",
            "set it to ids of people or user groups (U012AB3CD, S0614TZR7), or to the word everybody",
        )
    mark = CheckResult.NOTE if settings.editors.everybody else CheckResult.FINE
    return Check(mark=mark, what=f"Editors, who may track, untrack and mute: {settings.editors}")


def _port(name: str, address: Address) -> Check:
    try:
        with socket.create_server((address.host, address.port), reuse_port=False):
            return _fine(f"{address} is free ({name})")
    except OSError as error:
        return _fault(
            f"Nothing can listen on {address}: {error.strerror or error}",
            f"stop the program that uses it, or set {name} to another host:port",
        )


def _platform(platform: Platform, settings: Settings) -> Check:
    missing = platform.missing_setting(settings.platforms)
    if missing:
        return _note(f"{platform.title}: not set up", missing)
    where = platform.base_url(settings.platforms)
    return _fine(f"{platform.title}: set up ({where})")
