"""``/trends list``: what this channel gets; ``/trends list features``: what there is to get."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot import words
from bot.errors import LikewatchError
from bot.features import features, written
from bot.slack.contract import Bold, Call, Card, Command, Line, Moment, Reply, Slash
from bot.slack.figures import age, counted
from storage.store import Store
from storage.values import Latest, Subscription, Target

USAGE = "/trends list [features]"
_MOST_PAGES = 15


def run(call: Call, store: Store, now: datetime) -> Reply:
    """The channel's subscriptions with their pages, pauses and mutes; or every feature with a line about it."""
    if call.text.casefold() == "features":
        return _features()
    if call.text:
        raise LikewatchError(f"I do not understand “{call.text}” here. Usage: {USAGE}")
    subscriptions = store.subscriptions.of_channel(call.team_id, call.channel_id)
    if not subscriptions:
        how = "/trends subscribe and a page or group starts one. /trends groups lists what is watched."
        return Reply(card=Card(headline="This channel is subscribed to nothing", lines=(how,)))
    lines = [line for subscription in subscriptions for line in _told(call, store, subscription, now)]
    headline = f"This channel has {words.several(len(subscriptions), 'subscription')}"
    return Reply(card=Card(headline=headline, lines=tuple(lines)))


def _features() -> Reply:
    lines = tuple((Bold(feature), f": {summary}") for feature, summary in features().items())
    example = f"For example: /trends subscribe hunsen {next(iter(features()), '')}"
    return Reply(card=Card(headline="Features to subscribe to", lines=lines, context=(example,)))


def _told(call: Call, store: Store, subscription: Subscription, now: datetime) -> Iterator[Line]:
    gets = f": {', '.join(written(subscription.features, subscription.thresholds))}"
    if subscription.target is Target.GROUP:
        group = store.pages.group(subscription.slug)
        pages = group.pages if group else ()
        yield (Bold(f"Group {subscription.slug}"), gets)
    else:
        pages = (subscription.slug,)
        yield (Bold(subscription.slug), gets)
    if subscription.paused:
        yield f"Paused: {subscription.paused}"
    for latest in store.readings.board(pages[:_MOST_PAGES]):
        yield _page(call, store, latest, now)
    if len(pages) > _MOST_PAGES:
        yield f"… and {len(pages) - _MOST_PAGES} more; /likes {subscription.slug} shows the board."


def _page(call: Call, store: Store, latest: Latest, now: datetime) -> Line:
    count = f"{counted(latest.track)}, {age(latest, now)}" if latest.track else age(latest, now)
    trouble = "; not readable now" if latest.trouble else ""
    muted = store.subscriptions.muted(call.team_id, call.channel_id, latest.page.slug, now)
    until = ("; muted until ", Moment(muted)) if muted else ()
    return (f"• {latest.page.name} ({latest.page.slug}): {count}{trouble}", *until)


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("list",),
    usage=USAGE,
    summary="what this channel is subscribed to, muted pages and pauses; or every feature there is",
    run=run,
)
