"""``/trends unmute``: post alerts about a page in this channel again."""

from __future__ import annotations

from datetime import datetime

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.slack.answers.help import unknown_name
from bot.slack.audit import audit
from bot.slack.contract import Call, Card, Command, Mention, Permission, Reply, Slash
from storage.store import Store

USAGE = "/trends unmute <page>"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Unmute the page in the caller's channel."""
    call.require_channel()
    if not call.text:
        raise LikewatchError(f"Say which page to unmute: {USAGE}")
    page = lookup.find_page(store, call.text)
    if page is None:
        return unknown_name(store, call.text, "trends unmute {}", groups=False)
    with store.write():
        was_muted = store.subscriptions.unmute(call.team_id, call.channel_id, page.slug)
        if was_muted:
            audit(store, call, now, "unmute", page.slug)
    if not was_muted:
        return Reply(card=Card(headline=f"{page.name} was not muted here"))
    card = Card(headline=f"{page.name} is not muted here any more", lines=("New alerts about it are posted again.",))
    return Reply(card=card, notice=(Mention(call.user_id), f" unmuted {page.slug} here"))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("unmute",),
    usage=USAGE,
    summary="post alerts about a muted page in this channel again",
    permission=Permission.EDITORS_IN_CHANNELS,
    run=run,
)
