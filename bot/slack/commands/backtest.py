"""``/trends backtest``: the alerts that today's rules raise from stored readings, also with another threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.backtest.compare import pair_alerts
from bot.backtest.from_store import is_within_limit, past_alerts, rivals
from bot.errors import LikewatchError
from bot.pages.alert_names import alert_sentence
from bot.pages.lookup import PageOrGroup
from bot.rules.alert_types import features, written
from bot.rules.thresholds import parse_threshold, tuned
from bot.slack.contract import Bold, Button, Call, Card, Command, Line, Permission, Reply, Slash
from bot.slack.names import first_named
from bot.text import durations, phrases
from handlers.discovery import all_comparisons
from handlers.model import Alert, Point
from storage.store import Store

USAGE = "/trends backtest <page or group> [90d] [surge>5 …]"
DEFAULT = timedelta(days=90)
_MAX_SHOWN = 5
_DAY = timedelta(days=1)


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Run today's rules over the stored readings. Nothing is posted, and nothing changes."""
    named, words = first_named(call, store, "backtest", empty=f"Say which page or group: {USAGE}")
    period, limits = parse(words)
    since = now - period
    newest = _newest_figure(store, named)
    if newest is None:
        return Reply(card=Card(headline=f"No reading of {named.name} is stored, so there is nothing to test"))
    if newest.at < since:
        return Reply(card=_all_older(store, named, period, limits, newest=newest, now=now))
    rules = all_comparisons()
    with_thresholds = tuned(rules, limits)
    alerts = past_alerts(store, named.pages, since, now, (*rules, *with_thresholds))
    past = f"the past {durations.length(period)}"
    if limits:
        kinds = {kind for rule in with_thresholds for kind in rule.kinds}
        card = _compared(store, f"{named.name}, {past}", limits, alerts, kinds)
    else:
        card = _by_default(store, f"{named.name} in {past}", alerts)
    return Reply(card=replace(card, context=tuple(_context(store, named, period))), shareable=True)


def parse(words: Sequence[str]) -> tuple[timedelta, dict[str, float]]:
    """Return what ``("90d", "surge>5")`` asks for: a period, and thresholds (feature -> limit), in any order.

    Raises LikewatchError with a sentence about a word that is neither.
    """
    period = DEFAULT
    limits: dict[str, float] = {}
    for word in words:
        if length := durations.period(word):
            period = length
        elif refused := durations.refused_period(word):
            raise LikewatchError(refused)
        elif word[:1].isdigit() or word.startswith("-"):
            raise LikewatchError(f"“{word}” is no period: write 90d, or 12w. {USAGE}")
        else:
            feature, limit = parse_threshold(word)
            limits[feature] = limit
    return period, limits


def _newest_figure(store: Store, named: PageOrGroup) -> Point | None:
    newest = (state.last for state in store.series_states.get(named.pages).values())
    return max(newest, key=lambda point: point.at, default=None)


def _all_older(
    store: Store, named: PageOrGroup, period: timedelta, limits: Mapping[str, float], *, newest: Point, now: datetime
) -> Card:
    """Say that every figure is older than the period. A button asks for a period that holds them all, if allowed."""
    firsts = [first.at for first in map(store.readings.first_point, named.pages) if first is not None]
    days = (now - min(firsts, default=newest.at)) // _DAY + 1
    settings = (written(feature, limit) for feature, limit in limits.items())
    query = " ".join(["trends backtest", named.slug, f"{days}d", *settings])
    button = Button(label="Test all figures", query=query)
    nothing = f"in the past {durations.length(period)} there is nothing to test"
    return Card(
        headline=f"The newest figure of {named.name} is of {phrases.date(newest.at, newest.dated)}: {nothing}",
        buttons=(button,) if is_within_limit(len(named.pages), days * _DAY) else (),
    )


def _by_default(store: Store, title: str, alerts: Sequence[Alert]) -> Card:
    headline = f"{_number(len(alerts))} of {title}"
    lines: list[Line] = [_by_kind(alerts)] if alerts else []
    lines += _newest(alerts, store, title=f"The newest {_MAX_SHOWN}:")
    return Card(headline=headline[0].upper() + headline[1:], lines=tuple(lines))


def _compared(
    store: Store, title: str, limits: Mapping[str, float], alerts: Sequence[Alert], kinds: Collection[str]
) -> Card:
    """Show the alerts with the thresholds beside the alerts with the defaults; the thresholds decide on ``kinds``."""
    setting = phrases.listed([written(feature, limit) for feature, limit in limits.items()])
    default = phrases.listed([written(feature, _default(feature)) for feature in limits])
    compared = pair_alerts(alert for alert in alerts if alert.kind in kinds)
    by_default = len(compared.both) + len(compared.by_default)
    at_another_time = len(compared.at_another_time())
    others = [alert for alert in alerts if alert.kind not in kinds]
    lines = [*_group("Raised by both", [with_threshold for with_threshold, _ in compared.both], store)]
    if at_another_time:
        lines.append(f"With the default, {phrases.count(at_another_time)} of them come at another time within a week.")
    lines += _group(f"Raised only with {setting}", compared.as_set, store)
    lines += _group("Raised only with the default", compared.by_default, store)
    if others:
        lines.append(f"Alerts of other kinds are the same with both: {_by_kind(others)}.")
    return Card(
        headline=(
            f"{title}: "
            f"{_number(len(compared.both) + len(compared.as_set))} with {setting}, "
            f"{phrases.count(by_default) if by_default else 'none'} with the default, {default}"
        ),
        lines=tuple(lines),
    )


def _context(store: Store, named: PageOrGroup, period: timedelta) -> Iterator[Line]:
    yield "Today's rules ran over the stored readings once more. Nothing was posted."
    yield (
        "If a poll finds the same count again, no reading is stored. So a rule that waits for several readings may "
        "raise its alert later here than it did live."
    )
    compared_with = rivals(store, named.pages, period)
    if compared_with.left_out:
        yield (
            f"Its groups are large. It was compared with the {phrases.count(len(compared_with.compared))} rivals that "
            f"are nearest to it by count now, and not with the {phrases.count(compared_with.left_out)} others. "
            "A shorter period takes in more rivals."
        )


def _number(alerts: int) -> str:
    return phrases.several(alerts, "alert") if alerts else "no alert"


def _default(feature: str) -> float | None:
    threshold = features()[feature].threshold
    return threshold.default if threshold else None


def _by_kind(alerts: Iterable[Alert]) -> str:
    kinds = Counter(alert.kind for alert in alerts)
    return ", ".join(f"{phrases.kind(kind)} {phrases.count(number)}" for kind, number in sorted(kinds.items()))


def _group(title: str, alerts: Sequence[Alert], store: Store) -> Iterator[Line]:
    if alerts:
        yield (Bold(f"{title}: {phrases.count(len(alerts))}"),)
        yield from _newest(alerts, store, title=f"The newest {_MAX_SHOWN} of them:")


def _newest(alerts: Sequence[Alert], store: Store, *, title: str) -> Iterator[Line]:
    """List the newest alerts, with the title above them if there are more."""
    newest = sorted(alerts, key=lambda alert: alert.at)[-_MAX_SHOWN:]
    if len(alerts) > len(newest):
        yield title
    for alert in reversed(newest):
        yield (Bold(phrases.dated(alert.at, alert.dated)), f": {alert_sentence(alert, store)}")


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("backtest",),
    usage=USAGE,
    summary="the alerts that today's rules raise from stored readings, also with another threshold",
    permission=Permission.ANYONE,
    run=run,
    runs_long=True,
)
