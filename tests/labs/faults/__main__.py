"""``python -m tests.labs.faults [--quick] [--write] [CASE ...]``: every fault, tried on a running bot."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import click

from tests.labs.faults import (
    clock_faults,
    disk_faults,
    kill_loop,
    kill_steps,
    platform_faults,
    race_faults,
    request_faults,
    slack_faults,
)
from tests.labs.faults.bots import NotSeen
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.report import Result, lines, surroundings, write

AT_ONCE = 5
"""Cases that run side by side: most of their time they wait for something to settle."""

_FAMILIES = (
    kill_loop,
    kill_steps,
    slack_faults,
    platform_faults,
    clock_faults,
    disk_faults,
    request_faults,
    race_faults,
)


def _ordinal(case: Case) -> tuple[bool, int]:
    return (case.number.isdigit(), int(case.number) if case.number.isdigit() else 0)


CASES = {case.number: case for case in sorted((case for family in _FAMILIES for case in family.CASES), key=_ordinal)}


def tried(case: Case, *, quick: bool) -> Result:
    """Do one case; whatever goes wrong, it is only this case that was not seen."""
    trial, start = Trial(quick=quick), time.monotonic()
    try:
        case.run(trial)
    except NotSeen as error:
        trial.faults.append(str(error))
    except Exception as error:  # noqa: BLE001 (a case that stumbles is not seen, and the others go on)
        trial.faults.append(f"{type(error).__name__}: {error}")
        traceback.print_exc()
    return Result(case=case, trial=trial, seconds=time.monotonic() - start)


def _all(cases: Sequence[Case], *, quick: bool) -> Iterator[Result]:
    """Results as they come: those that measure time when nothing else runs any more."""
    longest_first = sorted((case for case in cases if not case.alone), key=lambda case: case.seconds, reverse=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        together = [pool.submit(tried, case, quick=quick) for case in longest_first]
        for done in as_completed(together):
            yield done.result()
    for case in cases:
        if case.alone:
            yield tried(case, quick=quick)


@click.command()
@click.argument("numbers", nargs=-1, type=click.Choice([*CASES]), metavar="[CASE]...")
@click.option("--quick", is_flag=True, help="A few tries of each case, for CI.")
@click.option("--write", "writes", is_flag=True, help="Put the table into docs/reliability.md.")
def main(numbers: tuple[str, ...], *, quick: bool, writes: bool) -> None:
    """Do the faults to a running bot, all or those numbered, and say what was lost, doubled and seen."""
    chosen = [CASES[number] for number in numbers or CASES]
    results = []
    for result in _all(chosen, quick=quick):
        results.append(result)
        click.echo(result.progress(), err=True)
    results.sort(key=lambda result: _ordinal(result.case))
    click.echo("\n".join(lines(results)))
    if writes:
        write(results, surroundings())
    sys.exit(not all(result.trial.seen for result in results))


if __name__ == "__main__":
    main()
