"""Memories as text and back: JSON, with instants in ISO 8601."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.model import Dated, Fact


def to_text(kept: Mapping[str, Any]) -> str:
    """JSON of plain values, instants among them."""
    return json.dumps(kept, default=datetime.isoformat, separators=(",", ":"))


def from_text(text: str) -> dict[str, Any]:
    """What ``to_text`` wrote; instants are still text."""
    kept: dict[str, Any] = json.loads(text)
    return kept


def instant(text: str | None) -> datetime | None:
    """An instant that may be missing."""
    return None if text is None else datetime.fromisoformat(text)


def a_fact(kept: Mapping[str, Any]) -> Fact:
    """A fact of which ``to_text`` wrote the fields (``dataclasses.asdict``)."""
    return Fact(**{**kept, "at": instant(kept["at"]), "dated": Dated(kept["dated"])})


def rows(totals: Mapping[datetime, int]) -> list[list[Any]]:
    """Totals by instant, oldest first, for ``to_text``."""
    return [[at, total] for at, total in sorted(totals.items())]


def from_rows(kept: list[list[Any]]) -> dict[datetime, int]:
    """What ``rows`` wrote, after ``from_text``."""
    return {datetime.fromisoformat(at): total for at, total in kept}
