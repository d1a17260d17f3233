"""Discovery: find the comparisons, one file each in ``handlers/comparisons``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import handlers.comparisons
from handlers.contract import Comparison


@cache
def all_comparisons() -> tuple[Comparison[Any], ...]:
    """Return every comparison, by name.

    Raises:
        TypeError: A file declares no comparison, or the comparison has another name than the file.

    """
    found: list[Comparison[Any]] = []
    for module in sorted(iter_modules(handlers.comparisons.__path__), key=lambda info: info.name):
        declared = getattr(import_module(f"handlers.comparisons.{module.name}"), "COMPARISON", None)
        if not isinstance(declared, Comparison) or declared.name != module.name:
            raise TypeError(
                f"handlers/comparisons/{module.name}.py must end in COMPARISON = Comparison(name={module.name!r}, …)"
            )
        found.append(declared)
    return tuple(found)
