"""What the command line does beside running the bot: each returns lines to print, or raises a sentence."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from bot import words
from bot.app import HOT, Core, open_core
from bot.clock import SystemClock
from bot.countries import country_code
from bot.doctor import Finding
from bot.doctor import examine as look
from bot.errors import ConfigError
from bot.evidence.bundle import export
from bot.evidence.stamping import roots_in
from bot.evidence.store_audit import StoreAudit, audit_summary
from bot.evidence.texts import ImportedFile, sha256
from bot.evidence.tracing import find_alert
from bot.evidence.verifying import Verification, verification_summary
from bot.examples import press_example
from bot.feeding import add_pages, by_instant
from bot.importing import DateOrder, Import, describe, read_import
from bot.imports import Imported, NewPages, import_figures
from bot.platforms.registry import platforms
from bot.settings import Settings
from bot.slack.alert_card import told
from bot.slack.client import check_tokens
from bot.slack.slugs import is_slug, slugged
from handlers.model import Alert, Page, Standing
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
    for latest in core.store.readings.board(page.slug for page in core.store.pages.all()):
        if latest.trouble:
            yield f"{latest.page.slug}: not read. {latest.trouble.message}"
        elif latest.polled_at and latest.track:
            count = f"{words.count(latest.track.last.count)} {latest.track.metric}"
            yield f"{latest.page.slug}: {count}, read {words.ago(latest.polled_at, now)}"
    yield from _alerts(core.store, report.absorbed.alerts)
    if report.absorbed.queued:
        yield f"{words.several(report.absorbed.queued, 'message')} will be posted when Likewatch runs."
    if len(report.failures) == report.asked:
        raise ConfigError("No page could be read. `likewatch doctor` says what to do.")


def import_file(
    core: Core,
    file: Path,
    *,
    page: str | None,
    dates: str | None,
    keep_good: bool,
    new_pages: bool,
    home: str | None,
    group: str | None,
) -> Iterator[str]:
    """Import a file: what was found, what was kept, and what it means."""
    now, data, by = core.clock.now(), file.read_bytes(), getpass.getuser()
    read = _read(data, file.name, now, page=page, dates=dates)
    newcomers = _new_pages(home=home, group=group) if new_pages else None

    def keep(slugs: Mapping[str, str]) -> None:
        kept = partial(ImportedFile, at=now, name=read.name, by=by, pages=slugs, page=page, dates=dates)
        core.recorder.seal_import(data, lambda body: kept(body=body))

    imported = import_figures(
        core.store, core.cycle, read, new_pages=newcomers, keep_good=keep_good, by=by, now=now, keep=keep
    )
    core.store.fold(now - HOT)
    yield describe(read)
    for added in imported.added:
        yield f"Added {added.slug} for imported figures (home: {added.home or 'not said'})."
    for conflict in imported.conflicts:
        yield f"Left out, because it contradicts what is stored: {conflict}"
    yield from _what_came(imported)
    yield from _alerts(core.store, imported.absorbed.alerts)
    if imported.absorbed.past:
        yield "Events long past, kept and not posted as if they were news:"
        yield from _alerts(core.store, imported.absorbed.past)


def replay(settings: Settings, file: Path | None) -> Iterator[str]:
    """Run a file's figures, or the press figures, through the cycle in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="likewatch-") as folder:
        alone = replace(settings, database=Path(folder) / "replay.db")
        with open_core(alone) as core:
            example = press_example()
            pages, readings, audiences = example.pages, example.readings, example.audiences
            if file is not None:
                read = _read(file.read_bytes(), file.name, core.clock.now(), page=None, dates=None)
                yield describe(read)
                pages = tuple(_pages_of(read, settings.database, example.pages))
                readings, audiences = read.readings, read.audiences
            add_pages(core.store, pages, now=core.clock.now())
            absorbed = core.cycle.absorb(by_instant(readings, audiences), replayed=True)
            yield from _alerts(core.store, absorbed.alerts)
            yield f"{words.several(len(absorbed.alerts), 'alert')} in all. Nothing was stored or posted."


def examine(settings: Settings) -> Iterator[Finding]:
    """The doctor's findings."""
    return look(settings, platforms(), _ask_slack, SystemClock().now())


def backup(settings: Settings, target: Path) -> str:
    """Copy the database, online and verified."""
    store = Store.open_reader(settings.database)
    try:
        store.backup(target)
    finally:
        store.close()
    return f"{target} is a complete copy of {settings.database}, checked."


def audit(settings: Settings, advance: Callable[[int, int], None]) -> tuple[list[str], bool]:
    """What an audit of the evidence found, and whether all is as it was kept."""
    store = Store.open_reader(settings.database)
    try:
        looking = StoreAudit(store)
        faults = [str(fault) for fault in looking.run(advance)]
    finally:
        store.close()
    return [*faults, *audit_summary(looking, len(faults))], not faults


def export_evidence(settings: Settings, named: str, out: Path) -> Iterator[str]:
    """Write an alert's bundle, which must not exist yet."""
    store = Store.open_reader(settings.database)
    try:
        kept = find_alert(store, named)
        data = export(store, kept)
        headline = told(kept.alert, store)
    finally:
        store.close()
    with out.open("xb") as file:
        file.write(data)
    yield f"{out}: {headline}"
    yield f"{words.count(len(data))} bytes, SHA-256 {sha256(data)}"
    yield f"To check it: likewatch evidence verify {out}, or by hand as INSTRUCTIONS.txt in it says."


def verify_evidence(bundle: Path, authority: Path | None) -> tuple[list[str], bool]:
    """What a verification found, and whether everything holds."""
    data = bundle.read_bytes()
    looking = Verification(data, trusted=roots_in(authority) if authority else ())
    faults = [str(fault) for fault in looking.run()]
    return [*faults, *verification_summary(looking, len(faults), sha256(data))], not faults


def _ask_slack(settings: Settings) -> str:
    return check_tokens(
        api_url=settings.slack_api_url, bot_token=settings.slack_bot_token, app_token=settings.slack_app_token
    )


def _read(data: bytes, name: str, now: datetime, *, page: str | None, dates: str | None) -> Import:
    order = DateOrder(dates) if dates else None
    return read_import(data, name=name, now=now, page=page, dates=order)


def _new_pages(*, home: str | None, group: str | None) -> NewPages:
    code = country_code(home) if home else None
    if home and code is None:
        raise ConfigError(f"--home {home} is no country that I know. Give its two letters or its name: --home KH")
    if group and not is_slug(group):
        raise ConfigError(f"--group {group} cannot be a group's name: small letters, digits and hyphens make one.")
    return NewPages(platform="facebook", home=code, groups=(group,) if group else ())


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


def _what_came(imported: Imported) -> Iterator[str]:
    standings = imported.absorbed.standings
    new = standings.get(Standing.ACCEPTED, 0) + standings.get(Standing.LATE, 0)
    parts = [
        words.several(new, "count"),
        words.several(imported.absorbed.audiences, "audience by country", "audiences by country"),
    ]
    yield f"Kept: {words.listed(parts)}."
    doubtful = standings.get(Standing.HELD, 0) + standings.get(Standing.DOUBTED, 0)
    if doubtful:
        yield (
            f"{words.several(doubtful, 'count')} far from what was known before: kept, shown as unconfirmed, and used "
            "by no rule until others confirm them."
        )


def _alerts(store: Store, alerts: Iterable[Alert]) -> Iterator[str]:
    for alert in alerts:
        yield f"{words.dated(alert.at, alert.dated)}  {alert.kind}: {told(alert, store)}"
