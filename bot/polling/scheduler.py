"""APScheduler calls the cycle and the regular checks. The store says which pages are due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from apscheduler.schedulers.background import BackgroundScheduler

TICK = 1
"""Seconds between two checks for due pages: the shortest interval at which a page can be polled."""


def build_scheduler(
    *,
    run_due: Callable[[], object],
    look_at_sources: Callable[[], object],
    look_at_recording: Callable[[], object],
    fold: Callable[[], object],
    now: datetime,
) -> BackgroundScheduler:
    """Return a scheduler that is not started yet.

    It calls ``run_due`` every second, ``look_at_sources`` and ``look_at_recording`` every minute, and ``fold`` every
    hour. Ticks that the machine slept through, or that came during a long cycle, become one tick. Nothing is lost by
    that, because the store says which pages are due. Intervals are in UTC: daylight saving time cannot skip one.
    """
    # A cycle longer than a tick is no fault: APScheduler would warn about it every second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(run_due, "interval", seconds=TICK, id="cycle")
    scheduler.add_job(look_at_sources, "interval", minutes=1, id="sources")
    scheduler.add_job(look_at_recording, "interval", minutes=1, id="recording")
    scheduler.add_job(fold, "interval", hours=1, id="fold", next_run_time=now)
    return scheduler
