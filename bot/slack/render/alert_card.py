"""An alert as a card: the sentence, the figures with their sources, what came before in its story, a chart, buttons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.evidence.trace import reference
from bot.pages.alert_names import alert_sentence, names_in
from bot.rules.alert_types import amount, features
from bot.slack.answers.figures import moment
from bot.slack.contract import Bold, Button, Card, Line, Link, Plot, Span
from bot.slack.render.charts import counts_plot
from bot.text import phrases
from handlers.contract import Names
from handlers.model import Alert, Dated, Fact, Point
from handlers.wording import sentences
from storage.store import Store
from storage.values import StoredAlert

AROUND = timedelta(days=30)
FURTHER = timedelta(days=400)
_ENOUGH = 4  # points that make a chart worth looking at
_MANY = 200
_SHOWN = {"count": "{unit}", "rival_count": "{unit}", "home_share": "share of all likes"}
"""The facts that get a field of their own, and what it is called; the lines say the others better."""


def alert_card(kept: StoredAlert, store: Store) -> Card:
    """The card of an alert; posted for the first of a story, and in its place for each that follows."""
    alert = kept.alert
    known = names_in(alert, store)
    return Card(
        headline=sentences.headline(alert, known),
        lines=(*_replayed(kept), *sentences.lines(alert, known), *_earlier(alert, store)),
        fields=tuple(_field(fact, known) for fact in alert.facts if _is_figure(fact)),
        plot=_plot(alert, store),
        context=(*_other_sources(alert), f"Rule: {alert.rule}", *_threshold(alert)),
        buttons=(*(() if alert.others else _buttons(alert)), _evidence(alert)),  # a platform is not muted
    )


def _buttons(alert: Alert) -> tuple[Button, ...]:
    return (
        *(
            Button(label=f"Mute {label}", query=f"trends mute {alert.page} {length}")
            for label, length in (("1 hour", "1h"), ("1 day", "1d"), ("1 week", "1w"))
        ),
        Button(label="Unsubscribe", query=f"trends unsubscribe {alert.page}"),
    )


def _evidence(alert: Alert) -> Button:
    return Button(label="Evidence", query=f"trends evidence {reference(alert)}")


def _replayed(kept: StoredAlert) -> Iterator[Line]:
    if kept.replayed:
        when = phrases.when(kept.alert.at, max(kept.alert.dated, Dated.DAY, key=list(Dated).index))
        yield (Bold(f"Replayed from published figures: this is what would have been posted {when}."),)


def _earlier(alert: Alert, store: Store) -> Iterator[Line]:
    """What the story's card said before."""
    for kept in reversed(store.alerts.recent(page=alert.page, since=alert.at - FURTHER, limit=_MANY)):
        before = kept.alert
        if before.story == alert.story and before.key != alert.key and before.at <= alert.at:
            yield ("Before, ", moment(before.at, before.dated), f": {alert_sentence(before, store)}")


def _is_figure(fact: Fact) -> bool:
    return bool(fact.source) and fact.name in _SHOWN


def _field(fact: Fact, known: Names) -> tuple[str, Line]:
    """A figure as it was read or published: value, bounds, date and source."""
    about = known.country(fact.about) if fact.unit == "share" else known.page(fact.about)
    label = f"{about}: {_SHOWN[fact.name].format(unit=fact.unit)}"
    return label, (f"{_value(fact)}\N{NO-BREAK SPACE}· ", _when(fact), ", ", Link(fact.source, fact.url))


def _other_sources(alert: Alert) -> Iterator[Line]:
    """Where the figures come from that have no field of their own, each source and instant once."""
    shown = {_origin(fact) for fact in alert.facts if _is_figure(fact)}
    for fact in alert.facts:
        if fact.source and _origin(fact) not in shown:
            shown.add(_origin(fact))
            yield ("Source: ", Link(fact.source, fact.url), ", ", _when(fact))


def _threshold(alert: Alert) -> Iterator[Line]:
    """By which threshold it was told, where that is the channel's own."""
    feature = features().get(alert.feature)
    if alert.tuned and alert.threshold is not None and feature and feature.threshold:
        own, default = amount(feature.threshold, alert.threshold), feature.threshold.default
        yield f"This channel set {alert.feature} to {own}; the default is {default:g}."


def _origin(fact: Fact) -> tuple[str, str, datetime | None]:
    return fact.source, fact.url, fact.at


def _when(fact: Fact) -> Span:
    return "no date" if fact.at is None else moment(fact.at, fact.dated)


def _value(fact: Fact) -> str:
    def number(value: float) -> str:
        return phrases.percent(value, digits=2) if fact.unit == "share" else phrases.count(value)

    said = phrases.percent(fact.value) if fact.unit == "share" else f"{phrases.count(fact.value)} {fact.unit}"
    if fact.low is None or fact.high is None or number(fact.low) == number(fact.high):
        return said
    return f"{said} ({number(fact.low)} to {number(fact.high)})"


def _plot(alert: Alert, store: Store) -> Plot | None:
    """The counts up to the alert, of both pages where there is a rival: nothing is drawn that was not known then."""
    slugs = (alert.page, alert.rival) if alert.rival else (alert.page,)
    pages = store.pages.get_many(slugs)
    units = {track.metric for track in store.series_states.get(slugs).values()}
    if len(units) != 1 or len(pages) < len(slugs):
        return None
    unit = units.pop()
    series: dict[str, tuple[Point, ...]] = {}
    for reach in (AROUND, FURTHER):
        series = {pages[slug].name: store.readings.daily_points(slug, alert.at - reach, alert.at) for slug in slugs}
        if all(len(points) >= _ENOUGH for points in series.values()):
            break
    return counts_plot(f"{' and '.join(series)}: {unit}", series, unit=unit)
