from __future__ import annotations

from tests.standins.newsroom import store

__all__ = ["store"]
