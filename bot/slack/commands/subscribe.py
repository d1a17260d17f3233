"""``/trends subscribe``: a channel wants the alerts of a page or a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot import words
from bot.errors import LikewatchError
from bot.slack import names
from bot.slack.alert_card import told
from bot.slack.auditing import audit
from bot.slack.contract import Button, Call, Card, Command, Line, Person, Reply, Slash
from bot.slack.features import features, parse_features
from bot.slack.names import Named
from handlers.model import Alert
from storage.store import Store
from storage.values import KeptAlert, Subscription, Target

USAGE = "/trends subscribe <page or group> [feature …]"
PREVIEW = timedelta(days=30)
_MOST_TOLD = 5
_MANY = 500


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Subscribe the channel. No feature named means all of them; features named later are added to those it has."""
    if not call.text:
        raise LikewatchError(f"Say what to subscribe to: {USAGE}")
    found, asked = names.find_first(store, call.text)
    if found is None:
        name, _, rest = call.text.partition(" ")
        return names.unknown(store, name, f"trends subscribe {{}} {rest}")
    wanted = parse_features(asked) or tuple(features())
    before = store.subscriptions.get(call.team_id, call.channel_id, found.target, found.slug)
    if before is not None and asked:
        wanted = tuple(one for one in features() if one in wanted or one in before.features)
    preview = tuple(_preview(store, found, wanted, now))
    subscription = Subscription(
        team_id=call.team_id,
        channel_id=call.channel_id,
        target=found.target,
        slug=found.slug,
        features=wanted,
        by=call.user_id,
        at=now,
    )
    with store.write():
        store.subscriptions.put(subscription)
        audit(store, call, now, "subscribe", found.slug, detail=" ".join(wanted))
    card = Card(
        headline=f"This channel is subscribed to {found.name}",
        lines=(f"It gets: {', '.join(wanted)}.", *preview),
        context=("/trends list features explains them. /trends mute keeps a page quiet for a while.",),
        buttons=(Button(label="Unsubscribe", query=f"trends unsubscribe {found.slug}"),),
    )
    return Reply(
        card=card,
        notice=(Person(call.user_id), f" subscribed this channel to {found.slug}: {', '.join(wanted)}"),
    )


def _preview(store: Store, found: Named, wanted: Sequence[str], now: datetime) -> Iterator[Line]:
    """What would have been posted here in the past 30 days: one card for each story."""
    recent = _recent(store, found, now - PREVIEW)
    stories: dict[str, Alert] = {}
    for kept in reversed(recent):
        if kept.alert.feature in wanted:
            stories[kept.alert.story] = kept.alert
    span = _span(store, found, now)
    if span is None:
        yield "No figure of it was read yet, so there is no telling what would have been posted here."
        return
    if not stories:
        yield f"In {span} it would have posted nothing here."
        return
    yield f"In {span} it would have posted {words.several(len(stories), 'alert')} here:"
    newest = sorted(stories.values(), key=lambda alert: alert.at, reverse=True)
    for alert in newest[:_MOST_TOLD]:
        yield f"• {words.dated(alert.at, alert.dated)}: {told(alert, store)}"
    if len(newest) > _MOST_TOLD:
        yield f"… and {len(newest) - _MOST_TOLD} more. /trends alerts {found.slug} lists them."


def _recent(store: Store, found: Named, since: datetime) -> tuple[KeptAlert, ...]:
    if found.target is Target.GROUP:
        return store.alerts.recent(group=found.slug, since=since, limit=_MANY)
    return store.alerts.recent(page=found.slug, since=since, limit=_MANY)


def _span(store: Store, found: Named, now: datetime) -> str | None:
    """How long it has been watched, at most the past 30 days, in words; None if it has no figures."""
    since = [track.since for track in store.readings.tracks(found.pages).values()]
    if not since:
        return None
    if now - min(since) >= PREVIEW:
        return f"the past {PREVIEW.days} days"
    return f"the {words.duration(now - min(since))} since its first figure"


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("subscribe",),
    usage=USAGE,
    summary="post its alerts in this channel: all features, or those you name (named later, they are added)",
    run=run,
    speaks=True,
)
