"""The command line, run inside the test's own process: a new Python for each command would take most of the time.

Tests of the start itself (a lock between two processes, a port in use, a signal) start a real process.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from bot.cli import main

LIKEWATCH = Path(sys.executable).parent / "likewatch"
CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def likewatch(folder: Path, *arguments: str, **settings: str) -> Outcome:
    """Run one command in ``folder`` with these settings and no others; a traceback is raised, not printed."""
    hidden = dict.fromkeys(_settings_of_this_machine())
    with chdir(folder), _logging_as_before():
        ended = CliRunner().invoke(main, arguments, env=hidden | settings, prog_name="likewatch")
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return Outcome(returncode=ended.exit_code, stdout=ended.stdout, stderr=ended.stderr)


def likewatch_process(folder: Path, *arguments: str, **settings: str) -> Outcome:
    """Run one command in a process of its own, as a person does."""
    environ = {name: value for name, value in os.environ.items() if name not in _settings_of_this_machine()}
    command = [str(LIKEWATCH), *arguments]
    environ |= {"PYTHONPATH": str(CHECKOUT), **settings}
    ended = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    return Outcome(returncode=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


def _settings_of_this_machine() -> set[str]:
    return {name for name in os.environ if name.startswith(("SLACK_", "LIKEWATCH_", "FACEBOOK_"))}


@contextmanager
def _logging_as_before() -> Iterator[None]:
    """A command sets up the log of its process; the test's own handlers come back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
