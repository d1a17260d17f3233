"""The law of rebuilding: whatever happened, the state computed anew from the journal is the live state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Protocol

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.imports.dates import instant
from bot.imports.replay import by_instant
from bot.platforms.contract import Reason
from bot.polling.cycle import Cycle
from bot.polling.rebuild import RebuildReport, rebuild, rebuild_summary
from bot.rules.preview import settle_rule_states
from handlers.discovery import all_comparisons
from handlers.model import AudienceReading, Dated, Figure, Measure, Metric, Reading
from storage.errors import StoreDamaged
from storage.schema.sqlite import sqlite3
from storage.store import Store
from storage.values import Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, reading, track
from tests.labs.standins.rules.crowd import COMPARISON as CROWD
from tests.labs.standins.samples import wish

HOUR = timedelta(hours=1)
SLUGS = ("hunsen", "kemsokha", "samrainsy")
GROUPS = ("asean", "cambodia")
RULES = (*all_comparisons(), CROWD)
LIMITS = {"surge": (2.0, 8.0), "foreign": (5.0, 20.0), "crowd": (51.0, 53.0, 60.0)}


class Step(Protocol):
    """Something that happens."""

    def happen(self, newsroom: Newsroom) -> None: ...


class Undone(Exception):
    """A transaction fails here."""


class Newsroom:
    """A store on disk and everything that may happen to it, through the doors that the bot uses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = HandClock(START)
        self.platform = ToldPlatform()
        self.platform.counts = dict.fromkeys(SLUGS, 50_000)
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.path)
        settle_rule_states(self.store, RULES, self.clock.now())
        self.cycle = self._cycle()

    def close(self) -> None:
        self.cycle.close()
        self.store.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def _cycle(self) -> Cycle:
        return cycle(self.store, self.clock, {"told": self.platform.source()}, comparisons=RULES)


@dataclass(frozen=True, kw_only=True)
class Poll:
    """Polls, so many and so many hours apart; pages gain so much each time, or fail."""

    times: int
    hours: int
    gains: tuple[int, ...]
    failing: dict[str, Reason]

    def happen(self, newsroom: Newsroom) -> None:
        newsroom.platform.failures = dict(self.failing)
        for _ in range(self.times):
            for slug, gain in zip(SLUGS, self.gains, strict=True):
                newsroom.platform.counts[slug] += gain
            newsroom.clock.move(self.hours * HOUR)
            newsroom.cycle.run_due()


@dataclass(frozen=True, kw_only=True)
class OddCounts:
    """One poll answers with counts that are no page's own: tenfold, zero, or another handle."""

    factor: float
    handle: str

    def happen(self, newsroom: Newsroom) -> None:
        before = dict(newsroom.platform.counts)
        newsroom.platform.counts = {slug: int(count * self.factor) for slug, count in before.items()}
        newsroom.platform.handles = {"hunsen": self.handle} if self.handle else {}
        newsroom.clock.move(2 * HOUR)
        newsroom.cycle.run_due()
        newsroom.platform.counts = before


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One figure of a file, so many days old, and received so many hours later (or before)."""

    slug: str
    days: int
    delay: int
    count: int
    width: int
    metric: Metric
    source: str
    dated: Dated
    share: float | None

    def figure(self, now: datetime) -> Reading | AudienceReading:
        at = now - timedelta(days=self.days)
        received = at + self.delay * HOUR
        if self.share is not None:
            return AudienceReading(
                page=self.slug,
                as_of=at,
                received_at=received,
                measure=Measure.ALL,
                metric=self.metric,
                shares=MappingProxyType({"KH": Figure(value=self.share, low=self.share, high=self.share)}),
                source=self.source,
                method="a file",
            )
        return replace(
            reading(self.slug, self.count, at, source=self.source),
            received_at=received,
            low=self.count - self.width,
            metric=self.metric,
            url="https://paper.example",
            dated=self.dated,
        )


@dataclass(frozen=True, kw_only=True)
class Import:
    """A file is imported; ``fails`` at the end of its transaction, or alone inside another one."""

    figures: list[Imported]
    fails: str

    def happen(self, newsroom: Newsroom) -> None:
        figures = [one.figure(newsroom.clock.now()) for one in self.figures if newsroom.store.pages.get(one.slug)]
        readings = [figure for figure in figures if isinstance(figure, Reading)]
        batches = by_instant(readings, [figure for figure in figures if isinstance(figure, AudienceReading)])
        with suppress(Undone), newsroom.store.write():
            with suppress(Undone):
                newsroom.cycle.add_figures(batches, together=_fail if self.fails == "inside" else lambda: None)
            if self.fails == "outside":
                raise Undone


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A page is watched (anew), or joins a group."""

    slug: str
    group: str
    home: str | None

    def happen(self, newsroom: Newsroom) -> None:
        store, now = newsroom.store, newsroom.clock.now()
        with store.write():
            groups = (self.group,) if self.group else ()
            if store.pages.get(self.slug) is None:
                track(store, self.slug, groups=groups, every=HOUR, now=now)
            page = store.pages.get_many([self.slug])[self.slug]
            store.pages.add(replace(page, groups=groups, home=self.home), None, at=now)
            settle_rule_states(store, RULES, now)


