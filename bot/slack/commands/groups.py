"""``/trends groups``: which pages are rivals."""

from __future__ import annotations

from datetime import datetime

from bot.pages.lookup import HOW_TO_START
from bot.slack.contract import Bold, Call, Card, Command, Line, Permission, Reply, Slash
from bot.text import phrases
from storage.store import Store

MOST_NAMED = 30
_HOW_TO_GROUP = (
    "Leads and overtakes are judged inside a group. /trends track <address> in <group> adds a page that is polled to "
    "one; one that is only imported joins with its next file: likewatch import FILE --group <group>."
)


def run(_call: Call, store: Store, _now: datetime) -> Reply:
    """Every group with its pages, and the pages in none."""
    pages = store.pages.all()
    if not pages:
        return Reply(card=Card(headline="No page is watched yet", lines=(HOW_TO_START,)))
    lines: list[Line] = [(Bold(group.slug), f": {_named(group.pages)}") for group in store.pages.groups()]
    if alone := [page.slug for page in pages if not page.groups]:
        lines.append((Bold("In no group"), f": {_named(alone)}"))
    return Reply(
        card=Card(
            headline=f"{phrases.several(len(pages), 'page')} watched",
            lines=tuple(lines),
            context=(_HOW_TO_GROUP,),
        )
    )


def _named(slugs: list[str] | tuple[str, ...]) -> str:
    more = len(slugs) - MOST_NAMED
    return ", ".join(slugs[:MOST_NAMED]) + (f" and {phrases.count(more)} more" if more > 0 else "")


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("groups", "pages"),
    usage="/trends groups",
    summary="the groups and their pages",
    permission=Permission.ANYONE,
    run=run,
)
