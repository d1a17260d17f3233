"""``likewatch backtest``: read a history on disk, write alerts.csv, and describe the result in lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.backtest.alerts_file import alerts_file
from bot.backtest.compare import ThresholdComparison
from bot.backtest.csv_table import HistoryRefused
from bot.backtest.history import FILES, History, RowProblems
from bot.backtest.parallel import OnProgress, merge_alerts, run, split_work
from bot.errors import LikewatchError
from bot.rules.alert_types import features, written
from bot.rules.thresholds import parse_threshold, tuned
from bot.text import phrases
from handlers.discovery import all_comparisons


def backtest(
    folder: Path, out: Path, *, thresholds: Sequence[str] = (), keep_good: bool = False, advance: OnProgress
) -> Iterator[str]:
    """Write the alerts that the rules would have raised on a history, and yield lines about them.

    ``thresholds`` (``"surge>5x"``) replace the default thresholds. The rules run with both, and the lines compare them.

    Raises:
        HistoryRefused: the folder is no history, or a row is bad (unless ``keep_good``). Then no file is written.
        LikewatchError: a text is no threshold.

    """
    _refuse_out(folder, out)
    limits = _limits(thresholds)
    rules = all_comparisons()
    comparison = ThresholdComparison(rules, tuned(rules, limits))
    kinds: Counter[str] = Counter()
    with TemporaryDirectory(prefix="likewatch-backtest-") as temporary:
        with History(folder) as history:
            _refuse_faults(history.faults, keep_good=keep_good)
            parts = split_work(folder, history, limits=limits, keep_good=keep_good, into=Path(temporary))
        history = run(parts, advance)
        _refuse_faults(history.faults, keep_good=keep_good)
        with alerts_file(out) as write:
            for alert in merge_alerts(parts):
                if comparison.add(alert):
                    write(alert)
                    kinds[alert.kind] += 1
    counts = phrases.several(history.counts, "count")
    by_country = phrases.several(history.counts_by_country, "count by country", "counts by country")
    yield f"Read {counts} and {by_country} of {phrases.several(len(history.pages), 'page')}."
    yield from _problems(history.gaps, "no count (empty, NaN or negative), taken as if nobody had asked then")
    yield from _problems(history.faults, "left out")
    by_kind = phrases.listed([f"{phrases.count(number)} {kind}" for kind, number in sorted(kinds.items())])
    yield f"{phrases.several(kinds.total(), 'alert')} in {out}" + (f": {by_kind}." if kinds else ".")
    if limits:
        setting = phrases.listed([written(feature, limit) for feature, limit in limits.items()])
        default = phrases.listed([written(feature, _default(feature)) for feature in limits])
        yield f"They are those with {setting} in place of the default, {default}. Beside each other:"
    yield from comparison.lines()


def _refuse_out(folder: Path, out: Path) -> None:
    if not out.parent.is_dir():
        raise HistoryRefused(
            f"--out {out}: the folder {out.parent} does not exist. Create it, or choose another place."
        )
    if out.resolve().parent == folder.resolve() and out.name in FILES:
        raise HistoryRefused(f"--out {out} is a file of the history itself. Name another file: alerts.csv.")


def _refuse_faults(faults: RowProblems, *, keep_good: bool) -> None:
    if faults.number and not keep_good:
        lines = [f"{phrases.several(faults.number, 'row')} of the history cannot be used:", *_first(faults)]
        lines.append("Nothing was written. Mend the files, or leave such rows out with --keep-good.")
        raise HistoryRefused("\n".join(lines))


def _limits(thresholds: Sequence[str]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for text in thresholds:
        feature, limit = parse_threshold(text)
        if feature in limits:
            raise LikewatchError(f"{feature} is set twice. Set it once, and compare one run with the other.")
        limits[feature] = limit
    return limits


def _default(feature: str) -> float | None:
    threshold = features()[feature].threshold
    return threshold.default if threshold else None


def _problems(problems: RowProblems, title: str) -> Iterator[str]:
    if problems.number:
        yield f"{phrases.several(problems.number, 'row')}: {title}"
        yield from _first(problems)


def _first(problems: RowProblems) -> Iterator[str]:
    yield from (f"  {problem}" for problem in problems.first)
    if problems.number > len(problems.first):
        yield f"  and {phrases.count(problems.number - len(problems.first))} more"
