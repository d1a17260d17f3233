"""The command line: argument parsing, and a sentence for whatever goes wrong."""

from __future__ import annotations

import getpass
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from bot import app, logs, operations
from bot.backtest.folder import backtest as backtest_folder
from bot.config.settings import DEFAULT_ENV_FILE, Settings, load
from bot.errors import LikewatchError
from bot.imports.job import ImportJob
from bot.monitoring.doctor import CheckResult
from bot.monitoring.systemd_unit import systemd_unit
from bot.platforms.registry import platform_settings
from bot.slack.manifest import manifest as slack_manifest
from storage.errors import StoreError

log = logging.getLogger(__name__)


class SpokenGroup(click.Group):
    """A group whose commands end in a sentence, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a person must know goes to standard error, and the exit status is 1."""
        try:
            return super().invoke(ctx)
        except (LikewatchError, StoreError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


@click.group(cls=SpokenGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="likewatch")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=DEFAULT_ENV_FILE,
    show_default=True,
    help="Where settings are read from, beside the environment.",
)
@click.pass_context
def main(ctx: click.Context, env_file: Path) -> None:
    """Likewatch tells a newsroom who is gaining an audience, and from where."""
    ctx.obj = env_file


def _settings(ctx: click.Context) -> Settings:
    settings = load(os.environ, ctx.obj, platform_settings())
    logs.start(settings.log_level, in_json=settings.log == "JSON", secrets=settings.secrets())
    return settings


@main.command()
@click.option("--browser/--no-browser", default=True, help="Open the local workspace in the browser.")
@click.pass_context
def run(ctx: click.Context, *, browser: bool) -> None:
    """Start the bot: poll, compare, answer and alert, until stopped."""
    settings = _settings(ctx)
    stop = threading.Event()

    def end(signum: int, _frame: object) -> None:
        signal.signal(signum, signal.SIG_DFL)  # a second Ctrl-C does not wait for anything
        stop.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, end)
    app.run(settings, stop=stop, browser=browser, say=click.echo)


