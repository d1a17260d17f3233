"""The composition root: the only place that builds things and wires them together."""

from __future__ import annotations

import logging
import random
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bot import platforms
from bot.clock import Clock, SystemClock
from bot.cycle import Cycle, Source
from bot.examples import press_example
from bot.feeding import replay
from bot.platforms.http import Http
from bot.scheduling import build_scheduler
from bot.settings import Mode, Settings
from bot.slack.app import BotApp
from bot.slack.deliver import Deliverer
from bot.workspace import WorkspaceServer
from handlers.comparisons import COMPARISONS
from storage.store import Store
from storage.values import Subscription, Target

log = logging.getLogger(__name__)

HOT = timedelta(days=2)
"""Readings younger than this stay in arrival order; older ones are folded into the per-page history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every command of the command line works with."""

    settings: Settings
    clock: Clock
    store: Store
    cycle: Cycle


@contextmanager
def open_core(settings: Settings, *, clock: Clock, wake: Callable[[], None]) -> Iterator[Core]:
    """The store, the connected platforms and the cycle; closed again at the end."""
    store = Store.open(settings.database)
    try:
        cycle = Cycle(
            store=store,
            clock=clock,
            sources=connect(settings),
            comparisons=COMPARISONS,
            wake=wake,
            chance=random.Random(),  # noqa: S311 (jitter, not cryptography)
        )
        try:
            yield Core(settings=settings, clock=clock, store=store, cycle=cycle)
        finally:
            cycle.close()
    finally:
        store.close()


def connect(settings: Settings) -> dict[str, Source]:
    """Every platform there is, with its own guarded session."""
    return {
        platform.name: Source(
            platform=platform,
            http=Http(values=settings.platforms, base_url=platform.base_url(settings.platforms)),
            missing=platform.ready(settings.platforms),
        )
        for platform in platforms.PLATFORMS
    }
