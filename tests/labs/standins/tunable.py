"""Two more rules than there are: one that channels may tune, and one that is opt-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import handlers.comparisons
from bot.rules.alert_types import features
from handlers.discovery import all_comparisons
from storage.values import Subscription, Target
from tests.labs.standins.samples import wish

RULES = Path(__file__).parent / "rules"


@pytest.fixture
def more_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rules of ``rules/`` are found beside those of ``handlers/comparisons``, as if somebody had added them."""
    monkeypatch.setattr(handlers.comparisons, "__path__", [*handlers.comparisons.__path__, str(RULES)])
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def crowd(
    slug: str = "hunsen", limit: float = 50, *, target: Target = Target.PAGE, channel: str = "C1"
) -> Subscription:
    """A channel's subscription to ``crowd>50k``."""
    return wish(slug, target=target, channel=channel, features=("crowd",), thresholds={"crowd": limit})


def _forget() -> None:
    all_comparisons.cache_clear()
    features.cache_clear()
