import threading

from bot.polling.scheduler import build_scheduler
from tests.labs.standins.newsroom import START


def test_it_looks_for_due_pages_again_and_again_even_after_a_cycle_that_failed() -> None:
    seen = threading.Semaphore(0)

    def run_due() -> None:
        seen.release()
        raise RuntimeError("one cycle fails; the next tick must come all the same")

    scheduler = build_scheduler(
        run_due=run_due,
        look_at_sources=lambda: None,
        look_at_recording=lambda: None,
        fold=lambda: None,
        now=START,
    )
    scheduler.start()
    try:
        assert seen.acquire(timeout=30)
        assert seen.acquire(timeout=30)
    finally:
        scheduler.shutdown()


def test_missed_ticks_are_one_tick_and_never_dropped() -> None:
    scheduler = build_scheduler(
        run_due=lambda: None,
        look_at_sources=lambda: None,
        look_at_recording=lambda: None,
        fold=lambda: None,
        now=START,
    )
    scheduler.start(paused=True)
    try:
        for job in scheduler.get_jobs():
            assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
            assert str(job.trigger.timezone) == "UTC"
    finally:
        scheduler.shutdown()
