"""``/trends mute``: no alerts about a page in this channel for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.slack.answers.help import unknown_name
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Mention, Moment, Permission, Reply, Slash
from bot.text import durations, phrases
from storage.store import Store
from storage.values import Target

DEFAULT = timedelta(days=1)
LONGEST = timedelta(weeks=4)
USAGE = "/trends mute <page> [1h | 1d | 1w]"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Mute the page in the caller's channel. Likewatch goes on reading it, and /likes goes on answering."""
    call.require_channel()
    name, _, typed_period = call.text.rpartition(" ")
    period = durations.period(typed_period)
    if not period:
        name, typed_period, period = call.text, "", DEFAULT
    if not name:
        raise LikewatchError(f"Say which page to mute: {USAGE}")
    if period > LONGEST:
        raise LikewatchError(
            f"{typed_period} is too long: a page can be muted for at most {durations.length(LONGEST)}. "
            "To end its alerts here, use /trends unsubscribe."
        )
    named = lookup.find(store, name)
    if named is None:
        if refused := durations.refused_period(name.split()[-1]):
            raise LikewatchError(refused)
        return unknown_name(store, name, f"trends mute {{}} {typed_period}", groups=False)
    if named.target is Target.GROUP:
        raise LikewatchError(f"{named.slug} is a group. Mute one of its pages: {phrases.listed(named.pages)}.")
    until = now + period
    with store.write():
        store.subscriptions.mute(call.team_id, call.channel_id, named.slug, until=until)
        audit(store, call, now, "mute", named.slug, detail=f"until {phrases.instant(until)}")
    card = Card(
        headline=f"{named.name} is muted here for {durations.length(period)}",
        lines=(
            ("Until ", Moment(until), " no alert about it is posted in this channel. Likewatch goes on reading it."),
        ),
        buttons=(Button(label="Unmute", query=f"trends unmute {named.slug}"),),
    )
    return Reply(card=card, notice=(Mention(call.user_id), f" muted {named.slug} here for {durations.length(period)}"))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("mute",),
    usage=USAGE,
    summary="no alerts about a page in this channel for an hour, a day (unless you say otherwise) or a week",
    permission=Permission.EDITORS_IN_CHANNELS,
    run=run,
)
