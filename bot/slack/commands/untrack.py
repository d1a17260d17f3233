"""``/trends untrack``: stop watching a page."""

from __future__ import annotations

from datetime import datetime

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.rules.preview import settle_rule_states
from bot.slack.answers.help import unknown_name
from bot.slack.audit import audit
from bot.slack.contract import Call, Card, Command, Mention, Permission, Reply, Slash
from handlers.discovery import all_comparisons
from storage.store import Store

USAGE = "/trends untrack <page>"


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Stop watching the page, for every channel. Its stored figures and alerts stay."""
    if not call.text:
        raise LikewatchError(f"Say which page to stop watching: {USAGE}")
    page = lookup.find_page(store, call.text)
    if page is None:
        return unknown_name(store, call.text, "trends untrack {}", groups=False)
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
