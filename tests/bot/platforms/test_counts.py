from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PayloadChanged, Unreachable
from bot.platforms.batches import CountHidden
from bot.platforms.counts import exact_reading, valid_count
from handlers.model import Account, Metric

ACCOUNT = Account(
    page="hunsen",
    platform="x",
    native_id="1",
    handle="hunsen",
    url="https://x.example/1",
    poll_every=timedelta(minutes=15),
)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_it_takes_every_count_that_can_be_stored(count: int) -> None:
    assert valid_count(count) == count


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (None, "No count"),
        (True, "True"),
        (-1, "negative"),
        (2**63, "too large"),
        (1.5, "1.5"),
        (float("inf"), "inf"),
        ("1,234", "“1,234”"),
        ("9" * 99, "“99999999999999999999”"),
        ([1], "list"),
        ({}, "object"),
    ],
)
def test_it_names_what_came_instead_of_a_count(value: object, named: str) -> None:
    with pytest.raises(PayloadChanged, match=named):
        valid_count(value)


def test_a_reading_of_an_exact_count_is_a_point() -> None:
    reading = exact_reading(ACCOUNT, 7, metric=Metric.LIKES, source="X API", now=NOW)
    assert (reading.page, reading.count, reading.low, reading.high, reading.metric) == ("hunsen", 7, 7, 7, Metric.LIKES)
    assert (reading.observed_at, reading.received_at, reading.source, reading.url) == (NOW, NOW, "X API", ACCOUNT.url)


def test_a_page_without_a_count_hides_it() -> None:
    with pytest.raises(CountHidden, match="without a count of followers"):
        exact_reading(ACCOUNT, None, metric=Metric.FOLLOWERS, source="X API", now=NOW)


def test_zero_is_never_a_value() -> None:
    with pytest.raises(Unreachable, match="0 followers"):
        exact_reading(ACCOUNT, 0, metric=Metric.FOLLOWERS, source="X API", now=NOW)
