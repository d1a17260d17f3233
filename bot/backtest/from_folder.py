"""``likewatch backtest``: a history on disk in, alerts.csv out, and in words what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.backtest.alerts_file import alerts_file
from bot.backtest.compare import ThresholdComparison
from bot.backtest.csv_table import HistoryRefused
from bot.backtest.history import FILES, History, RowProblems
from bot.backtest.parallel import BacktestResult, OnProgress, merge_alerts, run, split_work
from bot.errors import LikewatchError
from bot.rules.alert_types import features, written
from bot.rules.thresholds import parse_threshold, tuned
from bot.text import phrases
from handlers.comparisons import all_comparisons


def backtest(
    folder: Path,
    out: Path,
    *,
    thresholds: Sequence[str] = (),
    keep_good: bool = False,
    advance: OnProgress,
) -> Iterator[str]:
    """Write the alerts that the rules would have raised on a history, and say what there was.

    ``thresholds`` (``"surge>5x"``) set limits of rules, which then tell in place of the same rules by default; both
    are run and compared. ``advance`` is called now and then with the bytes read and the bytes there are.

    Raises:
        HistoryRefused: the folder is no history, or a row is bad (unless ``keep_good``); then nothing is written.
        LikewatchError: what was to be set is no threshold.

    """
    _refuse_out(folder, out)
    limits = _limits(thresholds)
    rules = all_comparisons()
    compared = ThresholdComparison(rules, tuned(rules, limits))
    kinds: Counter[str] = Counter()
    with TemporaryDirectory(prefix="likewatch-backtest-") as kept:
        with History(folder) as history:
            if history.faults.number and not keep_good:
                raise HistoryRefused(_refusal(history.faults))
            shares = split_work(folder, history, limits=limits, keep_good=keep_good, into=Path(kept))
        found = run(shares, advance)
        if found.faults.number and not keep_good:
            raise HistoryRefused(_refusal(found.faults))
        with alerts_file(out) as write:
            for alert in merge_alerts(shares):
                if compared.is_wanted(alert):
                    write(alert)
                    kinds[alert.kind] += 1
    yield from _what_was_read(found)
    raised = phrases.several(kinds.total(), "alert")
    yield f"{raised} in {out}" + (f": {_by_kind(kinds)}." if kinds else ".")
    if limits:
        setting, default = (
            phrases.listed([written(name, how(name)) for name in limits]) for how in (limits.get, _default)
        )
        yield f"They are those with {setting} in place of the default, {default}. Beside each other:"
    yield from compared.lines()


def _refuse_out(folder: Path, out: Path) -> None:
    if not out.parent.is_dir():
        raise HistoryRefused(
            f"--out {out}: the folder {out.parent} does not exist. Create it, or choose another place."
        )
    if out.resolve().parent == folder.resolve() and out.name in FILES:
        raise HistoryRefused(f"--out {out} is a file of the history itself. Name another file: alerts.csv.")


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


def _what_was_read(found: BacktestResult) -> Iterator[str]:
    counts = phrases.several(found.counts, "count")
    by_country = phrases.several(found.counts_by_country, "count by country", "counts by country")
    yield f"Read {counts} and {by_country} of {phrases.several(found.pages, 'page')}."
    for told, what in (
        (found.gaps, "no count (empty, NaN or negative), taken as if nobody had asked then"),
        (found.faults, "left out"),
    ):
        if told.number:
            yield f"{phrases.several(told.number, 'row')}: {what}"
            yield from _lines(told)


def _refusal(faults: RowProblems) -> str:
    lines = [f"{phrases.several(faults.number, 'row')} of the history cannot be used:", *_lines(faults)]
    lines.append("Nothing was written. Mend the files, or leave such rows out with --keep-good.")
    return "\n".join(lines)


def _lines(told: RowProblems) -> Iterator[str]:
    yield from (f"  {problem}" for problem in told.first)
    if told.number > len(told.first):
        yield f"  and {phrases.count(told.number - len(told.first))} more"


def _by_kind(kinds: Counter[str]) -> str:
    return phrases.listed([f"{phrases.count(number)} {kind}" for kind, number in sorted(kinds.items())])
