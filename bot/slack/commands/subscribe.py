"""``/trends subscribe``: a channel wants the alerts of a page or a group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.pages.alert_names import alert_sentence
from bot.pages.lookup import PageOrGroup
from bot.rules.alert_types import amount, default_features, features, wishes, written
from bot.rules.channel_rules import channel_rules, pages_of
from bot.rules.parse_alert_types import AlertTypeRequest, parse_features
from bot.rules.preview import PREVIEW, Preview, preview, settle_rule_states
from bot.slack.answers.subscribed_groups import groups_subscribed
from bot.slack.answers.unknown_name import unknown_name
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Line, Mention, Permission, Reply, Slash
from bot.slack.delivery.pausing import resume
from bot.text import phrases
from handlers.comparisons import all_comparisons
from handlers.model import Alert, Dated
from storage.store import Store
from storage.values import StoredAlert, Subscription, Target

USAGE = "/trends subscribe <page or group> [feature …] [surge>5x]"
_MOST_TOLD = 5
_MANY = 500


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Subscribe the channel.

    No feature named means all that are not opt-in, beside what it has; features named later are added to those it has,
    each with the threshold named with it, or with its default. The bot may post here, or nobody would have got so far:
    so a channel that was paused goes on, in the same transaction.
    """
    if not call.text:
        raise LikewatchError(f"Say what to subscribe to: {USAGE}")
    found, typed = lookup.find_first(store, call.text)
    if found is None:
        name, _, rest = call.text.partition(" ")
        return unknown_name(store, name, f"trends subscribe {{}} {rest}")
    asked = parse_features(typed)
    before = store.subscriptions.get(call.team_id, call.channel_id, found.target, found.slug)
    wish = _wish(call, found, asked, before, now)
    tuned = (wish, *_beside(store, wish, found))
    shown = preview(store, tuned, channel_rules(store, tuned, all_comparisons()), now)
    with store.write():
        store.subscriptions.put(wish)
        settle_rule_states(store, all_comparisons(), now, made=shown.rule_states)
        wanted = wishes(wish)
        audit(store, call, now, "subscribe", found.slug, detail=" ".join(wanted))
        resumed = resume(store, call.team_id, call.channel_id, now, by=call.user_id)
    lines = _preview(store, found, wish, shown, now)
    said = (*_thresholds(asked, wish, before), *_by_group(call, store, found), *lines, *filter(None, [resumed]))
    card = Card(
        headline=f"This channel is subscribed to {found.name}",
        lines=(f"It gets: {', '.join(wanted)}.", *_left_out(wish), *said),
        context=("/trends list features explains them. /trends mute keeps a page quiet for a while.",),
        buttons=(Button(label="Unsubscribe", query=f"trends unsubscribe {found.slug}"),),
    )
    return Reply(
        card=card,
        notice=(Mention(call.user_id), f" subscribed this channel to {found.slug}: {', '.join(wanted)}"),
    )


def _left_out(wish: Subscription) -> Iterator[str]:
    """What a channel that named some features does not get, and how it would."""
    left_out = [feature for feature in default_features() if feature not in wish.features]
    if left_out:
        yield f"It does not get: {', '.join(left_out)}. /trends subscribe {wish.slug} adds all of them."


def _wish(
    call: Call, found: PageOrGroup, asked: AlertTypeRequest, before: Subscription | None, now: datetime
) -> Subscription:
    """What the channel wants from now on: what was asked, and beside it what it had before."""
    named = asked.features or default_features()
    had = before.features if before else ()
    kept = {} if before is None else before.thresholds
    return Subscription(
        team_id=call.team_id,
        channel_id=call.channel_id,
        target=found.target,
        slug=found.slug,
        features=tuple(one for one in features() if one in named or one in had),
        thresholds={**{one: limit for one, limit in kept.items() if one not in asked.features}, **asked.thresholds},
        by=call.user_id,
        at=now,
        paused=before.paused if before else None,
    )


def _thresholds(asked: AlertTypeRequest, wish: Subscription, before: Subscription | None) -> Iterator[Line]:
    """What its thresholds mean here, and which of them are no more."""
    for name, feature in features().items():
        if (threshold := feature.threshold) is None:
            continue
        if limit := wish.thresholds.get(name):
            yield f"{name} is told from {amount(threshold, limit)} on; the default is {threshold.default:g}."
        elif before and name in before.thresholds and name in asked.features:
            was = written(name, before.thresholds[name])
            default = amount(threshold, threshold.default)
            yield f"{name} was {was}; named without a threshold it is back to its default, {default}."


