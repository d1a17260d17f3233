"""A live state that decisions are applied to, and histories that raise each kind of alert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.contract import Comparison
from handlers.decide import Arrivals, Decision, decide
from handlers.discovery import all_comparisons
from handlers.live_state import LiveState
from handlers.model import (
    Alert,
    AudienceReading,
    Dated,
    Figure,
    Measure,
    Metric,
    Page,
    PageStatus,
    PageTrouble,
    Reading,
    SeriesState,
    Standing,
    ValidatedReading,
)
from handlers.signals.facts import exactly

START = datetime(2024, 5, 6, 9, 0, tzinfo=UTC)


class Replay:
    """What the cycle does with a decision, in memory; ``restart`` turns every rule state into text and back."""

    def __init__(self, pages: Sequence[Page], comparisons: Sequence[Comparison[Any]] | None = None) -> None:
        self.known = LiveState(pages)
        self.comparisons = all_comparisons() if comparisons is None else tuple(comparisons)
        self.readings: list[ValidatedReading] = []
        self.alerts: list[Alert] = []

    @property
    def series_states(self) -> Mapping[str, SeriesState]:
        return self.known.series_states

    @property
    def rule_states(self) -> dict[tuple[str, str], Any]:
        return self.known.rule_states

    @property
    def standings(self) -> list[Standing]:
        return [validated.standing for validated in self.readings]

    def arrive(self, *arrivals: Reading | AudienceReading | PageStatus) -> Decision:
        came = Arrivals(
            readings=tuple(arrival for arrival in arrivals if isinstance(arrival, Reading)),
            audiences=tuple(arrival for arrival in arrivals if isinstance(arrival, AudienceReading)),
            page_statuses=tuple(arrival for arrival in arrivals if isinstance(arrival, PageStatus)),
        )
        now = max(arrival.at if isinstance(arrival, PageStatus) else arrival.received_at for arrival in arrivals)
        decision = decide(self.known.snapshot(), came, now, self.comparisons)
        self.known.apply(decision)
        self.readings += decision.readings
        self.alerts += decision.alerts
        return decision

    def restart(self) -> None:
        forms = {comparison.name: comparison.state for comparison in self.comparisons}
        self.known.rule_states = {
            key: forms[key[0]].load(forms[key[0]].version, forms[key[0]].dump(state))
            for key, state in self.rule_states.items()
        }


def page(slug: str, *groups: str, home: str | None = "KH") -> Page:
    return Page(slug=slug, name=slug.title(), platform="facebook", home=home, groups=groups)


def reading(
    slug: str,
    hours: float,
    count: int,
    *,
    width: int = 0,
    metric: Metric = Metric.LIKES,
    source: str = "facebook",
    delay_hours: float = 0,
) -> Reading:
    """A count ``hours`` after the start; it stands for [count, count + width]."""
    at = START + timedelta(hours=hours)
    return Reading(
        page=slug,
        observed_at=at,
        received_at=at + timedelta(hours=delay_hours),
        count=count,
        low=count,
        high=count + width,
        metric=metric,
        source=source,
        url=f"https://example.org/{slug}",
    )


def by_country(slug: str, day: float, total: float, likes: Mapping[str, float]) -> AudienceReading:
    """The platform's list of likes by country ``day`` days after the start."""
    at = START + timedelta(days=day)
    return AudienceReading(
        page=slug,
        as_of=at,
        received_at=at,
        measure=Measure.ALL,
        likes={country: Figure(value=value, low=value, high=value) for country, value in likes.items()},
        total=Figure(value=total, low=total, high=total),
        source="facebook",
        method="page_fans_country",
        dated=Dated.DAY,
    )


def counts(*rows: tuple[float, int, int], comparisons: Sequence[Comparison[Any]] | None = None) -> Replay:
    """Pages "a" and "b" of one group, read together: (hours, count of a, count of b)."""
    replay = Replay((page("a", "g"), page("b", "g")), comparisons)
    for hours, ours, theirs in rows:
        replay.arrive(reading("a", hours, ours), reading("b", hours, theirs))
    return replay


def audience(days: int, home_a_day: Callable[[int], float], abroad_a_day: Callable[[int], float]) -> Replay:
    """A page of 300,000 likes, 70% of them at home and 5% without a country, that gains so many a day."""
    replay = Replay((page("a"),))
    home, abroad, total = 210_000.0, 75_000.0, 300_000.0
    for day in range(days):
        came = home_a_day(day), abroad_a_day(day)
        home, abroad, total = home + came[0], abroad + came[1], total + sum(came) * 1.02
        replay.arrive(by_country("a", day, total, {"KH": home, "IN": abroad * 0.6, "PH": abroad * 0.4}))
    return replay


def _ahead() -> Replay:
    return counts((0, 1000, 990), (1, 1001, 1010), (2, 1002, 1020))


def _overtake() -> Replay:
    return counts((0, 1000, 990), *((hours, 1000 + hours, 1010 + hours) for hours in range(1, 27)))


def _held_off() -> Replay:
    back = ((hours, 1050 + hours, 1010 + hours) for hours in range(4, 80))
    return counts((0, 1000, 990), (1, 1001, 1010), (2, 1002, 1020), (3, 1003, 1030), *back)


def _new_foreign_share() -> Replay:
    return audience(100, lambda _: 700, lambda day: 250 if day < 85 else 2_500)


def _total_foreign_share() -> Replay:
    return audience(60, lambda _: 100, lambda day: 40 if day < 40 else 1_500)