@dataclass(frozen=True, kw_only=True)
class Unwatch:
    """A page is watched no longer."""

    slug: str

    def happen(self, newsroom: Newsroom) -> None:
        with newsroom.store.write():
            newsroom.store.pages.remove(self.slug, at=newsroom.clock.now())
            settle_rule_states(newsroom.store, RULES, newsroom.clock.now())


@dataclass(frozen=True, kw_only=True)
class Subscribe:
    """A channel sets a threshold, or takes it back; ``fails`` when it is nearly done."""

    to: str
    feature: str
    limit: float | None
    fails: bool

    def happen(self, newsroom: Newsroom) -> None:
        target = Target.GROUP if self.to in GROUPS else Target.PAGE
        with suppress(Undone), newsroom.store.write():
            if self.limit is None:
                newsroom.store.subscriptions.remove("T1", "C1", target, self.to)
            else:
                thresholds = {self.feature: self.limit}
                wanted = wish(self.to, target=target, features=(self.feature,), thresholds=thresholds)
                newsroom.store.subscriptions.put(wanted)
            settle_rule_states(newsroom.store, RULES, newsroom.clock.now())
            if self.fails:
                raise Undone


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something without details."""

    what: str

    def happen(self, newsroom: Newsroom) -> None:
        if self.what == "restart":
            newsroom.restart()
        elif self.what == "compact":
            newsroom.store.compact(newsroom.clock.now() - timedelta(days=2))
        else:
            _begin_journal_here(newsroom)


def _fail() -> None:
    raise Undone


def _begin_journal_here(newsroom: Newsroom) -> None:
    """As if the bot had been of a version without a journal until now."""
    newsroom.close()
    with closing(sqlite3.connect(newsroom.path)) as conn:
        for table in ("journal", "journal_pages", "journal_rule_states"):
            conn.execute(f"DELETE FROM {table}")  # noqa: S608
        for table in ("series_states", "history_summaries", "history_points", "rule_states"):
            conn.execute(f"DELETE FROM baseline_{table}")  # noqa: S608 (no input)
            conn.execute(f"INSERT INTO baseline_{table} SELECT * FROM {table}")  # noqa: S608
        conn.execute("UPDATE notes SET value = (SELECT coalesce(max(id), 0) FROM alerts) WHERE key = 'journal_began'")
        conn.commit()
    newsroom.open()


def _limits(feature: str) -> st.SearchStrategy[Subscribe]:
    return st.builds(
        Subscribe,
        to=st.sampled_from((*SLUGS, *GROUPS)),
        feature=st.just(feature),
        limit=st.sampled_from((*LIMITS[feature], *LIMITS[feature], None)),
        fails=st.sampled_from((False, False, False, True)),
    )


polls = st.builds(
    Poll,
    times=st.integers(1, 8),
    hours=st.sampled_from((2, 2, 3, 13, 24)),
    gains=st.tuples(*[st.sampled_from((0, 0, 3, 40, 900, 9_000, -700))] * len(SLUGS)),
    failing=st.dictionaries(st.sampled_from(SLUGS), st.sampled_from(Reason), max_size=1),
)
imported = st.builds(
    Imported,
    slug=st.sampled_from(SLUGS),
    days=st.sampled_from((0, 0, 1, 1, 2, 9, 40, 400)),
    delay=st.sampled_from((0, 0, 0, 5, 30, -1)),
    count=st.integers(0, 120_000),
    width=st.sampled_from((0, 0, 999)),
    metric=st.sampled_from((Metric.FOLLOWERS, Metric.FOLLOWERS, Metric.LIKES)),
    source=st.sampled_from(("told", "paper")),
    dated=st.sampled_from(Dated),
    share=st.none() | st.none() | st.sampled_from((0.9, 0.5, 0.2)),
)
histories = st.lists(
    st.one_of(
        polls,
        polls,
        polls,
        st.builds(OddCounts, factor=st.sampled_from((10.0, 0.0, 1.0)), handle=st.sampled_from(("", "samdech"))),
        st.builds(
            Import,
            figures=st.lists(imported, min_size=1, max_size=8),
            fails=st.sampled_from(("", "", "inside", "outside")),
        ),
        st.builds(
            Watch,
            slug=st.sampled_from(SLUGS),
            group=st.sampled_from(("", *GROUPS)),
            home=st.sampled_from((None, "KH")),
        ),
        st.builds(Unwatch, slug=st.sampled_from(SLUGS)),
        *map(_limits, LIMITS),
        st.builds(Happening, what=st.sampled_from(("restart", "restart", "compact", "an upgrade"))),
    ),
    max_size=14,
)


@contextmanager
def newsroom_after(history: Sequence[Step]) -> Iterator[Newsroom]:
    with TemporaryDirectory() as folder:
        newsroom = Newsroom(Path(folder) / "likewatch.db")
        try:
            for slug in SLUGS:
                Watch(slug=slug, group="cambodia", home="KH").happen(newsroom)
            for step in history:
                step.happen(newsroom)
            yield newsroom
        finally:
            newsroom.close()


def _polls(times: int, *gains: int, hours: int = 6, **failing: Reason) -> Poll:
    return Poll(times=times, hours=hours, gains=gains, failing=failing)


def _import(*, fails: str) -> Import:
    counts = (80_000, 85_000)
    figures = [
        Imported(
            slug=slug,
            days=0,
            delay=0,
            count=count,
            width=0,
            metric=Metric.FOLLOWERS,
            source="paper",
            dated=Dated.INSTANT,
            share=None,
        )
        for slug, count in zip(SLUGS, counts, strict=False)
    ]
    return Import(figures=figures, fails=fails)


_SUBSCRIBED = Subscribe(to="cambodia", feature="crowd", limit=52.0, fails=False)

# What random histories meet too seldom.
A_RIVAL_IS_REMOVED: list[Step] = [_polls(3, 900, 0, 100), Unwatch(slug="samrainsy"), _polls(8, 300, 40, 0)]
A_THRESHOLD_IS_SET_AND_TAKEN_BACK: list[Step] = [
    _polls(2, 100, 0, 0),
    _SUBSCRIBED,
    _polls(3, 900, 0, 100),
    Happening(what="restart"),
    _polls(3, 0, 900, 0),
    replace(_SUBSCRIBED, limit=None),
    _polls(2, 0, 0, 900),
]
# A preview does not look back so far, so the state that it begins with is another one than the old rule's.
A_THRESHOLD_IS_SET_ANEW: list[Step] = [
    _polls(2, 100, 0, 0),
    _SUBSCRIBED,
    _polls(3, 900, 0, 0),
    _polls(4, -700, 0, 0),
    _polls(2, 1, 0, 0, hours=24 * 90),
    replace(_SUBSCRIBED, limit=None),
    _SUBSCRIBED,
    _polls(4, 900, 0, 0),
]
A_PAGE_IS_GONE: list[Step] = [_polls(4, 3, 3, 3), _polls(9, 3, 0, 3, kemsokha=Reason.PAGE_GONE), _polls(2, 3, 3, 3)]
A_CHANGE_IS_UNDONE: list[Step] = [
    _polls(2, 3, 3, 3),
    replace(_SUBSCRIBED, fails=True),
    _polls(2, 900, 0, 0),
    _import(fails="inside"),
    _polls(2, 900, 0, 900),
    _import(fails="outside"),
    _polls(2, 900, 0, 900),
]


@settings(max_examples=25, deadline=None)  # each writes to a disk some dozen times
@given(history=histories)
@example(history=A_RIVAL_IS_REMOVED)
@example(history=A_THRESHOLD_IS_SET_AND_TAKEN_BACK)
@example(history=A_THRESHOLD_IS_SET_ANEW)
@example(history=A_PAGE_IS_GONE)
@example(history=A_CHANGE_IS_UNDONE)
def test_the_rebuilt_state_is_the_live_state(history: list[Step]) -> None:
    with newsroom_after(history) as newsroom:
        live = newsroom.store.journal.stored()
        report = rebuild(newsroom.store, RULES)
        assert found(report) == {}
        assert newsroom.store.journal.stored() == live


BREAKS = (
    "UPDATE series_states SET last_count = last_count + 1, gap = 1 WHERE page_id = 1",
    "DELETE FROM series_states WHERE page_id = 2",
    "INSERT INTO history_points SELECT page_id, at + 1e9, 7 FROM history_points",
    "UPDATE history_summaries SET midnights = x'', newest = 0 WHERE page_id = 1",
    "DELETE FROM history_summaries WHERE page_id = 3",
    "UPDATE rule_states SET state = replace(state, 'true', 'false') WHERE comparison GLOB 'crowd*'",
    "DELETE FROM rule_states WHERE comparison NOT GLOB '*>*'",
    "UPDATE rule_states SET state = substr(state, 2) WHERE comparison = 'overtake'",
    "UPDATE rule_states SET version = 99 WHERE comparison = 'overtake'",
    "INSERT INTO rule_states SELECT comparison, 'nowhere', version, state FROM rule_states LIMIT 1",
)


def test_a_stored_state_that_was_broken_is_replaced() -> None:
    with newsroom_after(A_THRESHOLD_IS_SET_AND_TAKEN_BACK[:-2]) as newsroom:
        live = newsroom.store.journal.stored()
        for sql in BREAKS:
            newsroom.close()
            with closing(sqlite3.connect(newsroom.path)) as conn:
                assert conn.execute(sql).rowcount > 0, sql
                conn.commit()
            newsroom.open()
            assert newsroom.store.journal.stored() != live, sql
            report = rebuild(newsroom.store, RULES)
            assert newsroom.store.journal.stored() == live, sql
            assert "replaced" in "\n".join(rebuild_summary(report))
            assert found(rebuild(newsroom.store, RULES)) == {}


def test_alerts_of_one_side_alone_are_counted_and_left_alone() -> None:
    with newsroom_after(A_THRESHOLD_IS_SET_AND_TAKEN_BACK) as newsroom:
        crowds = [kept.alert for kept in newsroom.store.alerts.recent() if kept.alert.kind == "crowd"]
        assert crowds
        newsroom.store.alerts.add([replace(crowds[0], key="crowd:invented")], at=newsroom.clock.now())
        stored = newsroom.store.alerts.recent()
        assert found(rebuild(newsroom.store, RULES)) == {"unraised": ("crowd:invented",)}
        report = rebuild(newsroom.store, all_comparisons())
        assert set(report.unraised) == {"crowd:invented", *(alert.key for alert in crowds)}
        assert newsroom.store.alerts.recent() == stored


def test_an_alert_that_is_missing_is_said_and_not_added() -> None:
    with newsroom_after([_polls(9, 900, 0, 100, kemsokha=Reason.PAGE_GONE)]) as newsroom:
        (gone,) = (kept.alert for kept in newsroom.store.alerts.recent() if kept.alert.kind == "page_unavailable")
        newsroom.close()
        with closing(sqlite3.connect(newsroom.path)) as conn:
            conn.execute("UPDATE alerts SET key = 'lost' WHERE key = ?", (gone.key,))
            conn.commit()
        newsroom.open()
        stored = newsroom.store.alerts.recent()
        report = rebuild(newsroom.store, RULES)
        assert found(report) == {"raised": (gone.key,), "unraised": ("lost",)}
        assert newsroom.store.alerts.recent() == stored
        assert "1 alert stored, not raised again: lost." in list(rebuild_summary(report))


def test_a_rebuild_that_is_interrupted_changes_nothing() -> None:
    with newsroom_after([_polls(3, 900, 0, 100)]) as newsroom:
        newsroom.store.series_states.delete(["hunsen"])
        broken = newsroom.store.journal.stored()

        def interrupt(done: int, total: int) -> None:
            if done == total:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild(newsroom.store, RULES, advance=interrupt)
        assert newsroom.store.journal.stored() == broken
        assert found(rebuild(newsroom.store, RULES)) == {"series_states": ("hunsen",)}


@pytest.mark.parametrize(
    "damage", ["UPDATE journal SET entry = x'00' WHERE id = 2", "DELETE FROM journal WHERE id = 2"]
)
def test_a_damaged_journal_is_a_sentence_and_changes_nothing(damage: str) -> None:
    with newsroom_after([_polls(3, 900, 0, 100)]) as newsroom:
        live = newsroom.store.journal.stored()
        newsroom.close()
        with closing(sqlite3.connect(newsroom.path)) as conn:
            conn.execute(damage)
            conn.commit()
        newsroom.open()
        with pytest.raises(StoreDamaged, match="Entry 2 of the journal"):
            rebuild(newsroom.store, RULES)
        assert newsroom.store.journal.stored() == live


def test_the_instants_of_a_file_are_whole_milliseconds_as_the_store_keeps_them() -> None:
    """Else the live state would change at a restart, in which it is read from the store, and a rebuild would differ."""
    at, _ = instant("2026-11-01T12:00:00.123999Z", None)
    assert at.microsecond == 123_000


def found(report: RebuildReport) -> dict[str, tuple[object, ...]]:
    """Return what a report found, by field."""
    fields = ("series_states", "histories", "rule_states", "raised", "unraised")
    return {name: value for name in fields if (value := getattr(report, name))}
