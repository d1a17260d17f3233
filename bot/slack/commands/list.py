"""``/trends list``: what this channel is subscribed to; ``/trends list features``: what a channel can subscribe to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.errors import LikewatchError
from bot.rules.alert_types import Feature, amount, features, wishes, written
from bot.slack.answers.figures import CountedPage, age_text, count_text
from bot.slack.contract import Bold, Call, Card, Command, Line, Moment, Permission, Reply, Slash
from bot.text import phrases
from storage.store import Store
from storage.values import PageSnapshot, Subscription, Target

USAGE = "/trends list [features]"
_MAX_PAGES = 15


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Answer with the channel's subscriptions, pauses and mutes; or with every feature and a line about it."""
    if call.text.casefold() == "features":
        return _features()
    if call.text:
        raise LikewatchError(f"I do not understand “{call.text}” here. Usage: {USAGE}")
    call.require_channel()
    subscriptions = store.subscriptions.for_channel(call.team_id, call.channel_id)
    if not subscriptions:
        how = "/trends subscribe and a page or group starts one. /trends groups lists what is watched."
        return Reply(card=Card(headline="This channel is subscribed to nothing", lines=(how,)))
    lines = [line for subscription in subscriptions for line in _lines(call, store, subscription, now)]
    headline = f"This channel has {phrases.several(len(subscriptions), 'subscription')}"
    return Reply(card=Card(headline=headline, lines=tuple(lines)))


def _features() -> Reply:
    lines = tuple((Bold(name), f": {feature.summary}.{_settings(feature)}") for name, feature in features().items())
    opt_in = [name for name, feature in features().items() if feature.opt_in]
    example = next((one for one in features().values() if one.threshold), None)
    context = (
        "Without naming features, a channel gets all" + (f" but {phrases.listed(opt_in)}." if opt_in else "."),
        "For example: /trends subscribe hunsen overtake"
        + (f" {written(example.name, example.threshold.default)}" if example and example.threshold else ""),
    )
    return Reply(card=Card(headline="Features to subscribe to", lines=lines, context=context))


def _settings(feature: Feature) -> str:
    text = " Only where you name it." if feature.opt_in else ""
    if threshold := feature.threshold:
        text += (
            f" Posted from {amount(threshold, threshold.default)} on. You may set {threshold.least:g} to "
            f"{threshold.most:g}: {written(feature.name, threshold.default)}"
        )
    return text


def _lines(call: Call, store: Store, subscription: Subscription, now: datetime) -> Iterator[Line]:
    gets = f": {', '.join(wishes(subscription))}"
    if subscription.target is Target.GROUP:
        group = store.pages.group(subscription.slug)
        pages = group.pages if group else ()
        yield (Bold(f"Group {subscription.slug}"), gets)
    else:
        pages = (subscription.slug,)
        yield (Bold(subscription.slug), gets)
    if subscription.paused:
        yield f"Paused: {subscription.paused}"
    for latest in store.readings.page_snapshots(pages[:_MAX_PAGES]):
        yield _page(call, store, latest, now)
    if len(pages) > _MAX_PAGES:
        yield f"… and {len(pages) - _MAX_PAGES} more. /likes {subscription.slug} shows them all."


def _page(call: Call, store: Store, latest: PageSnapshot, now: datetime) -> Line:
    count = "not read yet"
    if state := latest.series_state:
        count = f"{count_text(state)}, {age_text(CountedPage(latest, state), now)}"
    trouble = "; cannot be read now" if latest.trouble else ""
    muted = store.subscriptions.muted(call.team_id, call.channel_id, latest.page.slug, now)
    until = ("; muted until ", Moment(muted)) if muted else ()
    return (f"• {latest.page.name} ({latest.page.slug}): {count}{trouble}", *until)


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("list",),
    usage=USAGE,
    summary="what this channel is subscribed to, with mutes and pauses; or every feature there is",
    permission=Permission.ANYONE,
    run=run,
)
