"""Imports: what a file says, checked against what is known, and fed to the cycle in one piece or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.cycle import Absorbed, Cycle
from bot.errors import UnknownPage
from bot.feeding import by_instant
from bot.importing import Import, ImportRefused, describe
from bot.rehearsal import settle
from bot.slack.names import find_page, suggestions
from bot.slack.slugs import is_slug, slugged
from handlers.comparisons import all_comparisons
from handlers.model import Page, Reading, Standing, Track
from storage.store import Store
from storage.values import AuditEntry

_CONFLICTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPages:
    """Pages that are not tracked may be added for imported figures only: their platform, home country and groups."""

    platform: str
    home: str | None
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: pages added, readings left out for contradicting stored ones, what the cycle made of it.

    ``known`` counts the figures of the file that were known already, so that they change nothing.
    """

    added: tuple[Page, ...]
    conflicts: tuple[str, ...]
    known: int
    absorbed: Absorbed


def import_figures(
    store: Store,
    cycle: Cycle,
    read: Import,
    *,
    new_pages: NewPages | None,
    keep_good: bool,
    by: str,
    now: datetime,
    keep: Callable[[Mapping[str, str]], None],
) -> Imported:
    """Store a file's figures and tell what they mean, in one transaction.

    ``keep`` is told, just before, which slug each name of the file was taken for: evidence comes before figures.

    Raises ``UnknownPage`` for pages that are not tracked (unless ``new_pages``), and ``ImportRefused`` for a file with
    faults or figures that contradict stored ones (unless ``keep_good``); then nothing is changed.
    """
    slugs, added = _slugs(store, read, new_pages)
    readings = [replace(reading, page=slugs[reading.page]) for reading in read.readings]
    audiences = [replace(audience, page=slugs[audience.page]) for audience in read.audiences]
    conflicts = {reading: said for reading in readings if (said := _conflict(store, reading))}
    if (read.faults or conflicts) and not keep_good:
        raise ImportRefused(_refusal(read, tuple(conflicts.values())))
    tracks = store.readings.tracks(slugs.values())
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
    keep(slugs)
    with store.write():
        for page in added:
            store.pages.add(page, None, at=now)
        if added:
            settle(store, all_comparisons(), now)
        absorbed = cycle.absorb(by_instant(good, audiences), together=lambda: store.audit.add(entry))
    repeated = len(readings) - len(conflicts) - len(good) + absorbed.standings.get(Standing.REPEATED, 0)
    return Imported(
        added=added,
        conflicts=tuple(conflicts.values()),
        known=repeated + len(audiences) - absorbed.audiences,
        absorbed=absorbed,
    )


def _slugs(store: Store, read: Import, new_pages: NewPages | None) -> tuple[Mapping[str, str], tuple[Page, ...]]:
    """The slug behind each name the file uses, and the pages to be added for those that nobody tracks."""
    slugs: dict[str, str] = {}
    added: list[Page] = []
    strangers: list[str] = []
    for name in read.pages:
        known = find_page(store, name)
        slug = slugged(name)
        if known:
            slugs[name] = known.slug
        elif new_pages and is_slug(slug):
            slugs[name] = slug
            added.append(
                Page(slug=slug, name=name, platform=new_pages.platform, home=new_pages.home, groups=new_pages.groups)
            )
        else:
            strangers.append(name)
    if strangers:
        raise UnknownPage("\n".join(_stranger_lines(store, strangers)))
    return slugs, tuple(added)


def _stranger_lines(store: Store, strangers: list[str]) -> Iterator[str]:
    yield "The file names pages that are not tracked, so nothing was kept:"
    for name in strangers:
        likely = suggestions(store, name, groups=False)
        yield f"  {name}" + (f" (did you mean {' or '.join(likely)}?)" if likely else "")
    yield "Correct the names, track the pages first (/trends track), or add them with --new-pages."


def _conflict(store: Store, reading: Reading) -> str | None:
    stored = store.readings.has(reading.page, reading.observed_at, reading.source)
    if stored is None or stored == reading.count:
        return None
    return (
        f"{reading.page}, {reading.observed_at:%Y-%m-%d %H:%M} UTC, {reading.source}: {stored:,} is stored, "
        f"the file says {reading.count:,}"
    )


def _is_known(store: Store, reading: Reading, tracks: Mapping[str, Track]) -> bool:
    """Whether it says what is stored; what is newer than the series at least says that the count is the same still."""
    if store.readings.has(reading.page, reading.observed_at, reading.source) is not None:
        return True
    track = tracks.get(reading.page)
    return track is not None and reading.observed_at <= track.last.at and store.readings.tells(reading)


def _refusal(read: Import, conflicts: tuple[str, ...]) -> str:
    lines = [describe(read)]
    if conflicts:
        lines.append(f"{len(conflicts):,} of its figures contradict what is stored:")
        lines += [f"  {said}" for said in conflicts[:_CONFLICTS_SHOWN]]
    lines.append("Nothing was kept. Mend the file and import it again, or keep what is good with --keep-good.")
    return "\n".join(lines)