@main.command()
@click.pass_context
def poll(ctx: click.Context) -> None:
    """Read every tracked page once, now, and say what came."""
    with app.open_core(_settings(ctx)) as core:
        for line in operations.poll(core):
            click.echo(line)


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--page", help="The page all rows are about, where the file has no page column.")
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="How dates like 02/03/2016 are to be read.")
@click.option("--keep-good", is_flag=True, help="Keep the good rows of a file with bad ones; else nothing is kept.")
@click.option("--new-pages", is_flag=True, help="Add pages that are not tracked, for imported figures only.")
@click.option("--home", help="The home country of pages without one yet: no foreign share can be told without. KH.")
@click.option("--group", help="The group of rivals that pages in none yet join: cambodia.")
@click.pass_context
def import_(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Add counts, and audiences by country, from a spreadsheet saved as CSV.

    Importing the same file twice changes nothing. Events long past are kept, not posted as if they were news. The bot
    may run meanwhile: then it is handed the file, and does the import itself.
    """
    order = ImportJob(name=file.name, data=file.read_bytes(), by=getpass.getuser(), **options)
    for line in operations.import_file(_settings(ctx), order):
        click.echo(line)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.pass_context
def replay(ctx: click.Context, file: Path | None) -> None:
    """Run past figures through the live cycle and say what would have been posted then.

    Without FILE, the press figures of 2013 to 2020 that Likewatch grew from. With FILE, any file that `likewatch
    import` reads. It happens in a database of its own: nothing is stored or posted.
    """
    for line in operations.replay(_settings(ctx), file):
        click.echo(line)


@main.command()
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
@click.option("--keep-good", is_flag=True, help="Leave bad rows out; else nothing is written if there is one.")
def backtest(folder: Path, out: Path, *, thresholds: tuple[str, ...], keep_good: bool) -> None:
    """Write the alerts that the rules would have raised on a history.

    DIR holds pages.csv (page,home,group,platform,precision), totals.csv (ts,page,likes,received_at) and, if there are
    any, countries.csv (ts,page,country,likes,received_at): instants in ISO 8601 and UTC, rows sorted by received_at.
    An alert rests on nothing that was received later.

    home and country are two letters or a name (KH, Cambodia); home may be empty. group may be empty, or several:
    one;two. platform is any name; pages of one platform are taken to fall together when the platform cleans up.
    precision is exact (or empty), or sig3 where counts are rounded down to three significant digits, as YouTube's are.

    likes are whole numbers in digits alone. An empty cell, NaN or a negative number is a gap, as if nobody had asked
    then; anything else that is no count ("1,234", 2^63) is a bad row, named by file, line and reason.

    The file written has the columns ts (when it is told), kind, page, rival (of overtakes and forecasts), value (the
    gap of a lead or a forecast, the ratio to the usual day of a surge, a share from 0 to 1 of purges and shares, the
    round number of a milestone), eta_lo and eta_hi (between which a forecast expects the passing) and note, the
    sentence. It holds all kinds, those that a channel must ask for too.

    With --set, alerts of one kind about one page that come no more than 7 days apart are taken to be of the same event.
    """
    with click.progressbar(length=0, label="Reading", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def advance(read: int, size: int) -> None:
            bar.length = size
            bar.update(read - bar.pos)

        lines = list(backtest_folder(folder, out, thresholds=thresholds, keep_good=keep_good, advance=advance))
    for line in lines:
        click.echo(line)


@main.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say what is configured, what is missing and what to do."""
    healthy = True
    for finding in operations.examine(_settings(ctx), os.environ, ctx.obj):
        click.echo(finding)
        healthy = healthy and finding.mark is not CheckResult.FAULT
    ctx.exit(0 if healthy else 1)


@main.command()
@click.option(
    "--http", "request_url", metavar="URL", help="For Slack over HTTP: the public https address of /slack/events."
)
def manifest(request_url: str | None) -> None:
    """Print the Slack app manifest, to paste at api.slack.com/apps → Create New App → From a manifest."""
    made = slack_manifest(socket_mode=request_url is None, request_url=request_url)
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """Write a verified copy of the database to TARGET, while the bot runs or not."""
    click.echo(operations.backup(_settings(ctx), target))


@main.command()
@click.argument("backup", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def restore(ctx: click.Context, backup: Path) -> None:
    """Put a copy of BACKUP in the place of the database, once it was found whole.

    Not while the bot runs: stop it first. The replaced database is kept beside it.
    """
    for line in operations.restore(_settings(ctx), backup):
        click.echo(line)


@main.command()
@click.pass_context
def unit(ctx: click.Context) -> None:
    """Print a systemd unit that runs this installation from this folder, as you.

    likewatch unit | sudo tee /etc/systemd/system/likewatch.service
    """
    executable = Path(sys.executable).with_name("likewatch")
    click.echo(systemd_unit(_settings(ctx), executable=executable, folder=Path.cwd(), user=getpass.getuser()))


@main.group(cls=SpokenGroup)
def evidence() -> None:
    """What proves a figure: the platforms' own replies, kept, chained and stamped by others."""


@evidence.command("audit")
@click.pass_context
def audit_evidence(ctx: click.Context) -> None:
    """Check everything kept: every reply, every link of the chain, every time-stamp, every reading."""
    with click.progressbar(length=0, label="Checking", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        lines, whole = operations.audit(_settings(ctx), advance)
    for line in lines:
        click.echo(line)
    ctx.exit(0 if whole else 1)


@evidence.command()
@click.argument("alert")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write: bundle.zip."
)
@click.pass_context
def export(ctx: click.Context, alert: str, out: Path) -> None:
    """Write everything that is behind ALERT into a zip file, to be handed to anybody.

    ALERT is an alert's reference (the *Evidence* button of its card tells it), its key, or a page, for its newest.
    """
    for line in operations.export_evidence(_settings(ctx), alert, out):
        click.echo(line)


@evidence.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--authority",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The time-stamping authority's root certificate (PEM), got from itself: no other's stamp is then taken.",
)
@click.pass_context
def verify(ctx: click.Context, bundle: Path, authority: Path | None) -> None:
    """Check a BUNDLE, with no database and no network; whatever was altered, left out or slipped in is named."""
    lines, holds = operations.verify_evidence(bundle, authority)
    for line in lines:
        click.echo(line)
    ctx.exit(0 if holds else 1)
