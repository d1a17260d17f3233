"""``/trends untrack``: stop watching a page."""

from __future__ import annotations

from datetime import datetime

from bot.rules.preview import settle_rule_states
from bot.slack.audit import audit
from bot.slack.contract import Call, Card, Command, Mention, Permission, Reply, Slash
from bot.slack.names import page_named
from handlers.discovery import all_comparisons
from storage.store import Store

USAGE = "/trends untrack <page>"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Stop watching the page, for every channel. Its stored figures and alerts stay."""
    page = page_named(call, store, "untrack", empty=f"Say which page to stop watching: {USAGE}")
    with store.write():
        store.pages.remove(page.slug, at=now)
        settle_rule_states(store, all_comparisons(), now)
        audit(store, call, now, "untrack", page.slug)
    lines = (
        "Likewatch reads it no more, for any channel.",
        "Its figures and alerts stay stored. /trends track brings the page back.",
    )
    card = Card(headline=f"{page.name} is not watched any more", lines=lines)
    return Reply(card=card, notice=(Mention(call.user_id), f" stopped watching {page.slug}, for every channel"))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("untrack",),
    usage=USAGE,
    summary="stop watching a page, in every channel; its stored figures stay",
    permission=Permission.EDITORS,
    run=run,
)
