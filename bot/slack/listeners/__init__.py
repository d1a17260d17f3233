"""Find the Slack surfaces: one file each, in the folder of its kind, ending in ``LISTENER = …``."""

from __future__ import annotations

import importlib
import pkgutil

from bot.slack.listeners.contract import Listener

KINDS = ("actions", "commands", "events", "shortcuts", "views")


def all_listeners() -> tuple[Listener, ...]:
    """Return every declared surface, by folder and file name."""
    packages = [importlib.import_module(f"{__name__}.{kind}") for kind in KINDS]
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for package in packages
        for module in pkgutil.iter_modules(package.__path__)
    ]
    return tuple(module.LISTENER for module in modules)
