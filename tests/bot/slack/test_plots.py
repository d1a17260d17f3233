from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.contract import Chart
from bot.slack.plots import counts_plot
from handlers.model import Dated, Point

START = datetime(2026, 1, 1, tzinfo=UTC)


def _points(hours: set[int], first: int) -> list[Point]:
    return [
        Point(at=START + timedelta(hours=hour), count=first + hour, low=first + hour, high=first + hour, source="x")
        for hour in sorted(hours)
    ]


_hours = st.sets(st.integers(0, 20_000), max_size=60)


@given(_hours, _hours)
def test_it_draws_only_counts_that_were_read(ours: set[int], theirs: set[int]) -> None:
    series = {"A": _points(ours, 1_000_000), "B": _points(theirs, 5_000_000)}
    plot = counts_plot("t", series, unit="likes")
    if plot is None:
        return
    assert 2 <= len(plot.categories) <= 20
    for drawn in plot.series:
        assert len(drawn.values) == len(plot.categories)
        assert set(drawn.values) <= {point.count for point in series[drawn.name]}
        assert list(drawn.values) == sorted(drawn.values)


def test_it_ends_with_the_newest_count() -> None:
    plot = counts_plot("t", {"A": _points(set(range(500)), 0)}, unit="likes")
    assert plot is not None
    assert plot.series[0].values[-1] == 499


def test_it_names_hours_days_or_years_as_the_span_asks() -> None:
    for hours, label in (({0, 30}, "2 Jan 06:00"), ({0, 300}, "13 Jan"), ({0, 10_000}, "21 Feb 2027")):
        plot = counts_plot("t", {"A": _points(hours, 0)}, unit="likes")
        assert plot is not None
        assert plot.categories[-1] == label


def test_a_single_instant_is_no_chart() -> None:
    assert counts_plot("t", {"A": _points({1}, 0)}, unit="likes") is None
    assert counts_plot("t", {"A": _points({1}, 0), "B": _points({2}, 0)}, unit="likes") is None
    assert counts_plot("t", {"A": []}, unit="likes") is None


def _published(days: list[int], first: int) -> list[Point]:
    return [
        Point(at=START + timedelta(days=day), count=first + day, low=0, high=0, source="x", dated=Dated.DAY)
        for day in days
    ]


def test_published_figures_are_bars_and_stand_for_their_own_day_only() -> None:
    plot = counts_plot("t", {"A": _published([0, 120, 128], 0), "B": _published([119, 128], 500)}, unit="likes")
    assert plot is not None
    assert plot.chart is Chart.BAR
    assert plot.categories == ("1 May 2026", "9 May 2026")
    assert [series.values for series in plot.series] == [(120, 128), (619, 628)]


def test_a_polled_count_holds_until_the_next_one() -> None:
    plot = counts_plot("t", {"A": _points({0, 500}, 0), "B": _points({0, 100, 200, 500}, 9)}, unit="likes")
    assert plot is not None
    assert plot.chart is Chart.LINE
    assert plot.series[0].values == (0, 0, 0, 500)
