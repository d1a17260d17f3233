"""Discovery: find the Slack surfaces, one file each, in the folder of their kind."""

from __future__ import annotations

import importlib
import pkgutil

from bot.slack.listeners.contract import Listener

KINDS = ("actions", "events", "shortcuts", "slash_commands", "views")


def all_listeners() -> tuple[Listener, ...]:
    """Return every declared surface, by folder and file name."""
    packages = [importlib.import_module(f"bot.slack.listeners.{kind}") for kind in KINDS]
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for package in packages
        for module in pkgutil.iter_modules(package.__path__)
    ]
    return tuple(module.LISTENER for module in modules)
