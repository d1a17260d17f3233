"""``/trends backtest``: what the rules would have told of a page or a group lately, also with another threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.backtest.compare import pair_alerts
from bot.backtest.from_store import is_within_limit, past_alerts, rivals
from bot.errors import LikewatchError
from bot.pages import lookup
from bot.pages.alert_names import alert_sentence
from bot.pages.lookup import PageOrGroup
from bot.rules.alert_types import features, written
from bot.rules.thresholds import parse_threshold, tuned
from bot.slack.answers.unknown_name import unknown_name
from bot.slack.contract import Bold, Button, Call, Card, Command, Line, Permission, Reply, Slash
from bot.text import phrases
from handlers.comparisons import all_comparisons
from handlers.model import Alert, Point
from storage.store import Store

USAGE = "/trends backtest <page or group> [90d] [surge>5 …]"
DEFAULT = timedelta(days=90)
_NEWEST = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """How far back to go, and the limits (feature -> limit) to try."""

    period: timedelta
    limits: dict[str, float]


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Go through the stored readings once more; nothing is posted, and nothing changes."""
    if not call.text:
        raise LikewatchError(f"Say which page or group: {USAGE}")
    found, rest = lookup.find_first(store, call.text)
    if found is None:
        name, *settings = call.text.split()
        return unknown_name(store, name, " ".join(["trends backtest {}", *settings]))
    asked = parse(rest)
    since = now - asked.period
    newest = _newest_figure(store, found)
    if newest is None:
        return Reply(card=Card(headline=f"No reading of {found.name} is stored, so there is nothing to go through"))
    if newest.at < since:
        return Reply(card=_all_older(store, found, asked, newest, now))
    rules = all_comparisons()
    variants = tuned(rules, asked.limits)
    alerts = past_alerts(store, found.pages, since, now, (*rules, *variants))
    decided = {kind for variant in variants for kind in variant.kinds}
    card = _compared(store, found, asked, alerts, decided) if asked.limits else _told_of(store, found, asked, alerts)
    return Reply(card=replace(card, context=tuple(_context(store, found, asked))), shareable=True)


def parse(said: Sequence[str]) -> BacktestRequest:
    """``("90d", "surge>5")``: a period and thresholds, in any order. LikewatchError names what is neither."""
    period, limits = DEFAULT, {}
    for word in said:
        if length := phrases.period(word):
            period = length
        elif refused := phrases.refused_period(word):
            raise LikewatchError(refused)
        elif word[:1].isdigit() or word.startswith("-"):
            raise LikewatchError(f"“{word}” is no period: write 90d, or 12w. {USAGE}")
        else:
            feature, limit = parse_threshold(word)
            limits[feature] = limit
    return BacktestRequest(period=period, limits=limits)


def _newest_figure(store: Store, found: PageOrGroup) -> Point | None:
    lasts = (track.last for track in store.series_states.get(found.pages).values())
    return max(lasts, key=lambda last: last.at, default=None)


def _all_older(store: Store, found: PageOrGroup, asked: BacktestRequest, newest: Point, now: datetime) -> Card:
    """All figures are older than the period asked for: a button asks for one that takes them in, if that may be."""
    firsts = [first.at for first in map(store.readings.first_point, found.pages) if first is not None]
    days = (now - min(firsts, default=newest.at)) // _DAY + 1
    limits = (written(feature, limit) for feature, limit in asked.limits.items())
    query = " ".join(["trends backtest", found.slug, f"{days}d", *limits])
    all_figures = Button(label="Go through all figures", query=query)
    past = f"in the past {phrases.length(asked.period)} there is nothing to go through"
    return Card(
        headline=f"The newest figure of {found.name} is of {phrases.date(newest.at, newest.dated)}: {past}",
        buttons=(all_figures,) if is_within_limit(len(found.pages), days * _DAY) else (),
    )


