"""``likewatch doctor``, ``manifest`` and ``unit``: help with the installation."""

from __future__ import annotations

import getpass
import json
import os
import sys
from itertools import chain
from pathlib import Path

import click

from bot.cli.common import read_settings
from bot.clock import SystemClock
from bot.config.settings import Settings, declared_settings
from bot.monitoring.doctor import CheckResult, examine, unknown_settings
from bot.monitoring.systemd_unit import systemd_unit
from bot.platforms.discovery import platform_settings, platforms
from bot.slack.client import check_tokens, slack_client
from bot.slack.generated_manifest import manifest as slack_manifest
from bot.slack.permissions import check_groups


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Print what is set up, what is missing and what to do."""
    settings = read_settings(ctx)
    healthy = True
    for finding in chain(
        unknown_settings(os.environ, ctx.obj, declared_settings(platform_settings())),
        examine(settings, platforms(), _check_slack, SystemClock().now()),
    ):
        click.echo(finding)
        healthy = healthy and finding.mark is not CheckResult.FAULT
    ctx.exit(0 if healthy else 1)


def _check_slack(settings: Settings) -> str:
    """Return which app the tokens belong to. Raise if the tokens or the editors' groups are wrong."""
    answer = check_tokens(
        api_url=settings.slack_api_url, bot_token=settings.slack_bot_token, app_token=settings.slack_app_token
    )
    check_groups(slack_client(token=settings.slack_bot_token, api_url=settings.slack_api_url), settings.editors)
    return answer


@click.command()
@click.option(
    "--http", "request_url", metavar="URL", help="For Slack over HTTP: the public https address of /slack/events."
)
def manifest(request_url: str | None) -> None:
    """Print the manifest of the Slack app.

    Paste it at api.slack.com/apps → Create New App → From a manifest.
    """
    made = slack_manifest(socket_mode=request_url is None, request_url=request_url)
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))


@click.command()
@click.pass_context
def unit(ctx: click.Context) -> None:
    """Print a systemd unit for this installation.

    The unit runs Likewatch from this folder, as you.

    likewatch unit | sudo tee /etc/systemd/system/likewatch.service
    """
    executable = Path(sys.executable).with_name("likewatch")
    click.echo(systemd_unit(read_settings(ctx), executable=executable, folder=Path.cwd(), user=getpass.getuser()))
