"""Decide: what arrived, judged; what it means, told. Pure: the live cycle, the replay and the backtest share it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

from handlers.contract import Comparison, Scope, Wakes, Window
from handlers.model import Alert, AudienceReading, Judged, Notice, Page, Reading, Standing, Track
from handlers.signals.history import EMPTY, Past, remembered
from handlers.validation import frozen_since, receive

K = TypeVar("K")
V = TypeVar("V")


def _nothing() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was known before: everything a comparison may look at, for the pages and groups that are touched.

    ``groups`` maps a group to the slugs of its pages, ``platforms`` a platform's name; ``tracks`` and ``pasts`` hold
    the series of every member of every group and platform touched. ``audiences`` are a page's audience readings of the
    past 150 days or so, oldest first. ``memories`` maps (comparison name, scope) to the object that comparison asked to
    be remembered.
    """

    pages: Mapping[str, Page]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    platforms: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    tracks: Mapping[str, Track] = field(default_factory=_nothing)
    pasts: Mapping[str, Past] = field(default_factory=_nothing)
    audiences: Mapping[str, tuple[AudienceReading, ...]] = field(default_factory=_nothing)
    memories: Mapping[tuple[str, str], Any] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came in."""

    readings: tuple[Reading, ...] = ()
    audiences: tuple[AudienceReading, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to store and what to tell.

    ``judged`` are the readings in the order they were judged. ``confirmed`` gives, by page, the first and the last
    instant of each run of earlier held readings that counts from now on. ``tracks``, ``pasts`` and ``memories`` hold
    only what changed; ``audiences`` only what was new.
    """

    judged: tuple[Judged, ...]
    confirmed: Mapping[str, tuple[tuple[datetime, datetime], ...]]
    tracks: Mapping[str, Track]
    pasts: Mapping[str, Past]
    audiences: tuple[AudienceReading, ...]
    alerts: tuple[Alert, ...]
    memories: Mapping[tuple[str, str], Any]


def decide(world: World, arrivals: Arrivals, now: datetime, comparisons: Sequence[Comparison[Any]]) -> Decision:
    """Judge the arrivals and ask every comparison they wake, once for each page or group touched.

    Arrivals are taken in the order in which they could be known (``received_at``, then the instant they are for);
    comparisons see the series after all of them. An alert's ``at`` is the newest ``received_at`` among the arrivals
    that woke its scope; ``now`` is the limit: nothing is dated after it.
    """
    book = _Book(world, now)
    readings = arrivals.readings
    book.receive(sorted(readings, key=_reading_order) if len(readings) > 1 else readings)
    for audience in sorted(arrivals.audiences, key=_audience_order):
        book.hear(audience)
    for notice in arrivals.notices:
        book.note(notice)
    return book.decision(comparisons)


_reading_order = attrgetter("received_at", "observed_at")
_audience_order = attrgetter("received_at", "as_of")
_as_of = attrgetter("as_of")


_ALL_WAKES = tuple(Wakes)
_MOVED = frozenset({Standing.ACCEPTED, Standing.UNCHANGED})


