"""An import as somebody ordered it: carried out where the store is open, and told in lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import ConfigError, LikewatchError
from bot.evidence.records import Body, ImportRecord
from bot.imports.apply import ImportResult, PageOptions, import_figures
from bot.imports.read import read_import
from bot.imports.values import DateOrder
from bot.pages.alert_names import alert_sentence
from bot.pages.slugs import is_slug
from bot.polling.cycle import Cycle
from bot.text import phrases
from bot.text.countries import country_code
from handlers.model import Alert, AudienceReading, Reading, Standing
from storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """A file's ``name`` and bytes, who imports it, and how: as the options of ``likewatch import`` say it."""

    name: str
    data: bytes
    by: str
    page: str | None = None
    dates: str | None = None
    keep_good: bool = False
    new_pages: bool = False
    home: str | None = None
    group: str | None = None


def run_import(order: ImportJob, store: Store, cycle: Cycle, now: datetime) -> Iterator[str]:
    """Import the file: what was found, what was kept, and what it means.

    Raises ``LikewatchError`` where nothing of it is kept.
    """
    dates = DateOrder(order.dates) if order.dates else None
    read = read_import(order.data, name=order.name, now=now, page=order.page, dates=dates)
    about = _about(order)
    imported = import_figures(
        store,
        cycle,
        read,
        about=about,
        keep_good=order.keep_good,
        by=order.by,
        now=now,
        keep=lambda slugs: cycle.recorder.seal_import(order.data, _file(order, slugs, now)),
    )
    yield read.summary()
    for added in imported.added:
        yield f"Added {added.slug} for imported figures (home: {added.home or 'not said'})."
    yield from imported.remarks
    for stranger in imported.strangers:
        yield f"Left out, because no page is called so: {stranger}"
    for conflict in imported.conflicts:
        yield f"Left out, because it contradicts what is stored: {conflict}"
    yield from _what_came(imported, is_whole=not (read.faults or imported.strangers or imported.conflicts))
    yield from alert_lines(store, imported.absorbed.alerts)
    if imported.absorbed.past:
        yield "Events long past, kept and not posted as if they were news:"
        yield from alert_lines(store, imported.absorbed.past)


def _file(order: ImportJob, slugs: Mapping[str, str], now: datetime) -> Callable[[Body], ImportRecord]:
    return lambda body: ImportRecord(
        at=now, name=order.name, by=order.by, pages=slugs, page=order.page, dates=order.dates, body=body
    )


def reread_import(imported: ImportRecord, content: bytes) -> tuple[Reading | AudienceReading, ...]:
    """Return the figures in an imported file, read as the import read them; none where that is no longer possible."""
    dates = DateOrder(imported.dates) if imported.dates else None
    try:
        read = read_import(content, name=imported.name, now=imported.at, page=imported.page, dates=dates)
    except LikewatchError:
        return ()
    figures: tuple[Reading | AudienceReading, ...] = (*read.readings, *read.audiences)
    return tuple(
        replace(figure, page=imported.pages[figure.page]) for figure in figures if figure.page in imported.pages
    )


def alert_lines(store: Store, alerts: Iterable[Alert]) -> Iterator[str]:
    """A line for each alert: when, of which kind, and what it says."""
    for alert in alerts:
        yield f"{phrases.dated(alert.at, alert.dated)}  {alert.kind}: {alert_sentence(alert, store)}"


def _about(order: ImportJob) -> PageOptions:
    code = country_code(order.home) if order.home else None
    if order.home and code is None:
        raise ConfigError(f"--home {order.home} is no country that I know. Give its two letters or its name: --home KH")
    if order.group and not is_slug(order.group):
        raise ConfigError(
            f"--group {order.group} cannot be a group's name: small letters, digits and hyphens make one."
        )
    groups = (order.group,) if order.group else ()
    return PageOptions(add=order.new_pages, platform="facebook", home=code, groups=groups)


def _what_came(imported: ImportResult, *, is_whole: bool) -> Iterator[str]:
    standings = imported.absorbed.standings
    new = standings.get(Standing.ACCEPTED, 0) + standings.get(Standing.LATE, 0)
    unchanged = standings.get(Standing.UNCHANGED, 0)
    doubtful = standings.get(Standing.HELD, 0) + standings.get(Standing.DOUBTED, 0)
    audiences = imported.absorbed.audiences
    kept = [phrases.several(new, "count")] if new else []
    kept += [phrases.several(audiences, "audience by country", "audiences by country")] if audiences else []
    if kept:
        yield f"Kept: {phrases.listed(kept)}."
    if unchanged:
        said = "the same as the count before it, and is" if unchanged == 1 else "the same as the counts before, and are"
        yield f"{phrases.several(unchanged, 'count')} {said} not stored again: the page is known to be unchanged since."
    if doubtful:
        yield (
            f"{phrases.several(doubtful, 'count')} far from what was known before: kept, shown as unconfirmed, and used "
            "by no rule until others confirm them."
        )
    if not (kept or unchanged or doubtful):
        what = "no figure" if imported.remarks else "nothing"
        yield f"{'All of it' if is_whole else 'The rest'} was known already: {what} has changed."
    elif imported.known:
        yield f"{phrases.several(imported.known, 'figure')} known already, and left as before."