def _foreign_majority() -> Replay:
    return audience(90, lambda _: 0, lambda _: 2_000)


def _country_share() -> Replay:
    return audience(100, lambda _: 700, lambda day: 250 if day < 85 else 2_500)


def _milestone() -> Replay:
    return counts((0, 19_900, 5_000), (1, 20_013, 5_000))


def published(
    day: float,
    *,
    page: str = "a",
    shares: Mapping[str, Figure] | None = None,
    likes: Mapping[str, float] | None = None,
    total: Figure | None = None,
    days: int | None = None,
) -> AudienceReading:
    """A newspaper's figures: shares of all likes, or likes that came in the ``days`` before."""
    at = START + timedelta(days=day)
    return AudienceReading(
        page=page,
        as_of=at,
        received_at=at,
        measure=Measure.ALL if days is None else Measure.NEW,
        days=days,
        likes={country: exactly(value) for country, value in (likes or {}).items()},
        shares=shares or {},
        total=total,
        source="a newspaper",
        method="published",
        dated=Dated.DAY,
    )


def rounded(value: float, step: float) -> Figure:
    """A figure rounded to a step."""
    return Figure(value=value, low=value - step / 2, high=value + step / 2)


def contradiction(home: int = 34_069) -> Replay:
    """The shares and totals of 8 and 13 March 2016, and so many new likes at home between."""
    replay = Replay((page("a"),))
    replay.arrive(published(0, shares={"KH": rounded(0.576, 0.001)}, total=rounded(3_003_000, 5_000)))
    replay.arrive(published(5, shares={"KH": rounded(0.564, 0.001)}))
    replay.arrive(published(5, likes={"KH": home}, total=rounded(151_000, 1_000), days=5))
    return replay


def noticed(*polls: tuple[float, PageTrouble | None], detail: str = "") -> Replay:
    """A page of 14,000,000 likes that was read at the start; then polls that found something else out."""
    replay = Replay((page("a"),))
    replay.arrive(reading("a", 0, 14_000_000))
    for hours, trouble in polls:
        replay.arrive(PageStatus(page="a", at=START + timedelta(hours=hours), trouble=trouble, detail=detail))
    return replay


def lasting(trouble: PageTrouble, *, days: int = 1) -> list[tuple[float, PageTrouble | None]]:
    """Polls every three hours."""
    return [(float(hours), trouble) for hours in range(1, 24 * days + 3, 3)]


def hourly(hours: int, counts_at: Mapping[str, Callable[[int], float]], *groups: str) -> Replay:
    """Pages that are read together every hour, each in a group of its own, or all in those named."""
    replay = Replay([page(slug, *(groups or (f"of-{slug}",))) for slug in counts_at])
    for hour in range(hours):
        replay.arrive(*(reading(slug, hour, round(count(hour))) for slug, count in counts_at.items()))
    return replay


def _surge() -> Replay:
    return hourly(40 * 24, {"a": lambda hour: 500_000 + 20 * hour + 400 * max(hour - 35 * 24, 0)})


def _purge() -> Replay:
    return hourly(30 * 24, {"a": lambda hour: 500_000 + 20 * hour - 9_000 * (hour > 25 * 24)})


def _platform_event() -> Replay:
    names = ("a", "b", "c", "d", "e", "f")
    return hourly(27 * 24, dict.fromkeys(names, lambda hour: 500_000 + 20 * hour - 9_000 * (hour > 25 * 24)))


def _platform_event_more() -> Replay:
    fallen = ((25, ("f", "g", "h", "i", "j")), (28, ("a", "b", "c", "d", "e")))
    return hourly(
        30 * 24,
        {
            slug: lambda hour, day=day: 500_000 + 20 * hour - 9_000 * (hour > day * 24)  # type: ignore[misc]
            for day, slugs in fallen
            for slug in slugs
        },
    )


def _closing_in() -> Replay:
    """b gains 200 a day more than a and is 7,400 behind at the start."""
    return hourly(35 * 24, {"a": lambda hour: 500_000 + 20 * hour, "b": lambda hour: 492_600 + 28.5 * hour}, "g")


SCENES: Mapping[str, Callable[[], Replay]] = {
    "ahead": _ahead,
    "overtake": _overtake,
    "held_off": _held_off,
    "new_foreign_share": _new_foreign_share,
    "total_foreign_share": _total_foreign_share,
    "foreign_majority": _foreign_majority,
    "country_share": _country_share,
    "milestone": _milestone,
    "contradiction": contradiction,
    "page_unavailable": lambda: noticed(*lasting(PageTrouble.UNAVAILABLE)),
    "page_unread": lambda: noticed(*lasting(PageTrouble.UNREAD)),
    "page_hidden": lambda: noticed((1, PageTrouble.HIDDEN), (2, PageTrouble.HIDDEN)),
    "page_merged": lambda: noticed((1, PageTrouble.MERGED), detail="facebook.com/456"),
    "page_renamed": lambda: noticed((1, PageTrouble.RENAMED), detail="a.new.name"),
    "page_back": lambda: noticed(*lasting(PageTrouble.UNAVAILABLE, days=21), (510, None)),
    "surge": _surge,
    "purge": _purge,
    "platform_event": _platform_event,
    "platform_event_more": _platform_event_more,
    "closing_in": _closing_in,
}


def scene(kind: str) -> Alert:
    """An alert of this kind; KeyError where nobody wrote a history that raises it."""
    return next(alert for alert in SCENES[kind]().alerts if alert.kind == kind)
