"""Our rules on a history, as anybody would run them: ``likewatch backtest`` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from tests.labs.quality.rows import Told, read_alerts

CHECKOUT = Path(__file__).parents[3]


class BacktestFailed(Exception):
    """The command ended with an error; its last words are in the message."""


def backtest(history: Path, alerts: Path) -> list[Told]:
    """Every alert that our rules tell of a history, oldest first; also written to ``alerts``.

    Raises:
        BacktestFailed: the command ended with an error.

    """
    command = [sys.executable, "-m", "bot", "backtest", str(history), "--out", str(alerts)]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BacktestFailed(f"{' '.join(command[2:])} failed: {(ended.stderr or ended.stdout).strip()[-2000:]}")
    return read_alerts(alerts)


def differences(whole: Iterable[Told], half: Iterable[Told], until: datetime) -> int:
    """How many alerts differ between the whole history's, up to an instant, and those of the history cut there.

    None may: a rule that looks ahead would tell otherwise if it did not know the rest.
    """
    before = Counter(told for told in whole if told.at <= until)
    alone = Counter(half)
    return (before - alone).total() + (alone - before).total()
