"""``/trends backtest``: what the rules would have told of a page or a group lately, also with another threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import words
from bot.backtest import past_alerts
from bot.errors import LikewatchError
from bot.features import written
from bot.slack import names
from bot.slack.alert_card import told
from bot.slack.contract import Bold, Call, Card, Command, Line, Reply, Slash, Who
from bot.slack.names import Named
from bot.thresholds import parse_threshold, tuned
from handlers.comparisons import all_comparisons
from handlers.model import Alert
from storage.store import Store

USAGE = "/trends backtest <page or group> [90d] [surge>5 …]"
DEFAULT = timedelta(days=90)
LONGEST = timedelta(days=366)
_NEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How far back to go, and the limits (feature -> limit) to try."""

    period: timedelta
    limits: dict[str, float]


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Go through the stored readings once more; nothing is posted, and nothing changes."""
    if not call.text:
        raise LikewatchError(f"Say which page or group: {USAGE}")
    found, rest = names.find_first(store, call.text)
    if found is None:
        name, *settings = call.text.split()
        return names.unknown(store, name, " ".join(["trends backtest {}", *settings]))
    asked = parse(rest)
    since = now - asked.period
    newest = _newest_figure(store, found)
    if newest is None:
        return Reply(card=Card(headline=f"No reading of {found.name} is stored, so there is nothing to go through"))
    if newest < since:
        past = f"in the past {words.length(asked.period)} there is nothing to go through"
        return Reply(card=Card(headline=f"The newest figure of {found.name} is of {words.day(newest)}: {past}"))
    rules = all_comparisons()
    variants = tuned(rules, asked.limits)
    alerts = past_alerts(store, found.pages, since, now, (*rules, *variants))
    replaced = {kind for variant in variants for kind in variant.kinds}
    wanted = [alert for alert in alerts if alert.tuned or alert.kind not in replaced]
    default = [alert for alert in alerts if not alert.tuned and alert.kind in replaced]
    return Reply(card=_card(store, found, asked, wanted, default), shareable=True)


def parse(said: Sequence[str]) -> Asked:
    """``("90d", "surge>5")``: a period and thresholds, in any order. LikewatchError names what is neither."""
    period, limits = DEFAULT, {}
    for word in said:
        if length := words.period(word):
            period = length
        elif word[:1].isdigit() or word.startswith("-"):
            raise LikewatchError(f"“{word}” is no period: write 1d to {LONGEST.days}d, or 12w. {USAGE}")
        else:
            feature, limit = parse_threshold(word)
            limits[feature] = limit
    if period > LONGEST:
        raise LikewatchError(f"I go back at most {LONGEST.days} days: {USAGE}")
    return Asked(period=period, limits=limits)


def _newest_figure(store: Store, found: Named) -> datetime | None:
    return max((track.last.at for track in store.readings.tracks(found.pages).values()), default=None)


def _card(store: Store, found: Named, asked: Asked, wanted: Sequence[Alert], default: Sequence[Alert]) -> Card:
    past = f"in the past {words.length(asked.period)}"
    setting = words.listed([written(feature, limit) for feature, limit in asked.limits.items()])
    number = words.several(len(wanted), "alert") if wanted else "no alert"
    headline = f"{'With ' + setting + ', ' if setting else ''}{number} of {found.name} {past}"
    newest = sorted(wanted, key=lambda alert: alert.at)[-_NEWEST:]
    return Card(
        headline=headline[0].upper() + headline[1:],
        lines=(
            *_by_kind(wanted),
            *_told(newest, len(wanted), setting, store),
            *_beside(wanted, default, setting, store),
        ),
        context=(
            "The stored readings went through today's rules once more; nothing was posted.",
            "Polls that found the same count again are not stored, so what waits for several readings may come later.",
        ),
    )


def _by_kind(alerts: Iterable[Alert]) -> Iterator[Line]:
    if kinds := Counter(alert.kind for alert in alerts):
        yield ", ".join(f"{kind} {words.count(number)}" for kind, number in sorted(kinds.items()))


def _beside(wanted: Sequence[Alert], default: Sequence[Alert], setting: str, store: Store) -> Iterator[Line]:
    """What the default rules told in place of those that were set."""
    if not setting:
        return
    as_set = {alert.key.partition(":")[2] for alert in wanted if alert.tuned}  # before it: the rule's name
    alone = [alert for alert in default if alert.key not in as_set]
    yield (
        f"Of what {setting} decides: {words.several(len(as_set), 'alert') if as_set else 'no alert'}, "
        f"{words.count(len(default)) if default else 'none'} by default; "
        f"{words.count(len(default) - len(alone)) if default else 'none'} in common."
    )
    if alone:
        yield "Told by default alone, the newest first:"
        yield from (_line(alert, store) for alert in reversed(alone[-_NEWEST:]))


def _told(newest: Sequence[Alert], number: int, setting: str, store: Store) -> Iterator[Line]:
    if setting and newest:
        yield f"Told with {setting}, the newest first:"
    elif number > len(newest):
        yield f"The newest {len(newest)}:"
    yield from (_line(alert, store) for alert in reversed(newest))


def _line(alert: Alert, store: Store) -> Line:
    return (Bold(words.dated(alert.at, alert.dated)), f": {told(alert, store)}")


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("backtest",),
    usage=USAGE,
    summary="the alerts that a page's or a group's past would have raised, also with another threshold",
    who=Who.ANYONE,
    run=run,
    slow=True,
)
