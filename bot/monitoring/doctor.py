"""``likewatch doctor``: a list of findings, each with what is set up or wrong, and what to do."""

from __future__ import annotations

import platform as machine
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

from rapidfuzz import process

from bot.config.field_types import Address, Setting
from bot.config.settings import DEFAULT_ENV_FILE, Mode, Settings, names_in
from bot.errors import LikewatchError
from bot.evidence.timestamps import read_stamp, roots_in
from bot.http.server import listen
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

_LATE = timedelta(days=1)
"""How long a time-stamp may be missing before somebody should look: Likewatch requests one every hour."""

SERVING = "serving"
"""The note in the database that says how the bot is reached: the workspace's address, or the mode for Slack."""


class CheckResult(StrEnum):
    """The mark of a finding."""

    FINE = "ok"
    NOTE = "--"
    FAULT = "!!"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: ``what`` the state is, and for a fault or a gap what ``todo``."""

    mark: CheckResult
    what: str
    todo: str = ""

    def __str__(self) -> str:
        return f"[{self.mark}] {self.what}" + (f"\n     -> {self.todo}" if self.todo else "")


_fine = partial(Check, CheckResult.FINE)
_note = partial(Check, CheckResult.NOTE)
_fault = partial(Check, CheckResult.FAULT)


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
        yield from check_evidence(store, tsa_url=settings.tsa_url, now=now)
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


def check_evidence(store: Store, *, tsa_url: str, now: datetime) -> Iterator[Check]:
    """Check that the newest readings rest on the newest evidence, and how far time-stamps cover the evidence."""
    try:
        head, anchor, stamp = store.evidence.head(), store.evidence_anchor(), store.evidence.newest_stamp()
        is_whole = anchor is None or store.evidence.digest_of(anchor.sequence) == anchor.digest
    except StoreError as error:
        yield _fault(f"Evidence: {error}", "run `likewatch evidence audit`: it lists everything that is wrong")
        return
    if not is_whole:
        yield _fault(
            "Evidence: the newest readings rest on a link of the chain that is missing",
            "the file was lost, altered or replaced: `likewatch evidence audit` lists what is missing",
        )
    if head is None:
        yield _note("Evidence: none yet; it begins with the first poll")
        return
    replies = phrases.several(store.evidence.row_counts()["replies"], "reply", "replies")
    stored = f"{phrases.several(head.sequence, 'link')}, {replies} stored"
    if stamp is None and not tsa_url:
        yield _note(
            f"Evidence: {stored}; no outside authority has time-stamped it",
            "set LIKEWATCH_TSA_URL to a time-stamping authority; docs/evidence.md explains what that adds",
        )
        return
    last = None if stamp is None else read_stamp(stamp).at
    uncovered = head.sequence - stamp.sequence - 1 if stamp else head.sequence  # 1: the link that notes the stamp
    if uncovered > 0 and (last is None or now - last > _LATE):
        when = f"the last is of {phrases.instant(last)}" if last else "there is none yet"
        finding = _fault if tsa_url else _fine
        yield finding(
            f"Evidence: {stored}, but {phrases.several(uncovered, 'link')} without a time-stamp ({when})",
            "the log shows what LIKEWATCH_TSA_URL answered; Likewatch tries again every hour while it runs",
        )
        return
    assert last is not None  # noqa: S101 (without a stamp, every link is uncovered)
    yield _fine(f"Evidence: {stored}, time-stamped up to {phrases.instant(last)}")


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
    finding = _note if settings.editors.everybody else _fine
    return finding(f"Editors, who may track, untrack and mute: {settings.editors}")


def _port(name: str, address: Address) -> Check:
    try:
        listen(address, name).close()
    except LikewatchError as error:
        return _fault(str(error))
    return _fine(f"{address} is free ({name})")


def _platform(platform: Platform, settings: Settings) -> Check:
    missing = platform.missing_setting(settings.platforms)
    if missing:
        return _note(f"{platform.title}: not set up", missing)
    where = platform.base_url(settings.platforms)
    return _fine(f"{platform.title}: set up ({where})")
