"""The watchdog ends the process when the cycle hangs, so that a supervisor such as systemd starts it again.

A thread that hangs cannot be stopped. Likewatch survives a kill at any instant. So if the cycle's own deadlines did not
help, the process ends at once with exit status 70, and logs where the cycle hung.
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
"""Twice the longest time that fetching may take (bot.polling.fetcher)."""

CHECK_EVERY = 5.0
"""Seconds."""

HUNG = 70
"""The exit status for an internal error (EX_SOFTWARE in sysexits.h)."""


class Watchdog:
    """Check the heartbeat every few seconds. While the cycle works, report so to systemd."""

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
        """Check until ``stop`` is set."""
        while not self._clock.wait(stop, min(CHECK_EVERY, self._hangs_after.total_seconds())):
            if self.check():
                notify("WATCHDOG=1")

    def check(self) -> bool:
        """Return whether the cycle works. If not, end the process."""
        pulse = self._pulse()
        if pulse.running is None or pulse.running < self._hangs_after.total_seconds():
            return True
        log.critical(
            "The cycle has hung for %.0f seconds. Likewatch ends, to be started again. The cycle hung here:\n%s",
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
            notifier.socket.settimeout(0)  # a supervisor that does not read must not hold up the bot
            notifier.notify(state)


def _where(thread: int | None) -> str:
    """Return the thread's stack: files, lines and code, without values."""
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001 (the documented way to see another thread)
    return "".join(traceback.format_stack(frame)) if frame else "(the thread has ended)"
