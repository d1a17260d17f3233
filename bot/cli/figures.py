"""``likewatch import``, ``replay`` and ``backtest``: figures from files."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from bot.app import HOT, open_core
from bot.backtest.from_folder import backtest as backtest_folder
from bot.cli.common import echo, progress_bar, read_settings, reading
from bot.config.settings import Settings
from bot.imports.examples import press_example
from bot.imports.job import ImportJob
from bot.imports.read import read_import
from bot.imports.replay import add_pages, by_instant
from bot.imports.request import request_import
from bot.imports.run import alert_lines, run_import
from bot.imports.values import FileContents
from bot.pages.slugs import make_slug
from bot.text import phrases
from handlers.model import Page
from storage.errors import StoreInUse

REPLAYED_TOGETHER = "replay"
"""The group of replayed pages that nobody tracks: they are compared with each other."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--page", help="The page of all rows, if the file has no page column.")
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="The order of day and month in dates like 02/03/2016.")
@click.option(
    "--keep-good", is_flag=True, help="Import the good rows of a file with bad ones; else no row is imported."
)
@click.option("--new-pages", is_flag=True, help="Add pages that are not tracked, for imported figures only.")
@click.option("--home", help="The home country of pages that have none yet. Foreign shares need it. Example: KH.")
@click.option("--group", help="The group of rivals that pages without a group join. Example: cambodia.")
@click.pass_context
def import_file(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Add figures from a spreadsheet saved as CSV.

    The figures are counts, and audiences by country.

    Importing the same file twice changes nothing. Old events are stored, and not posted as if they were news. If the
    bot runs meanwhile, it gets the file and does the import itself.
    """
    job = ImportJob(name=file.name, data=file.read_bytes(), by=getpass.getuser(), **options)
    echo(_import(read_settings(ctx), job))


def _import(settings: Settings, job: ImportJob) -> Iterator[str]:
    while True:
        try:
            with open_core(settings) as core:
                now = core.clock.now()
                yield from run_import(job, core.store, core.cycle, now)
                core.store.compact(now - HOT)
        except StoreInUse as held:
            answer = request_import(settings.database, job, held)
            if answer is None:
                continue  # the process that held the database has ended
            yield from answer
        return


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.pass_context
def replay(ctx: click.Context, file: Path | None) -> None:
    """Print the alerts that past figures would have raised.

    The figures run through the live cycle. Without FILE, these are the press figures of 2013 to 2020 that Likewatch
    grew from. FILE may be any file that `likewatch import` reads. The replay has its own database: nothing is stored
    or posted.
    """
    echo(_replay(read_settings(ctx), file))


def _replay(settings: Settings, file: Path | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="likewatch-") as folder:
        alone = settings.model_copy(update={"database": Path(folder) / "replay.db"})
        with open_core(alone) as core:
            example = press_example()
            pages, readings, audiences = example.pages, example.readings, example.audiences
            if file is not None:
                read = read_import(file.read_bytes(), name=file.name, now=core.clock.now())
                yield read.summary()
                pages = tuple(_pages_of(read, settings, example.pages))
                readings, audiences = read.readings, read.audiences
            add_pages(core.store, pages, now=core.clock.now())
            added = core.cycle.add_figures(by_instant(readings, audiences), replayed=True)
            yield from alert_lines(core.store, added.alerts)
            yield f"{phrases.several(len(added.alerts), 'alert')} in all. Nothing was stored or posted."


def _pages_of(read: FileContents, settings: Settings, examples: Iterable[Page]) -> Iterator[Page]:
    """Yield the file's pages, each as it is tracked, else as in the example, else by its name alone."""
    known = {page.slug: page for page in examples}
    if settings.database.exists():
        with reading(settings) as store:
            known.update({page.slug: page for page in store.pages.all()})
    for name in read.pages:
        bare = Page(slug=name, name=name, platform="replay", groups=(REPLAYED_TOGETHER,))
        yield known.get(name) or known.get(make_slug(name)) or bare


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write: alerts.csv."
)
@click.option(
    "--set",
    "thresholds",
    multiple=True,
    metavar="FEATURE>NUMBER",
    help="Run a rule with another threshold, and compare: --set 'surge>5x'. Once for each feature.",
)
@click.option("--keep-good", is_flag=True, help="Leave bad rows out; else one bad row stops the backtest.")
def backtest(folder: Path, out: Path, *, thresholds: tuple[str, ...], keep_good: bool) -> None:
    """Write the alerts that a history would have raised.

    DIR holds these files. Instants are in ISO 8601 and UTC, and rows are sorted by received_at. An alert uses nothing
    that was received later.

    \b
    pages.csv      page,home,group,platform,precision
    totals.csv     ts,page,likes,received_at
    countries.csv  ts,page,country,likes,received_at   (may be absent)

    \b
    home, country  two letters or a name (KH, Cambodia); home may be empty
    group          empty, or one or several: one;two
    platform       any name; pages of one platform fall together when it cleans up
    precision      exact (or empty), or sig3: counts are rounded down to three
                   significant digits, as YouTube's are
    likes          whole numbers in digits alone

    Empty likes, NaN or a negative number are a gap, as if the page had not been read then. Anything else that is no
    count ("1,234", 2^63) is a bad row, named by file, line and reason.

    The file written has these columns. It holds all kinds of alerts, also those that a channel must ask for.

    \b
    ts             when the alert is raised
    kind, page     the kind, and the page it is about
    rival          the other page of an overtake or a forecast
    value          the gap of a lead or a forecast, the ratio of a surge to the
                   usual day, the share (0 to 1) of a purge or a share, the round
                   number of a milestone
    eta_lo, eta_hi the bounds of the instant that a forecast expects
    note           the sentence

    With --set, alerts of one kind about one page that are at most 7 days apart count as the same event.
    """  # noqa: D301 (\b keeps click from wrapping a table)
    with progress_bar("Reading") as advance:
        lines = list(backtest_folder(folder, out, thresholds=thresholds, keep_good=keep_good, advance=advance))
    echo(lines)
