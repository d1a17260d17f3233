from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from handlers.model import AudienceReading, Figure, Measure, Metric, Page, Reading, Standing, ValidatedReading
from storage.store import Store

START = datetime(2026, 9, 1, tzinfo=UTC)
END = START + timedelta(days=60)


def _add(store: Store, *slugs: str) -> None:
    for slug in slugs:
        store.pages.add(Page(slug=slug, name=slug, platform="facebook"), None, at=START)


def _reading(slug: str, hours: float, count: int, *, delay: float = 0) -> Reading:
    at = START + timedelta(hours=hours)
    return Reading(
        page=slug,
        observed_at=at,
        received_at=at + timedelta(hours=delay),
        count=count,
        low=count,
        high=count + 99,
        metric=Metric.FOLLOWERS,
        source="a newspaper",
        url="https://example.org",
    )


def _audience(slug: str, hours: float, *, delay: float = 0) -> AudienceReading:
    at = START + timedelta(hours=hours)
    return AudienceReading(
        page=slug,
        as_of=at,
        received_at=at + timedelta(hours=delay),
        measure=Measure.ALL,
        likes={"KH": Figure(value=60, low=60, high=60)},
        source="facebook",
        method="page_fans_country",
    )


def _take(store: Store, *readings: Reading, standing: Standing = Standing.ACCEPTED) -> None:
    store.readings.add([ValidatedReading(reading=reading, standing=standing) for reading in readings])


def test_every_standing_comes_back_as_it_was_in_the_order_in_which_it_could_be_known(fresh_store: Store) -> None:
    _add(fresh_store, "a", "b", "c")
    first, late, held, list_of_a = (
        _reading("a", 0, 10),
        _reading("a", 1, 11, delay=300),
        _reading("b", 2, 99),
        _audience("a", 2),
    )
    _take(fresh_store, first, _reading("c", 1, 5))
    _take(fresh_store, late, standing=Standing.LATE)
    _take(fresh_store, held, standing=Standing.HELD)
    fresh_store.audiences.add(list_of_a)
    assert list(fresh_store.timeline.as_received(["a", "b"], START, END)) == [first, held, list_of_a, late]


def test_it_is_the_same_before_and_after_readings_are_folded(fresh_store: Store) -> None:
    _add(fresh_store, "a", "b")
    _take(fresh_store, *(_reading(slug, 5 * number, number + 1) for number in range(200) for slug in ("a", "b")))
    before = list(fresh_store.timeline.as_received(["a", "b"], START, END))
    assert len(before) == 400
    fresh_store.readings.move_to_history(START + timedelta(days=20))
    assert list(fresh_store.timeline.as_received(["a", "b"], START, END)) == before
    fresh_store.readings.move_to_history(END)
    assert list(fresh_store.timeline.as_received(["a", "b"], START, END)) == before


def test_its_bounds_are_of_the_instant_and_of_when_it_could_be_known(fresh_store: Store) -> None:
    _add(fresh_store, "a")
    readings = [_reading("a", hours, 10 + hours) for hours in (0, 24, 48)]
    _take(fresh_store, *readings, _reading("a", 30, 40, delay=100))
    since, until = START + timedelta(hours=24), START + timedelta(hours=72)
    assert list(fresh_store.timeline.as_received(["a"], since, until)) == readings[1:]


def test_what_was_received_before_its_instant_waits_for_it(fresh_store: Store) -> None:
    _add(fresh_store, "a")
    early = replace(_audience("a", 100), received_at=START)
    fresh_store.audiences.add(early)
    _take(fresh_store, _reading("a", 50, 10))
    reading, audience = fresh_store.timeline.as_received(["a"], START, END)
    assert isinstance(reading, Reading)
    assert audience == replace(early, received_at=early.as_of)


def test_a_page_that_nobody_knows_has_none(fresh_store: Store) -> None:
    assert list(fresh_store.timeline.as_received(["stranger"], START, END)) == []
