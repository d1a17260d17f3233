"""``likewatch evidence``: audit, export and verify."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.common import echo, progress_bar, read_settings, reading
from bot.errors import ConfigError
from bot.evidence.bundle import export as make_bundle
from bot.evidence.records import sha256
from bot.evidence.store_audit import StoreAudit, audit_summary
from bot.evidence.timestamps import roots_in
from bot.evidence.trace import find_alert
from bot.evidence.verification import Verification, verification_summary
from bot.imports.job import reread_import
from bot.pages.alert_names import alert_sentence
from bot.text import phrases


@click.group()
def evidence() -> None:
    """Check and hand out the evidence of figures.

    Evidence is made of the platforms' own replies. They are stored, chained and time-stamped by others.
    """


@evidence.command()
@click.pass_context
def audit(ctx: click.Context) -> None:
    """Check all evidence in the database.

    That is every reply, every link of the chain, every time-stamp, every reading and every alert.
    """
    with progress_bar("Checking") as advance, reading(read_settings(ctx)) as store:
        audited = StoreAudit(store, reread_import)
        faults = [str(fault) for fault in audited.run(advance)]
    echo([*faults, *audit_summary(audited, len(faults))])
    ctx.exit(1 if faults else 0)


@evidence.command()
@click.argument("alert")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write: bundle.zip."
)
@click.pass_context
def export(ctx: click.Context, alert: str, out: Path) -> None:
    """Write all evidence of ALERT into a zip file.

    You can give the file to anybody.

    ALERT is an alert's reference (its card's *Evidence* button shows it), its key, or a page, for the newest alert.
    """
    with reading(read_settings(ctx)) as store:
        found = find_alert(store, alert)
        data = make_bundle(store, found, reread_import)
        headline = alert_sentence(found.alert, store)
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise ConfigError(f"{out} exists already; it is not overwritten. Name another file with -o.") from error
    click.echo(f"{out}: {headline}")
    click.echo(f"{phrases.count(len(data))} bytes, SHA-256 {sha256(data)}")
    click.echo(f"To check it: likewatch evidence verify {out}, or by hand as INSTRUCTIONS.txt in it says.")


@evidence.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--authority",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The time-stamping authority's root certificate (PEM), from the authority itself. No other stamp counts then.",
)
@click.pass_context
def verify(ctx: click.Context, bundle: Path, authority: Path | None) -> None:
    """Check a BUNDLE without database and network. Everything altered, left out or slipped in is named."""
    data = bundle.read_bytes()
    verification = Verification(data, reread_import, trusted=roots_in(authority) if authority else ())
    faults = [str(fault) for fault in verification.run()]
    echo([*faults, *verification_summary(verification, len(faults), sha256(data))])
    ctx.exit(1 if faults or verification.unproved else 0)
