"""What watches the cycle from outside: one that hangs ends the process, and whoever supervises it starts it anew.

A thread that hangs cannot be stopped, and everything that Likewatch does survives being killed at any instant. So where
the cycle's own deadlines did not help, the process ends at once with status 70, and says where it hung.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import timedelta

from sdnotify import SystemdNotifier

from bot.clock import Clock
from bot.monitoring.heartbeat import Pulse

log = logging.getLogger(__name__)

HANGS_AFTER = timedelta(minutes=10)
"""Twice what a cycle's fetching may take (bot.polling.fetcher)."""

LOOK_EVERY = 5.0
"""Seconds."""

HUNG = 70
"""The exit status of a program that failed of itself (sysexits.h, EX_SOFTWARE)."""


class Watchdog:
    """Looks at the heartbeat every few seconds, and tells systemd, if that started us, that all is well."""

    def __init__(
        self,
        pulse: Callable[[], Pulse],
        clock: Clock,
        *,
        hangs_after: timedelta = HANGS_AFTER,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._pulse = pulse
        self._clock = clock
        self._hangs_after = hangs_after
        self._end = end

    def run(self, stop: threading.Event) -> None:
        """Watch until ``stop`` is set."""
        while not self._clock.wait(stop, min(LOOK_EVERY, self._hangs_after.total_seconds())):
            if self.look():
                notify("WATCHDOG=1")

    def look(self) -> bool:
        """Look once: true if the cycle is well; else the process ends."""
        pulse = self._pulse()
        if pulse.running is None or pulse.running < self._hangs_after.total_seconds():
            return True
        log.critical(
            "The cycle has hung for %.0f seconds; Likewatch ends, to be started anew. It hung here:\n%s",
            pulse.running,
            _where(pulse.thread),
        )
        logging.shutdown()
        self._end(HUNG)
        return False


def notify(state: str) -> None:
    """Send ``state`` to systemd, if systemd started the process.

    https://www.freedesktop.org/software/systemd/man/sd_notify.html
    """
    if "NOTIFY_SOCKET" not in os.environ:
        return
    notifier = SystemdNotifier()
    if notifier.socket:
        with notifier.socket:
            notifier.socket.setblocking(False)  # a supervisor that does not read must not hold up the bot
            notifier.notify(state)


def _where(thread: int | None) -> str:
    """The thread's stack: files, lines and code, and none of the values in it."""
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001 (the documented way to see another thread)
    return "".join(traceback.format_stack(frame)) if frame else "(its thread is gone)"
