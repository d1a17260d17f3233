from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.contract import Chart
from bot.slack.render.charts import counts_plot
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
    plot = counts_plot("t", {"A": _points({0, 288}, 0), "B": _points({0, 96, 192, 288}, 9)}, unit="likes")
    assert plot is not None
    assert plot.chart is Chart.LINE
    assert plot.series[0].values == (0, 0, 0, 288)


def test_days_that_a_chart_cannot_hold_are_thinned_to_even_steps() -> None:
    plot = counts_plot("t", {"A": _points(set(range(0, 31 * 24, 24)), 0)}, unit="likes")
    assert plot is not None
    assert (plot.chart, plot.x_label) == (Chart.LINE, "")
    assert plot.categories == tuple(f"{day} Jan" for day in range(1, 32, 2))


def test_uneven_steps_are_bars_on_an_axis_that_says_so() -> None:
    plot = counts_plot("t", {"A": _points({0, 24, 48, 720}, 0)}, unit="likes")
    assert plot is not None
    assert (plot.chart, plot.x_label) == (Chart.BAR, "not to scale in time")


def test_a_figure_dated_by_its_month_is_labelled_by_its_month() -> None:
    by_day, by_month = _published([0, 40], 0), replace(_published([20], 0)[0], dated=Dated.MONTH)
    plot = counts_plot("t", {"A": [by_day[0], by_month, by_day[1]]}, unit="likes")
    assert plot is not None
    assert plot.categories == ("1 Jan 2026", "Jan 2026", "10 Feb 2026")


def test_an_instant_is_named_no_more_precisely_than_the_least_precise_figure_drawn_there() -> None:
    by_month = [replace(point, dated=Dated.MONTH) for point in _published([0, 60], 0)]
    plot = counts_plot("t", {"A": by_month, "B": _published([1, 61], 5)}, unit="likes")
    assert plot is not None
    assert plot.categories == ("Jan 2026", "Mar 2026")
