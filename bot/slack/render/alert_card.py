"""Lay out alerts as cards: one alert with its figures, sources and chart, or a list of many alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.evidence.trace import reference
from bot.pages.alert_names import alert_sentence, names_in
from bot.rules.alert_types import amount, features
from bot.slack.answers.figures import date_span
from bot.slack.contract import Bold, Button, Card, Line, Link, Plot, Span
from bot.slack.render.block_kit import shortened
from bot.slack.render.charts import counts_plot
from bot.text import phrases
from handlers.contract import Names
from handlers.model import Alert, Dated, Fact, Point, least_precise
from handlers.wording import sentences
from storage.store import Store
from storage.values import StoredAlert

MAX_CARDS = 5
"""If more alerts than these wait for a channel, they are posted as a list: nobody reads thirty cards at once."""

MAX_LISTED = 20
"""Alerts in one list: Slack refuses messages of some 13,000 characters in all (slackapi/bolt-js#2509)."""

_MAX_LISTED_SENTENCE = 350  # characters
_MONTH, _YEAR = timedelta(days=30), timedelta(days=400)
_ENOUGH_POINTS = 4  # for a chart worth looking at
_MAX_EARLIER = 200
_FIELDS = {"count": "{unit}", "rival_count": "{unit}", "home_share": "share of all likes"}
"""The facts that get a field of their own, with its label. The alert's lines have the other facts."""


def alert_card(stored: StoredAlert, store: Store) -> Card:
    """Return the card of an alert. The card of a later alert of the same story replaces it."""
    alert = stored.alert
    names = names_in(alert, store)
    evidence = Button(label="Evidence", query=f"trends evidence {reference(alert)}")
    return Card(
        headline=sentences.headline(alert, names),
        lines=(*_replayed(stored), *sentences.lines(alert, names), *_earlier(alert, store)),
        fields=tuple(_field(fact, names) for fact in alert.facts if _is_figure(fact)),
        plot=_plot(alert, store),
        context=(*_other_sources(alert), f"Rule: {alert.rule}", *_threshold(alert)),
        buttons=(evidence,) if alert.others else (*_buttons(alert), evidence),  # a platform is not muted
    )


def list_card(alerts: Sequence[tuple[Alert, str]]) -> Card:
    """Return one card for several alerts, each with its sentence, in their order."""
    kinds = Counter(phrases.kind(alert.kind) for alert, _ in alerts)
    by_kind = phrases.listed([f"{kind} {number}" if number > 1 else kind for kind, number in kinds.items()])
    lines: list[Line] = [
        ("• ", Bold(phrases.dated(alert.at, alert.dated)), f": {shortened(sentence, _MAX_LISTED_SENTENCE)}")
        for alert, sentence in alerts
    ]
    return Card(
        headline=f"{phrases.several(len(alerts), 'alert')}: {by_kind}",
        lines=tuple(lines),
        context=("Many alerts came at once, so they are listed. /trends alerts and a page's name shows them again.",),
        buttons=(Button(label="Newest alerts", query="trends alerts"),),
    )


def _buttons(alert: Alert) -> Iterator[Button]:
    for label, length in (("1 hour", "1h"), ("1 day", "1d"), ("1 week", "1w")):
        yield Button(label=f"Mute {label}", query=f"trends mute {alert.page} {length}")
    yield Button(label="Unsubscribe", query=f"trends unsubscribe {alert.page}")


def _replayed(stored: StoredAlert) -> Iterator[Line]:
    if stored.replayed:
        when = phrases.when(stored.alert.at, least_precise(stored.alert.dated, Dated.DAY))
        yield (Bold(f"Replayed from published figures: this is what would have been posted {when}."),)


def _earlier(alert: Alert, store: Store) -> Iterator[Line]:
    """Yield the sentences of the earlier alerts of the story, oldest first."""
    for stored in reversed(store.alerts.recent(page=alert.page, since=alert.at - _YEAR, limit=_MAX_EARLIER)):
        before = stored.alert
        if before.story == alert.story and before.key != alert.key and before.at <= alert.at:
            yield ("Before, ", date_span(before.at, before.dated), f": {alert_sentence(before, store)}")


def _is_figure(fact: Fact) -> bool:
    return bool(fact.source) and fact.name in _FIELDS


def _field(fact: Fact, names: Names) -> tuple[str, Line]:
    """Return a figure as it was read or published: value, bounds, date and source."""
    subject = names.country(fact.about) if fact.unit == "share" else names.page(fact.about)
    label = f"{subject}: {_FIELDS[fact.name].format(unit=fact.unit)}"
    return label, (f"{_value(fact)}\N{NO-BREAK SPACE}· ", _date(fact), ", ", Link(fact.source, fact.url))


def _other_sources(alert: Alert) -> Iterator[Line]:
    """Yield the sources of the figures without a field of their own, each source and instant once."""
    shown = {_origin(fact) for fact in alert.facts if _is_figure(fact)}
    for fact in alert.facts:
        if fact.source and _origin(fact) not in shown:
            shown.add(_origin(fact))
            yield ("Source: ", Link(fact.source, fact.url), ", ", _date(fact))


def _threshold(alert: Alert) -> Iterator[Line]:
    """Yield a line about the threshold, if the channel has set its own."""
    feature = features().get(alert.feature)
    if alert.tuned and alert.threshold is not None and feature and feature.threshold:
        own, default = amount(feature.threshold, alert.threshold), feature.threshold.default
        yield f"This channel set {alert.feature} to {own}; the default is {default:g}."


def _origin(fact: Fact) -> tuple[str, str, datetime | None]:
    return fact.source, fact.url, fact.at


def _date(fact: Fact) -> Span:
    return "no date" if fact.at is None else date_span(fact.at, fact.dated)


def _value(fact: Fact) -> str:
    def number(value: float) -> str:
        return phrases.percent(value, digits=2) if fact.unit == "share" else phrases.count(value)

    text = phrases.percent(fact.value) if fact.unit == "share" else f"{phrases.count(fact.value)} {fact.unit}"
    if fact.low is None or fact.high is None or number(fact.low) == number(fact.high):
        return text
    return f"{text} ({number(fact.low)} to {number(fact.high)})"


def _plot(alert: Alert, store: Store) -> Plot | None:
    """Draw the counts up to the alert, of the page and of its rival. The chart shows no figure from later."""
    slugs = (alert.page, alert.rival) if alert.rival else (alert.page,)
    pages = store.pages.get_many(slugs)
    units = {state.metric for state in store.series_states.get(slugs).values()}
    if len(units) != 1 or len(pages) < len(slugs):
        return None
    unit = units.pop()
    series: dict[str, tuple[Point, ...]] = {}
    for period in (_MONTH, _YEAR):
        series = {pages[slug].name: store.readings.daily_points(slug, alert.at - period, alert.at) for slug in slugs}
        if all(len(points) >= _ENOUGH_POINTS for points in series.values()):
            break
    return counts_plot(f"{' and '.join(series)}: {unit}", series, unit=unit)
