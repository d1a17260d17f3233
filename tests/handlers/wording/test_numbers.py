from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers.model import Dated
from handlers.wording.numbers import count, dated, percent, when

AT = datetime(2016, 2, 2, 11, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("precision", "alone", "in_a_sentence"),
    [
        (Dated.INSTANT, "2 February 2016, 11:50 UTC", "on 2 February 2016, 11:50 UTC"),
        (Dated.DAY, "2 February 2016", "on 2 February 2016"),
        (Dated.MONTH, "February 2016", "in February 2016"),
    ],
)
def test_an_instant_is_said_as_precisely_as_it_is_known(precision: Dated, alone: str, in_a_sentence: str) -> None:
    assert (dated(AT, precision), when(AT, precision)) == (alone, in_a_sentence)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (count(2_108_800.0), "2,108,800"),
        (count(-14_000), "\u221214,000"),
        (percent(0.798), "79.8%"),
        (percent(0.5), "50%"),
        (percent(0.0004), "0.04%"),
        (percent(0.5635, digits=2), "56.35%"),
    ],
)
def test_numbers_read_as_numbers(said: str, expected: str) -> None:
    assert said == expected
