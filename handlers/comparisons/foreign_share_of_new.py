"""Foreign share of new likes: who came lately is listed abroad far more often than before.

Over 7 and 28 days, from clean steps between lists by country: F = sum of positive foreign changes, H = max(0, home
change), U+ = new likes without a country; p = F/(F+H), lower bound p- = F/(F+H+U+). The baseline s_b is the same over
the 90 days before (28 days of it, 40% clean), else the page's share of all likes. Told if p - s_b >= 0.15,
p- - s_b >= 0.02, z >= 3 with overdispersion 15, F >= max(600, 0.06% T), on 2 snapshots (1 where sparser than 8 days).
An episode ends after 30 days below +0.08.

A published figure ("157,331 of 779,000 new likes came from Cambodia") is the other form: p = 1 - home/new, as exact
as its rounding allows, against the share of all likes at the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import sqrt
from types import MappingProxyType

from handlers.contract import Comparison, Scope, Verdict, Wakes, Window
from handlers.memories import from_rows, from_text, instant, rows, to_text
from handlers.model import Alert, AudienceReading, Fact, Figure, Measure, Parameter
from handlers.share_sentences import NEW_SHARE
from handlers.shares import (
    Flow,
    Snapshot,
    Step,
    Totals,
    complement,
    exactly,
    fact,
    flow,
    is_sparse,
    published_share,
    snapshots,
    steps,
    with_totals,
)

WINDOWS_DAYS = (7, 28)
BASELINE_DAYS = 90
BASELINE_DAYS_AT_LEAST = 28
CLEAN_AT_LEAST = 0.4
EXCESS = 0.15
EXCESS_OF_LOWER_BOUND = 0.02
OVERDISPERSION = 15
Z_AT_LEAST = 3
FOREIGN_AT_LEAST = 600
FOREIGN_OF_TOTAL_AT_LEAST = 0.0006
CALM_BELOW = 0.08
CALM_DAYS = 30

_DAY = timedelta(days=1)
_SNAPSHOTS_TO_TELL = 2
_BASELINE_WITHIN = timedelta(days=90)
_TOP = 3
_SERIES_RULE = (
    "On two lists by country in a row (one where they are rare), the share of new {metric} from abroad was 15 points "
    "or more above what is usual for the page: far more than chance, and still above it if everybody without a country "
    "were at home."
)
_PUBLISHED_RULE = (
    "The published share of new {metric} from outside the home country was 15 points or more above the share of all "
    "{metric} at the time."
)
_PARAMETERS = (
    Parameter(name="rise on the baseline", value=EXCESS, unit="share"),
    Parameter(name="rise of the lower bound", value=EXCESS_OF_LOWER_BOUND, unit="share"),
    Parameter(name="overdispersion", value=OVERDISPERSION, unit="ratio"),
    Parameter(name="z", value=Z_AT_LEAST, unit="standard errors"),
    Parameter(name="new likes from abroad", value=FOREIGN_AT_LEAST, unit="likes"),
    Parameter(name="new likes from abroad, of the total", value=FOREIGN_OF_TOTAL_AT_LEAST, unit="share"),
    Parameter(name="episode over below", value=CALM_BELOW, unit="share"),
    Parameter(name="episode over after", value=CALM_DAYS, unit="days"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What is remembered of a page: how far it was judged, and whether an episode is on.

    ``waiting`` are the instants of published figures, no later than ``figures_until``, that cannot be judged before a
    share of all is known to compare them with. ``hits`` counts the snapshots in a row that meet the rule;
    ``calm_since`` is None while the share is high.
    """

    lists_until: datetime | None = None
    figures_until: datetime | None = None
    waiting: tuple[datetime, ...] = ()
    hits: int = 0
    told: bool = False
    calm_since: datetime | None = None
    totals: Totals = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """The new likes of one period: ``share`` with its bounds, ``foreign`` of ``gained``, against ``baseline``."""

    reading: AudienceReading
    days: int
    share: Figure
    foreign: Figure
    gained: Figure
    tested: float  # the number of likes behind the share
    total: float  # of the page; 0 where unknown
    baseline: Figure
    unlisted: float | None = None
    countries: tuple[tuple[str, float], ...] = ()

    @property
    def excess(self) -> float:
        return self.share.value - self.baseline.value

    @property
    def is_hit(self) -> bool:
        usual = min(max(self.baseline.value, 0.01), 0.99)
        error = sqrt(usual * (1 - usual) * OVERDISPERSION / self.tested)
        return (
            self.excess >= EXCESS
            and self.share.low - self.baseline.value >= EXCESS_OF_LOWER_BOUND
            and self.excess / error >= Z_AT_LEAST
            and self.foreign.value >= max(FOREIGN_AT_LEAST, FOREIGN_OF_TOTAL_AT_LEAST * self.total)
        )