def _by_group(call: Call, store: Store, found: PageOrGroup) -> Iterator[Line]:
    if groups := groups_subscribed(call, store, found):
        yield (
            f"Other alerts about it come with the subscription to {phrases.listed(groups)}. If both want an alert, "
            "what is set here holds."
        )


def _beside(store: Store, wish: Subscription, found: PageOrGroup) -> tuple[Subscription, ...]:
    """The channel's other subscriptions about those pages: what they set may hold in place of what is set now."""
    others = (
        one
        for one in store.subscriptions.for_channel(wish.team_id, wish.channel_id)
        if one.thresholds and (one.target, one.slug) != (wish.target, wish.slug)
    )
    return tuple(one for one in others if not {page.slug for page in pages_of(store, one)}.isdisjoint(found.pages))


def _preview(store: Store, found: PageOrGroup, wish: Subscription, rehearsal: Preview, now: datetime) -> Iterator[Line]:
    """What would have been posted here in the past 30 days, now that the wish is saved: one card for each story.

    Default rules told it then; what variants would have told, the rehearsal says.
    """
    since = now - PREVIEW
    told_then = [kept.alert for kept in _recent(store, found, since) if not kept.alert.tuned]
    rehearsed = [alert for alert in rehearsal.alerts if alert.at >= since and _is_about(found, alert)]
    stories: dict[str, Alert] = {}
    for alert in sorted((*reversed(told_then), *rehearsed), key=lambda alert: alert.at):
        if alert.feature in wish.features and _comes_here(store, wish, alert):
            stories[alert.story] = alert
    span = _span(store, found, now)
    if span is None:
        yield "No figure of it was read yet, so there is no telling what would have been posted here."
        return
    newest_figure = max(
        (track.last for track in store.series_states.get(found.pages).values()), key=lambda last: last.at
    )
    if not stories and newest_figure.at < since:
        newest_day = phrases.date(newest_figure.at, newest_figure.dated)
        yield f"Its newest figure is of {newest_day}: in the past {PREVIEW.days} days there was nothing to judge."
        return
    if not stories:
        yield f"In {span} it would have posted nothing here."
        return
    yield f"In {span} it would have posted {phrases.several(len(stories), 'alert')} here:"
    newest = sorted(stories.values(), key=lambda alert: alert.at, reverse=True)
    for alert in newest[:_MOST_TOLD]:
        yield f"• {phrases.dated(alert.at, alert.dated)}: {alert_sentence(alert, store)}"
    if len(newest) > _MOST_TOLD:
        yield f"… and {len(newest) - _MOST_TOLD} more. /trends alerts {found.slug} lists them."


def _comes_here(store: Store, wish: Subscription, alert: Alert) -> bool:
    return store.subscriptions.is_for_channel(wish.team_id, wish.channel_id, alert)


def _is_about(found: PageOrGroup, alert: Alert) -> bool:
    """As ``_recent`` chooses: a page's are those where it is page or rival, a group's those inside it."""
    if found.target is Target.PAGE:
        return found.slug in {alert.page, alert.rival}
    return alert.page in found.pages and (alert.rival is None or alert.rival in found.pages)


def _recent(store: Store, found: PageOrGroup, since: datetime) -> tuple[StoredAlert, ...]:
    if found.target is Target.GROUP:
        return store.alerts.recent(group=found.slug, since=since, limit=_MANY)
    return store.alerts.recent(page=found.slug, since=since, limit=_MANY)


def _span(store: Store, found: PageOrGroup, now: datetime) -> str | None:
    """How long it has been watched, at most the past 30 days, in words; None if it has no figures.

    What is older than the present series counts something else, or is too far from it: it is said which is meant.
    """
    tracks = store.series_states.get(found.pages).values()
    begun = [point for track in tracks if (point := store.readings.point_at(track.page, track.since))]
    if not begun:
        return None
    oldest = min(begun, key=lambda point: point.at)
    if now - oldest.at >= PREVIEW:
        return f"the past {PREVIEW.days} days"
    firsts = (store.readings.first_point(track.page) for track in tracks)
    is_first = all(first.at >= oldest.at for first in firsts if first)
    what = "its first figure" if is_first else "its present series of figures began"
    if oldest.dated is Dated.INSTANT:
        return f"the {phrases.duration(now - oldest.at)} since {what}"
    return f"the time since {what} ({phrases.dated(oldest.at, oldest.dated)})"


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("subscribe",),
    usage=USAGE,
    summary="post its alerts in this channel: all that are not opt-in, or the features you name (named later, "
    "they are added), with a threshold if you like",
    permission=Permission.ANYONE,
    run=run,
    posts_here=True,
)
