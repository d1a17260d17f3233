"""What the command line does beside running the bot: each returns lines to print, or raises a sentence."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from bot.app import HOT, Core, open_core
from bot.clock import SystemClock
from bot.config.settings import Settings, declared_settings
from bot.errors import ConfigError
from bot.evidence.bundle import export
from bot.evidence.records import sha256
from bot.evidence.store_audit import StoreAudit, audit_summary
from bot.evidence.timestamps import roots_in
from bot.evidence.trace import find_alert
from bot.evidence.verification import Verification, verification_summary
from bot.imports import Import, describe, read_import
from bot.imports.examples import press_example
from bot.imports.job import ImportJob, alert_lines, reread_import, run_import
from bot.imports.replay import add_pages, by_instant
from bot.imports.request import request_import
from bot.monitoring.doctor import Check, unread
from bot.monitoring.doctor import examine as look
from bot.pages.alert_names import alert_sentence
from bot.pages.slugs import slugged
from bot.platforms.registry import platform_settings, platforms
from bot.slack.client import check_tokens, slack_client
from bot.slack.permissions import check_groups
from bot.text import phrases
from handlers.model import Page
from storage.errors import StoreInUse
from storage.schema import backups
from storage.store import Store

REPLAYED_TOGETHER = "replay"
"""The group of replayed pages that nobody knows: they are compared with each other."""


def poll(core: Core) -> Iterator[str]:
    """Read every tracked page now: a line a page, and the alerts."""
    report = core.cycle.run_all()
    if report is None:
        yield "No page is tracked yet. In Slack or the local workspace: /trends track <address or @handle>"
        return
    now = core.clock.now()
    for latest in core.store.readings.page_snapshots(page.slug for page in core.store.pages.all()):
        if latest.trouble:
            yield f"{latest.page.slug}: not read. {latest.trouble.message}"
        elif latest.polled_at and latest.series_state:
            count = f"{phrases.count(latest.series_state.last.count)} {latest.series_state.metric}"
            yield f"{latest.page.slug}: {count}, read {phrases.ago(latest.polled_at, now)}"
    yield from alert_lines(core.store, report.absorbed.alerts)
    if report.absorbed.queued:
        yield f"{phrases.several(report.absorbed.queued, 'message')} will be posted when Likewatch runs."
    if report.unrecorded:
        raise ConfigError(f"What was read cannot be recorded. {report.unrecorded}")
    if len(report.failures) == report.asked:
        raise ConfigError("No page could be read. `likewatch doctor` says what to do.")


def import_file(settings: Settings, order: ImportJob) -> Iterator[str]:
    """Import a file: what was found, what was kept, and what it means. The bot does it where it runs."""
    while True:
        try:
            yield from _import_here(settings, order)
        except StoreInUse as held:
            answer = request_import(settings.database, order, held)
            if answer is None:
                continue  # whoever held the database has ended
            yield from answer
        return


def _import_here(settings: Settings, order: ImportJob) -> Iterator[str]:
    with open_core(settings) as core:
        now = core.clock.now()
        yield from run_import(order, core.store, core.cycle, now)
        core.store.compact(now - HOT)


def replay(settings: Settings, file: Path | None) -> Iterator[str]:
    """Run a file's figures, or the press figures, through the cycle in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="likewatch-") as folder:
        alone = settings.model_copy(update={"database": Path(folder) / "replay.db"})
        with open_core(alone) as core:
            example = press_example()
            pages, readings, audiences = example.pages, example.readings, example.audiences
            if file is not None:
                read = read_import(file.read_bytes(), name=file.name, now=core.clock.now())
                yield describe(read)
                pages = tuple(_pages_of(read, settings.database, example.pages))
                readings, audiences = read.readings, read.audiences
            add_pages(core.store, pages, now=core.clock.now())
            absorbed = core.cycle.absorb(by_instant(readings, audiences), replayed=True)
            yield from alert_lines(core.store, absorbed.alerts)
            yield f"{phrases.several(len(absorbed.alerts), 'alert')} in all. Nothing was stored or posted."


def examine(settings: Settings, environ: Mapping[str, str], env_file: Path) -> Iterator[Check]:
    """The doctor's findings."""
    yield from unread(environ, env_file, declared_settings(platform_settings()))
    yield from look(settings, platforms(), _ask_slack, SystemClock().now())


def backup(settings: Settings, target: Path) -> str:
    """Copy the database, online and verified."""
    store = Store.open_reader(settings.database)
    try:
        store.backup(target)
    finally:
        store.close()
    return f"{target} is a complete copy of {settings.database}, checked."


def restore(settings: Settings, backup: Path) -> Iterator[str]:
    """Put a verified copy of a backup in the database's place, and say what was done."""
    restored = backups.restore(backup, settings.database, now=SystemClock().now())
    yield f"{settings.database} is now a copy of {backup}, checked: {phrases.several(restored.pages, 'page')} watched."
    if restored.aside is not None:
        yield f"What it replaced is kept as {restored.aside}."
    if restored.unsettled:
        waiting = phrases.several(restored.unsettled, "alert")
        yield f"{waiting} waited in the backup: each is looked for in its channel before it is posted."


def audit(settings: Settings, advance: Callable[[int, int], None]) -> tuple[list[str], bool]:
    """What an audit of the evidence found, and whether all is as it was kept."""
    store = Store.open_reader(settings.database)
    try:
        looking = StoreAudit(store, reread_import)
        faults = [str(fault) for fault in looking.run(advance)]
    finally:
        store.close()
    return [*faults, *audit_summary(looking, len(faults))], not faults


def export_evidence(settings: Settings, named: str, out: Path) -> Iterator[str]:
    """Write an alert's bundle. Raises ``ConfigError`` where there is a file of that name already."""
    store = Store.open_reader(settings.database)
    try:
        kept = find_alert(store, named)
        data = export(store, kept, reread_import)
        headline = alert_sentence(kept.alert, store)
    finally:
        store.close()
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise ConfigError(f"{out} exists already; it is not overwritten. Name another file with -o.") from error
    yield f"{out}: {headline}"
    yield f"{phrases.count(len(data))} bytes, SHA-256 {sha256(data)}"
    yield f"To check it: likewatch evidence verify {out}, or by hand as INSTRUCTIONS.txt in it says."


def verify_evidence(bundle: Path, authority: Path | None) -> tuple[list[str], bool]:
    """What a verification found, and whether everything is proved and holds."""
    data = bundle.read_bytes()
    looking = Verification(data, reread_import, trusted=roots_in(authority) if authority else ())
    faults = [str(fault) for fault in looking.run()]
    return [*faults, *verification_summary(looking, len(faults), sha256(data))], not (faults or looking.unproved)


def _ask_slack(settings: Settings) -> str:
    said = check_tokens(
        api_url=settings.slack_api_url, bot_token=settings.slack_bot_token, app_token=settings.slack_app_token
    )
    client = slack_client(token=settings.slack_bot_token, api_url=settings.slack_api_url)
    check_groups(client, settings.editors)
    return said


def _pages_of(read: Import, database: Path, examples: Iterable[Page]) -> Iterator[Page]:
    """The file's pages as the newsroom knows them, else as the example does, else by their names alone."""
    known = {page.slug: page for page in examples}
    if database.exists():
        store = Store.open_reader(database)
        try:
            known.update({page.slug: page for page in store.pages.all()})
        finally:
            store.close()
    for name in read.pages:
        bare = Page(slug=name, name=name, platform="replay", groups=(REPLAYED_TOGETHER,))
        yield known.get(name) or known.get(slugged(name)) or bare
