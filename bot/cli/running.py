"""``likewatch run`` and ``likewatch poll``."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator

import click

from bot import app
from bot.cli.common import echo, read_settings
from bot.errors import ConfigError
from bot.imports.run import alert_lines
from bot.text import durations, phrases

log = logging.getLogger(__name__)

STOPS_WITHIN = 8.0
"""The longest time, in seconds, from a signal to the end of the process. Supervisors wait for ten or more."""


@click.command()
@click.option("--browser/--no-browser", default=True, help="Open the local workspace in the browser.")
@click.pass_context
def run(ctx: click.Context, *, browser: bool) -> None:
    """Start the bot: poll, compare, answer and alert, until stopped."""
    settings = read_settings(ctx)
    stop = threading.Event()

    def end(signum: int, _frame: object) -> None:
        signal.signal(signum, signal.SIG_DFL)  # a second Ctrl-C ends the process at once
        stop.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, end)
    threading.Thread(target=_end_in_time, args=(stop,), name="end", daemon=True).start()
    app.run(settings, stop=stop, browser=browser and _has_a_screen(), say=click.echo)


def _end_in_time(stop: threading.Event) -> None:
    """End the process if it still runs some seconds after ``stop``. The database knows what is unfinished.

    A call to Slack, or the look-up of a name, can take longer than a supervisor waits.
    """
    stop.wait()
    if not threading.Event().wait(STOPS_WITHIN):
        log.warning("Not everything ended in %.0f s; Likewatch ends without it, and nothing is lost", STOPS_WITHIN)
        logging.shutdown()
        os._exit(0)


def _has_a_screen() -> bool:
    """Return whether a browser window can open. A text browser in the terminal does not count."""
    if sys.platform in {"darwin", "win32"}:
        return sys.stdout.isatty()
    return sys.stdout.isatty() and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@click.command()
@click.pass_context
def poll(ctx: click.Context) -> None:
    """Read every tracked page once, now.

    The counts and the alerts are printed.
    """
    with app.open_core(read_settings(ctx)) as core:
        echo(_poll(core))


def _poll(core: app.Core) -> Iterator[str]:
    report = core.cycle.run_all()
    if report is None:
        yield "No page is tracked yet. In Slack or the local workspace: /trends track <address or @handle>"
        return
    now = core.clock.now()
    for latest in core.store.readings.page_snapshots(page.slug for page in core.store.pages.all()):
        if latest.trouble:
            yield f"{latest.page.slug}: not read. {latest.trouble.message}"
        elif latest.polled_at and latest.series_state:
            count = f"{phrases.count(latest.series_state.last.count)} {latest.series_state.metric}"
            yield f"{latest.page.slug}: {count}, read {durations.ago(latest.polled_at, now)}"
    yield from alert_lines(core.store, report.added.alerts)
    if report.added.queued:
        yield f"{phrases.several(report.added.queued, 'message')} will be posted when Likewatch runs."
    if report.unrecorded:
        raise ConfigError(f"The readings cannot be recorded. {report.unrecorded}")
    if len(report.failures) == report.asked:
        raise ConfigError("No page could be read. `likewatch doctor` says what to do.")
