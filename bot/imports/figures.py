"""From entries to values: readings and audience readings. Figures that contradict each other are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType

from bot.imports.rows import Entry, Quantity, SnapshotKey
from bot.imports.values import RowFault
from handlers.model import AudienceReading, Figure, Measure, Metric, Reading

_LARGEST_SUM = 1.03  # of the shares of one snapshot: each of them may be rounded up
_METRICS = {Quantity.LIKES: Metric.LIKES, Quantity.FOLLOWERS: Metric.FOLLOWERS}
_BINARY_ERROR = 1e-9  # of a sum of binary fractions
_TOTAL = "total"


@dataclass(slots=True)
class _Figures:
    """Figures by name. If two contradict each other, both are left out: nobody can tell which one is wrong."""

    first: dict[str, tuple[int, Figure]] = field(default_factory=dict)  # with its line
    contradicted: set[str] = field(default_factory=set)

    def put(self, name: str, entry: Entry) -> RowFault | None:
        number = entry.number
        figure = Figure(value=number.value, low=number.low, high=number.high)
        line, first = self.first.setdefault(name, (entry.line, figure))
        if first == figure:
            return None
        self.contradicted.add(name)
        return _contradiction(entry.line, number.column, figure, line, first)

    def consistent(self) -> dict[str, Figure]:
        return {name: figure for name, (_, figure) in self.first.items() if name not in self.contradicted}


@dataclass(slots=True)
class _CountryList:
    line: int
    url: str = ""
    metric: Metric | None = None
    likes: _Figures = field(default_factory=_Figures)
    shares: _Figures = field(default_factory=_Figures)
    total: _Figures = field(default_factory=_Figures)


_identity = attrgetter("received_at", "observed_at", "page", "metric", "source")  # one count each


class FigureCollector:
    """Collects entries in order of line. ``unnamed`` is the source of figures whose row names none."""

    def __init__(self, *, unnamed: str) -> None:
        self._unnamed = unnamed
        self._readings: list[tuple[Reading, int, str]] = []
        self._snapshots: dict[SnapshotKey, _CountryList] = {}
        self.faults: list[RowFault] = []

    def add(self, entry: Entry) -> None:
        """Add one figure."""
        number = entry.number
        if number.country is None and number.what in _METRICS:
            self._readings.append((_reading(entry), entry.line, number.column))
            return
        snapshot = self._snapshots.get(entry.origin)
        if snapshot is None:
            snapshot = self._snapshots[entry.origin] = _CountryList(entry.line)
        snapshot.url = snapshot.url or entry.url
        snapshot.metric = snapshot.metric or _METRICS.get(number.what)
        if number.country is None or number.what is Quantity.TOTAL:
            fault = snapshot.total.put(_TOTAL, entry)
        else:
            figures = snapshot.shares if number.what is Quantity.SHARE else snapshot.likes
            fault = figures.put(number.country, entry)
        if fault:
            self.faults.append(fault)

    def finish(self) -> tuple[tuple[Reading, ...], tuple[AudienceReading, ...]]:
        """Return the consistent figures, in order of arrival. Add a fault for every other figure to ``faults``."""
        readings = tuple(self._consistent_readings())
        audiences = sorted(
            self._audiences({_identity(reading): reading for reading in readings} if self._snapshots else {}),
            key=lambda audience: (
                audience.received_at, audience.as_of, audience.page, audience.measure, audience.days or 0,
                audience.source,
            ),
        )  # fmt: skip
        return readings, tuple(audiences)

    def _consistent_readings(self) -> Iterator[Reading]:
        self._readings.sort(key=lambda kept: _identity(kept[0]))
        for _, same in groupby(self._readings, key=lambda kept: _identity(kept[0])):
            (first, line, _), *others = same
            contradictions = [
                _contradiction(other_line, column, _figure(other), line, _figure(first))
                for other, other_line, column in others
                if _figure(other) != _figure(first)
            ]
            self.faults.extend(contradictions)
            if not contradictions:
                yield first

    def _audiences(self, readings: Mapping[object, Reading]) -> Iterator[AudienceReading]:
        for origin, snapshot in self._snapshots.items():
            likes, shares = snapshot.likes.consistent(), snapshot.shares.consistent()
            total = snapshot.total.consistent().get(_TOTAL) or _page_count(origin, snapshot, readings)
            total_share = sum(share.value for share in shares.values())
            if total_share > _LARGEST_SUM + _BINARY_ERROR:
                problem = f"the shares of {origin.page} at this date and source add up to {total_share:.1%}"
                self.faults.append(RowFault(line=snapshot.line, column="", problem=problem, cell=""))
            elif likes or shares or (total and origin.when.days):
                yield AudienceReading(
                    page=origin.page,
                    as_of=origin.when.at,
                    received_at=origin.received_at,
                    measure=Measure.NEW if origin.when.days else Measure.ALL,
                    days=origin.when.days,
                    likes=MappingProxyType(likes),
                    shares=MappingProxyType(shares),
                    total=total,
                    source=origin.source,
                    method="import" if origin.source == self._unnamed else "published",
                    url=snapshot.url,
                    dated=origin.when.dated,
                )


def _page_count(origin: SnapshotKey, snapshot: _CountryList, readings: Mapping[object, Reading]) -> Figure | None:
    """Return the page's own count of the same date and source: the countries are a part of that count."""
    if origin.when.days:
        return None
    for metric in (snapshot.metric,) if snapshot.metric else Metric:
        reading = readings.get((origin.received_at, origin.when.at, origin.page, metric, origin.source))
        if reading:
            return _figure(reading)
    return None


def _reading(entry: Entry) -> Reading:
    number = entry.number
    return Reading(
        page=entry.origin.page,
        observed_at=entry.origin.when.at,
        received_at=entry.origin.received_at,
        count=int(number.value),
        low=int(number.low),
        high=int(number.high),
        metric=_METRICS[number.what],
        source=entry.origin.source,
        url=entry.url,
        dated=entry.origin.when.dated,
    )


def _figure(reading: Reading) -> Figure:
    return Figure(value=reading.count, low=reading.low, high=reading.high)


def _contradiction(line: int, column: str, figure: Figure, first_line: int, first: Figure) -> RowFault:
    problem = f"line {first_line} says {_shown(first)} of the same page, date and source; neither is kept"
    return RowFault(line=line, column=column, problem=problem, cell=_shown(figure))


def _shown(figure: Figure) -> str:
    value = f"{figure.value:,.0f}" if figure.value > 1 else f"{figure.value:.2%}"
    spread = (figure.high - figure.low) / 2
    return value if not spread or figure.value <= 1 else f"{value} ± {spread:,.0f}"
