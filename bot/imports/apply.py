"""Imports: what a file says, checked against what is known, and fed to the cycle in one piece or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import UnknownPage
from bot.imports.replay import by_instant
from bot.imports.values import FileContents, ImportRefused
from bot.pages.lookup import find_page, suggestions
from bot.pages.slugs import is_slug, make_slug
from bot.polling.cycle import Absorbed, Cycle
from bot.rules.preview import settle_rule_states
from bot.text import phrases
from handlers.comparisons import all_comparisons
from handlers.model import Page, Reading, SeriesState, Standing
from storage.store import Store
from storage.values import AuditEntry

_CONFLICTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What whoever imports says of the file's pages.

    With ``add``, those that are not tracked are added for imported figures only, as of ``platform``. ``home`` and
    ``groups`` are theirs, and fill in what is not said yet of the pages that are known.
    """

    add: bool
    platform: str
    home: str | None
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did, and what the cycle made of its figures.

    ``strangers`` and ``conflicts`` say, a line each, what was left out: of pages not tracked, and what contradicts what
    is stored. ``remarks`` say what was filled in of pages that were known, or why it was not. ``known`` counts the
    figures of the file that were known already, so that they change nothing.
    """

    added: tuple[Page, ...]
    remarks: tuple[str, ...]
    strangers: tuple[str, ...]
    conflicts: tuple[str, ...]
    known: int
    absorbed: Absorbed


def import_figures(
    store: Store,
    cycle: Cycle,
    read: FileContents,
    *,
    about: PageOptions,
    keep_good: bool,
    by: str,
    now: datetime,
    keep: Callable[[Mapping[str, str]], None],
) -> ImportResult:
    """Store a file's figures and tell what they mean, in one transaction.

    ``keep`` is told, just before, which slug each name of the file was taken for: evidence comes before figures.

    Pages that are not tracked (unless ``about.add``), faults, and figures that contradict stored ones are left out with
    ``keep_good``. Without it, or where nothing else is in the file, ``UnknownPage`` or ``ImportRefused`` is raised, and
    nothing is changed.
    """
    slugs, added, strangers = _slugs(store, read, about)
    readings = [replace(reading, page=slugs[reading.page]) for reading in read.readings if reading.page in slugs]
    audiences = [replace(audience, page=slugs[audience.page]) for audience in read.audiences if audience.page in slugs]
    conflicts = {reading: said for reading in readings if (said := _conflict(store, reading))}
    is_spoilt = bool(read.faults or strangers or conflicts)
    is_empty = len(conflicts) == len(readings) and not audiences
    if is_empty or (is_spoilt and not keep_good):
        refused = UnknownPage if strangers else ImportRefused
        raise refused(_refusal(read, strangers, tuple(conflicts.values()), is_empty=is_empty))
    tracks = store.series_states.get(slugs.values())
    good = [reading for reading in readings if reading not in conflicts and not _is_known(store, reading, tracks)]
    entry = AuditEntry(
        at=now,
        team_id="",
        channel_id="",
        user_id=by,
        action="import",
        subject=read.name,
        detail=f"{len(good)} counts and {len(audiences)} audiences of {', '.join(sorted(set(slugs.values())))}",
    )
    known = [page for page in store.pages.get_many(slugs.values()).values() if page not in added]
    filled = [page for old in known if (page := _filled(old, about)) != old]
    keep(slugs)
    with store.write():
        for page in (*added, *filled):
            store.pages.add(page, None, at=now)
        if added or filled:
            settle_rule_states(store, all_comparisons(), now)
        absorbed = cycle.absorb(by_instant(good, audiences), together=lambda: store.audit.add(entry))
    repeated = len(readings) - len(conflicts) - len(good) + absorbed.standings.get(Standing.REPEATED, 0)
    return ImportResult(
        added=added,
        remarks=tuple(remark for page in known for remark in _remarks(page, about)),
        strangers=strangers,
        conflicts=tuple(conflicts.values()),
        known=repeated + len(audiences) - absorbed.audiences,
        absorbed=absorbed,
    )


def _slugs(
    store: Store, read: FileContents, about: PageOptions
) -> tuple[Mapping[str, str], tuple[Page, ...], tuple[str, ...]]:
    """The slug behind each name the file uses, the pages to be added, and a line for each name that nobody knows."""
    slugs: dict[str, str] = {}
    added: list[Page] = []
    strangers: list[str] = []
    for name in read.pages:
        known = find_page(store, name)
        slug = make_slug(name)
        if known:
            slugs[name] = known.slug
        elif about.add and is_slug(slug):
            slugs[name] = slug
            added.append(Page(slug=slug, name=name, platform=about.platform, home=about.home, groups=about.groups))
        else:
            strangers.append(_stranger(store, name))
    return slugs, tuple(added), tuple(strangers)


def _filled(page: Page, about: PageOptions) -> Page:
    """The page with what is said of it now and was not before."""
    return replace(page, home=page.home or about.home, groups=page.groups or about.groups)


def _remarks(page: Page, about: PageOptions) -> Iterator[str]:
    """What becomes of what is said of a page that is known."""
    if about.home and page.home is None:
        yield f"{page.slug}: its home is {about.home} from now on."
    elif about.home and about.home != page.home:
        yield f"{page.slug} keeps its home, {page.home}: --home only says what is not said yet."
    if about.groups and not page.groups:
        yield f"{page.slug}: it is in the group {phrases.listed(about.groups)} from now on."
    elif not set(about.groups) <= set(page.groups):
        yield f"{page.slug} stays in {phrases.listed(page.groups)} alone: --group is for pages that are in no group yet."


def _stranger(store: Store, name: str) -> str:
    likely = suggestions(store, name, groups=False)
    return name + (f" (did you mean {' or '.join(likely)}?)" if likely else "")


def _conflict(store: Store, reading: Reading) -> str | None:
    stored = store.readings.stored_count(reading.page, reading.observed_at, reading.source)
    if stored is None or stored == reading.count:
        return None
    return (
        f"{reading.page}, {reading.observed_at:%Y-%m-%d %H:%M} UTC, {reading.source}: {stored:,} is stored, "
        f"the file says {reading.count:,}"
    )


def _is_known(store: Store, reading: Reading, tracks: Mapping[str, SeriesState]) -> bool:
    """Whether it says what is stored; what is newer than the series at least says that the count is the same still."""
    if store.readings.stored_count(reading.page, reading.observed_at, reading.source) is not None:
        return True
    track = tracks.get(reading.page)
    return track is not None and reading.observed_at <= track.last.at and store.readings.is_redundant(reading)


def _refusal(read: FileContents, strangers: tuple[str, ...], conflicts: tuple[str, ...], *, is_empty: bool) -> str:
    lines = [read.summary()]
    if strangers:
        lines.append("The file names pages that are not tracked:")
        lines += [f"  {said}" for said in strangers]
        lines.append("Correct the names, track the pages first (/trends track), or add them with --new-pages.")
    if conflicts:
        lines.append(f"{len(conflicts):,} of its figures contradict what is stored:")
        lines += [f"  {said}" for said in conflicts[:_CONFLICTS_SHOWN]]
    if is_empty:
        lines.append("Nothing was kept: the file holds no figure that can be.")
    else:
        lines.append("Nothing was kept. Mend the file and import it again, or keep what is good with --keep-good.")
    return "\n".join(lines)
