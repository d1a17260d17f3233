"""``/trends subscribe``: post a page's or a group's alerts in this channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bot.pages.lookup import PageOrGroup
from bot.rules.alert_types import amount, default_features, features, parse_features, wishes, written
from bot.rules.channel_rules import channel_rules, pages_of
from bot.rules.preview import preview, settle_rule_states
from bot.slack.answers.subscription import groups_subscribed, preview_lines
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Line, Mention, Permission, Reply, Slash
from bot.slack.delivery.unreachable_channels import resume
from bot.slack.names import first_named
from bot.text import phrases
from handlers.discovery import all_comparisons
from storage.store import Store
from storage.values import Subscription

USAGE = "/trends subscribe <page or group> [feature …] [surge>5x]"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Subscribe the channel.

    * No feature named: all features that are not opt-in, beside the features that the channel has.
    * Features named: they are added, each with the threshold typed with it, or with its default.

    The bot may post here, or dispatch would have refused. So a paused channel is resumed in the same transaction.
    """
    call.require_channel()
    named, words = first_named(call, store, "subscribe", empty=f"Say what to subscribe to: {USAGE}")
    wanted = parse_features(words)
    before = store.subscriptions.get(call.team_id, call.channel_id, named.target, named.slug)
    subscription = _subscription(call, named, wanted, before, now)
    tuned = (subscription, *_others_with_thresholds(store, subscription, named))
    shown = preview(store, tuned, channel_rules(store, tuned, all_comparisons()), now)
    gets = ", ".join(wishes(subscription))
    with store.write():
        store.subscriptions.put(subscription)
        settle_rule_states(store, all_comparisons(), now, made=shown.rule_states)
        audit(store, call, now, "subscribe", named.slug, detail=" ".join(wishes(subscription)))
        resumed = resume(store, call.team_id, call.channel_id, now, by=call.user_id)
    lines: list[Line] = [
        f"It gets: {gets}.",
        *_missing_features(subscription),
        *_thresholds(wanted, subscription, before),
        *_by_group(call, store, named),
        *preview_lines(store, named, subscription, shown, now),
    ]
    if resumed:
        lines.append(resumed)
    card = Card(
        headline=f"This channel is subscribed to {named.name}",
        lines=tuple(lines),
        context=("/trends list features explains them. /trends mute keeps a page quiet for a while.",),
        buttons=(Button(label="Unsubscribe", query=f"trends unsubscribe {named.slug}"),),
    )
    return Reply(card=card, notice=(Mention(call.user_id), f" subscribed this channel to {named.slug}: {gets}"))


def _subscription(
    call: Call, named: PageOrGroup, wanted: Mapping[str, float | None], before: Subscription | None, now: datetime
) -> Subscription:
    """Return the new subscription: the wanted features, and the features that the channel had before."""
    chosen = {*(wanted or default_features()), *(before.features if before else ())}
    limits = before.thresholds if before else {}
    return Subscription(
        team_id=call.team_id,
        channel_id=call.channel_id,
        target=named.target,
        slug=named.slug,
        features=tuple(feature for feature in features() if feature in chosen),
        thresholds={
            **{feature: limit for feature, limit in limits.items() if feature not in wanted},
            **{feature: limit for feature, limit in wanted.items() if limit is not None},
        },
        by=call.user_id,
        at=now,
        paused=before.paused if before else None,
    )


def _others_with_thresholds(store: Store, subscription: Subscription, named: PageOrGroup) -> tuple[Subscription, ...]:
    """Return the channel's other subscriptions about the same pages: their thresholds may hold in place of these."""
    others = (
        one
        for one in store.subscriptions.for_channel(subscription.team_id, subscription.channel_id)
        if one.thresholds and (one.target, one.slug) != (subscription.target, subscription.slug)
    )
    return tuple(one for one in others if not {page.slug for page in pages_of(store, one)}.isdisjoint(named.pages))


def _missing_features(subscription: Subscription) -> Iterator[str]:
    if missing := [feature for feature in default_features() if feature not in subscription.features]:
        yield f"It does not get: {', '.join(missing)}. /trends subscribe {subscription.slug} adds all of them."


def _thresholds(
    wanted: Mapping[str, float | None], subscription: Subscription, before: Subscription | None
) -> Iterator[Line]:
    """Say what the channel's thresholds mean, and which of them are back to their default."""
    for name, feature in features().items():
        if (threshold := feature.threshold) is None:
            continue
        if limit := subscription.thresholds.get(name):
            yield f"{name} is posted from {amount(threshold, limit)} on. The default is {threshold.default:g}."
        elif before and name in before.thresholds and name in wanted:
            was = written(name, before.thresholds[name])
            default = amount(threshold, threshold.default)
            yield f"{name} was {was}. You named it without a threshold, so it is back to its default, {default}."


def _by_group(call: Call, store: Store, named: PageOrGroup) -> Iterator[Line]:
    if groups := groups_subscribed(call, store, named):
        yield (
            f"Other alerts about it come with the subscription to {phrases.listed(groups)}. If both want an alert, "
            "what is set here holds."
        )


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("subscribe",),
    usage=USAGE,
    summary="post its alerts in this channel: all features but the opt-in ones, or the features that you name, each "
    "with a threshold if you like",
    permission=Permission.ANYONE,
    run=run,
    posts_here=True,
    scopes=("channels:read", "groups:read"),
)