def compare(window: Window, episode: Episode) -> Verdict[Episode]:
    """Judge every list and every published figure not judged yet, oldest first."""
    home = window.pages[window.scope].home
    if home is None:
        return Verdict(alerts=(), memory=episode)
    before = episode
    totals = with_totals(episode.totals, window)
    if totals is not episode.totals:
        episode = replace(episode, totals=totals)
    alerts: list[Alert] = []
    series = snapshots(window, home, episode.totals)
    path = steps(series)
    for count, newest in enumerate(series, start=1):
        if episode.lists_until is not None and newest.at <= episode.lists_until:
            continue
        found = _strongest(series[:count], path[: count - 1], home)
        episode, alert = _judged(
            replace(episode, lists_until=newest.at), found, newest.at, window, sparse=is_sparse(series[:count])
        )
        alerts += alert
    figures = _unjudged(window, home, episode)
    findings = [(reading, _published(reading, window.audience, home)) for reading in figures]
    if figures:
        waiting = tuple(reading.as_of for reading, finding in findings if finding is None)
        until = max(filter(None, (figures[-1].as_of, episode.figures_until)))
        episode = replace(episode, figures_until=until, waiting=waiting)
    for reading, finding in findings:
        episode, alert = _judged(episode, finding, reading.as_of, window, sparse=True)
        alerts += alert
    return Verdict(alerts=tuple(alerts), memory=before if episode == before else episode)


def _judged(
    episode: Episode, finding: _Finding | None, at: datetime, window: Window, *, sparse: bool
) -> tuple[Episode, tuple[Alert, ...]]:
    if finding is None:
        return episode, ()
    if episode.told:
        if finding.excess >= CALM_BELOW:
            return replace(episode, calm_since=None), ()
        calm_since = episode.calm_since or at
        over = at - calm_since >= CALM_DAYS * _DAY
        return replace(episode, calm_since=None if over else calm_since, told=not over, hits=0), ()
    hits = episode.hits + 1 if finding.is_hit else 0
    if hits < (1 if sparse else _SNAPSHOTS_TO_TELL):
        return replace(episode, hits=hits), ()
    return replace(episode, hits=0, told=True, calm_since=None), (_alert(finding, window),)


def _strongest(series: tuple[Snapshot, ...], path: tuple[Step, ...], home: str) -> _Finding | None:
    """The window of 7 or 28 days that speaks loudest: one that meets the rule before one that does not."""
    found = [finding for days in WINDOWS_DAYS if (finding := _of_series(series, path, home, days)) is not None]
    return max(found, key=lambda finding: (finding.is_hit, finding.excess), default=None)


def _of_series(series: tuple[Snapshot, ...], path: tuple[Step, ...], home: str, days: int) -> _Finding | None:
    newest = series[-1]
    start = newest.at - days * _DAY * (8 / 7)  # lists come late, and a month has 31 days
    came = flow(path, home, start, newest.at)
    if came is None or came.until != newest.at or came.days < CLEAN_AT_LEAST * days:
        return None
    return _Finding(
        reading=newest.reading,
        days=round((came.until - came.since) / _DAY),
        share=came.share,
        foreign=exactly(came.foreign),
        gained=exactly(came.listed + came.unlisted),
        tested=came.listed,
        total=newest.total,
        baseline=_baseline(series, path, home, came),
        unlisted=came.unlisted,
        countries=came.countries[:_TOP],
    )


def _baseline(series: tuple[Snapshot, ...], path: tuple[Step, ...], home: str, came: Flow) -> Figure:
    start = came.since - BASELINE_DAYS * _DAY
    earlier = [snapshot for snapshot in series if start <= snapshot.at <= came.since]
    known = (earlier[-1].at - earlier[0].at) / _DAY
    past = flow(path, home, start, came.since)
    if past is not None and known >= BASELINE_DAYS_AT_LEAST and past.days >= CLEAN_AT_LEAST * known:
        return past.share
    standing = earlier[-1]
    bounds = standing.bounds
    return Figure(value=standing.foreign / (standing.foreign + standing.home), low=bounds.low, high=bounds.high)