class _Book:
    """One decision while it is being made."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self.now = now
        self.moved: dict[str, Track] = {}
        self.pasts: dict[str, Past] = {}  # of every page that moved on, whether or not something was marked
        self.judged: list[Judged] = []
        self.confirmed: dict[str, tuple[tuple[datetime, datetime], ...]] = {}
        self.audiences: list[AudienceReading] = []
        self.woken: dict[Wakes, dict[str, datetime]] = {
            wakes: {} for wakes in _ALL_WAKES
        }  # the newest received_at, by page
        self.known: dict[str, list[AudienceReading]] = {}
        self.woken_by: dict[str, list[AudienceReading]] = {}
        self.notices: dict[str, list[Notice]] = {}

    def receive(self, readings: Iterable[Reading]) -> None:
        moved, known, pasts, known_pasts = self.moved, self.world.tracks, self.pasts, self.world.pasts
        judged, woken = self.judged, self.woken[Wakes.COUNTS]
        for reading in readings:
            page = reading.page
            before = moved.get(page) or known.get(page)
            ruling = receive(before, reading)
            standing, after = ruling.standing, ruling.track
            judged.append(Judged(reading=reading, standing=standing))
            if after is None or after is before:
                continue
            moved[page] = after
            if ruling.confirmed is not None:
                self.confirmed[page] = (*self.confirmed.get(page, ()), ruling.confirmed)
            if standing in _MOVED:
                woken[page] = reading.received_at
                past = pasts.get(page) or known_pasts.get(page, EMPTY)
                pasts[page] = _remembered(past, before, after, confirms=ruling.confirmed is not None)

    def track(self, page: str) -> Track | None:
        """The page's series after what was received so far."""
        return self.moved.get(page) or self.world.tracks.get(page)

    def past(self, page: str) -> Past:
        """What is remembered of the page's past, after what was received so far."""
        return self.pasts.get(page) or self.world.pasts.get(page, EMPTY)

    def hear(self, reading: AudienceReading) -> None:
        """Keep a new audience reading; one older than the newest of its kind is late and wakes nothing."""
        page, as_of = reading.page, reading.as_of
        known = self.known.setdefault(page, list(self.world.audiences.get(page, ())))  # oldest first, as they stay
        place = bisect_right(known, as_of, key=_as_of)
        same = known[bisect_left(known, as_of, hi=place, key=_as_of) : place]
        if reading in same:
            return
        late = any(other.measure is reading.measure and other.metric is reading.metric for other in known[place:])
        known.insert(place, reading)
        self.audiences.append(reading)
        if not late:
            self.woken_by.setdefault(page, []).append(reading)
            self.woken[Wakes.AUDIENCE][page] = reading.received_at

    def note(self, notice: Notice) -> None:
        self.notices.setdefault(notice.page, []).append(notice)
        self.woken[Wakes.NOTICES][notice.page] = notice.at

    def decision(self, comparisons: Iterable[Comparison[Any]]) -> Decision:
        alerts: dict[str, Alert] = {}
        memories: dict[tuple[str, str], Any] = {}
        looks: dict[tuple[Scope, Wakes], _Look] = {}
        slugs = {wakes: sorted(woken.keys() & self.world.pages.keys()) for wakes, woken in self.woken.items()}
        remembered_by = self.world.memories
        for comparison in comparisons:
            look = looks.get((comparison.scope, comparison.wakes))
            if look is None:
                look = _Look(self, comparison.scope, comparison.wakes, slugs[comparison.wakes])
                looks[comparison.scope, comparison.wakes] = look
            name, compare = comparison.name, comparison.compare
            for scope, window in look.windows(comparison.only):
                key = (name, scope)
                memory = remembered_by.get(key, _NOTHING_YET)
                if memory is _NOTHING_YET:
                    memory = comparison.blank()
                verdict = compare(window, memory)
                if verdict is None:
                    continue
                for alert in verdict.alerts:
                    alerts.setdefault(alert.key, alert)  # two rivals may share two groups: told once
                if verdict.memory is not memory:
                    memories[key] = verdict.memory
        return Decision(
            judged=tuple(self.judged),
            confirmed=self.confirmed,
            tracks=self.moved,
            pasts=self._changed_pasts(),
            audiences=tuple(self.audiences),
            alerts=tuple(alerts.values()),
            memories=memories,
        )

    def _changed_pasts(self) -> Mapping[str, Past]:
        known = self.world.pasts
        return {slug: past for slug, past in self.pasts.items() if past is not known.get(slug)}

    def window_of_page(self, slug: str, came: tuple[str, ...], now: datetime) -> Window:
        """One page's window; it shares its mappings with other pages' where it can, since thousands are made."""
        world, known, tracks = self.world, self.known.get(slug), self.moved
        pasts: Mapping[str, Past] = self.pasts
        if slug not in pasts:
            track = self.track(slug)
            tracks, pasts = {} if track is None else {slug: track}, {slug: self.past(slug)}
        return Window(
            scope=slug,
            now=now,
            pages=world.pages,
            tracks=tracks,
            pasts=pasts,
            came=came,
            audience=tuple(known) if known else world.audiences.get(slug, ()),
            new_audience=tuple(self.woken_by[slug]) if known and slug in self.woken_by else (),
            notices=tuple(self.notices[slug]) if slug in self.notices else (),
        )

    def tracks(self, scope: Scope, name: str) -> Mapping[str, Track]:
        """The series of a group's or a platform's pages."""
        if scope is Scope.PLATFORM:
            return _OnPlatform(self, name)
        moved, known = self.moved, self.world.tracks
        members = self.world.groups[name]
        return {slug: track for slug in members if (track := moved.get(slug) or known.get(slug)) is not None}


