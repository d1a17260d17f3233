"""Phrases that the sentences of several kinds of alert share."""

from __future__ import annotations

from collections.abc import Callable

from handlers.model import Alert, Fact
from handlers.wording.numbers import percent, when

CAVEAT = (
    "A share by country does not show who caused it: adverts, diaspora, foreign news, an attack by somebody else and "
    "bought likes look alike."
)
"""What goes with every share by country, in alerts and in answers."""

NET_OF_REMOVALS = "All figures are net of removals, so a purge by the platform moves them too."


def on(fact: Fact) -> str:
    """When a figure is of, as part of a sentence; empty where nobody knows."""
    return when(fact.at, fact.dated) if fact.at is not None else ""


def is_rounded(fact: Fact) -> bool:
    """Whether the figure stands for an interval."""
    return fact.low is not None and fact.high is not None and fact.high > fact.low


def span(fact: Fact, say: Callable[[float], str]) -> str:
    """``"13,900 to 14,100"``; one number where the bounds read the same."""
    low, high = (say(fact.value if bound is None else bound) for bound in (fact.low, fact.high))
    return low if low == high else f"{low} to {high}"


def unit_of(alert: Alert) -> str:
    """What a share is a share of: likes or followers."""
    return next(fact.unit for fact in alert.facts if fact.name in {"denominator", "whole"})


def span_of_shares(share: Fact) -> str:
    """As ``span``, with two digits of per cent."""
    return span(share, lambda value: percent(value, digits=2))
