"""Lines about one subscription of a channel: what it would have posted lately, and what else brings the same alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.pages.alert_names import alert_sentence
from bot.pages.lookup import PageOrGroup
from bot.rules.preview import PREVIEW, Preview
from bot.slack.contract import Call
from bot.text import durations, phrases
from handlers.model import Alert, Dated
from storage.store import Store
from storage.values import StoredAlert, Subscription, Target

_MAX_SHOWN = 5
_MAX_READ = 500


def groups_subscribed(call: Call, store: Store, named: PageOrGroup) -> list[str]:
    """Return the groups of a page that the caller's channel is subscribed to; none if a group is named."""
    page = store.pages.get(named.slug) if named.target is Target.PAGE else None
    return [
        slug
        for slug in (page.groups if page else ())
        if store.subscriptions.get(call.team_id, call.channel_id, Target.GROUP, slug)
    ]


def preview_lines(
    store: Store, named: PageOrGroup, subscription: Subscription, shown: Preview, now: datetime
) -> Iterator[str]:
    """Say what the subscription, already stored, would have posted in the past 30 days: one alert for each story.

    Default rules raised their alerts at the time. ``shown`` has the alerts that the channel's own thresholds would have
    raised.
    """
    since = now - PREVIEW
    series_states = store.series_states.get(named.pages).values()
    span = _span(store, named, now)
    if span is None:
        yield "No figure of it is stored yet, so I cannot say what would have been posted here."
        return
    stories = _stories(store, named, subscription, shown, since)
    newest_figure = max((state.last for state in series_states), key=lambda last: last.at)
    if not stories and newest_figure.at < since:
        newest_day = phrases.date(newest_figure.at, newest_figure.dated)
        yield f"Its newest figure is of {newest_day}: in the past {PREVIEW.days} days there was nothing to judge."
        return
    if not stories:
        yield f"In {span} it would have posted nothing here."
        return
    yield f"In {span} it would have posted {phrases.several(len(stories), 'alert')} here:"
    newest = sorted(stories, key=lambda alert: alert.at, reverse=True)
    for alert in newest[:_MAX_SHOWN]:
        yield f"• {phrases.dated(alert.at, alert.dated)}: {alert_sentence(alert, store)}"
    if len(newest) > _MAX_SHOWN:
        yield f"… and {len(newest) - _MAX_SHOWN} more. /trends alerts {named.slug} lists them."


def _stories(
    store: Store, named: PageOrGroup, subscription: Subscription, shown: Preview, since: datetime
) -> list[Alert]:
    """Return the newest alert of each story that the channel would have got."""
    by_default = [
        stored.alert for stored in recent_alerts(store, named, since=since, limit=_MAX_READ) if not stored.alert.tuned
    ]
    by_threshold = [alert for alert in shown.alerts if alert.at >= since and _is_about(named, alert)]
    stories: dict[str, Alert] = {}
    for alert in sorted((*reversed(by_default), *by_threshold), key=lambda alert: alert.at):
        if alert.feature in subscription.features and store.subscriptions.is_for_channel(
            subscription.team_id, subscription.channel_id, alert
        ):
            stories[alert.story] = alert
    return list(stories.values())


def recent_alerts(
    store: Store, named: PageOrGroup, *, since: datetime | None = None, limit: int
) -> tuple[StoredAlert, ...]:
    """Return the newest alerts of a page or a group."""
    if named.target is Target.GROUP:
        return store.alerts.recent(group=named.slug, since=since, limit=limit)
    return store.alerts.recent(page=named.slug, since=since, limit=limit)


def _is_about(named: PageOrGroup, alert: Alert) -> bool:
    """Return whether ``recent_alerts`` chooses the alert: about the page or its rival, or inside the group."""
    if named.target is Target.PAGE:
        return named.slug in {alert.page, alert.rival}
    return alert.page in named.pages and (alert.rival is None or alert.rival in named.pages)


def _span(store: Store, named: PageOrGroup, now: datetime) -> str | None:
    """Return in words how long the present series goes back, at most 30 days. Return None without a figure.

    Figures from before the present series count something else, or are too far from it. The words say which is meant.
    """
    states = store.series_states.get(named.pages).values()
    begun = [point for state in states if (point := store.readings.point_at(state.page, state.since))]
    if not begun:
        return None
    oldest = min(begun, key=lambda point: point.at)
    if now - oldest.at >= PREVIEW:
        return f"the past {PREVIEW.days} days"
    firsts = (store.readings.first_point(state.page) for state in states)
    is_first = all(first.at >= oldest.at for first in firsts if first)
    what = "its first figure" if is_first else "its present series of figures began"
    if oldest.dated is Dated.INSTANT:
        return f"the {durations.duration(now - oldest.at)} since {what}"
    return f"the time since {what} ({phrases.dated(oldest.at, oldest.dated)})"
