"""APScheduler wakes things; what is due is a row in the store."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from apscheduler.schedulers.background import BackgroundScheduler

TICK = 1
"""Seconds between looks at what is due: the shortest cadence a page can have."""


def build_scheduler(
    *,
    run_due: Callable[[], object],
    look_at_sources: Callable[[], object],
    look_at_recording: Callable[[], object],
    fold: Callable[[], object],
    now: datetime,
) -> BackgroundScheduler:
    """A scheduler (not started): every second due pages, every minute how things stand, hourly what to fold.

    Ticks missed while the machine slept or a cycle was long are one tick (``coalesce``, no misfire grace): the store
    says what is due, so that nothing is lost by it. Intervals in UTC: no daylight saving can skip or repeat one.
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
