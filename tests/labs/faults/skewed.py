"""`likewatch run` on a machine whose clock somebody sets: ``python -m tests.labs.faults.skewed FILE``.

FILE holds by how many seconds the machine's clock is ahead now. (libfaketime would do, but it breaks CPython's sleep.)
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import app, logs
from bot.clock import SystemClock
from bot.config.settings import load
from bot.platforms.discovery import platform_settings


def main(file: Path) -> None:
    def wall() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text(encoding="ascii")))

    settings = load(os.environ, None, platform_settings())
    logs.start(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    app.run(settings, stop=stop, browser=False, say=print, clock=SystemClock(wall))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
