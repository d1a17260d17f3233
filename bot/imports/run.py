"""Run an import where the store is open, and describe the result in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.imports.apply import ImportResult, import_figures
from bot.imports.job import ImportJob
from bot.pages.alert_names import alert_sentence
from bot.polling.cycle import Cycle
from bot.text import phrases
from handlers.model import Alert, Standing
from storage.store import Store


def run_import(job: ImportJob, store: Store, cycle: Cycle, now: datetime) -> Iterator[str]:
    """Import a file and yield lines: the figures in the file, the figures stored, and the alerts.

    Raise ``LikewatchError`` if nothing of the file is stored.
    """
    contents = job.read(now)
    result = import_figures(store, cycle, job, contents, now)
    yield contents.summary()
    for added in result.added:
        yield f"Added {added.slug} for imported figures (home: {added.home or 'not said'})."
    yield from result.remarks
    for unknown in result.unknown_pages:
        yield f"Left out, because no page is called so: {unknown}"
    for conflict in result.conflicts:
        yield f"Left out, because it contradicts what is stored: {conflict}"
    yield from _stored(result, is_whole=not (contents.faults or result.unknown_pages or result.conflicts))
    yield from alert_lines(store, result.figures.alerts)
    if result.figures.past:
        yield "Events long past, kept and not posted as if they were news:"
        yield from alert_lines(store, result.figures.past)


def alert_lines(store: Store, alerts: Iterable[Alert]) -> Iterator[str]:
    """Yield a line for each alert: its date, its kind and its sentence."""
    for alert in alerts:
        yield f"{phrases.dated(alert.at, alert.dated)}  {alert.kind}: {alert_sentence(alert, store)}"


def _stored(result: ImportResult, *, is_whole: bool) -> Iterator[str]:
    standings, audiences = result.figures.standings, result.figures.audiences
    new = standings.get(Standing.ACCEPTED, 0) + standings.get(Standing.LATE, 0)
    unchanged = standings.get(Standing.UNCHANGED, 0)
    doubtful = standings.get(Standing.HELD, 0) + standings.get(Standing.DOUBTED, 0)
    kept = [phrases.several(new, "count")] if new else []
    kept += [phrases.several(audiences, "audience by country", "audiences by country")] if audiences else []
    if kept:
        yield f"Kept: {phrases.listed(kept)}."
    if unchanged:
        same = "the same as the count before it, and is" if unchanged == 1 else "the same as the counts before, and are"
        yield f"{phrases.several(unchanged, 'count')} {same} not stored again: the page is known to be unchanged since."
    if doubtful:
        yield (
            f"{phrases.several(doubtful, 'count')} far from what was known before: kept, shown as unconfirmed, and "
            "used by no rule until others confirm them."
        )
    if not (kept or unchanged or doubtful):
        what = "no figure" if result.remarks else "nothing"
        yield f"{'All of it' if is_whole else 'The rest'} was known already: {what} has changed."
    elif result.repeated:
        yield f"{phrases.several(result.repeated, 'figure')} known already, and left as before."
