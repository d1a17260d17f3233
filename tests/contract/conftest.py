from __future__ import annotations

from tests.standins.asked import store

__all__ = ["store"]
