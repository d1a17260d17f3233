"""Check the contents of a file against the store, and give them to the cycle: all of them or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import UnknownPage
from bot.imports.job import ImportJob
from bot.imports.replay import by_instant
from bot.imports.values import FileContents, ImportRefused
from bot.pages.lookup import find_page
from bot.pages.slugs import is_slug, make_slug
from bot.pages.suggestions import suggestions
from bot.polling.cycle import Cycle
from bot.polling.decide_and_store import AddedFigures
from bot.rules.preview import settle_rule_states
from bot.text import phrases
from handlers.discovery import all_comparisons
from handlers.model import Page, Reading, SeriesState, Standing
from storage.store import Store
from storage.values import AuditEntry

_CONFLICTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The result of an import.

    - ``added``: pages that the import added.
    - ``remarks``: sentences about the home and the groups of pages that existed before.
    - ``unknown_pages``, ``conflicts``: a line for each page and each figure that was left out.
    - ``repeated``: how many figures of the file were in the store already.
    - ``figures``: what the cycle stored and raised.
    """

    added: tuple[Page, ...]
    remarks: tuple[str, ...]
    unknown_pages: tuple[str, ...]
    conflicts: tuple[str, ...]
    repeated: int
    figures: AddedFigures


def import_figures(store: Store, cycle: Cycle, job: ImportJob, contents: FileContents, now: datetime) -> ImportResult:
    """Store the figures of a file and the alerts that they cause, in one transaction.

    The file itself is stored just before, in the evidence.

    With ``job.keep_good``, three kinds of figures are left out: figures with a fault, figures that contradict the
    store, and figures of unknown pages (unless ``job.new_pages``).

    Raises:
        UnknownPage, ImportRefused: a figure had to be left out without ``keep_good``, or no figure is left. Nothing is
            changed then.

    """
    home, groups = job.home_code(), job.groups()
    slugs, added, unknown = _match_pages(store, contents, job)
    readings = [replace(reading, page=slugs[reading.page]) for reading in contents.readings if reading.page in slugs]
    audiences = [replace(one, page=slugs[one.page]) for one in contents.audiences if one.page in slugs]
    conflicts = {reading: conflict for reading in readings if (conflict := _conflict(store, reading))}
    is_empty = len(conflicts) == len(readings) and not audiences
    if is_empty or ((contents.faults or unknown or conflicts) and not job.keep_good):
        refused = UnknownPage if unknown else ImportRefused
        raise refused(_refusal(contents, unknown, tuple(conflicts.values()), is_empty=is_empty))
    states = store.series_states.get(slugs.values())
    good = [reading for reading in readings if reading not in conflicts and not _is_stored(store, reading, states)]
    entry = AuditEntry(
        at=now,
        team_id="",
        channel_id="",
        user_id=job.by,
        action="import",
        subject=contents.name,
        detail=f"{len(good)} counts and {len(audiences)} audiences of {', '.join(sorted(set(slugs.values())))}",
    )
    old = [page for page in store.pages.get_many(slugs.values()).values() if page not in added]
    completed = [replace(page, home=page.home or home, groups=page.groups or groups) for page in old]
    changed = [*added, *(page for page in completed if page not in old)]
    cycle.recorder.seal_import(job.data, lambda body: job.record(slugs, now, body))
    with store.write():
        for page in changed:
            store.pages.add(page, None, at=now)
        if changed:
            settle_rule_states(store, all_comparisons(), now)
        figures = cycle.add_figures(by_instant(good, audiences), together=lambda: store.audit.add(entry))
    stored_before = len(readings) - len(conflicts) - len(good) + figures.standings.get(Standing.REPEATED, 0)
    return ImportResult(
        added=added,
        remarks=tuple(remark for page in old for remark in _remarks(page, home, groups)),
        unknown_pages=unknown,
        conflicts=tuple(conflicts.values()),
        repeated=stored_before + len(audiences) - figures.audiences,
        figures=figures,
    )


def _match_pages(
    store: Store, contents: FileContents, job: ImportJob
) -> tuple[Mapping[str, str], tuple[Page, ...], tuple[str, ...]]:
    """Return the slug of each name in the file, the pages to add, and a line for each name without a page."""
    slugs: dict[str, str] = {}
    added: list[Page] = []
    unknown: list[str] = []
    for name in contents.pages:
        page, slug = find_page(store, name), make_slug(name)
        if page is None and job.new_pages and is_slug(slug):
            page = Page(slug=slug, name=name, platform="facebook", home=job.home_code(), groups=job.groups())
            added.append(page)
        if page:
            slugs[name] = page.slug
        else:
            likely = suggestions(store, name, groups=False)
            unknown.append(name + (f" (did you mean {' or '.join(likely)}?)" if likely else ""))
    return slugs, tuple(added), tuple(unknown)


def _remarks(page: Page, home: str | None, groups: tuple[str, ...]) -> Iterator[str]:
    """Say what the options ``--home`` and ``--group`` change of a page that existed before."""
    if home and page.home is None:
        yield f"{page.slug}: its home is {home} from now on."
    elif home and home != page.home:
        yield f"{page.slug} keeps its home, {page.home}: --home only says what is not said yet."
    if groups and not page.groups:
        yield f"{page.slug}: it is in the group {phrases.listed(groups)} from now on."
    elif not set(groups) <= set(page.groups):
        stays = f"{page.slug} stays in {phrases.listed(page.groups)} alone"
        yield f"{stays}: --group is for pages that are in no group yet."


def _conflict(store: Store, reading: Reading) -> str | None:
    stored = store.readings.stored_count(reading.page, reading.observed_at, reading.source)
    if stored is None or stored == reading.count:
        return None
    return (
        f"{reading.page}, {reading.observed_at:%Y-%m-%d %H:%M} UTC, {reading.source}: {stored:,} is stored, "
        f"the file says {reading.count:,}"
    )


def _is_stored(store: Store, reading: Reading, states: Mapping[str, SeriesState]) -> bool:
    """Return whether the store holds this count. A count newer than the series is new, even if it is unchanged."""
    if store.readings.stored_count(reading.page, reading.observed_at, reading.source) is not None:
        return True
    state = states.get(reading.page)
    return state is not None and reading.observed_at <= state.last.at and store.readings.is_redundant(reading)


def _refusal(contents: FileContents, unknown: tuple[str, ...], conflicts: tuple[str, ...], *, is_empty: bool) -> str:
    lines = [contents.summary()]
    if unknown:
        lines.append("The file names pages that are not tracked:")
        lines += [f"  {line}" for line in unknown]
        lines.append("Correct the names, track the pages first (/trends track), or add them with --new-pages.")
    if conflicts:
        lines.append(f"{len(conflicts):,} of its figures contradict what is stored:")
        lines += [f"  {line}" for line in conflicts[:_CONFLICTS_SHOWN]]
    if is_empty:
        lines.append("Nothing was kept: the file holds no figure that can be.")
    else:
        lines.append("Nothing was kept. Mend the file and import it again, or keep what is good with --keep-good.")
    return "\n".join(lines)
