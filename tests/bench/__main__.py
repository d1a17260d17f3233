"""``python -m tests.bench [a b c d] [--quick] [--write]``: speed as a ratio to a floor taken in the same run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import alert_latency, idle_memory, poll_cycle, slash_command
from tests.bench.report import Result, surroundings, write

BENCHMARKS: Mapping[str, Callable[..., Result]] = {
    "a": poll_cycle.run,
    "b": slash_command.run,
    "c": alert_latency.run,
    "d": idle_memory.run,
}


def main() -> int:
    options = _options()
    print(surroundings())
    results = []
    for name in options.benchmarks or BENCHMARKS:
        with TemporaryDirectory(prefix="likewatch-bench-") as folder:
            result = BENCHMARKS[name](Path(folder), quick=options.quick)
        print("", *result.lines(), sep="\n", flush=True)
        if options.write:
            write(result, " ".join(["python -m tests.bench", name, *(["--quick"] if options.quick else [])]))
        results.append(result)
    return 0 if all(verdict.met for result in results for verdict in result.verdicts) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="benchmark", choices=[*BENCHMARKS, []], help="a, b, c or d")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and a tenth of the history, for CI")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