def _told_of(store: Store, found: PageOrGroup, asked: BacktestRequest, alerts: Sequence[Alert]) -> Card:
    headline = f"{_number(alerts)} of {found.name} in the past {phrases.length(asked.period)}"
    return Card(
        headline=headline[0].upper() + headline[1:],
        lines=(*([_by_kind(alerts)] if alerts else []), *_newest(alerts, store, title=f"The newest {_NEWEST}:")),
    )


def _compared(
    store: Store, found: PageOrGroup, asked: BacktestRequest, alerts: Sequence[Alert], decided: Collection[str]
) -> Card:
    """What is told with the thresholds asked for beside what the default ones tell; ``decided`` are their kinds."""
    setting = phrases.listed([written(feature, limit) for feature, limit in asked.limits.items()])
    default = phrases.listed([written(feature, _default(feature)) for feature in asked.limits])
    compared = pair_alerts(alert for alert in alerts if alert.kind in decided)
    with_default = len(compared.both) + len(compared.by_default)
    others = [alert for alert in alerts if alert.kind not in decided]
    headline = (
        f"{found.name}, the past {phrases.length(asked.period)}: {_number([*compared.both, *compared.as_set])} with "
        f"{setting}, {phrases.count(with_default) if with_default else 'none'} with the default, {default}"
    )
    elsewhen = len(compared.elsewhen())
    return Card(
        headline=headline,
        lines=(
            *_group("Told by both", [tuned for tuned, _ in compared.both], store),
            *(
                [f"With the default, {phrases.count(elsewhen)} of them at another time within a week."]
                if elsewhen
                else []
            ),
            *_group(f"Told only with {setting}", compared.as_set, store),
            *_group("Told only with the default", compared.by_default, store),
            *([f"Of other kinds, the same either way: {_by_kind(others)}."] if others else []),
        ),
    )


def _context(store: Store, found: PageOrGroup, asked: BacktestRequest) -> Iterator[Line]:
    yield "The stored readings went through today's rules once more; nothing was posted."
    yield "Polls that found the same count again are not stored, so what waits for several readings may come later."
    held_against = rivals(store, found.pages, asked.period)
    if held_against.left_out:
        number = len(held_against.compared)
        yield (
            f"Its groups are large: it was held against the {phrases.count(number)} rivals nearest to it by count now, "
            f"and not against the {phrases.count(held_against.left_out)} others. A shorter period takes in more."
        )


def _number(alerts: Sized) -> str:
    return phrases.several(len(alerts), "alert") if alerts else "no alert"


def _default(feature: str) -> float | None:
    threshold = features()[feature].threshold
    return threshold.default if threshold else None


def _by_kind(alerts: Iterable[Alert]) -> str:
    kinds = Counter(alert.kind for alert in alerts)
    return ", ".join(f"{phrases.kind(kind)} {phrases.count(number)}" for kind, number in sorted(kinds.items()))


def _group(title: str, alerts: Sequence[Alert], store: Store) -> Iterator[Line]:
    if not alerts:
        return
    yield (Bold(f"{title}: {phrases.count(len(alerts))}"),)
    yield from _newest(alerts, store, title=f"The newest {_NEWEST} of them:")


def _newest(alerts: Sequence[Alert], store: Store, *, title: str) -> Iterator[Line]:
    """The newest alerts, below a ``title`` where there are more."""
    newest = sorted(alerts, key=lambda alert: alert.at)[-_NEWEST:]
    if len(alerts) > len(newest):
        yield title
    yield from (_line(alert, store) for alert in reversed(newest))


def _line(alert: Alert, store: Store) -> Line:
    return (Bold(phrases.dated(alert.at, alert.dated)), f": {alert_sentence(alert, store)}")


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("backtest",),
    usage=USAGE,
    summary="the alerts that a page's or a group's past would have raised, also with another threshold",
    permission=Permission.ANYONE,
    run=run,
    runs_long=True,
)