def _unjudged(window: Window, home: str, episode: Episode) -> list[AudienceReading]:
    """The published figures that are new or still waiting, oldest first."""
    until, waiting = episode.figures_until, episode.waiting
    return [
        reading
        for reading in window.audience
        if reading.measure is Measure.NEW
        and (until is None or reading.as_of > until or reading.as_of in waiting)
        and reading.total is not None
        and reading.total.low > 0
        and published_share(reading, home) is not None
    ]


def _published(reading: AudienceReading, audience: tuple[AudienceReading, ...], home: str) -> _Finding | None:
    """A published figure against the share of all at the time; None while that is not known."""
    at_home, total, baseline = (
        published_share(reading, home),
        reading.total,
        _share_of_all(audience, home, reading),
    )
    if at_home is None or total is None or baseline is None:
        return None
    share = complement(at_home)
    abroad = {country: figure.value for country, figure in reading.likes.items() if country != home}
    return _Finding(
        reading=reading,
        days=reading.days or 0,
        share=share,
        foreign=_abroad(reading, home, share, total),
        gained=total,
        tested=total.value,
        total=0.0,
        baseline=baseline,
        countries=tuple(sorted(abroad.items(), key=lambda item: (-item[1], item[0])))[:_TOP],
    )


def _abroad(reading: AudienceReading, home: str, share: Figure, total: Figure) -> Figure:
    count = reading.likes.get(home)
    if count is None:
        return Figure(value=share.value * total.value, low=share.low * total.low, high=share.high * total.high)
    return Figure(value=total.value - count.value, low=total.low - count.high, high=total.high - count.low)


def _share_of_all(audience: tuple[AudienceReading, ...], home: str, new: AudienceReading) -> Figure | None:
    for reading in reversed(audience):
        told = reading.measure is Measure.ALL and reading.metric is new.metric
        if told and new.as_of - _BASELINE_WITHIN <= reading.as_of <= new.as_of:
            share = published_share(reading, home)
            if share is not None:
                return complement(share)
    return None


def _alert(finding: _Finding, window: Window) -> Alert:
    reading = finding.reading
    published = finding.unlisted is None
    key = f"new_foreign_share:{reading.page}:up:{reading.as_of.isoformat()}"
    return Alert(
        key=key,
        story=key,
        kind="new_foreign_share",
        feature="foreign",
        page=reading.page,
        at=window.now,
        dated=reading.dated,
        facts=tuple(_facts(finding, window.pages[reading.page].home or "")),
        rule=(_PUBLISHED_RULE if published else _SERIES_RULE).format(metric=reading.metric),
        parameters=_PARAMETERS,
    )


def _facts(finding: _Finding, home: str) -> Iterator[Fact]:
    reading = finding.reading
    yield fact("share", finding.share, "share", reading)
    yield fact("numerator", finding.foreign, reading.metric, reading)
    yield fact("denominator", finding.gained, reading.metric, reading)
    at_home = finding.gained.value - finding.foreign.value - (finding.unlisted or 0.0)
    yield fact("home", exactly(at_home), reading.metric, reading, about=home)
    yield fact("period", exactly(finding.days), "days", reading)
    yield fact("baseline", finding.baseline, "share", reading)
    if finding.unlisted is not None:
        yield fact("unlisted", exactly(finding.unlisted), reading.metric, reading)
    for country, likes in finding.countries:
        yield fact("country", exactly(likes), reading.metric, reading, about=country)


def _dump(episode: Episode) -> str:
    kept = {
        "lists_until": episode.lists_until,
        "figures_until": episode.figures_until,
        "waiting": episode.waiting,
        "hits": episode.hits,
        "told": episode.told,
        "calm_since": episode.calm_since,
        "totals": rows(episode.totals),
    }
    return to_text(kept)


def _load(text: str) -> Episode:
    kept = from_text(text)
    return Episode(
        lists_until=instant(kept["lists_until"]),
        figures_until=instant(kept["figures_until"]),
        waiting=tuple(map(datetime.fromisoformat, kept["waiting"])),
        hits=kept["hits"],
        told=kept["told"],
        calm_since=instant(kept["calm_since"]),
        totals=from_rows(kept["totals"]),
    )


COMPARISON = Comparison(
    name="foreign_share_of_new",
    feature="foreign",
    says={"new_foreign_share": NEW_SHARE},
    summary="a page's new likes come from abroad far more often than before",
    scope=Scope.PAGE,
    wakes=Wakes.AUDIENCE,
    blank=Episode,
    load=_load,
    dump=_dump,
    compare=compare,
)
