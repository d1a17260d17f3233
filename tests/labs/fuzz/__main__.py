"""``python -m tests.labs.fuzz [--seconds N] [TARGET ...]``: atheris over everything that strangers send us."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.labs.fuzz.targets import SEEDS, TARGETS

SECONDS = 600
HANGS_AFTER, MEGABYTES = 20, 2048
"""What one input may take before it counts as a fault."""

FOUND = Path(__file__).parents[3] / "artifacts" / "fuzz"


@click.command()
@click.argument("targets", nargs=-1, type=click.Choice([*TARGETS]))
@click.option("--seconds", default=SECONDS, show_default=True, help="How long in all.")
def main(targets: tuple[str, ...], *, seconds: int) -> None:
    """Throw mutated inputs at TARGETS, all unless named, and say what they did not stand."""
    if importlib.util.find_spec("atheris") is None:
        raise click.ClickException("atheris is not installed: `make fuzz` installs it (CPython on Linux, x86-64).")
    FOUND.mkdir(parents=True, exist_ok=True)
    chosen = targets or tuple(TARGETS)
    failed = [target for target in chosen if not _stands(target, max(1, seconds // len(chosen)))]
    if failed:
        raise click.ClickException(f"Not stood by: {', '.join(failed)}. The inputs are in {FOUND}.")
    click.echo(f"{', '.join(chosen)}: no traceback in {seconds} s.")


def _stands(target: str, seconds: int) -> bool:
    with TemporaryDirectory(prefix="likewatch-fuzz-") as name:
        corpus = Path(name)
        for number, seed in enumerate(SEEDS[target]):
            (corpus / f"seed{number}").write_bytes(seed)
        command = [
            *(sys.executable, "-m", "tests.labs.fuzz.atheris_run", target, str(corpus)),
            *(f"-max_total_time={seconds}", f"-timeout={HANGS_AFTER}", f"-rss_limit_mb={MEGABYTES}", "-max_len=4096"),
            *(f"-artifact_prefix={FOUND}/{target}-", "-print_final_stats=1", "-verbosity=0"),
        ]
        ended = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    runs = [line for line in ended.stdout.splitlines() if "number_of_executed_units" in line]
    click.echo(f"{target}: {runs[0].split()[-1] if runs else '?'} inputs in {seconds} s, exit {ended.returncode}")
    if ended.returncode:
        click.echo("\n".join(ended.stdout.splitlines()[-60:]))
    return ended.returncode == 0


if __name__ == "__main__":
    main()
