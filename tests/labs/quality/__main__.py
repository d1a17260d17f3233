"""``python -m tests.labs.quality``: our rules beside naive rules, on histories whose truth is known."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.labs.bench.report import Result, surroundings, write
from tests.labs.quality.backtest import BacktestFailed
from tests.labs.quality.candidates import COUNTS, candidates
from tests.labs.quality.fates import DAYS, PAGES, make_world
from tests.labs.quality.histories import record
from tests.labs.quality.judge import KINDS
from tests.labs.quality.measure import OURS, RULES, Measured, Order, measure_all
from tests.labs.quality.table import DOCUMENT, simulated

TUNING, HELD_OUT = 1, 3500
"""The first seeds of the worlds that rules may be tuned on (1 to 10), and of those that they may not."""

_QUICK_DAYS, _QUICK_WORLDS = 180, 2
_WORLDS = 10


@click.command()
@click.option("--worlds", type=click.IntRange(min=0), default=None, help=f"How many worlds; {_WORLDS} unless said.")
@click.option("--seed", type=int, default=None, help="The first world's seed; the others follow it.")
@click.option("--held-out", is_flag=True, help=f"Worlds that no rule was tuned on: seeds from {HELD_OUT}.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="How many worlds at once.")
@click.option("--quick", is_flag=True, help=f"{_QUICK_WORLDS} worlds of {_QUICK_DAYS} days, for CI.")
@click.option("--naive-only", is_flag=True, help="Leave out our rules.")
@click.option("--ours-only", is_flag=True, help="Leave out the naive rules.")
@click.option("--explain", type=click.Choice([*KINDS, "ahead"]), help="Tell every mistake of ours of this kind.")
@click.option("--keep", type=click.Path(path_type=Path), help="Only write the worlds, each into a folder in here.")
@click.option(
    "--candidates",
    "counts",
    type=click.Path(path_type=Path),
    default=COUNTS,
    help="The candidates' counts.csv; ../shared/data/candidates-2020/counts.csv unless said.",
)
@click.option("--write", "writes", is_flag=True, help=f"Put the tables into docs/{DOCUMENT.name}.")
def main(
    *,
    worlds: int | None,
    seed: int | None,
    held_out: bool,
    jobs: int,
    quick: bool,
    naive_only: bool,
    ours_only: bool,
    explain: str | None,
    keep: Path | None,
    counts: Path,
    writes: bool,
) -> None:
    """Judge alerts against worlds whose truth is known, and against real series."""
    first = seed if seed is not None else HELD_OUT if held_out else TUNING
    seeds = range(first, first + (worlds if worlds is not None else _QUICK_WORLDS if quick else _WORLDS))
    days = _QUICK_DAYS if quick else DAYS
    if keep:
        _keep(keep, seeds, days)
        return
    rules = tuple(rule for rule in RULES if rule != OURS) if naive_only else (OURS,) if ours_only or explain else RULES
    orders = [
        Order(seed=each, rules=rules, days=days, looks_ahead=each == seeds[0] and not explain, explained=explain or "")
        for each in seeds
    ]
    click.echo(surroundings())
    try:
        measured = _measured(orders, jobs)
        results = [simulated(measured, _title(seeds, days))] if measured and not explain else []
        if not quick and not explain:
            results += _real(counts, rules)
    except BacktestFailed as failure:
        raise click.ClickException(str(failure)) from None
    for result in results:
        click.echo("\n".join(["", *result.lines()]))
        if writes:
            write(result, f"python -m tests.labs.quality {' '.join(sys.argv[1:])}".rstrip(), DOCUMENT)
    sys.exit(any(not verdict.met for result in results for verdict in result.verdicts))


def _measured(orders: list[Order], jobs: int) -> list[Measured]:
    measured = []
    for one in measure_all(orders, jobs=jobs):
        measured.append(one)
        click.echo(f"world {one.seed} judged ({len(measured)} of {len(orders)})", err=True)
        if one.explained:
            click.echo("\n".join(["", *one.explained]))
    return measured


def _real(counts: Path, rules: tuple[str, ...]) -> list[Result]:
    if not counts.exists():
        click.echo("The candidates' counts are not beside this checkout (../shared/data/candidates-2020/counts.csv).")
        return []
    with TemporaryDirectory(prefix="likewatch-quality-") as folder:
        return [candidates(counts, Path(folder), rules)]


def _title(seeds: range, days: int) -> str:
    kind = "tuning worlds" if seeds.stop <= TUNING + _WORLDS else "worlds held apart from tuning"
    years = len(seeds) * PAGES * days / 365.25
    size = f"{days} days, {PAGES} pages: {years:.0f} page-years"
    return f"Seeds {seeds.start} to {seeds.stop - 1}, {kind}: {size}"


def _keep(folder: Path, seeds: range, days: int) -> None:
    for seed in seeds:
        (folder / f"world-{seed}").mkdir(parents=True, exist_ok=True)
        record(make_world(seed, days=days), folder / f"world-{seed}")
        click.echo(f"{folder / f'world-{seed}'}")


if __name__ == "__main__":
    main()
