"""``/trends unsubscribe``: post fewer alerts of a page or a group in this channel, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.pages.lookup import PageOrGroup
from bot.rules.alert_types import parse_features, wishes
from bot.rules.preview import settle_rule_states
from bot.slack.answers.subscription import groups_subscribed
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Mention, Permission, Reply, Slash
from bot.slack.names import first_named
from bot.text import phrases
from handlers.discovery import all_comparisons
from storage.store import Store
from storage.values import Subscription

USAGE = "/trends unsubscribe <page or group> [feature …]"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Take back the features that are named, or the whole subscription."""
    call.require_channel()
    named, words = first_named(call, store, "unsubscribe", empty=f"Say what to unsubscribe from: {USAGE}")
    unwanted = tuple(parse_features(words))
    with store.write():
        before = store.subscriptions.get(call.team_id, call.channel_id, named.target, named.slug)
        if before is None:
            return _not_subscribed(call, store, named)
        left = tuple(feature for feature in before.features if unwanted and feature not in unwanted)
        if left:
            thresholds = {feature: limit for feature, limit in before.thresholds.items() if feature in left}
            store.subscriptions.put(replace(before, features=left, thresholds=thresholds))
        else:
            store.subscriptions.remove(call.team_id, call.channel_id, named.target, named.slug)
        settle_rule_states(store, all_comparisons(), now)
        audit(store, call, now, "unsubscribe", named.slug, detail=" ".join(unwanted))
    return _unsubscribed(call, store, named, before=before, unwanted=unwanted, left=left)


def _unsubscribed(
    call: Call,
    store: Store,
    named: PageOrGroup,
    *,
    before: Subscription,
    unwanted: tuple[str, ...],
    left: tuple[str, ...],
) -> Reply:
    notice = f" unsubscribed this channel from {named.slug}"
    if left:
        headline = f"This channel gets less of {named.name}"
        lines = [f"No more: {', '.join(unwanted)}. Still: {', '.join(wishes(replace(before, features=left)))}."]
        notice += f": {', '.join(unwanted)}"
    else:
        headline = f"This channel is not subscribed to {named.name} any more"
        lines = ["It goes on being watched: /likes answers, and other channels keep their alerts."]
    if groups := groups_subscribed(call, store, named):
        lines.append(f"Alerts about it still come with the subscription to {phrases.listed(groups)}.")
    removed = wishes(replace(before, features=tuple(feature for feature in before.features if feature not in left)))
    again = Button(label="Subscribe again", query=f"trends subscribe {named.slug} {' '.join(removed)}")
    card = Card(headline=headline, lines=tuple(lines), buttons=(again,))
    return Reply(card=card, notice=(Mention(call.user_id), notice))


def _not_subscribed(call: Call, store: Store, named: PageOrGroup) -> Reply:
    """Say so. If the page's alerts come with one of its groups, offer to end that subscription."""
    headline = f"This channel is not subscribed to {named.name}"
    groups = groups_subscribed(call, store, named)
    if not groups:
        return Reply(card=Card(headline=headline, lines=("/trends list shows what it is subscribed to.",)))
    buttons = (
        *(Button(label=f"Unsubscribe from {slug}", query=f"trends unsubscribe {slug}") for slug in groups),
        Button(label=f"Mute {named.slug} for 1 week", query=f"trends mute {named.slug} 1w"),
    )
    line = f"Its alerts come with the subscription to {phrases.listed(groups)}. End that one, or mute this page."
    return Reply(card=Card(headline=headline, lines=(line,), buttons=buttons))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("unsubscribe",),
    usage=USAGE,
    summary="post its alerts in this channel no more, or not the features that you name",
    permission=Permission.ANYONE,
    run=run,
)
