"""``python -m tests.labs.bench [a b c d e f g] [--quick] [--write]``: speed as a ratio to a floor of the same run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.labs.bench import (
    alert_latency,
    backtest_year,
    comparing,
    evidence_cost,
    idle_memory,
    poll_cycle,
    slash_command,
)
from tests.labs.bench.report import Result, surroundings, write

BENCHMARKS: Mapping[str, Callable[..., Result]] = {
    "a": poll_cycle.run,
    "b": slash_command.run,
    "c": alert_latency.run,
    "d": idle_memory.run,
    "e": backtest_year.run,
    "f": comparing.run,
    "g": evidence_cost.run,
}


@click.command()
@click.argument("benchmarks", nargs=-1, type=click.Choice([*BENCHMARKS]))
@click.option("--quick", is_flag=True, help="Fewer rounds and a tenth of the history, for CI.")
@click.option("--write", "writes", is_flag=True, help="Put the tables into docs/benchmarks.md.")
def main(benchmarks: tuple[str, ...], *, quick: bool, writes: bool) -> None:
    """Measure Likewatch against floors taken in the same run: all BENCHMARKS, or those named."""
    click.echo(surroundings())
    missed = False
    for name in benchmarks or BENCHMARKS:
        with TemporaryDirectory(prefix="likewatch-bench-") as folder:
            result = BENCHMARKS[name](Path(folder), quick=quick)
        click.echo("\n".join(["", *result.lines()]))
        if writes:
            write(result, f"python -m tests.labs.bench {name}{' --quick' if quick else ''}")
        missed = missed or not all(verdict.met for verdict in result.verdicts)
    sys.exit(missed)


if __name__ == "__main__":
    main()
