"""``/trends unmute``: post alerts about a page in this channel again."""

from __future__ import annotations

from datetime import datetime

from bot.slack.audit import audit
from bot.slack.contract import Call, Card, Command, Mention, Permission, Reply, Slash
from bot.slack.names import page_named
from storage.store import Store

USAGE = "/trends unmute <page>"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Unmute the page in the caller's channel."""
    call.require_channel()
    page = page_named(call, store, "unmute", empty=f"Say which page to unmute: {USAGE}")
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
