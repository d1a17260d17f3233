"""``likewatch backup``, ``restore`` and ``rebuild``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from bot.cli.common import echo, progress_bar, read_settings, reading
from bot.clock import SystemClock
from bot.polling.rebuild import rebuild as rebuild_state
from bot.polling.rebuild import rebuild_summary
from bot.text import phrases
from handlers.discovery import all_comparisons
from storage.schema import backups
from storage.store import Store


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """Write a verified copy of the database to TARGET. The bot may run meanwhile."""
    settings = read_settings(ctx)
    with reading(settings) as store:
        store.backup(target)
    click.echo(f"{target} is a complete copy of {settings.database}, checked.")


@click.command()
@click.argument("backup", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def restore(ctx: click.Context, backup: Path) -> None:
    """Check BACKUP, and put a copy of it in the place of the database.

    Stop the bot first. The replaced database stays beside the restored one.
    """
    database = read_settings(ctx).database
    restored = backups.restore(backup, database, now=SystemClock().now())
    click.echo(f"{database} is now a copy of {backup}, checked: {phrases.several(restored.pages, 'page')} watched.")
    if restored.aside is not None:
        click.echo(f"What it replaced is kept as {restored.aside}.")
    if restored.unsettled:
        waiting = phrases.several(restored.unsettled, "alert")
        click.echo(f"{waiting} waited in the backup: each is looked for in its channel before it is posted.")


@click.command()
@click.pass_context
def rebuild(ctx: click.Context) -> None:
    """Compute everything derived from readings again.

    Stop the bot first. The rules decide again on everything that ever arrived, in the same order. Series states,
    history summaries and rule states that differ are replaced. A difference is printed: it comes from a bug, or from a
    rule that an upgrade changed. No alert is added or posted. An interrupted rebuild replaces nothing.
    """
    with closing(Store.open(read_settings(ctx).database)) as store, progress_bar("Rebuilding") as advance:
        report = rebuild_state(store, all_comparisons(), advance=advance)
    echo(rebuild_summary(report))
