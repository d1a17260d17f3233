"""``/trends mute``: no alerts about a page in this channel for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.slack.answers.unknown_name import unknown_name
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Mention, Moment, Permission, Reply, Slash
from bot.text import phrases
from storage.store import Store
from storage.values import Target

DEFAULT = timedelta(days=1)
LONGEST = timedelta(weeks=4)
USAGE = "/trends mute <page> [1h | 1d | 1w]"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Mute the page here; readings and answers go on."""
    name, length, period = _parsed(call.text)
    if not name:
        raise LikewatchError(f"Say which page to mute: {USAGE}")
    if period > LONGEST:
        raise LikewatchError(
            f"{length} is too long: a page can be muted for at most {phrases.length(LONGEST)}. "
            "To end its alerts here, use /trends unsubscribe."
        )
    found = lookup.find(store, name)
    if found is None and (refused := phrases.refused_period(name.split()[-1])):
        raise LikewatchError(refused)
    if found is None:
        return unknown_name(store, name, f"trends mute {{}} {length}", groups=False)
    if found.target is Target.GROUP:
        raise LikewatchError(f"{found.slug} is a group. Mute one of its pages: {phrases.listed(found.pages)}.")
    until = now + period
    with store.write():
        store.subscriptions.mute(call.team_id, call.channel_id, found.slug, until=until)
        audit(store, call, now, "mute", found.slug, detail=f"until {phrases.instant(until)}")
    card = Card(
        headline=f"{found.name} is muted here for {phrases.length(period)}",
        lines=(
            ("Until ", Moment(until), " no alert about it is posted in this channel. Its figures go on being read."),
        ),
        buttons=(Button(label="Unmute", query=f"trends unmute {found.slug}"),),
    )
    return Reply(card=card, notice=(Mention(call.user_id), f" muted {found.slug} here for {phrases.length(period)}"))


def _parsed(text: str) -> tuple[str, str, timedelta]:
    """The page's name, how long as typed ("" if it was not said), and how long."""
    name, _, last = text.rpartition(" ")
    period = phrases.period(last)
    return (name, last, period) if period else (text, "", DEFAULT)


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("mute",),
    usage=USAGE,
    summary="no alerts about a page in this channel for an hour, a day (unless you say otherwise) or a week",
    permission=Permission.EDITORS_IN_CHANNELS,
    run=run,
)
