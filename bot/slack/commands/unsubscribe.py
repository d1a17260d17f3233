"""``/trends unsubscribe``: a channel wants no more alerts of a page or a group, or fewer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.pages.lookup import PageOrGroup
from bot.rules.alert_types import wishes
from bot.rules.parse_alert_types import parse_features
from bot.rules.preview import settle_rule_states
from bot.slack.answers.subscribed_groups import groups_subscribed
from bot.slack.answers.unknown_name import unknown_name
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Mention, Permission, Reply, Slash
from bot.text import phrases
from handlers.comparisons import all_comparisons
from storage.store import Store
from storage.values import Subscription

USAGE = "/trends unsubscribe <page or group> [feature …]"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Take back the features named, or the whole subscription."""
    if not call.text:
        raise LikewatchError(f"Say what to unsubscribe from: {USAGE}")
    found, asked = lookup.find_first(store, call.text)
    if found is None:
        name, _, rest = call.text.partition(" ")
        return unknown_name(store, name, f"trends unsubscribe {{}} {rest}")
    unwanted = parse_features(asked).features
    with store.write():
        before = store.subscriptions.get(call.team_id, call.channel_id, found.target, found.slug)
        if before is None:
            return _not_subscribed(call, store, found)
        left = tuple(one for one in before.features if unwanted and one not in unwanted)
        if left:
            kept = {feature: limit for feature, limit in before.thresholds.items() if feature in left}
            store.subscriptions.put(replace(before, features=left, thresholds=kept))
        else:
            store.subscriptions.remove(call.team_id, call.channel_id, found.target, found.slug)
        settle_rule_states(store, all_comparisons(), now)
        audit(store, call, now, "unsubscribe", found.slug, detail=" ".join(unwanted))
    return _done(call, found, before, unwanted, left, groups=groups_subscribed(call, store, found))


def _done(
    call: Call,
    found: PageOrGroup,
    before: Subscription,
    unwanted: tuple[str, ...],
    left: tuple[str, ...],
    *,
    groups: list[str],
) -> Reply:
    lost = wishes(replace(before, features=tuple(one for one in before.features if one not in left)))
    again = Button(label="Subscribe again", query=f"trends subscribe {found.slug} {' '.join(lost)}")
    if left:
        headline = f"This channel gets less of {found.name}"
        line = f"No more: {', '.join(unwanted)}. Still: {', '.join(wishes(replace(before, features=left)))}."
        told = f" unsubscribed this channel from {found.slug}: {', '.join(unwanted)}"
    else:
        headline = f"This channel is not subscribed to {found.name} any more"
        line = "It goes on being watched: /likes answers, and other channels keep their alerts."
        told = f" unsubscribed this channel from {found.slug}"
    still = (f"Alerts about it still come with the subscription to {phrases.listed(groups)}.",) if groups else ()
    return Reply(
        card=Card(headline=headline, lines=(line, *still), buttons=(again,)), notice=(Mention(call.user_id), told)
    )


def _not_subscribed(call: Call, store: Store, found: PageOrGroup) -> Reply:
    """Say so; and where the page's alerts come by one of its groups, offer what ends them."""
    headline = f"This channel is not subscribed to {found.name}"
    groups = groups_subscribed(call, store, found)
    if not groups:
        return Reply(card=Card(headline=headline, lines=("/trends list shows what it is subscribed to.",)))
    buttons = (
        *(Button(label=f"Unsubscribe from {slug}", query=f"trends unsubscribe {slug}") for slug in groups),
        Button(label=f"Mute {found.slug} for 1 week", query=f"trends mute {found.slug} 1w"),
    )
    line = f"Its alerts come with the subscription to {phrases.listed(groups)}. End that one, or mute this page."
    return Reply(card=Card(headline=headline, lines=(line,), buttons=buttons))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("unsubscribe",),
    usage=USAGE,
    summary="post its alerts in this channel no more, or not those of the features you name",
    permission=Permission.ANYONE,
    run=run,
)
