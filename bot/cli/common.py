"""The parts that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click

from bot import logs
from bot.config.settings import Settings, load
from bot.platforms.discovery import platform_settings
from storage.store import Store


def read_settings(ctx: click.Context) -> Settings:
    """Read the settings, and start the log as they say. Raise ``ConfigError`` if a setting is wrong."""
    settings = load(os.environ, ctx.obj, platform_settings())
    logs.start(settings.log_level, in_json=settings.log == "JSON", secrets=settings.secrets())
    return settings


@contextmanager
def reading(settings: Settings) -> Iterator[Store]:
    """Open the database for reading. The bot may run meanwhile."""
    store = Store.open_reader(settings.database)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar if standard error is a terminal. Yield a function of the work done and the whole work."""
    with click.progressbar(length=0, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield advance


def echo(lines: Iterable[str]) -> None:
    """Print the lines, each as soon as it comes."""
    for line in lines:
        click.echo(line)