_NOTHING_YET = object()


def _remembered(past: Past, before: Track | None, after: Track, *, confirms: bool) -> Past:
    if before is None:
        return remembered(past, None, after, confirmed=(), frozen_since=None)
    frozen = frozen_since(before) if after.last.count != before.last.count else None
    return remembered(past, before, after, confirmed=before.held if confirms else (), frozen_since=frozen)


class _Look:
    """The windows on what was touched, made once for all comparisons of one scope that the same arrivals wake."""

    def __init__(self, book: _Book, scope: Scope, wakes: Wakes, slugs: Sequence[str]) -> None:
        self._book = book
        self._scope = scope
        self._woken = book.woken[wakes]
        self._touched = _touched(book.world, scope, slugs)
        self._pasts = _Newest(book.pasts, book.world.pasts)
        self._windows: dict[str, Window] = {}
        self._asked: dict[frozenset[str] | None, list[tuple[str, Window]]] = {}

    def windows(self, only: frozenset[str] | None) -> list[tuple[str, Window]]:
        """What was touched, by name, or ``only`` some of it; rules with the same ``only`` share one answer."""
        asked = self._asked.get(only)
        if asked is None:
            names = self._touched if only is None else sorted(only & self._touched.keys())
            asked = self._asked[only] = [(name, self._windows.get(name) or self._window(name)) for name in names]
            self._windows.update(asked)
        return asked

    def _window(self, name: str) -> Window:
        book, came, woken = self._book, self._touched[name], self._woken
        at = woken[came[0]] if len(came) == 1 else max([woken[slug] for slug in came])
        now = min(at, book.now)
        if self._scope is Scope.PAGE:
            return book.window_of_page(name, came, now)
        tracks = book.tracks(self._scope, name)
        return Window(scope=name, now=now, pages=book.world.pages, tracks=tracks, pasts=self._pasts, came=came)


def _touched(world: World, scope: Scope, slugs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The pages, groups or platforms of these pages, by name, each with those of them that are its own."""
    if scope is Scope.PAGE:
        return {slug: (slug,) for slug in slugs}
    together = world.groups if scope is Scope.GROUP else world.platforms
    touched: dict[str, list[str]] = {}
    for slug in slugs:
        page = world.pages[slug]
        for name in page.groups if scope is Scope.GROUP else (page.platform,):
            if name in together:
                touched.setdefault(name, []).append(slug)
    return {name: tuple(touched[name]) for name in sorted(touched)}


class _Newest(Mapping[str, V]):
    """What moved on, and for all else what was known."""

    def __init__(self, moved: Mapping[str, V], known: Mapping[str, V]) -> None:
        self._moved, self._known = moved, known

    def __getitem__(self, slug: str) -> V:
        return self._moved[slug] if slug in self._moved else self._known[slug]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._moved})

    def __len__(self) -> int:
        return len(self._known.keys() | self._moved.keys())


class _OnPlatform(Mapping[str, Track]):
    """The series of a platform's pages, looked up as they are asked for: of thousands, a rule asks for a few."""

    def __init__(self, book: _Book, name: str) -> None:
        self._book, self._name = book, name

    def __getitem__(self, slug: str) -> Track:
        track = self._book.track(slug)
        if track is None or self._book.world.pages[slug].platform != self._name:
            raise KeyError(slug)
        return track

    def __iter__(self) -> Iterator[str]:
        return (slug for slug in self._book.world.platforms[self._name] if self._book.track(slug) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
