"""``/trends groups``: which pages are rivals."""

from __future__ import annotations

from datetime import datetime

from bot.pages.lookup import HOW_TO_START
from bot.slack.contract import Bold, Call, Card, Command, Line, Permission, Reply, Slash
from bot.text import phrases
from storage.store import Store

MAX_NAMED = 30
_HOW_TO_GROUP = (
    "Leads and overtakes are judged inside a group. /trends track <address> in <group> puts a page into a group. "
    "A page that is only imported joins with its next file: likewatch import FILE --group <group>."
)


def run(_call: Call, store: Store, _now: datetime) -> Reply:
    """Answer with every group and its pages, and the pages in no group."""
    pages = store.pages.all()
    if not pages:
        return Reply(card=Card(headline="No page is watched yet", lines=(HOW_TO_START,)))
    lines: list[Line] = [
        (Bold(group.slug), f": {phrases.first_of(group.pages, MAX_NAMED)}") for group in store.pages.groups()
    ]
    if alone := [page.slug for page in pages if not page.groups]:
        lines.append((Bold("In no group"), f": {phrases.first_of(alone, MAX_NAMED)}"))
    headline = f"{phrases.several(len(pages), 'page')} watched"
    return Reply(card=Card(headline=headline, lines=tuple(lines), context=(_HOW_TO_GROUP,)))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("groups", "pages"),
    usage="/trends groups",
    summary="the groups and their pages",
    permission=Permission.ANYONE,
    run=run,
)
