"""Where a cycle spends its time, by looking at what its thread is doing every few milliseconds."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import FrameType

EVERY = 0.003

PHASES = ("fetch", "gather", "decide", "apply", "rest")
_FUNCTIONS = {
    ("bot.polling.fetcher", "fetch"): "fetch",
    ("bot.polling.state_cache", "read"): "gather",
    ("handlers.decide", "decide"): "decide",
    ("storage.store", "write"): "apply",
    ("bot.polling.decide_and_store", "_save"): "apply",
    ("bot.polling.cycle", "_record_polls"): "apply",
    ("storage.series.journal", "add"): "apply",
}


def shares(work: Callable[[], None]) -> dict[str, float]:
    """The share of its time that ``work``, run in this thread, spends in each phase."""
    seen: Counter[str] = Counter()
    ended = threading.Event()
    worker = threading.get_ident()

    def look() -> None:
        while not ended.wait(EVERY):
            seen[_phase(sys._current_frames()[worker])] += 1  # noqa: SLF001 (the documented way to see another thread)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        work()
    finally:
        ended.set()
        looking.join()
    return {phase: seen[phase] / max(seen.total(), 1) for phase in PHASES}


def _phase(frame: FrameType | None) -> str:
    """The phase of the outermost function that belongs to one."""
    phase = "rest"
    while frame is not None:
        phase = _FUNCTIONS.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name), phase)
        frame = frame.f_back
    return phase
