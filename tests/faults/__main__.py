"""``python -m tests.faults [--quick] [--write] [CASE ...]``: everything that can go wrong, done to a running bot."""

from __future__ import annotations

import time
import traceback

import click

from tests.faults import (
    clock_faults,
    disk_faults,
    kill_loop,
    kill_steps,
    platform_faults,
    race_faults,
    request_faults,
    slack_faults,
)
from tests.faults.bots import NotSeen
from tests.faults.case import Case, Trial

AT_ONCE = 3
"""Cases that run side by side: most of their time they wait for something to settle."""

CASES: dict[str, Case] = {
    case.number: case
    for family in (
        clock_faults,
        disk_faults,
        kill_loop,
        kill_steps,
        platform_faults,
        race_faults,
        request_faults,
        slack_faults,
    )
    for case in family.CASES
}


def tried(case: Case, *, quick: bool) -> tuple[Case, Trial, float]:
    trial, start = Trial(quick=quick), time.monotonic()
    try:
        case.run(trial)
    except Exception as error:  # noqa: BLE001 (a case that stumbles is not seen, and the others go on)
        trial.faults.append(f"{type(error).__name__}: {error}")
        if not isinstance(error, NotSeen):
            traceback.print_exc()
    return case, trial, time.monotonic() - start


@click.command()
@click.argument("numbers", nargs=-1, type=click.Choice([*CASES]), metavar="[CASE]...")
@click.option("--quick", is_flag=True, help="Few tries of each case, for CI.")
def main(numbers: tuple[str, ...], *, quick: bool) -> None:
    """Do the faults to a running bot, all or those numbered, and print what was lost, doubled and seen."""
    for number in numbers or CASES:
        case, trial, seconds = tried(CASES[number], quick=quick)
        click.echo(
            f"{number} {case.name} tried={trial.tried} lost={trial.lost} doubled={trial.doubled} seen={trial.seen} {seconds:.1f}s {trial.faults} {trial.notes}"
        )


if __name__ == "__main__":
    main()
