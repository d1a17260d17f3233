"""The command line, ``likewatch``. Each command is in the file of its subject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bot.cli.database import backup, rebuild, restore
from bot.cli.evidence import evidence
from bot.cli.figures import backtest, import_file, replay
from bot.cli.running import poll, run
from bot.cli.setup import doctor, manifest, unit
from bot.config.settings import DEFAULT_ENV_FILE
from bot.errors import LikewatchError
from storage.errors import StoreError


class SentenceGroup(click.Group):
    """A group whose commands end with a sentence if they fail, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. If it fails, the sentence goes to standard error, and the exit status is 1."""
        try:
            return super().invoke(ctx)
        except (LikewatchError, StoreError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


@click.group(cls=SentenceGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="likewatch")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=DEFAULT_ENV_FILE,
    show_default=True,
    help="The file of settings. The environment wins over it.",
)
@click.pass_context
def main(ctx: click.Context, env_file: Path) -> None:
    """Likewatch reports who gains an audience, and from where, to a newsroom."""
    ctx.obj = env_file


for command in (run, poll, import_file, replay, backtest, doctor, manifest, unit, backup, restore, rebuild, evidence):
    main.add_command(command)
