"""Run the workspace alone: ``python -m bot.workspace --port 8033``, to point any Slack app at it."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from bot.errors import ConfigError
from bot.workspace.server import DEFAULT_PORT, WorkspaceServer
from bot.workspace.workspace import Workspace


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="The port to open; 0 picks a free one.")
@click.option(
    "--journal", type=click.Path(dir_okay=False, path_type=Path), help="A file that saves the messages over a restart."
)
def main(port: int, journal: Path | None) -> None:
    """Open a local workspace, and print how to connect an app to it."""
    try:
        server = WorkspaceServer(Workspace(journal=journal), port=port)
        server.start()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The local workspace is open at {server.url} (Ctrl+C closes it). For an app:")
    click.echo(f"SLACK_API_URL={server.api_url}")
    click.echo(f"SLACK_BOT_TOKEN={server.bot_token}")
    click.echo(f"SLACK_APP_TOKEN={server.app_token}")
    click.echo(f"SLACK_SIGNING_SECRET={server.signing_secret}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
